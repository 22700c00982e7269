"""Whom to remind of a request, and when: before it expires or was to start, once for each threshold, never at night.

Pure: who has been told what comes in, and what is due goes out. A reminder that would fall into somebody's quiet hours
comes before them, since one that came after them might come too late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from app.domain.levels import Level
from app.domain.quiet import Quiet
from app.domain.request import Status
from app.domain.row import RequestRow

NIGHT = Quiet(time(22), time(7))
TOGETHER = timedelta(minutes=5)  # what is due for one person within this is one message
IMMEDIATE = timedelta(minutes=5)  # clocks differ: what starts within this of being asked is to start at once


@dataclass(frozen=True, slots=True)
class Reminders:
    """When approvers are reminded, as the company has it.

    `before`: how long before the deadline, the longest first. `quiet`: everybody's quiet hours unless they set their
    own; the last reminder, and those of Critical requests, come all the same where told so.
    """

    before: tuple[timedelta, ...] = (timedelta(hours=4), timedelta(hours=1), timedelta(minutes=15))
    quiet: Quiet | None = NIGHT
    last_at_night: bool = True
    critical_at_night: bool = True


class Until(StrEnum):
    """What a reminder counts down to."""

    START = "start"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The next moment at which having waited costs the requestor something."""

    until: Until
    at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who may approve and is in Slack, as their own settings and Slack know them."""

    slack_user: str
    zone: tzinfo = UTC
    quiet: Quiet | None = None
    away_until: datetime | None = None
    wanted: bool = True

    def away(self, now: datetime) -> bool:
        """Whether they said that they are not there."""
        return self.away_until is not None and now < self.away_until

    def reminded(self, now: datetime) -> bool:
        """Whether they want reminders and are there to read them."""
        return self.wanted and not self.away(now)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one person is to be told of one request: the threshold that is due within `TOGETHER`, if any.

    `now`: it is due already. `next`: when the next one will be, None when there is none left.
    """

    threshold: timedelta | None = None
    now: bool = False
    next: datetime | None = None


def deadline(row: RequestRow, now: datetime) -> Deadline | None:
    """The earlier of start and expiry that lies ahead; None for what waits without an end, or has none ahead."""
    request = row.request
    scheduled = request.start is not None and request.start > request.created + IMMEDIATE
    ends = [Deadline(Until.START, request.start)] if scheduled and request.start is not None else []
    ends += [Deadline(Until.EXPIRY, request.expires)] if request.mortal else []
    ahead = [end for end in ends if now < end.at]
    return min(ahead, key=lambda end: end.at, default=None)


def to_remind(row: RequestRow, acted: Collection[str]) -> frozenset[str]:
    """Object ids of those who may approve and have done nothing yet; the requestor's own are never among them.

    `acted`: object ids of those who decided, tried to, asked, or are looking.
    """
    request = row.request
    own = {request.requestor.id.casefold(), request.created_by.casefold()}
    busy = {*acted, *(look.person.id for look in row.looking)}
    busy |= {row.verifying.id} if row.verifying is not None else set()
    return frozenset(oid for oid in row.known_approvers if oid.casefold() not in own and oid not in busy)


def plan(row: RequestRow, person: Recipient, told: timedelta | None, now: datetime, policy: Reminders) -> Plan:
    """What is due for this person. `told`: the shortest threshold before this deadline they were told of, if any.

    Thresholds that are past count as one, the last of them.
    """
    end = deadline(row, now)
    if end is None or row.status is not Status.PENDING or not person.reminded(now):
        return Plan()
    moments = {span: moment(row, end, span, person, policy) for span in _left(policy, told)}
    due = [span for span, at in moments.items() if at <= now + TOGETHER]
    ahead = [at for at in moments.values() if at > now]
    return Plan(
        threshold=min(due, default=None),
        now=any(moments[span] <= now for span in due),
        next=min(ahead, default=None),
    )


def _left(policy: Reminders, told: timedelta | None) -> list[timedelta]:
    """The thresholds they were not told of."""
    return [span for span in policy.before if told is None or span < told]


def moment(row: RequestRow, end: Deadline, span: timedelta, person: Recipient, policy: Reminders) -> datetime:
    """When a reminder is sent: so long before the end, or when the quiet hours around that began.

    Never before the request was made.
    """
    at = max(end.at - span, row.request.created)
    if _at_night(row, span, policy) or person.quiet is None:
        return at
    begun = person.quiet.begun(at, person.zone)
    return at if begun is None else max(begun, row.request.created)


def everybody_away(people: Iterable[Recipient], now: datetime) -> datetime | None:
    """When the first of them is back, if all of them are away; None when somebody is there, or nobody is known."""
    everybody = list(people)
    back = [one.away_until for one in everybody if one.away_until is not None and one.away(now)]
    return min(back) if everybody and len(back) == len(everybody) else None


def _at_night(row: RequestRow, span: timedelta, policy: Reminders) -> bool:
    """Whether it is worth waking somebody for."""
    last = policy.last_at_night and span == min(policy.before)
    return last or (policy.critical_at_night and row.risk.level is Level.CRITICAL)
