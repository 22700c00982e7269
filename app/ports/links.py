"""Ports of sign-in: links between Slack and Microsoft, and what waits between two pages. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from app.domain.request import Person


class LinkState(StrEnum):
    """ACTIVE may decide; SUSPENDED must sign in again; FROZEN too: its owner said that a sign-in was not theirs."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Link:
    """A Slack account proven to be the same human as an Entra account. `generation` grows when it is made anew."""

    id: str
    team: str
    slack_user: str
    tenant: str
    person: Person
    state: LinkState
    signed_in_at: datetime
    generation: int


@dataclass(frozen=True, slots=True)
class SealedCache:
    """A link's encrypted token cache as stored.

    `version` is the compare-and-set counter; it is part of the associated data, as are both accounts and the sign-in.
    """

    link: Link
    sealed: str
    version: int


@dataclass(frozen=True, slots=True)
class Kin:
    """The accounts of one human, as far as links of today and before tell: object ids, and Slack users."""

    oids: frozenset[str] = frozenset()
    slack_users: frozenset[str] = frozenset()


class Links(Protocol):
    """The links table. Unique both ways: one Slack account, one Entra account.

    Whatever makes, renews or ends a link writes its audit row and owes its direct messages in the same transaction.
    """

    async def by_slack(self, team: str, user: str) -> Link | None:
        """The link of this Slack account, whatever its state."""

    async def by_entra(self, tenant: str, oid: str) -> Link | None:
        """The link of this Entra account, whatever its state."""

    async def by_upn(self, tenant: str, upn: str) -> Link | None:
        """The link of the Entra account with this sign-in name, in any letter case, whatever its state."""

    async def kin(self, team: str, user: str) -> Kin:
        """Every account that a chain of links, of today or of any day before, ties to this Slack account."""

    async def kin_of_account(self, team: str, oid: str) -> Kin:
        """The same, seen from a Microsoft account."""

    async def active(self) -> Sequence[Link]:
        """Everybody who can be polled for."""

    async def save(self, link: Link, sealed: str, version: int, now: datetime) -> bool:
        """Make or renew a link with its first cache, owe its receipt, and note the pair for ever.

        False when either account belongs to another link, or when the link was frozen after `link.generation` was
        decided on. Whoever was linked to this Microsoft account before is told that it moved.
        """

    async def suspend(self, link: Link, why: str, now: datetime) -> bool:
        """Their session is over: keep the link, drop the cache, owe them one message. False when it was already so.

        `why`: for the audit trail; it names nothing secret.
        """

    async def remove(self, link: Link, now: datetime) -> bool:
        """Sign-out: the row and every usable token are gone, and they are told. False when they were gone already."""

    async def forwarded(self, team: str, starter: str, other: str, now: datetime) -> None:
        """One Slack account began a sign-in and another came back from it: both are told, and it is written down."""

    async def load_cache(self, link_id: str) -> SealedCache | None:
        """The encrypted cache, or None when the link is gone or suspended."""

    async def save_cache(self, cache: SealedCache, sealed: str) -> bool:
        """Compare-and-set on version and generation; False when somebody refreshed or unlinked meanwhile."""


@dataclass(frozen=True, slots=True)
class SlackIdentity:
    """What Sign in with Slack proved in this browser."""

    team: str
    user: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class MicrosoftIdentity:
    """What Microsoft's sign-in proved in this browser, our own checks passed. `cache` is the plain token cache."""

    tenant: str
    person: Person
    cache: str
    signed_in_at: datetime


class SignIn(Protocol):
    """The two identity providers, and the sealing of what waits between two pages."""

    def slack_address(self, state: str, nonce: str) -> str:
        """Where the browser goes to sign in with Slack."""

    async def slack_identity(self, code: str, nonce: str) -> SlackIdentity:
        """Redeem Slack's code and check its ID token; SignInFailed with a safe sentence."""

    async def microsoft_begin(
        self, state: str, *, claims: str = "", login_hint: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """Where the browser goes to sign in with Microsoft (prompt=login), and the flow to keep until it returns.

        `claims`: JSON of a claims challenge to be met; `login_hint`: the sign-in name that is expected.
        """

    async def microsoft_identity(
        self, flow: Mapping[str, Any], form: Mapping[str, str], now: datetime
    ) -> MicrosoftIdentity:
        """Redeem Microsoft's code, check the ID token, ask /me; SignInFailed with a safe sentence."""

    def seal(self, purpose: str, context: str, plain: str) -> str:
        """Encrypt; it opens only for the same purpose and context."""

    def open(self, purpose: str, context: str, sealed: str) -> str:
        """Decrypt, or Tampered."""

    def cache_context(self, link: Link, version: int) -> str:
        """The associated data of a token cache."""


class Flows(Protocol):
    """What waits between two sign-in pages, under the SHA-256 of an unguessable token, at most ten minutes."""

    async def put(self, token_hash: str, sealed: str, expires: datetime) -> None:
        """Keep it."""

    async def take(self, token_hash: str, now: datetime) -> str | None:
        """Take it by one atomic delete, or None when it is unknown, used or too old: nobody gets it twice."""
