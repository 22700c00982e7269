"""What a person's earlier requests tell about a new one: their habits with the role, and whether they ask again. Pure.

It counts and compares; whether that makes a request risky is for the rules to say. Everything is told as of a given
moment, so that history can be replayed: what was decided later did not happen yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from statistics import median

from app.domain.durations import in_words
from app.domain.lifecycle import Holding, HowEnded
from app.domain.request import ActivationRequest, Kind, PolicyFacts, RequestKey, Role, Scope, Status, Ticket

PAST_REQUESTS = 200  # of one person that are looked at: months of anybody's habits
ENOUGH = 3  # uses before anything is called usual
SHOWN = 3  # last uses that are told one by one
DENIALS_COUNT_FOR = timedelta(days=7)
ASKED_AGAIN_WITHIN = timedelta(hours=24)
SCHEDULED_FROM = timedelta(minutes=15)  # the portal writes "now" as a start time, too
_MOST = 0.8  # of the starts lie within the usual hours: one odd night does not widen them
_LONGEST_HABIT = 12  # hours; whoever starts at any time of day has no usual hours


@dataclass(frozen=True, slots=True)
class PastRequest:
    """An earlier request of the same person, as far as habits show in it. `by` is the name of who decided it."""

    key: RequestKey
    role: Role
    scope: Scope
    created: datetime
    status: Status
    start: datetime | None = None
    duration: timedelta | None = None
    duration_text: str = ""
    holding: Holding = Holding()
    decided_at: datetime | None = None
    by: str = ""
    comment: str = ""
    ticket: Ticket = Ticket()
    justification: str = ""

    @property
    def settled(self) -> datetime | None:
        """When it stopped being open; None while it is."""
        return None if self.status.open else self.decided_at or self.holding.activated or self.created

    @property
    def held_from(self) -> datetime | None:
        """When the role was held from, as exactly as we know; None when it never was."""
        if self.holding.activated is not None:
            return self.holding.activated
        never = self.holding.how in (HowEnded.FAILED, HowEnded.REVOKED)
        if self.status is not Status.APPROVED or never:
            return None
        return max(self.start or self.created, self.decided_at or self.created)

    @property
    def held_until(self) -> datetime | None:
        """When it ended or will; None when that is not known, or it was never held."""
        begun, seen = self.held_from, self.holding.deactivated or self.holding.until
        if begun is None or seen is not None:
            return seen
        return begun + self.duration if self.duration is not None else None


@dataclass(frozen=True, slots=True)
class Past:
    """What we remember of one person, newest first, and since when that is everything their desks were asked."""

    requests: tuple[PastRequest, ...] = ()
    since: Mapping[Kind, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of the day in whole UTC hours: from the start of `first` to the end of `last`, over midnight too."""

    first: int
    last: int

    def __str__(self) -> str:
        """Such as 08 to 11 UTC."""
        return f"{self.first:02}–{(self.last + 1) % 24:02} UTC"

    def away(self, hour: int) -> int:
        """How many hours of the clock this one lies outside; 0 inside."""
        if (hour - self.first) % 24 <= (self.last - self.first) % 24:
            return 0
        return min((self.first - hour) % 24, (hour - self.last) % 24)


@dataclass(frozen=True, slots=True)
class Use:
    """One time a role was held: since when, and how long (as far as it is known)."""

    at: datetime
    length: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A role that is held right now, by its names, and when that ends. `scope` is empty for the whole directory."""

    role: str
    scope: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Pattern:
    """The requestor's habits. `since` is how far back our memory of this desk is whole; None when nobody can say.

    `uses`, `last` (newest first) and `typical` (median of what they asked for) are about this role in this scope, and
    so are `hours` once there are three uses; before, `hours` are those of all their roles. `denials` are theirs of the
    last 7 days; `counted` are those that a new attempt within 24 hours does not explain. `active` is what else they
    hold.
    """

    uses: int = 0
    last: tuple[Use, ...] = ()
    typical: timedelta | None = None
    hours: Hours | None = None
    denials: int = 0
    counted: int = 0
    active: tuple[Held, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resubmission:
    """The denial or expiry after which somebody asks again, and in words what they changed (nothing: empty)."""

    key: RequestKey
    status: Status
    at: datetime
    by: str = ""
    reason: str = ""
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known around a request: its role's settings in PIM, its requestor's habits, an earlier attempt.

    `enabled`: whether the requestor's account is; None: nobody may read it.
    """

    policy: PolicyFacts = PolicyFacts()
    pattern: Pattern | None = None
    earlier: Resubmission | None = None
    enabled: bool | None = None


def circumstances_of(request: ActivationRequest, policy: PolicyFacts, past: Past, now: datetime) -> Circumstances:
    """What our memory knows around a request, as of `now`."""
    habits = pattern_of(request, past.requests, now, past.since.get(request.key.kind))
    return Circumstances(policy, habits, resubmission_of(request, past.requests, now))


