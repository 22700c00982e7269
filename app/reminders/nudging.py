"""A requestor has the approvers asked again: those who did nothing yet and may be disturbed, at most once an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.own_requests import NUDGE_EVERY, nudge_again, to_nudge
from app.domain.request import RequestKey
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why
from app.ports import Clock, Reminding, Watched
from app.reminders.recipients import Found, Recipients

NOT_WAITING = Refused(Why.ALREADY_DECIDED, "This request is not waiting any more, so nobody was asked.")
NOT_YOURS = Refused(Why.NOT_REQUESTOR, "This is not your request. Nobody was asked.")
NO_ANSWER = Refused(Why.UNAVAILABLE, "Slack does not say who the approvers are right now. Nobody was asked; try again.")
CROWD = Refused(Why.REFUSED, "Too many people may approve this to ask each of them. Nobody was asked.")
NOBODY = Refused(
    Why.REFUSED,
    "Nobody was asked: every approver known in Slack has acted already, is away, takes no reminders, or has quiet "
    "hours. You can try again at any time.",
)


@dataclass(frozen=True, slots=True)
class Nudged:
    """So many approvers are asked again; from `again` on it is possible once more."""

    row: RequestRow
    asked: int
    again: datetime


@dataclass(frozen=True, slots=True)
class TooSoon:
    """They were asked within the hour: possible from `again` on."""

    row: RequestRow
    again: datetime


@dataclass(kw_only=True, slots=True)
class Nudging:
    """Has approvers asked again."""

    rows: Reminding
    recipients: Recipients
    clock: Clock

    async def nudge(self, key: RequestKey, user: str) -> Nudged | TooSoon | Refused:
        """`user`: the Slack account that wants it; only the requestor's own may. What asks nobody costs no hour."""
        watched = await self.rows.watched(key)
        if watched is None:
            return NOT_WAITING
        now, row = self.clock(), watched.row
        if not user or row.match.slack_user != user:
            return NOT_YOURS
        again = nudge_again(row)
        if again is not None and now < again:
            return TooSoon(row, again)
        users = _users(watched, await self.recipients.of(row), now)
        if isinstance(users, Refused):
            return users
        if not await self.rows.nudge(key, users, now, now - NUDGE_EVERY):
            return NOT_WAITING  # decided, or asked by another press, this very moment
        return Nudged(row, len(users), now + NUDGE_EVERY)


def _users(watched: Watched, found: Found, now: datetime) -> list[str] | Refused:
    if not found.sure:
        return NO_ANSWER
    if found.crowd:
        return CROWD
    return to_nudge(watched.row, found.people, watched.acted, now) or NOBODY
