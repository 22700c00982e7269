"""What one person set for themselves: until when they are away, whether they are reminded, their quiet hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from app.domain.quiet import Quiet, quiet_hours

HALF_HOURS = "Say both from when and until when, or leave both empty."


@dataclass(frozen=True, slots=True)
class Preference:
    """One person's own settings.

    `back_on` is the day they named, `away_until` the moment on it that this means by their clock; `quiet`: their hours
    as a text, empty for none at all; None: the company's.
    """

    away_until: datetime | None = None
    back_on: date | None = None
    reminders: bool = True
    quiet: str | None = None

    def hours(self, company: Quiet | None) -> Quiet | None:
        """The quiet hours that hold for them."""
        return company if self.quiet is None else quiet_hours(self.quiet)

    def away(self, now: datetime) -> bool:
        """Whether they said that they are not there."""
        return self.away_until is not None and now < self.away_until


@dataclass(frozen=True, slots=True)
class Wishes:
    """The settings as somebody filled them in. Hours that are the same mean none; both None: the company's."""

    back_on: date | None = None
    reminders: bool = True
    since: time | None = None
    until: time | None = None

    @property
    def flaw(self) -> str:
        """What is missing, as a sentence; empty when nothing is."""
        return HALF_HOURS if (self.since is None) != (self.until is None) else ""

    @property
    def quiet(self) -> str | None:
        """The hours as they are kept."""
        if self.since is None or self.until is None:
            return None
        return str(Quiet(self.since, self.until)) if self.since != self.until else ""


def settled(wishes: Wishes, zone: tzinfo, company: Quiet | None, now: datetime) -> Preference:
    """The settings they make, by the clock of this person. A day that has come is no absence."""
    hours = Preference(quiet=wishes.quiet).hours(company)
    back = back_at(wishes.back_on, zone, hours) if wishes.back_on is not None else None
    if back is None or back <= now:
        return Preference(reminders=wishes.reminders, quiet=wishes.quiet)
    return Preference(back, wishes.back_on, wishes.reminders, wishes.quiet)


def back_at(day: date, zone: tzinfo, hours: Quiet | None) -> datetime:
    """When somebody who is back on this day may be disturbed, in UTC: in the morning, when their quiet hours end."""
    morning = hours.until if hours is not None and hours.since > hours.until else time(0)
    return datetime.combine(day, morning, zone).astimezone(UTC)
