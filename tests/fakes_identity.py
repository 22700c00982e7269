"""Recording doubles for sign-in: the tables linking needs, both identity providers on the wire, a settable clock."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import json
import secrets
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from security.canaries import secret

from app.decisions.sending import Fate
from app.decisions.values import Verify
from app.domain.errors import BotError, SignInFailed
from app.domain.request import Person
from app.domain.ruling import Refused, Why
from app.identity.entra import Entra, Registration
from app.identity.keyring import Keyring
from app.identity.msal_http import LoginHttp
from app.identity.origins import Origins
from app.identity.sign_in import cache_context
from app.identity.wire import PinnedHttp
from app.ports import Link, LinkState, MicrosoftIdentity, SealedCache, SlackIdentity

TEAM = "T0FAKETEAM"
TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "99999999-8888-4777-8666-555555555555"
SLACK_CLIENT = "123.456"
PUBLIC = "https://pim.example"
ANN = Person("aaaaaaaa-0000-4000-8000-00000000000a", "Ann Alder", "ann@contoso.example", "ann@contoso.example")
BEN = Person("bbbbbbbb-0000-4000-8000-00000000000b", "Ben Brook", "ben@contoso.example", "ben@contoso.example")
ANN_SLACK, BEN_SLACK = "U0ANN00001", "U0BEN00001"
KEYS = ",".join(
    secret(f"{name}:{base64.urlsafe_b64encode(name[-1:].encode() * 32).decode()}", f"the key {name}")
    for name in ("k2", "k1")
)
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"


@functools.cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """A key pair for the whole run; another number is another key."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(key: rsa.RSAPrivateKey, kid: str, **over: object) -> dict[str, Any]:
    numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"kty": "RSA", "use": "sig", "kid": kid, "n": numbers["n"], "e": numbers["e"], **over}


