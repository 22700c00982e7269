"""The two identity providers as linking needs them, and the sealing of what waits between two pages. Stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.identity.keyring import Keyring
from app.identity.microsoft import MicrosoftSignIn
from app.identity.slack import SlackSignIn
from app.ports import Clock, Link, MicrosoftIdentity, SlackIdentity


@dataclass(frozen=True, slots=True)
class BrowserSignIn:
    """Sign-in in a browser, for `app.ports.SignIn`."""

    slack: SlackSignIn
    microsoft: MicrosoftSignIn
    keyring: Keyring
    clock: Clock

    def slack_address(self, state: str, nonce: str) -> str:
        """Where the browser goes to sign in with Slack."""
        return self.slack.address(state, nonce)

    async def slack_identity(self, code: str, nonce: str) -> SlackIdentity:
        """Redeem Slack's code; SignInFailed, Unavailable, Malformed."""
        return await self.slack.identity(code, nonce, self.clock())

    async def microsoft_begin(
        self, state: str, *, claims: str = "", login_hint: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """Where the browser goes to sign in with Microsoft, and the flow to keep; Unavailable, Malformed."""
        return await self.microsoft.begin(state, self.clock(), claims, login_hint)

    async def microsoft_identity(
        self, flow: Mapping[str, Any], form: Mapping[str, str], now: datetime
    ) -> MicrosoftIdentity:
        """Redeem Microsoft's code; SignInFailed, Unavailable, Malformed."""
        return await self.microsoft.identity(flow, form, now)

    def seal(self, purpose: str, context: str, plain: str) -> str:
        """Encrypt; it opens only for the same purpose and context."""
        return self.keyring.seal(purpose, context, plain)

    def open(self, purpose: str, context: str, sealed: str) -> str:
        """Decrypt, or Tampered."""
        return self.keyring.open(purpose, context, sealed)

    def cache_context(self, link: Link, version: int) -> str:
        """The associated data of a token cache."""
        return cache_context(link, version)


def cache_context(link: Link, version: int) -> str:
    """The associated data of a token cache: whose it is at Microsoft and in Slack, since when, and which save of it.

    Whoever can write to the database, and no more, can then neither give a session to another Slack account nor make
    an old sign-in look fresh: it would not open.
    """
    since = int(link.signed_in_at.timestamp())
    whose = (link.tenant.lower(), link.person.id.lower(), link.team, link.slack_user)
    return "/".join((*whose, str(since), str(version)))
