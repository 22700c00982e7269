"""Sign in with Slack (OpenID Connect): proves which Slack account sits at this browser. It keeps no token."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from app.domain.errors import SignInFailed
from app.identity.id_token import Expected, check_id_token
from app.identity.json_web_keys import JsonWebKeys
from app.identity.origins import SLACK, SLACK_API, Origins
from app.identity.refusals import AGAIN, NOTHING
from app.identity.wire import PinnedHttp
from app.ports import SlackIdentity

AUTHORIZE = f"{SLACK}/openid/connect/authorize"
KEYS = f"{SLACK}/openid/connect/keys"
TOKEN = f"{SLACK_API}/openid.connect.token"
CALLBACK = "/sign-in/slack/callback"


@dataclass(frozen=True, slots=True)
class SlackClient:
    """Our Slack app as Sign in with Slack knows it. `team` is the only workspace that may sign in."""

    client_id: str
    client_secret: str = field(repr=False)
    team: str


class SlackSignIn:
    """One browser's way through Sign in with Slack. Raises SignInFailed, Unavailable, Malformed."""

    def __init__(self, client: SlackClient, http: PinnedHttp, origins: Origins, public_url: str) -> None:
        """`public_url`: our own root as browsers see it, without a trailing slash."""
        self._client = client
        self._http = http
        self._origins = origins
        self._redirect = public_url + CALLBACK
        self._keys = JsonWebKeys(http, KEYS)

    def address(self, state: str, nonce: str) -> str:
        """Where the browser goes."""
        asked = {
            "response_type": "code",
            "scope": "openid profile email",
            "client_id": self._client.client_id,
            "team": self._client.team,
            "state": state,
            "nonce": nonce,
            "redirect_uri": self._redirect,
        }
        return self._origins.to_wire(f"{AUTHORIZE}?{urlencode(asked)}")

    async def identity(self, code: str, nonce: str, now: datetime) -> SlackIdentity:
        """Who came back: the code redeemed, the ID token checked."""
        answer = await self._http.post(TOKEN, self._redemption(code))
        if answer.body.get("ok") is not True:
            raise SignInFailed(f"Slack refused the sign-in. {NOTHING} {AGAIN}")
        expected = Expected(SLACK, self._client.client_id, nonce)
        claims = await check_id_token(answer.body.get("id_token"), self._keys, expected, now)
        team, user = str(claims.get(f"{SLACK}/team_id", "")), str(claims.get(f"{SLACK}/user_id", ""))
        if team != self._client.team or not _USER.fullmatch(user):
            raise SignInFailed(f"This is an account of another Slack workspace. {NOTHING} {AGAIN}")
        return SlackIdentity(team, user, str(claims.get("name") or ""))

    def _redemption(self, code: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
            "code": code,
            "redirect_uri": self._redirect,
        }


_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
