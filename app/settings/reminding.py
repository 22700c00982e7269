"""The `[reminders]` of the policy file: how long before a deadline, and when people are left alone."""

from __future__ import annotations

from datetime import timedelta

from app.domain.quiet import Quiet, quiet_hours
from app.domain.reminding import Reminders
from app.settings.parts import Part

_DAY = 24 * 60  # minutes; a request lives no longer
_LAST, _CRITICAL = "last", "critical"


def read_reminders(part: Part) -> Reminders:
    """What the table says; what it leaves out keeps its default."""
    default = Reminders()
    disturbing = part.each("through_quiet", _disturbing) if "through_quiet" in part.content else [_LAST, _CRITICAL]
    reminders = Reminders(
        before=_before(part, default.before),
        quiet=_quiet(part, default.quiet),
        last_at_night=_LAST in disturbing,
        critical_at_night=_CRITICAL in disturbing,
    )
    part.close()
    return reminders


def _before(part: Part, default: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    """Any order and twice the same are fine; the longest comes first."""
    value = part.raw("before_minutes", None)
    if value is None:
        return default
    if not isinstance(value, list) or not all(_is_span(minutes) for minutes in value):
        part.wrong("before_minutes", f"must be a list of whole minutes, each from 1 to {_DAY - 1}")
        return default
    return tuple(timedelta(minutes=minutes) for minutes in sorted(set(value), reverse=True))


def _is_span(minutes: object) -> bool:
    return isinstance(minutes, int) and not isinstance(minutes, bool) and 0 < minutes < _DAY


def _quiet(part: Part, default: Quiet | None) -> Quiet | None:
    text = part.text("quiet", str(default or ""))
    try:
        return quiet_hours(text)
    except ValueError as problem:
        part.wrong("quiet", f"is wrong: {problem}")
        return default


def _disturbing(word: str) -> str:
    if word not in (_LAST, _CRITICAL):
        raise ValueError(f"{word!r} is no kind of reminder; write {_LAST}, {_CRITICAL}")
    return word
