"""The course of an approved role, and when doubt becomes an end: tables, and what no sequence of looks can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from build import NOW, a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain.lifecycle import (
    LAG,
    OFTEN,
    RARELY,
    SETTLING,
    SOON,
    SURE,
    Approved,
    Course,
    Doubt,
    Holding,
    HowEnded,
    Nothing,
    Phase,
    follow,
    unsettled_end,
)
from app.domain.request import Status, Term

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
TERM = Term(NOW, NOW + 2 * HOUR)
HELD = Holding(TERM.start, TERM.end)


def role(holding: Holding = Holding(), **facts: object) -> Approved:
    return Approved(a_request(**facts), NOW, holding)


# --- phases ---


@pytest.mark.parametrize(
    "holding, start, phase",
    [
        (Holding(), None, Phase.UNSEEN),
        (Holding(), NOW + HOUR, Phase.SCHEDULED),
        (Holding(), NOW - HOUR, Phase.UNSEEN),
        (HELD, None, Phase.ACTIVE),
        (Holding(NOW), None, Phase.ACTIVE),
        (Holding(NOW + HOUR, NOW + 2 * HOUR), NOW + HOUR, Phase.SCHEDULED),
        (Holding(NOW - HOUR, NOW), None, Phase.ENDED),
        (replace(HELD, deactivated=NOW), None, Phase.ENDED),
        (Holding(how=HowEnded.FAILED), None, Phase.ENDED),
    ],
)
def test_a_role_is_where_its_instance_says(holding: Holding, start: datetime | None, phase: Phase) -> None:
    assert holding.phase(start, NOW) is phase


# --- following ---


def test_an_instance_tells_start_and_end_and_is_looked_at_every_few_minutes() -> None:
    assert follow(role(), TERM, "", NOW) == Course(HELD, due=NOW + OFTEN)


def test_the_last_look_is_due_when_the_role_ends() -> None:
    soon = Term(NOW, NOW + OFTEN - SECOND)
    assert follow(role(), soon, "", NOW).due == soon.end


def test_an_instance_that_outlives_its_end_is_looked_at_again_soon() -> None:
    assert follow(role(HELD), TERM, "", TERM.end + SECOND).due == TERM.end + SECOND + SOON


def test_an_instance_that_shows_again_forgets_the_miss() -> None:
    assert follow(role(replace(HELD, missed=1)), TERM, "", NOW).holding.missed == 0


def test_a_role_whose_time_is_over_ended_then() -> None:
    course = follow(role(HELD), None, "Provisioned", TERM.end + HOUR)
    assert course == Course(replace(HELD, deactivated=TERM.end, how=HowEnded.LAPSED))


def test_what_was_taken_away_ends_with_the_first_look_that_misses_it() -> None:
    taken = replace(role(HELD), removed_at=NOW)
    course = follow(taken, None, "Provisioned", NOW + SECOND)
    assert course == Course(replace(HELD, deactivated=NOW + SECOND, how=HowEnded.REVOKED))


def test_what_was_taken_away_is_looked_for_often_while_replicas_may_lag() -> None:
    taken = replace(role(HELD), removed_at=NOW)
    assert follow(taken, TERM, "", NOW).due == NOW + SOON
    assert follow(taken, TERM, "", NOW + SETTLING).due == NOW + SETTLING + OFTEN


def test_one_look_that_misses_a_held_role_is_not_believed() -> None:
    assert follow(role(HELD), None, "Provisioned", NOW + HOUR) == Course(replace(HELD, missed=1), NOW + HOUR + LAG)


@pytest.mark.parametrize(
    "native, how",
    [("Provisioned", HowEnded.EARLY), ("Revoked", HowEnded.REVOKED), ("PendingRevocation", HowEnded.REVOKED)],
)
def test_the_second_look_that_misses_it_is(native: str, how: HowEnded) -> None:
    at = NOW + HOUR
    course = follow(role(replace(HELD, missed=1)), None, native, at)
    assert (course.holding.deactivated, course.holding.how, course.due) == (at, how, None)


def test_a_role_that_starts_later_is_looked_at_then() -> None:
    later = NOW + 5 * HOUR
    assert follow(role(start=later), None, "Granted", NOW) == Course(Holding(), later)


@pytest.mark.parametrize("passed, pause", [(SECOND, SOON), (SETTLING, OFTEN)])
def test_a_role_that_does_not_show_is_looked_for_often_and_then_less(passed: timedelta, pause: timedelta) -> None:
    assert follow(role(), None, "Provisioned", NOW + passed).due == NOW + passed + pause


@pytest.mark.parametrize(
    "native, how",
    [("Failed", HowEnded.FAILED), ("FailedAsResourceIsLocked", HowEnded.FAILED), ("revoked", HowEnded.REVOKED)],
)
def test_microsofts_word_says_why_there_was_never_an_instance(native: str, how: HowEnded) -> None:
    assert follow(role(), None, native, NOW + SECOND) == Course(Holding(how=how))


def test_what_was_never_seen_and_must_be_over_ended_without_times() -> None:
    assert follow(role(), None, "Provisioned", NOW + 2 * HOUR) == Course(Holding(how=HowEnded.LAPSED))


def test_what_nobody_may_read_is_asked_for_rarely_and_not_for_ever() -> None:
    assert follow(role(), Nothing.UNREADABLE, "", NOW) == Course(Holding(), NOW + RARELY)
    assert follow(role(), Nothing.UNREADABLE, "", NOW + 2 * HOUR) == Course(Holding(), None)


def test_a_role_once_seen_ends_on_time_though_nobody_may_look_any_more() -> None:
    course = follow(role(HELD), Nothing.UNREADABLE, "", TERM.end)
    assert (course.holding.deactivated, course.holding.how, course.due) == (TERM.end, HowEnded.LAPSED, None)


looks = st.sampled_from([TERM, None, Nothing.UNREADABLE])
natives = st.sampled_from(["", "Provisioned", "Granted", "Revoked", "Failed", "Unheard"])


@given(st.lists(st.tuples(looks, natives, st.integers(1, 7200)), max_size=12))
def test_whatever_the_looks_a_course_goes_forward_and_comes_to_an_end(
    seen: list[tuple[Term | Nothing | None, str, int]],
) -> None:
    now, one = NOW, role()
    for term, native, seconds in seen:
        now += timedelta(seconds=seconds)
        course = follow(one, term, native, now)
        assert course.due is None or course.due > now
        assert (course.due is None) or course.holding.how is None
        if course.due is None:
            break
        one = replace(one, holding=course.holding)
    final = follow(one, None, "Provisioned", now + timedelta(days=2))
    assert final.due is None
    assert final.holding.how is HowEnded.LAPSED


# --- doubt ---


def test_gone_once_is_doubted_and_gone_twice_is_believed() -> None:
    expires = NOW + HOUR
    doubt = unsettled_end(gone=True, doubt=SURE, expires=expires, now=NOW)
    assert doubt == Doubt(1)
    assert unsettled_end(gone=True, doubt=doubt, expires=expires, now=NOW) is Status.UNKNOWN
    assert unsettled_end(gone=True, doubt=doubt, expires=expires, now=expires) is Status.EXPIRED


def test_what_nobody_may_read_is_uncheckable_for_its_day_and_then_ended_nobody_knows_how() -> None:
    expires = NOW + HOUR
    assert unsettled_end(gone=False, doubt=SURE, expires=expires, now=expires - SECOND) == Doubt(0, uncheckable=True)
    assert unsettled_end(gone=False, doubt=SURE, expires=expires, now=expires) is Status.UNKNOWN
