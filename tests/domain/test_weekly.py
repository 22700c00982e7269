"""The weekly digest: when it is due, once for each week of the calendar, and figures that are counted right."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import ann, ben

from app.domain.request import PolicyFacts, Status
from app.domain.weekly import (
    A_WEEK,
    LATEST,
    MOST_ROLES,
    Week,
    WeekFacts,
    Weekly,
    due_week,
    nearest_rank,
    read_tally,
    tallied,
    write_tally,
)

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
AT_EIGHT = Weekly(0, 8)
WEEK = Week(MONDAY - A_WEEK, MONDAY)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
policies = st.builds(Weekly, st.integers(0, 6), st.integers(0, 23))


@pytest.mark.parametrize(
    "now, due",
    [
        (MONDAY, True),
        (MONDAY - timedelta(seconds=1), False),
        (MONDAY + LATEST - timedelta(seconds=1), True),
        (MONDAY + LATEST, False),
        (MONDAY + A_WEEK - timedelta(seconds=1), False),
    ],
)
def test_it_is_due_from_its_hour_on_for_a_day(now: datetime, due: bool) -> None:  # noqa: FBT001 - a table
    assert due_week(AT_EIGHT, now) == (WEEK if due else None)


def test_without_a_day_it_is_never_due() -> None:
    assert due_week(None, MONDAY) is None


@given(policies, moments)
def test_what_is_due_ended_lately_at_the_right_hour(weekly: Weekly, now: datetime) -> None:
    week = due_week(weekly, now)
    if week is not None:
        assert timedelta(0) <= now - week.end < LATEST
        assert (week.end.weekday(), week.end.hour, week.end.minute) == (weekly.weekday, weekly.hour, 0)
        assert week.end - week.begin == A_WEEK


@given(policies, moments)
def test_no_week_is_left_out_and_none_has_two_names(weekly: Weekly, start: datetime) -> None:
    hours = [due_week(weekly, start + timedelta(hours=n)) for n in range(24 * 22)]
    weeks = list(dict.fromkeys(week for week in hours if week is not None))
    assert len({week.name for week in weeks}) == len(weeks) >= 3
    assert all(after.end - before.end == A_WEEK for before, after in itertools.pairwise(weeks))


def test_figures_are_counted() -> None:
    policies = [
        ("Both", PolicyFacts(approvers=(ann, ben))),
        ("Alone", PolicyFacts(approvers=(ann,))),
        ("Alone", PolicyFacts(approvers=(ann,))),
        ("Unknown", PolicyFacts()),
        ("Nobody", PolicyFacts(approvers=())),
        ("Microsoft's own", PolicyFacts(approvers=(ann,), by_default=True)),
    ]
    waits = [timedelta(minutes=n) for n in range(100, 0, -1)]
    ended = {Status.APPROVED: 70, Status.DENIED: 30, Status.EXPIRED: 4}
    tally = tallied(WEEK, WeekFacts(110, ended, waits, [("Both", 60)], policies))
    assert (tally.asked, tally.approved, tally.denied, tally.expired) == (110, 70, 30, 4)
    assert (tally.median, tally.almost_all) == (3030, 95 * 60)
    assert (tally.busiest, tally.alone, tally.alone_more) == ((("Both", 60),), ("Alone",), 0)


def test_a_quiet_week_has_no_times() -> None:
    tally = tallied(WEEK, WeekFacts())
    assert (tally.median, tally.almost_all, tally.busiest, tally.alone) == (None, None, (), ())


def test_long_lists_are_cut_and_counted() -> None:
    many = [(f"Role {n}", PolicyFacts(approvers=(ann,))) for n in range(MOST_ROLES + 3)]
    tally = tallied(WEEK, WeekFacts(settings=many, busiest=[(name, 1) for name, _ in many]))
    assert (len(tally.busiest), len(tally.alone), tally.alone_more) == (MOST_ROLES, MOST_ROLES, 3)


@given(st.lists(st.integers(0, 10**6), min_size=1), st.floats(0.01, 1))
def test_nearest_rank_covers_the_share_and_not_more_than_it_must(values: list[int], share: float) -> None:
    ordered = sorted(values)
    found = nearest_rank(ordered, share)
    assert sum(value <= found for value in ordered) >= share * len(ordered)
    assert sum(value < found for value in ordered) < share * len(ordered)


@given(st.lists(st.tuples(st.text(), st.integers(1, 9))), st.lists(st.text()))
def test_a_digest_is_kept_as_a_text(busiest: list[tuple[str, int]], alone: list[str]) -> None:
    settings = [(name, PolicyFacts(approvers=(ann,))) for name in alone]
    tally = tallied(WEEK, WeekFacts(busiest=busiest, settings=settings, waits=[timedelta(seconds=5)]))
    assert read_tally(write_tally(tally)) == tally