@dataclass
class FakeClock:
    """Stands still until moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        self.now += span


@dataclass
class FakeFlows:
    rows: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    async def put(self, token_hash: str, sealed: str, expires: datetime) -> None:
        self.rows[token_hash] = (sealed, expires)

    async def take(self, token_hash: str, now: datetime) -> str | None:
        sealed, expires = self.rows.pop(token_hash, ("", now))
        return sealed if expires > now else None


@dataclass
class FakeLinks:
    """The links table by its contract. `before_save` runs inside `save_cache`, where another process could be first.

    `told`: the direct messages owed, as topic and Slack user; `whys`: the reasons for suspensions.
    """

    rows: dict[str, SealedCache] = field(default_factory=dict)
    suspended: list[str] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    cache_saves: int = 0
    before_save: Callable[[], Awaitable[object]] | None = None
    saved: asyncio.Event = field(default_factory=asyncio.Event)

    async def by_slack(self, team: str, user: str) -> Link | None:
        return next((r.link for r in self.rows.values() if (r.link.team, r.link.slack_user) == (team, user)), None)

    async def by_entra(self, tenant: str, oid: str) -> Link | None:
        return next((r.link for r in self.rows.values() if (r.link.tenant, r.link.person.id) == (tenant, oid)), None)

    async def active(self) -> list[Link]:
        return [row.link for row in self.rows.values() if row.link.state is LinkState.ACTIVE]

    async def save(self, link: Link, sealed: str, version: int, now: datetime) -> bool:
        del now
        other = await self.by_entra(link.tenant, link.person.id)
        if other is not None and other.id != link.id:
            return False
        self.rows[link.id] = SealedCache(link, sealed, version)
        self.told.append(("linked", link.slack_user))
        return True

    async def suspend(self, link: Link, why: str, now: datetime) -> bool:
        del now
        row = self.rows.get(link.id)
        if row is None or row.link.state is LinkState.SUSPENDED:
            return False
        self.suspended.append(link.id)
        self.whys.append(why)
        self.rows[link.id] = replace(row, link=replace(row.link, state=LinkState.SUSPENDED), sealed="")
        return True

    async def remove(self, link: Link, now: datetime) -> bool:
        del now
        if self.rows.pop(link.id, None) is None:
            return False
        self.told.append(("unlinked", link.slack_user))
        return True

    async def forwarded(self, team: str, starter: str, other: str, now: datetime) -> None:
        del team, now
        self.told += [("link_refused", starter), ("link_refused", other)]

    async def load_cache(self, link_id: str) -> SealedCache | None:
        row = self.rows.get(link_id)
        return row if row is not None and row.link.state is LinkState.ACTIVE else None

    async def save_cache(self, cache: SealedCache, sealed: str) -> bool:
        hook, self.before_save = self.before_save, None
        if hook is not None:
            await hook()
        row = await self.load_cache(cache.link.id)
        if row is None or (row.version, row.link.generation) != (cache.version, cache.link.generation):
            return False
        self.cache_saves += 1
        self.saved.set()
        self.rows[cache.link.id] = replace(row, sealed=sealed, version=cache.version + 1)
        return True


NOTHING_WAITS = Refused(Why.UNKNOWN_CARD, "Nothing waits. Nothing was sent.")


@dataclass
class FakeDecisions:
    """Whatever waits for a sign-in: shown and carried out as told, by id."""

    shown: Verify | Refused = NOTHING_WAITS
    fate: Fate | Verify = NOTHING_WAITS
    finished: list[tuple[str, Link]] = field(default_factory=list)
    failure: BotError | None = None

    async def unfinished(self, waiting_id: str, link: Link) -> Verify | Refused:
        assert waiting_id
        assert link
        return self.shown

    async def finish(self, waiting_id: str, link: Link) -> Fate | Verify:
        self.finished.append((waiting_id, link))
        if self.failure is not None:
            raise self.failure
        return self.fate


@dataclass
class FakeSignIn:
    """Both providers at once. Whoever is named in `slack` and `microsoft` is who sits at the browser."""

    slack: SlackIdentity = field(default_factory=lambda: SlackIdentity(TEAM, ANN_SLACK, "Ann A"))
    microsoft: Person = ANN
    redeemed: list[str] = field(default_factory=list)
    begun: list[tuple[str, str]] = field(default_factory=list)
    keyring: Keyring = field(default_factory=lambda: Keyring.parse(KEYS))

    def slack_address(self, state: str, nonce: str) -> str:
        return f"https://slack.com/openid/connect/authorize?state={state}&nonce={nonce}"

    async def slack_identity(self, code: str, nonce: str) -> SlackIdentity:
        assert nonce
        self.redeemed.append(code)
        return self.slack

    async def microsoft_begin(
        self, state: str, *, claims: str = "", login_hint: str = ""
    ) -> tuple[str, dict[str, Any]]:
        self.begun.append((claims, login_hint))
        address = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize?client_id=c&state={state}"
        return address, {"state": state, "nonce": "n"}

    async def microsoft_identity(
        self, flow: Mapping[str, Any], form: Mapping[str, str], now: datetime
    ) -> MicrosoftIdentity:
        assert flow["state"] == form["state"]
        if "code" not in form:
            raise SignInFailed("You cancelled the sign-in at Microsoft. Nothing was changed.")
        self.redeemed.append(form["code"])
        return MicrosoftIdentity(TENANT, self.microsoft, "canary, the plain cache", now)

    def seal(self, purpose: str, context: str, plain: str) -> str:
        return self.keyring.seal(purpose, context, plain)

    def open(self, purpose: str, context: str, sealed: str) -> str:
        return self.keyring.open(purpose, context, sealed)

    def cache_context(self, link: Link, version: int) -> str:
        return cache_context(link, version)


@dataclass
class Providers:
    """Microsoft's login, Graph's /me and Sign in with Slack, as one handler for httpx.MockTransport.

    Refresh tokens are used once. `answers` are given first, in order, to token calls: a response or an error to raise.
    """

    clock: FakeClock
    person: Person = ANN
    slack_user: str = ANN_SLACK
    claims: dict[str, Any] = field(default_factory=dict)
    token_extra: dict[str, Any] = field(default_factory=dict)
    me: dict[str, Any] = field(default_factory=dict)
    answers: list[httpx.Response | Exception] = field(default_factory=list)
    nonces: dict[str, str] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    life: int = 3600
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.one_at_a_time:
            return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        where = f"{request.url.host}{request.url.path}"
        self.calls.append(f"{request.method} {where}")
        login = f"login.microsoftonline.com/{TENANT}"
        routes: dict[str, Callable[[httpx.Request], httpx.Response]] = {
            f"{login}/v2.0/.well-known/openid-configuration": self._discovery,
            f"{login}/discovery/v2.0/keys": self._keys,
            f"{login}/oauth2/v2.0/token": self._token,
            "graph.microsoft.com/v1.0/me": self._me,
            "slack.com/openid/connect/keys": self._keys,
            "slack.com/api/openid.connect.token": self._slack_token,
        }
        return routes[where](request)

    def id_token(self, **over: object) -> str:
        moment = int(self.clock().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "tid": TENANT,
            "oid": self.person.id,
            "sub": "s",
            "ver": "2.0",
            "preferred_username": self.person.upn,
            "iat": moment,
            "nbf": moment,
            "exp": moment + 3600,
            **over,
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, rsa_key(), "RS256", {"kid": "k"})

    def _discovery(self, _request: httpx.Request) -> httpx.Response:
        root = f"https://login.microsoftonline.com/{TENANT}"
        endpoints = {f"{name}_endpoint": f"{root}/oauth2/v2.0/{path}" for name, path in _ENDPOINTS.items()}
        return httpx.Response(200, json={"issuer": f"{root}/v2.0", **endpoints})

    def _keys(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"keys": [jwk(rsa_key(), "k")]})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        self.forms.append(form)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if form["grant_type"] == "client_credentials":
            own = {"token_type": "Bearer", "expires_in": self.life, "access_token": "canary-own"}
            return httpx.Response(200, json=own)
        old = form.get("refresh_token")
        if old is not None and old not in self.live:
            return oauth_error("invalid_grant", 70000)
        self.live.discard(old or "")
        return httpx.Response(200, json=self.tokens(form))

    def tokens(self, form: Mapping[str, str]) -> dict[str, Any]:
        refresh = f"canary-refresh-{secrets.token_hex(4)}"
        self.live.add(refresh)
        ids = json.dumps({"uid": self.person.id, "utid": TENANT}).encode()
        answer = {
            "token_type": "Bearer",
            "scope": form["scope"],
            "expires_in": self.life,
            "access_token": f"canary-access-{secrets.token_hex(4)}",
            "refresh_token": refresh,
            "client_info": base64.urlsafe_b64encode(ids).decode().rstrip("="),
            "id_token": self.id_token(nonce=self.nonces.get(form.get("code", ""))),
            **self.token_extra,
        }
        return {name: value for name, value in answer.items() if value is not None}

    def _me(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"].startswith("Bearer canary-access-")
        person = self.person
        body = {"id": person.id, "displayName": person.name, "userPrincipalName": person.upn, "mail": person.mail}
        return httpx.Response(200, json=body | self.me)

    def _slack_token(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        self.forms.append(form)
        if form["code"] not in self.nonces:
            return httpx.Response(200, json={"ok": False, "error": "invalid_code"})
        who = {"https://slack.com/user_id": self.slack_user, "https://slack.com/team_id": TEAM, "name": "Ann A"}
        microsofts = dict.fromkeys(("tid", "oid", "ver", "nbf"))
        over = {"iss": "https://slack.com", "aud": SLACK_CLIENT, "nonce": self.nonces[form["code"]]}
        return httpx.Response(200, json={"ok": True, "id_token": self.id_token(**microsofts, **over, **who)})


_ENDPOINTS = {"authorization": "authorize", "token": "token"}


def oauth_error(error: str, number: int, status: int = 400) -> httpx.Response:
    body = {"error": error, "error_codes": [number], "error_description": f"AADSTS{number}: canary-upstream-text"}
    return httpx.Response(status, json=body)


def sent_nonce(flow: Mapping[str, Any]) -> str:
    return hashlib.sha256(flow["nonce"].encode()).hexdigest()


def make_entra(providers: Providers, origins: Origins | None = None) -> Entra:
    http = LoginHttp(origins or Origins(), httpx.MockTransport(providers))
    return Entra(Registration(TENANT, CLIENT, "canary-client-secret"), http)


def make_http(providers: Callable[[httpx.Request], httpx.Response]) -> PinnedHttp:
    return PinnedHttp(Origins(), httpx.MockTransport(providers))


def a_link(person: Person = ANN, user: str = ANN_SLACK, *, generation: int = 1) -> Link:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Link(f"link-{user}", TEAM, user, TENANT, person, LinkState.ACTIVE, at, generation)
