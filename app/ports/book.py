"""Port to the memory of requests, claims and their audit trail. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.changes import Known
from app.domain.lifecycle import Course, Doubt
from app.domain.match import Match
from app.domain.pattern import Past, Pattern, Resubmission
from app.domain.records import Record
from app.domain.request import ActivationRequest, Decided, Kind, Person, PolicyFacts, RequestKey, Status, Verdict, Where
from app.domain.risk import Risk
from app.domain.row import RequestRow
from app.domain.ruling import Viewer


@dataclass(frozen=True, slots=True)
class Seen:
    """A request to be remembered: as listed, judged, and who can approve it.

    `stale`: no approval step of it is open, so it gets no card; None: nobody looked.
    `pattern`, `earlier` and `enabled` are what was known of its requestor, and of their account, when it was judged.
    """

    request: ActivationRequest
    risk: Risk
    policy: PolicyFacts
    approvers: frozenset[str] = frozenset()
    stale: bool | None = None
    pattern: Pattern | None = None
    earlier: Resubmission | None = None
    enabled: bool | None = None


class Outcome(StrEnum):
    """What became of an intent."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    MINE = "mine"
    THEIRS = "theirs"
    REFUSED = "refused"
    NOT_TAKEN = "not_taken"


@dataclass(frozen=True, slots=True)
class Intent:
    """A decision on its way: who, what, on which step, as written down before it was sent. `sent` counts sends.

    `answer`: what Microsoft called its last answer to it. `genuine`: it reads as the bot wrote it; what somebody else
    wrote into the database is never sent.
    """

    id: str
    key: RequestKey
    step: str
    verdict: Verdict
    justification: str
    digest: str
    approver: Person
    tenant: str
    slack_user: str
    where: Where
    at: datetime
    outcome: Outcome = Outcome.SENDING
    sent: int = 0
    view_id: str = ""
    answer: str = ""
    genuine: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """A page of history, newest first unless `oldest_first`. Whatever is empty does not narrow it.

    `requestor` and `decided_by` are object ids, `requestor_slack` is the Slack user that a requestor was matched with,
    `role` is a role's id or its exact name; a request counts when it was made at `since` or later, before `until`.
    `decidable` leaves out what nobody can decide. `after` is the cursor of the last row already shown.
    """

    statuses: frozenset[Status] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    requestor: str = ""
    requestor_slack: str = ""
    decided_by: str = ""
    role: str = ""
    since: datetime | None = None
    until: datetime | None = None
    decidable: bool = False
    oldest_first: bool = False
    limit: int = 10
    after: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the cursor of the next page ('' when there is none), and that of the first row ('' without rows)."""

    rows: tuple[RequestRow, ...]
    next: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True)
class Counters:
    """The overview, counted over what the viewer may see; decided ones over the last 7 days.

    `stale` are those that Microsoft lists as pending though nobody can decide them; `pending` leaves them out.
    """

    pending: int = 0
    approved: int = 0
    denied: int = 0
    expired: int = 0
    stale: int = 0


class RequestBook(Protocol):
    """The requests, the claims on them, and their audit trail. What is written together is one transaction."""

    async def known(self, kind: Kind) -> Mapping[str, Known]:
        """Every open request of a desk, by id, for comparing."""

    async def find(self, key: RequestKey) -> RequestRow | None:
        """One request."""

    async def find_id(self, request_id: str) -> RequestRow | None:
        """One request by Microsoft's GUID, whatever its desk; None where two desks have one."""

    async def open_rows(self) -> Sequence[RequestRow]:
        """Every request not final, oldest first."""

    async def overdue(self, kind: Kind, now: datetime) -> Sequence[RequestRow]:
        """Pending requests of a desk that are older than the 24 hours Microsoft gives them, oldest first."""

    async def incomplete(self, kind: Kind, limit: int) -> Sequence[RequestRow]:
        """Pending requests of a desk without an open step, or whose settings nobody could read, oldest first."""

    async def remember(self, seen: Sequence[Seen], now: datetime) -> None:
        """Insert or update as pending; a new request gets a card to be posted, a changed digest makes old tokens void.

        A row that is deciding or final is left alone: a lagging listing never flips a decision back.
        """

    async def doubted(self, key: RequestKey, doubt: Doubt) -> None:
        """What could not be confirmed of a pending request; its card is repainted when it says so."""

    async def staled(self, key: RequestKey, *, stale: bool) -> None:
        """Whether a pending request has no open approval step; one that has again gets its card."""

    async def learned(self, record: Record, seen: Seen, now: datetime) -> bool:
        """How a request ended without us: a new row without a card, or what an old one left open. False: nothing new.

        What is known is never changed, and an open request is left to the poll.
        """

    async def asked_roles(self, limit: int) -> Sequence[ActivationRequest]:
        """One request for every role and scope that was ever asked for, the last asked first."""

    async def lacking(self, since: datetime) -> Sequence[RequestRow]:
        """Requests asked since then and ended, of which it is not known who decided, or how long an approval held."""

    async def look_due(self, now: datetime, limit: int) -> Sequence[RequestRow]:
        """Approved roles, and requests that ended nobody knows how, whose next look is due; the longest due first."""

    async def followed(self, key: RequestKey, course: Course) -> None:
        """What a look at an approved role taught; its card is repainted when that is news."""

    async def look_again(self, key: RequestKey, due: datetime | None) -> None:
        """When to look again at a request that ended nobody knows how."""

    async def past(self, requestor: str, before: datetime, limit: int) -> Past:
        """A person's newest requests made before then, by their object id, and since when our memory is whole."""

    async def unmatched(self, before: datetime, limit: int) -> Sequence[RequestRow]:
        """Open requests whose requestor's Slack account is unknown, and was not asked for since `before`."""

    async def matched(self, key: RequestKey, match: Match, now: datetime) -> None:
        """Who the requestor is in Slack, as far as could be learned now; cards are repainted when it is news."""

    async def claim(self, intent: Intent) -> RequestRow | None:
        """From pending to deciding, with the intent, if still pending and unchanged; None: somebody was first."""

    async def sending(self, intent: Intent) -> Intent:
        """Write down that it is about to be sent (once more)."""

    async def mark(self, intent: Intent, outcome: Outcome) -> None:
        """Write down what is known of it so far, keeping the claim."""

    async def release(self, intent: Intent, outcome: Outcome, note: str, now: datetime) -> None:
        """From deciding back to pending, with an audit row; buttons come back."""

    async def settle(
        self, key: RequestKey, status: Status, decided: Decided, intent: Intent | None, now: datetime
    ) -> bool:
        """The request is final: status, audit row, repaint and notices due. False when it was final before.

        One that ended nobody knew how may be settled once more, by whoever could read it.
        """

    async def unsettled(self) -> Sequence[Intent]:
        """Intents whose fate is not known: SENDING or UNKNOWN."""

    async def page(self, viewer: Viewer, query: Query) -> Page:
        """History the viewer may see."""

    async def waiting(self, viewer: Viewer, limit: int) -> Sequence[RequestRow]:
        """Pending requests the viewer may see, the soonest to expire first."""

    async def counters(self, viewer: Viewer, now: datetime) -> Counters:
        """The overview over what the viewer may see."""
