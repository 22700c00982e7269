"""What a requestor may do with their own request while it waits. Pure; Microsoft stays the judge."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from app.domain.levels import Level
from app.domain.reminding import Recipient, to_remind
from app.domain.request import ActivationRequest, Person, Status
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why, taken

NUDGE_EVERY = timedelta(hours=1)


def withdrawable(row: RequestRow, now: datetime) -> bool:
    """Whether a button to withdraw it makes sense: it waits, as far as we know."""
    return row.status is Status.PENDING and (not row.request.mortal or now < row.request.expires)


def withdrawal_refused(row: RequestRow, me: Person, now: datetime) -> Refused | None:
    """What our memory says against it, before anybody asks Microsoft. None: nothing."""
    stranger = not_mine(row.request, me)
    if stranger is not None:
        return stranger
    faster = taken(row)
    if faster is not None:
        return faster
    if not withdrawable(row, now):
        return Refused(Why.EXPIRED, "This request expired unanswered, so there is nothing to withdraw.")
    return None


def not_mine(request: ActivationRequest, me: Person) -> Refused | None:
    """Only who asked takes it back. Somebody with two accounts must be told which one this takes."""
    if me.id.casefold() == request.requestor.id.casefold():
        return None
    made_with = request.requestor.upn or request.requestor.label
    return Refused(
        Why.NOT_REQUESTOR,
        f"This request was made with {made_with}, and you are signed in here as {me.upn or me.label}. Nothing was "
        f"changed; withdraw it in Microsoft's portal as {made_with}.",
    )


def nudgeable(row: RequestRow, now: datetime) -> bool:
    """Whether there is anybody known who could be asked again."""
    return withdrawable(row, now) and not row.stale and bool(to_remind(row, ()))


def nudge_again(row: RequestRow) -> datetime | None:
    """From when on its approvers may be asked once more; None: nobody asked yet."""
    return row.nudged_at + NUDGE_EVERY if row.nudged_at is not None else None


def to_nudge(row: RequestRow, people: Mapping[str, Recipient], acted: Collection[str], now: datetime) -> list[str]:
    """The Slack accounts of approvers who did nothing yet and may be disturbed now; a Critical request may wake people.

    `people` by object id; `acted`: object ids of those who did something.
    """
    waiting = to_remind(row, acted)
    return sorted(
        person.slack_user for oid, person in people.items() if oid in waiting and _disturbable(row, person, now)
    )


def _disturbable(row: RequestRow, person: Recipient, now: datetime) -> bool:
    if not person.wanted or person.away(now):
        return False
    asleep = person.quiet is not None and person.quiet.begun(now, person.zone) is not None
    return row.risk.level is Level.CRITICAL or not asleep
