"""Quiet hours by the clock on the wall, also on the nights when it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quiet import Quiet, quiet_hours, zone_of

NIGHT = Quiet(time(22), time(7))
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)


def local(zone: str, text: str, fold: int = 0) -> datetime:
    """What the wall clock there shows, as a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    "wall, begun",
    [
        ("2026-11-23 21:59", None),
        ("2026-11-23 22:00", "2026-11-23 22:00"),
        ("2026-11-23 23:59", "2026-11-23 22:00"),
        ("2026-11-24 00:00", "2026-11-23 22:00"),
        ("2026-11-24 06:59", "2026-11-23 22:00"),
        ("2026-11-24 07:00", None),
        ("2026-11-24 12:00", None),
    ],
)
def test_a_night_ends_the_next_morning(wall: str, begun: str | None) -> None:
    expected = local("Europe/Paris", begun) if begun else None
    assert NIGHT.begun(local("Europe/Paris", wall), PARIS) == expected


@pytest.mark.parametrize("wall, inside", [("11:59", False), ("12:00", True), ("13:59", True), ("14:00", False)])
def test_hours_of_one_day_end_on_it(wall: str, *, inside: bool) -> None:
    begun = Quiet(time(12), time(14)).begun(local("Europe/Paris", f"2026-11-23 {wall}"), PARIS)
    assert begun == (local("Europe/Paris", "2026-11-23 12:00") if inside else None)


# Two nights of each zone: an hour is missing, an hour comes twice. On Lord Howe Island it is half an hour.
CHANGES = [
    ("Europe/Berlin", "2026-03-29 04:00", timedelta(hours=5)),
    ("Europe/Berlin", "2026-10-25 04:00", timedelta(hours=7)),
    ("America/New_York", "2026-03-08 04:00", timedelta(hours=5)),
    ("America/New_York", "2026-11-01 04:00", timedelta(hours=7)),
    ("Australia/Lord_Howe", "2026-10-04 04:00", timedelta(hours=5, minutes=30)),
    ("Australia/Lord_Howe", "2026-04-05 04:00", timedelta(hours=6, minutes=30)),
]


@pytest.mark.parametrize("zone, wall, slept", CHANGES)
def test_a_night_of_the_clock_change_begins_when_the_wall_clock_says_so(zone: str, wall: str, slept: timedelta) -> None:
    moment = local(zone, wall)
    begun = NIGHT.begun(moment, ZoneInfo(zone))
    assert begun is not None
    assert moment - begun == slept
    assert begun.astimezone(ZoneInfo(zone)).time() == time(22)


@pytest.mark.parametrize("zone, day", [(zone, wall[:10]) for zone, wall, _ in CHANGES])
def test_such_a_night_ends_at_seven_too(zone: str, day: str) -> None:
    assert NIGHT.begun(local(zone, f"{day} 06:59"), ZoneInfo(zone)) is not None
    assert NIGHT.begun(local(zone, f"{day} 07:00"), ZoneInfo(zone)) is None


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    quiet = Quiet(time(2), time(3))
    for fold in (0, 1):
        moment = local("Europe/Berlin", "2026-10-25 02:30", fold)
        assert quiet.begun(moment, ZoneInfo("Europe/Berlin")) == local("Europe/Berlin", "2026-10-25 02:00")


def test_hours_that_begin_in_an_hour_there_is_not_begin_where_the_clocks_jump() -> None:
    moment = local("Europe/Berlin", "2026-03-29 03:10")
    assert Quiet(time(2, 30), time(6)).begun(moment, ZoneInfo("Europe/Berlin")) == moment


CLOCK = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(
    moment=st.integers(0, 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE),
    hours=st.builds(Quiet, CLOCK, CLOCK),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_they_never_begin_after_a_moment_within_them_nor_long_before(
    moment: datetime, hours: Quiet, zone: ZoneInfo
) -> None:
    begun = hours.begun(moment, zone)
    if begun is not None:
        assert begun <= moment
        assert moment - begun <= timedelta(hours=25)
        assert begun.tzinfo is UTC
        assert hours.since != hours.until


# As text


@pytest.mark.parametrize(
    "text, meant",
    [
        ("22:00-07:00", NIGHT),
        (" 9:05 - 17:30 ", Quiet(time(9, 5), time(17, 30))),
        ("", None),
        ("  ", None),
        ("08:00-08:00", None),
    ],
)
def test_hours_are_read(text: str, meant: Quiet | None) -> None:
    assert quiet_hours(text) == meant
    assert meant is None or quiet_hours(str(meant)) == meant


@pytest.mark.parametrize("text", ["22-7", "22:00", "24:00-07:00", "22:60-07:00", "night", "22:00-07:00-08:00"])
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hour|minute"):
        quiet_hours(text)


@pytest.mark.parametrize("name", ["", "Nowhere/Nothing", "../etc/passwd", "\0", "Europe/", "x" * 5000, "Europe"])
def test_a_zone_nobody_knows_is_utc(name: str) -> None:
    assert zone_of(name) is UTC


def test_a_zone_is_known_by_name() -> None:
    assert zone_of("Asia/Kolkata").utcoffset(datetime(2026, 1, 1)) == timedelta(hours=5, minutes=30)  # noqa: DTZ001 - a wall clock
