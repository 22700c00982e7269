"""The one sentence that notifications and screen readers get. Its first 100 characters carry what matters.

It is mrkdwn to Slack and can ping a channel, so every foreign word in it is escaped before it is cut.
"""

from __future__ import annotations

from datetime import datetime

from app.domain.request import Status
from app.domain.row import RequestRow
from blocks.facts import NAME_LIMIT, length
from blocks.habits import again_text
from blocks.outcome import ended_text
from blocks.text import escaped, hour

HEAD_LIMIT = 100  # characters a phone shows of a notification
_DURATION_LIMIT = 16
_REASON_LIMIT = 300


def sentence(row: RequestRow, now: datetime) -> str:
    """Level, person, role, duration and deadline within 100 characters, then the rest; once final, the end of it."""
    if not row.status.open:
        return f"{_head(row, 'asked', '')}; {ended_text(row, now)}"
    return f"{head(row, now)}{_deciding(row)}; {_details(row)}"


def head(row: RequestRow, now: datetime) -> str:
    """Level, person, role, duration, deadline in UTC: at most 100 characters, however long the names are."""
    expires = row.request.expires
    words = "decide by" if now < expires else "time ran out"
    return _head(row, "asks", f"; {words} {hour(expires, now)}")


def _head(row: RequestRow, verb: str, deadline: str) -> str:
    request = row.request
    before = f"{row.risk.level.word}: "
    duration = escaped(length(request.duration, request.duration_text), _DURATION_LIMIT)
    after = f" for {duration}{deadline}"
    middle = f" {verb} for "
    room = HEAD_LIMIT - len(before) - len(middle) - len(after)
    person, role = _share(request.requestor.label or "somebody", request.what or "a role", room)
    return f"{before}{person}{middle}{role}{after}"


def _share(person: str, role: str, room: int) -> tuple[str, str]:
    """Both names within `room` characters: a short one leaves its share to the other."""
    whole = len(escaped(person, room))
    short_role = escaped(role, max(room - whole, room // 2))
    return escaped(person, room - len(short_role)), short_role


def _deciding(row: RequestRow) -> str:
    if row.verifying is not None and row.status is Status.PENDING:
        return f"; {escaped(row.verifying.label, NAME_LIMIT)} is signing in again to decide it"
    if row.status is not Status.DECIDING:
        return ""
    name = row.deciding.label if row.deciding is not None else "somebody"
    return f"; {escaped(name, NAME_LIMIT)} is deciding it right now"


def _details(row: RequestRow) -> str:
    request = row.request
    ticket = f"ticket {escaped(request.ticket.number, NAME_LIMIT)}" if request.ticket.given else "no ticket"
    reason = escaped(request.justification, _REASON_LIMIT) or "none given"
    again = f"{again_text(row)}; " if row.earlier is not None else ""
    return f"{again}scope {escaped(request.scope.label, NAME_LIMIT)}; {ticket}; reason: {reason}"
