"""What one person set for themselves: until when they are away, whether they are reminded, their quiet hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from app.domain.quiet import Quiet, quiet_hours


@dataclass(frozen=True, slots=True)
class Preference:
    """One person's own settings.

    `quiet`: their hours as a text, empty for none at all; None: the company's.
    """

    away_until: datetime | None = None
    reminders: bool = True
    quiet: str | None = None

    def hours(self, company: Quiet | None) -> Quiet | None:
        """The quiet hours that hold for them."""
        return company if self.quiet is None else quiet_hours(self.quiet)


def back_at(day: date, zone: tzinfo, hours: Quiet | None) -> datetime:
    """When somebody who is back on this day may be disturbed: in the morning, when their quiet hours end."""
    morning = hours.until if hours is not None and hours.since > hours.until else time(0)
    return datetime.combine(day, morning, zone)
