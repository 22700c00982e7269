"""What becomes of an approved request: scheduled, active, ended. Pure: what Microsoft shows in, what to note out.

A role is held from and until what its schedule instance says, never what was asked for. Where no instance may be read,
the times stay unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from app.domain.request import ActivationRequest, Person, Status, Term

SOON = timedelta(seconds=15)  # until the next look at what should show any moment
OFTEN = timedelta(minutes=5)  # between two looks at a role that is held: an early end shows within this
RARELY = timedelta(minutes=30)  # between two looks that nobody may take at present
LAG = timedelta(minutes=2)  # of Microsoft's replicas, after a write
SETTLING = timedelta(minutes=10)  # activation takes seconds, and is looked for often this long


class HowEnded(StrEnum):
    """Why a role is not held any more. EARLY: given back, or taken away without Microsoft saying so."""

    LAPSED = "lapsed"
    EARLY = "early"
    REVOKED = "revoked"
    FAILED = "failed"


class Phase(StrEnum):
    """Where an approved role is. UNSEEN: approved, and no instance was seen (yet)."""

    SCHEDULED = "scheduled"
    UNSEEN = "unseen"
    ACTIVE = "active"
    ENDED = "ended"


class Nothing(Enum):
    """Why a reading is empty: Microsoft does not know it (any more), or nobody who is signed in may read it."""

    GONE = "gone"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Holding:
    """How long an approved role is held, as far as Microsoft has shown: from, until, ended at, and why.

    `missed` counts the looks in a row that did not find what should be there.
    """

    activated: datetime | None = None
    until: datetime | None = None
    deactivated: datetime | None = None
    how: HowEnded | None = None
    missed: int = 0

    def phase(self, start: datetime | None, now: datetime) -> Phase:
        """Where it is now; `start` is the one that was asked for."""
        if self.how is not None or self.deactivated is not None or (self.until is not None and now >= self.until):
            return Phase.ENDED
        if self.activated is not None and now >= self.activated:
            return Phase.ACTIVE
        return Phase.SCHEDULED if start is not None and start > now else Phase.UNSEEN


@dataclass(frozen=True, slots=True)
class Removed:
    """Microsoft took it from somebody that the role is taken away. Until its instance is gone, it is still held."""

    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Course:
    """What a look taught: the holding, and when to look again (None: never)."""

    holding: Holding
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """What following an approved role needs to know of it. `removed_at`: since when it is being taken away."""

    request: ActivationRequest
    approved_at: datetime
    holding: Holding
    removed_at: datetime | None = None

    @property
    def begins(self) -> datetime:
        """The earliest moment at which it can be active."""
        return max(self.approved_at, self.request.start or self.approved_at)

    @property
    def over(self) -> datetime | None:
        """When it has surely ended, reckoned from what was asked; None for a length we cannot read."""
        return self.begins + self.request.duration if self.request.duration is not None else None


def follow(role: Approved, seen: Term | Nothing | None, native: str, now: datetime) -> Course:
    """The course of an approved role after one look at its instance.

    `seen` None: there is no instance; `native`: Microsoft's word for the request, empty when it was not read.
    """
    if isinstance(seen, Term):
        until = seen.end
        if role.removed_at is not None and now - role.removed_at < SETTLING:
            return Course(Holding(seen.start, until), due=now + SOON)
        due = now + OFTEN if until is None or until > now + OFTEN else max(until, now + SOON)
        return Course(Holding(seen.start, until), due=due)
    if isinstance(seen, Nothing):
        return _unread(role, now)
    return _missing(role, native.casefold(), now)


def _unread(role: Approved, now: datetime) -> Course:
    until = role.holding.until
    if until is not None and now >= until:  # it was seen once, so its end is known
        return Course(_ended(role.holding, until, HowEnded.LAPSED))
    last = until or role.over
    over = last is not None and now >= last
    return Course(role.holding, None if over or last is None else min(last, now + RARELY))


def _missing(role: Approved, native: str, now: datetime) -> Course:
    held = role.holding
    if held.activated is None:
        return _not_begun(role, native, now)
    if held.until is not None and now >= held.until:
        return Course(_ended(held, held.until, HowEnded.LAPSED))
    if not held.missed and role.removed_at is None:  # one look may have met a replica that lags
        return Course(replace(held, missed=1), now + LAG)
    revoked = role.removed_at is not None or _taken_away(native)
    return Course(_ended(held, now, HowEnded.REVOKED if revoked else HowEnded.EARLY))


def _not_begun(role: Approved, native: str, now: datetime) -> Course:
    if now < role.begins:
        return Course(role.holding, due=role.begins)
    if native.startswith("failed"):
        return Course(Holding(how=HowEnded.FAILED))
    if _taken_away(native):
        return Course(Holding(how=HowEnded.REVOKED))
    if role.over is not None and now >= role.over:
        return Course(Holding(how=HowEnded.LAPSED))
    return Course(role.holding, due=now + (SOON if now - role.begins < SETTLING else OFTEN))


def _taken_away(native: str) -> bool:
    return native in ("revoked", "pendingrevocation")


def _ended(held: Holding, at: datetime, how: HowEnded) -> Holding:
    return replace(held, deactivated=at, how=how)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is noted of an open request that could not be confirmed: unknown `absences` in a row, or uncheckable."""

    absences: int = 0
    uncheckable: bool = False


SURE = Doubt()
BELIEVED = 2  # absences, each in a complete listing: one may be a replica that lags


def unsettled_end(gone: bool, doubt: Doubt, expires: datetime, now: datetime) -> Status | Doubt:  # noqa: FBT001 - one of two ways to know nothing
    """The end, or the doubt, of a request that is not listed and cannot be read by id.

    GONE twice is believed; what nobody may read stays "cannot be checked" for the day Microsoft gives it. How either
    ended is not known and not guessed, except that nobody answered a request that is gone after its day.
    """
    if not gone:
        return Status.UNKNOWN if now >= expires else Doubt(doubt.absences, uncheckable=True)
    absences = doubt.absences + 1
    if absences < BELIEVED:
        return Doubt(absences, doubt.uncheckable)
    return Status.EXPIRED if now >= expires else Status.UNKNOWN
