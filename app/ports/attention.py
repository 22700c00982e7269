"""Port to what people do around a request without deciding it. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.request import Person, RequestKey
from app.domain.row import RequestRow


class Looks(Protocol):
    """Who is looking at a request, and the words on cards that time alone changes. It never blocks anybody."""

    async def look(self, key: RequestKey, person: Person, since: datetime, until: datetime) -> bool:
        """Somebody is looking, anew if they said so before; False when it is not pending. Cards are repainted."""

    async def lapse(self, now: datetime) -> int:
        """Forget those whose time is over; how many. Cards are repainted."""

    async def burn(self, now: datetime) -> int:
        """Cards whose fuse reads differently by now are to be repainted; how many requests that were."""


@dataclass(frozen=True, slots=True)
class OpenHome:
    """Somebody who opened their App Home lately, and a fingerprint of what it shows ('' when that is not known)."""

    team: str
    user: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A request on somebody's App Home or in their list, as it read when it was drawn."""

    key: RequestKey
    digest: str


class Homes(Protocol):
    """Who looks at their App Home, and the buttons that one person alone sees: good for them, until drawn anew."""

    async def opened(self, team: str, user: str, now: datetime) -> None:
        """They opened it."""

    async def recent(self, since: datetime, limit: int) -> Sequence[OpenHome]:
        """Who opened it since then, the latest first."""

    async def offer(self, home: OpenHome, rows: Sequence[RequestRow]) -> Mapping[RequestKey, str]:
        """A token of this person for each request, in place of all on their home; and what that shows now."""

    async def hand_out(self, team: str, user: str, rows: Sequence[RequestRow]) -> Mapping[RequestKey, str]:
        """The same for a list that only they see, in place of all in their last one."""

    async def offered(self, team: str, user: str, token: str) -> Offer | None:
        """What a token stands for, to this person alone."""


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A question about a request. `text` is empty while it is a draft, `answer` until it is answered."""

    id: str
    key: RequestKey
    team: str
    asker: Person
    asker_slack: str
    asked_slack: str
    text: str = ""
    answer: str = ""


class Questions(Protocol):
    """Questions and answers. Whenever one is asked or answered, cards are repainted and a direct message is owed."""

    async def draft(self, question: StoredQuestion, now: datetime) -> None:
        """Remember whose form it is."""

    async def find(self, question_id: str) -> StoredQuestion | None:
        """One question, in whatever state."""

    async def ask(self, question: StoredQuestion, text: str, now: datetime) -> bool:
        """Send it, once; False when it was sent before, or the request is not pending."""

    async def answer(self, question: StoredQuestion, text: str, now: datetime) -> bool:
        """Answer it, once; False when it was answered before, or the request is not pending."""