def pattern_of(
    request: ActivationRequest, past: Iterable[PastRequest], now: datetime, since: datetime | None = None
) -> Pattern:
    """The habits that a person's earlier requests show, in any order, as of `now`. `past` is whole from `since` on."""
    settled = _settled(request, past, now)
    held = sorted((one for one in settled if _begun(one, now)), key=_begin, reverse=True)
    mine = [one for one in held if _same(request, one)]
    denied = [one for one in settled if _denied_lately(one, now)]
    return Pattern(
        uses=len(mine),
        last=tuple(Use(_begin(one), _length(one)) for one in mine[:SHOWN]),
        typical=_typical(mine),
        hours=_usual_hours(mine if len(mine) >= ENOUGH else held),
        denials=len(denied),
        counted=sum(not _asked_again(request, one) for one in denied),
        active=_other_roles(request, held, now),
        since=since,
    )


def resubmission_of(request: ActivationRequest, past: Iterable[PastRequest], now: datetime) -> Resubmission | None:
    """The latest denial or expiry of the same role and scope within 24 hours before this request, or None."""
    tries = [one for one in _settled(request, past, now) if _asked_again(request, one)]
    if not tries:
        return None
    last = max(tries, key=_end)
    changed = tuple(change for change in _changes(last, request) if change)
    return Resubmission(last.key, last.status, _end(last), last.by, last.comment.strip(), changed)


def _settled(request: ActivationRequest, past: Iterable[PastRequest], now: datetime) -> list[PastRequest]:
    """Those made before this one and no longer open at `now`."""
    earlier = (one for one in past if one.key != request.key and one.created < request.created)
    return [one for one in earlier if one.settled is not None and one.settled <= now]


def _same(request: ActivationRequest, one: PastRequest) -> bool:
    here = (request.key.kind, request.role.id.casefold(), request.scope.id.casefold())
    return here == (one.key.kind, one.role.id.casefold(), one.scope.id.casefold())


def _asked_again(request: ActivationRequest, one: PastRequest) -> bool:
    """Microsoft takes no second request while one is pending, so a later one came after the end of the earlier.

    That end may bear a later time than the new request all the same: it is when we, or a slower clock, saw it.
    """
    tried = one.status in (Status.DENIED, Status.EXPIRED) and _same(request, one)
    return tried and request.created - _end(one) <= ASKED_AGAIN_WITHIN


def _denied_lately(one: PastRequest, now: datetime) -> bool:
    return one.status is Status.DENIED and now - _end(one) <= DENIALS_COUNT_FOR


def _begun(one: PastRequest, now: datetime) -> bool:
    return one.held_from is not None and one.held_from <= now


def _begin(one: PastRequest) -> datetime:
    return one.held_from or one.created


def _end(one: PastRequest) -> datetime:
    return one.settled or one.created


def _length(one: PastRequest) -> timedelta | None:
    return one.held_until - _begin(one) if one.held_until is not None else None


def _active(one: PastRequest, now: datetime) -> bool:
    return one.held_until is not None and now < one.held_until


def _other_roles(request: ActivationRequest, held: Iterable[PastRequest], now: datetime) -> tuple[Held, ...]:
    return tuple(_held(one) for one in held if _active(one, now) and not _same(request, one))


def _held(one: PastRequest) -> Held:
    scope = one.scope.label if one.scope.id != "/" else ""
    return Held(one.role.label, scope, one.held_until or one.created)


def _typical(uses: Sequence[PastRequest]) -> timedelta | None:
    asked = [one.duration for one in uses if one.duration is not None]
    return timedelta(seconds=median(length.total_seconds() for length in asked)) if len(asked) >= ENOUGH else None


def _usual_hours(uses: Sequence[PastRequest]) -> Hours | None:
    """The shortest stretch of the clock with four fifths of the starts in it."""
    if len(uses) < ENOUGH:
        return None
    starts = sorted(_begin(one).hour for one in uses)
    around = [*starts, *(hour + 24 for hour in starts)]
    inside = ceil(len(starts) * _MOST)
    span, first = min((around[n + inside - 1] - hour, hour) for n, hour in enumerate(starts))
    return Hours(first, (first + span) % 24) if span < _LONGEST_HABIT else None


def _changes(before: PastRequest, now: ActivationRequest) -> tuple[str, ...]:
    return (
        _change(_duration(before), _duration(now)),
        _ticket_change(before.ticket, now.ticket),
        "justification rewritten" if _bare(before.justification) != _bare(now.justification) else "",
        "start moved" if _scheduled(before) != _scheduled(now) else "",
    )


def _change(before: str, now: str) -> str:
    return f"{before} → {now}" if before != now else ""


def _ticket_change(before: Ticket, now: Ticket) -> str:
    old, new = before.number.strip(), now.number.strip()
    if old and new:
        return _change(f"ticket {old}", new) if old.casefold() != new.casefold() else ""
    if new:
        return f"ticket {new} added"
    return f"ticket {old} removed" if old else ""


def _duration(one: PastRequest | ActivationRequest) -> str:
    return in_words(one.duration) if one.duration is not None else one.duration_text or "no duration"


def _bare(text: str) -> str:
    return " ".join(text.casefold().split())


def _scheduled(one: PastRequest | ActivationRequest) -> datetime | None:
    """The start that was chosen; None where it was "as soon as possible"."""
    return one.start if one.start is not None and one.start - one.created >= SCHEDULED_FROM else None
