"""Ports to the other rows: what came in (inbox), what is shown (cards), what is owed (outbox). No behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.domain.request import RequestKey, Verdict
from app.domain.row import RequestRow


@dataclass(frozen=True, slots=True)
class Earlier:
    """A delivery that was taken before: what it was, and how it was answered; empty while it is not."""

    what: str
    outcome: str


class Inbox(Protocol):
    """Clicks, submissions, commands and calls with a key as rows: taken once, closed once."""

    async def take(self, key: str, what: str, user: str, now: datetime) -> bool:
        """True for the first delivery; False for every repetition. Committed before it returns."""

    async def close(self, key: str, outcome: str, now: datetime) -> None:
        """It was answered."""

    async def earlier(self, key: str) -> Earlier | None:
        """What was taken under this key, if anything."""

    async def forget(self, key: str) -> None:
        """Delete what was taken and not answered: as if it had never come."""

    async def abandon(self, before: datetime, now: datetime) -> Sequence[str]:
        """Close what was taken before then and never answered; the Slack users who should hear of it."""


@dataclass(frozen=True, slots=True)
class Card:
    """One copy of a card in Slack. `token` is what its buttons carry; `ts` is empty until Slack has told us.

    `occasion`: why somebody got it as a message of their own; empty for a card in a channel. Its `channel` is then that
    person's Slack account, until Slack has told us which conversation that is.
    """

    id: str
    key: RequestKey
    channel: str
    ts: str
    token: str
    digest: str
    painted: int
    tried: bool = False
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class Modal:
    """An open decision modal: what it showed, to whom, and from where it was opened."""

    token: str
    key: RequestKey
    digest: str
    verdict: Verdict
    team: str
    user: str
    channel: str
    ts: str


class Cards(Protocol):
    """Which copy of a card carries which token, and which modal shows what."""

    async def copy(self, channel: str, ts: str, token: str) -> Card | None:
        """The copy that was pressed: the card at this place, or in a direct message the request with this token."""

    async def places(self, keys: Sequence[RequestKey]) -> Mapping[RequestKey, tuple[str, str]]:
        """Channel and ts of the requests' cards in channels, as far as they were posted."""

    async def adopt(self, place: tuple[str, str], token: str, new_text: Callable[[], str]) -> bool:
        """A copy stands at this channel and ts that is not on our books, and its token is that of a card there.

        It is on the books from now on, behind, so that it is repainted. False: the token is nobody's, or it was known.
        """

    async def open_modal(self, modal: Modal, now: datetime) -> None:
        """Remember what a modal shows."""

    async def modal(self, token: str) -> Modal | None:
        """What a modal showed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A direct message owed. `topic` says what is said; `to_slack` or `to_entra` says to whom."""

    id: str
    topic: str
    key: RequestKey | None = None
    to_slack: str = ""
    to_entra: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    tried: bool = False


@dataclass(frozen=True, slots=True)
class ChannelNote:
    """One standing note in the approvers channel (a blind desk, an incomplete list): edited, never repeated."""

    topic: str
    text: str
    button: bool
    channel: str
    ts: str
    version: int
    painted: int
    tried: bool = False


class Outbox(Protocol):
    """What the store says is not yet painted or sent."""

    async def unpainted(self, limit: int) -> Sequence[tuple[Card, RequestRow]]:
        """Cards behind their row, at most `limit` edits and `limit` posts for each channel.

        Final ones first (their buttons must go), then edits, then new posts, riskiest and soonest to expire first.
        """

    async def crowds(self) -> Mapping[str, int]:
        """How many cards of open requests wait for their first post, by channel."""

    async def trying(self, card: Card) -> None:
        """A post or an edit is about to be sent: the copy counts as behind until `painted`, and may stand in Slack."""

    async def painted(self, card: Card, ts: str, version: int) -> bool:
        """Slack shows this version of the row, at this ts. False: another copy is the card, and this one is too many.

        An older version that is told after a newer one leaves the copy behind: it is painted again.
        """

    async def lost(self, card: Card, new_token: str) -> None:
        """The message is gone: forget its ts, give it a new token, and post once more if the request is still open."""

    async def move(self, card: Card, channel: str) -> None:
        """A card that nobody tried to post yet is to be posted in this channel instead."""

    async def abandon(self, card: Card) -> None:
        """The person whose message it was to be cannot be reached: it is off the books."""

    async def evacuate(self, channel: str, home: str, new_text: Callable[[], str]) -> None:
        """Every open request with a copy in a channel that nobody reads gets one at home, if it has none there."""

    async def due_notices(self, now: datetime, limit: int) -> Sequence[Notice]:
        """Direct messages owed, oldest first."""

    async def owe(self, notice: Notice, dedupe: str, now: datetime) -> bool:
        """Write down a direct message, once per dedupe key; False when it was owed already."""

    async def notice(self, notice_id: str) -> Notice | None:
        """One direct message, delivered or not."""

    async def trying_notice(self, notice: Notice) -> None:
        """It is about to be sent."""

    async def sent(self, notice: Notice, note: str, now: datetime) -> bool:
        """Delivered, or given up on with a note saying why. False when somebody else told so before."""

    async def put_note(self, topic: str, text: str, *, over: str, button: bool, channel: str) -> None:
        """Say this in the channel's standing note (with a Sign in button?); the same text again changes nothing.

        An empty text ends the note: one that stands is edited to say `over`, without a button; else nothing happens.
        """

    async def announce(self, topic: str, text: str, channel: str) -> bool:
        """Something to be said in a channel once, and never again under this topic; False when it was before."""

    async def standing_notes(self) -> Sequence[str]:
        """The texts that stand right now, for readiness."""

    async def unpainted_notes(self) -> Sequence[ChannelNote]:
        """Notes whose text changed since it was painted."""

    async def trying_note(self, note: ChannelNote) -> None:
        """Its first post is about to be sent."""

    async def painted_note(self, note: ChannelNote, ts: str) -> bool:
        """Slack shows this version, at this ts. False: another message is the note, and this one is too many."""


class Leases(Protocol):
    """One replica at a time does what must be done by one."""

    async def hold(self, name: str, holder: str, seconds: float) -> int:
        """Take or renew the lease by the database's clock; its epoch, or 0 while another holds it.

        The epoch grows with every change of holder. Zero seconds give it back: anybody may take it at once.
        """

    def fence(self, name: str, epoch: int) -> AbstractContextManager[None]:
        """Inside, what a round writes raises Superseded once somebody else holds the lease."""
