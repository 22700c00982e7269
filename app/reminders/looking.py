"""One look at one request: who is to be told, or why nobody can be, and when to look again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.reminding import Recipient, Reminders, deadline, everybody_away, plan, to_remind
from app.ports import Reminder, Watched
from app.reminders.recipients import Found

LOOK_AGAIN = timedelta(minutes=10)  # people sign in, leave, and change their settings
ASK_AGAIN = timedelta(minutes=1)  # while Slack does not say who somebody is
ANYBODY = Recipient("")  # stands for whoever would be told, at any hour


class Nobody(StrEnum):
    """Why nobody can be told in person."""

    CROWD = "crowd"
    UNKNOWN = "unknown"
    NOT_IN_SLACK = "not_in_slack"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Wish:
    """A reminder for one person. `urgent`: it is due already, and not only soon."""

    user: str
    reminder: Reminder
    urgent: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. `away`: when the first of its approvers is back, while all are away."""

    again: datetime
    wishes: tuple[Wish, ...] = ()
    away: datetime | None = None
    nobody: Nobody | None = None


def look_at(watched: Watched, found: Found, now: datetime, policy: Reminders) -> Look:
    """What is to be done about it now. While Slack does not say who is who, nothing is concluded."""
    row, end = watched.row, deadline(watched.row, now)
    if not found.sure:
        return Look(now + ASK_AGAIN, away=row.away_until)
    away = everybody_away(found.people.values(), now)
    if end is None:
        return Look(now + LOOK_AGAIN, away=away)
    waiting = to_remind(row, watched.acted)
    people = {person.slack_user: person for oid, person in found.people.items() if oid in waiting}
    plans = {user: plan(row, one, watched.told.get((user, end.until)), now, policy) for user, one in people.items()}
    moments = [one.next for one in plans.values() if one.next is not None]
    return Look(
        again=min([*moments, now + LOOK_AGAIN]),
        wishes=tuple(
            Wish(user, Reminder(row.key, end.until, one.threshold), one.now)
            for user, one in plans.items()
            if one.threshold is not None
        ),
        away=away,
        nobody=_nobody(watched, found, now, policy),
    )


def _nobody(watched: Watched, found: Found, now: datetime, policy: Reminders) -> Nobody | None:
    """Why nobody can be told, once somebody should be; None when somebody can, or is at it already."""
    row = watched.row
    busy = watched.acted or row.looking or row.verifying is not None
    reachable = any(person.wanted and not person.away(now) for person in found.people.values())
    if busy or reachable or not plan(row, ANYBODY, None, now, policy).now:
        return None
    if found.crowd:
        return Nobody.CROWD
    if found.people:
        return Nobody.AWAY
    return Nobody.NOT_IN_SLACK if to_remind(row, ()) else Nobody.UNKNOWN
