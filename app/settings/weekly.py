"""The `[weekly]` of the policy file: on which day and at which hour the digest comes. Without it there is none."""

from __future__ import annotations

from app.domain.weekly import Weekly
from app.settings.parts import Part

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = range(24)


def read_weekly(part: Part) -> Weekly | None:
    """None when the file names no day."""
    if not part.content:
        return None
    day, hour = part.text("weekday").casefold(), part.raw("hour", 8)
    if day not in DAYS:
        part.wrong("weekday", f"must be one of {', '.join(DAYS)}")
    if isinstance(hour, bool) or not isinstance(hour, int) or hour not in _HOURS:
        part.wrong("hour", "must be a whole number from 0 to 23, in UTC")
        hour = 8
    part.close()
    return Weekly(DAYS.index(day), hour) if day in DAYS else None
