"""Signing in with Microsoft: authorization code with PKCE by form_post, in a throw-away cache. It stores nothing.

MSAL puts tokens into its cache before it looks at the nonce, and looks at no other claim. So the cache made here is
handed out only after the ID token passed our own checks and Graph's /me named the same person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msal

from app.domain.challenges import asking_when, valid_claims
from app.domain.errors import SignInFailed
from app.domain.request import Person
from app.identity.entra import MSAL_RAISES, Entra
from app.identity.id_token import Expected, check_id_token
from app.identity.json_web_keys import JsonWebKeys
from app.identity.origins import Origins
from app.identity.refusals import AGAIN, NOTHING, refused
from app.identity.signed import Claims
from app.identity.whose import me
from app.identity.wire import PinnedHttp
from app.ports import MicrosoftIdentity

CALLBACK = "/sign-in/microsoft/callback"
BEGUN = "begun"  # in what is kept: when the browser was sent away, ISO 8601


class MicrosoftSignIn:
    """One browser's way through Microsoft's sign-in. Raises SignInFailed, Unavailable, Malformed."""

    def __init__(
        self, entra: Entra, http: PinnedHttp, origins: Origins, public_url: str, *, require_auth_time: bool = False
    ) -> None:
        """`public_url`: our own root as browsers see it, without a trailing slash.

        `require_auth_time`: refuse a sign-in when Microsoft does not say when it was made.
        """
        facts = entra.registration
        self._entra = entra
        self._http = http
        self._origins = origins
        self._redirect = public_url + CALLBACK
        self.require_auth_time = require_auth_time
        self._keys = JsonWebKeys(http, facts.keys_url, facts.key_issuers)

    async def begin(
        self, state: str, now: datetime, claims: str = "", login_hint: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """Where the browser goes, and what must be kept, encrypted, until it returns.

        `claims`: a claims challenge to be met, dropped when it is not of Microsoft's shape.
        """
        flow = await self._entra.run(lambda: self._start(state, asking_when(valid_claims(claims)), login_hint))
        return self._origins.to_wire(flow.pop("auth_uri")), {**flow, BEGUN: now.isoformat()}

    async def identity(self, flow: Mapping[str, Any], form: Mapping[str, str], now: datetime) -> MicrosoftIdentity:
        """Who came back.

        1. Redeem the code in a cache of its own. 2. Check the ID token. 3. Ask Graph who that is: the same object id.
        """
        if "error" in form:
            raise refused(form)
        cache = msal.SerializableTokenCache()
        answer = await self._entra.run(lambda: self._redeem(dict(flow), form, cache))
        if "error" in answer:
            raise refused(answer)
        facts = self._entra.registration
        expected = Expected(
            facts.issuer,
            facts.client_id,
            _sent_nonce(flow),
            facts.tenant,
            since=datetime.fromisoformat(flow[BEGUN]),
            told=self.require_auth_time,
        )
        claims = await check_id_token(answer.get("id_token"), self._keys, expected, now)
        person = await self._me(str(answer.get("access_token", "")), claims)
        return MicrosoftIdentity(facts.tenant, person, cache.serialize(), now)

    def _start(self, state: str, claims: str, login_hint: str) -> dict[str, Any]:
        application = self._entra.application(msal.TokenCache())
        flow: dict[str, Any] = application.initiate_auth_code_flow(
            list(self._entra.registration.cloud.graph_scopes),
            redirect_uri=self._redirect,
            state=state,
            prompt="login",
            response_mode="form_post",
            login_hint=login_hint or None,
            claims_challenge=claims,
        )
        return flow

    def _redeem(self, flow: dict[str, Any], form: Mapping[str, str], cache: msal.TokenCache) -> dict[str, Any]:
        returned = {name: form[name] for name in ("code", "state") if name in form}
        application = self._entra.application(cache)
        try:
            answer: dict[str, Any] = application.acquire_token_by_auth_code_flow(flow, returned)
        except MSAL_RAISES:
            raise SignInFailed(f"Microsoft's answer does not belong to this sign-in. {NOTHING} {AGAIN}") from None
        return answer

    async def _me(self, token: str, claims: Claims) -> Person:
        person = await me(self._http, self._entra.registration.cloud, token, claims["oid"])
        if person is None:
            raise SignInFailed(f"Microsoft Graph does not confirm who you are. {NOTHING} {AGAIN}")
        return person


def _sent_nonce(flow: Mapping[str, Any]) -> str:
    # MSAL keeps the nonce and sends its SHA-256, as OpenID Connect Core's nonce notes advise.
    return hashlib.sha256(str(flow["nonce"]).encode()).hexdigest()
