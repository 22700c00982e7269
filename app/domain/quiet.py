"""Quiet hours: when a person is not to be disturbed, by the clock on their wall. Pure.

On a night when the clocks change, what the wall clock shows counts: an hour that comes twice is quiet twice, and quiet
hours that would begin in an hour that does not exist begin where the clocks jump.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From and until when; an `until` before `since` is the next morning's. The same time twice: never."""

    since: time
    until: time

    def __str__(self) -> str:
        """`22:00-07:00`."""
        return f"{self.since:%H:%M}-{self.until:%H:%M}"

    def begun(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet hours around this moment began, in UTC; None when it lies in none."""
        local = moment.astimezone(zone)
        wall, today = local.time(), local.date()
        if self.since <= self.until:
            begins = today if self.since <= wall < self.until else None
        elif wall >= self.since:
            begins = today
        else:
            begins = today - timedelta(days=1) if wall < self.until else None
        if begins is None:
            return None
        # A beginning in the hour that does not exist would come out behind the moment.
        return min(datetime.combine(begins, self.since, zone).astimezone(UTC), moment)


def quiet_hours(text: str) -> Quiet | None:
    """`22:00-07:00` as a value; None for an empty text, which means that nobody is to be left alone. Or ValueError."""
    if not text.strip():
        return None
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} are no hours; write them as 22:00-07:00")
    since, until = _time(*found.group(1, 2)), _time(*found.group(3, 4))
    return Quiet(since, until) if since != until else None


def zone_of(name: str) -> tzinfo:
    """A time zone by its name, such as `Europe/Paris`; UTC where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone, or not the name of one
        return UTC


def _time(hour: str, minute: str) -> time:
    return time(int(hour), int(minute))
