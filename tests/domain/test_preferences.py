"""What people set for themselves, by their own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from build import NOW

from app.domain.preferences import HALF_HOURS, Preference, Wishes, settled
from app.domain.quiet import Quiet
from app.domain.reminding import NIGHT

AUCKLAND, PARIS = ZoneInfo("Pacific/Auckland"), ZoneInfo("Europe/Paris")
WEDNESDAY = date(2026, 11, 25)  # NOW is the Monday before


def test_whoever_set_nothing_has_the_companys_hours() -> None:
    assert Preference().hours(NIGHT) == NIGHT
    assert Preference().hours(None) is None


@pytest.mark.parametrize("quiet, hours", [("", None), ("23:00-06:30", Quiet(time(23), time(6, 30)))])
def test_ones_own_hours_come_first(quiet: str, hours: Quiet | None) -> None:
    assert Preference(quiet=quiet).hours(NIGHT) == hours


@pytest.mark.parametrize(
    "zone, hours, back",
    [
        (PARIS, NIGHT, datetime(2026, 11, 25, 6, 0, tzinfo=UTC)),
        (AUCKLAND, NIGHT, datetime(2026, 11, 24, 18, 0, tzinfo=UTC)),
        (PARIS, None, datetime(2026, 11, 24, 23, 0, tzinfo=UTC)),
        (PARIS, Quiet(time(12), time(14)), datetime(2026, 11, 24, 23, 0, tzinfo=UTC)),
    ],
)
def test_one_is_back_on_the_morning_of_the_day_when_quiet_hours_end(
    zone: ZoneInfo, hours: Quiet | None, back: datetime
) -> None:
    kept = settled(Wishes(WEDNESDAY), zone, hours, NOW)
    assert (kept.away_until, kept.back_on) == (back, WEDNESDAY)
    assert kept.away(NOW)
    assert not kept.away(back)


def test_ones_own_hours_say_when_that_is() -> None:
    kept = settled(Wishes(WEDNESDAY, since=time(20), until=time(9, 30)), PARIS, NIGHT, NOW)
    assert kept.away_until == datetime(2026, 11, 25, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("day", [None, NOW.date(), date(2020, 1, 1)])
def test_a_day_that_has_come_is_no_absence(day: date | None) -> None:
    assert settled(Wishes(day, reminders=False), PARIS, NIGHT, NOW) == Preference(reminders=False)


@pytest.mark.parametrize(
    "since, until, quiet",
    [(None, None, None), (time(8), time(8), ""), (time(22, 30), time(5), "22:30-05:00")],
)
def test_two_times_make_hours(since: time | None, until: time | None, quiet: str | None) -> None:
    wishes = Wishes(since=since, until=until)
    assert (wishes.quiet, wishes.flaw) == (quiet, "")


@pytest.mark.parametrize("since, until", [(time(8), None), (None, time(8))])
def test_one_time_alone_makes_none(since: time | None, until: time | None) -> None:
    wishes = Wishes(since=since, until=until)
    assert (wishes.flaw, wishes.quiet) == (HALF_HOURS, None)
