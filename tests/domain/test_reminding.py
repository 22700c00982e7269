"""Whom to remind and when: once for each threshold and person, never after the end, never at night but before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from build import NOW, a_request, a_row
from hypothesis import given
from hypothesis import strategies as st
from people import adm_rob, ann, ben, cleo, rita, rob

from app.domain.quiet import Quiet
from app.domain.reminding import (
    IMMEDIATE,
    NIGHT,
    TOGETHER,
    Deadline,
    Plan,
    Recipient,
    Reminders,
    Until,
    deadline,
    everybody_away,
    moment,
    plan,
    to_remind,
)
from app.domain.request import APPROVAL_WINDOW, PolicyFacts, Status
from app.domain.risk import Level, Risk
from app.domain.row import Looking, RequestRow

HOURS, MINUTES = timedelta(hours=1), timedelta(minutes=1)
POLICY = Reminders()
ANN = Recipient("U0ANN00001")
SLEEPER = replace(ANN, quiet=NIGHT, zone=ZoneInfo("Europe/Paris"))
CALM = Risk(Level.MEDIUM)


def dying(left: timedelta, **over: object) -> RequestRow:
    """A request that expires so long after NOW."""
    return a_row(a_request(created=NOW + left - APPROVAL_WINDOW), **{"risk": CALM, **over})


# The deadline


def test_without_a_scheduled_start_it_is_the_expiry() -> None:
    assert deadline(dying(3 * HOURS), NOW) == Deadline(Until.EXPIRY, NOW + 3 * HOURS)


@pytest.mark.parametrize(
    "start, until", [(2 * HOURS, Until.START), (4 * HOURS, Until.EXPIRY), (-MINUTES, Until.EXPIRY)]
)
def test_the_earlier_one_that_lies_ahead_counts(start: timedelta, until: Until) -> None:
    row = dying(3 * HOURS)
    found = deadline(replace(row, request=replace(row.request, start=NOW + start)), NOW)
    assert found is not None
    assert found.until is until


def test_a_start_at_once_is_no_scheduled_start() -> None:
    made = a_request(created=NOW, start=NOW + IMMEDIATE)
    assert deadline(a_row(made), NOW) == Deadline(Until.EXPIRY, NOW + APPROVAL_WINDOW)


def test_what_waits_without_an_end_has_no_deadline_but_its_start() -> None:
    extension = a_request(action="selfExtend", created=NOW)
    assert deadline(a_row(extension), NOW) is None
    later = replace(extension, start=NOW + HOURS)
    assert deadline(a_row(later), NOW) == Deadline(Until.START, NOW + HOURS)


def test_when_time_is_over_there_is_none() -> None:
    assert deadline(dying(timedelta(0)), NOW) is None


# Who


def test_everybody_who_may_approve_and_did_nothing_is_reminded() -> None:
    row = a_row(approvers=frozenset({ann.id}), policy=PolicyFacts(approvers=(ben, cleo)))
    assert to_remind(row, ()) == {ann.id, ben.id, cleo.id}
    assert to_remind(row, {ben.id}) == {ann.id, cleo.id}


def test_who_is_looking_or_verifying_has_acted() -> None:
    row = a_row(approvers=frozenset({ann.id, ben.id, cleo.id}), verifying=ben, looking=(Looking(ann, NOW),))
    assert to_remind(row, ()) == {cleo.id}


def test_nobody_is_reminded_of_their_own_request() -> None:
    request = a_request(requestor=adm_rob, created_by=rob.id)
    row = a_row(request, approvers=frozenset({adm_rob.id.upper(), rob.id, rita.id}))
    assert to_remind(row, ()) == {rita.id}


# When


@pytest.mark.parametrize(
    "left, due",
    [
        (5 * HOURS, None),
        (4 * HOURS, 4 * HOURS),
        (90 * MINUTES, 4 * HOURS),
        (HOURS, HOURS),
        (16 * MINUTES, 15 * MINUTES),
        (MINUTES, 15 * MINUTES),
        (timedelta(0), None),
    ],
)
def test_thresholds_that_are_past_count_as_the_last_of_them(left: timedelta, due: timedelta | None) -> None:
    assert plan(dying(left), ANN, None, NOW, POLICY).threshold == due


def test_what_is_due_within_five_minutes_comes_along_but_is_no_reason_by_itself() -> None:
    soon = plan(dying(HOURS + TOGETHER), ANN, 4 * HOURS, NOW, POLICY)
    assert (soon.threshold, soon.now, soon.next) == (HOURS, False, NOW + TOGETHER)
    later = plan(dying(HOURS + TOGETHER + MINUTES), ANN, 4 * HOURS, NOW, POLICY)
    assert (later.threshold, later.now) == (None, False)


@pytest.mark.parametrize("told", [4 * HOURS, HOURS, 15 * MINUTES])
def test_a_threshold_told_of_is_not_told_again_nor_a_longer_one(told: timedelta) -> None:
    assert plan(dying(told - MINUTES), ANN, told, NOW, POLICY).threshold is None


def test_the_next_look_is_at_the_next_moment() -> None:
    assert plan(dying(10 * HOURS), ANN, None, NOW, POLICY).next == NOW + 6 * HOURS
    assert plan(dying(10 * MINUTES), ANN, None, NOW, POLICY).next is None


@pytest.mark.parametrize(
    "row, person",
    [
        (dying(MINUTES, status=Status.APPROVED), ANN),
        (dying(MINUTES, status=Status.DECIDING), ANN),
        (dying(MINUTES), replace(ANN, wanted=False)),
        (dying(MINUTES), replace(ANN, away_until=NOW + MINUTES)),
        (dying(-MINUTES), ANN),
    ],
)
def test_nobody_is_told_what_they_cannot_or_need_not_do(row: RequestRow, person: Recipient) -> None:
    assert plan(row, person, None, NOW, POLICY) == Plan()


def test_who_is_back_is_reminded_of_what_they_missed() -> None:
    assert plan(dying(2 * HOURS), replace(ANN, away_until=NOW), None, NOW, POLICY).threshold == 4 * HOURS


def test_a_company_may_remind_never() -> None:
    assert plan(dying(MINUTES), ANN, None, NOW, Reminders(before=())) == Plan()


# At night. It is 02:00 in Paris when a request is to be told of that ends at 06:00.

SIX = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
NIGHTLY = a_row(a_request(created=SIX - APPROVAL_WINDOW), risk=CALM)
ENDS = Deadline(Until.EXPIRY, SIX)
TEN = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def test_what_falls_into_quiet_hours_comes_when_they_begin() -> None:
    assert moment(NIGHTLY, ENDS, 4 * HOURS, SLEEPER, POLICY) == TEN
    assert moment(NIGHTLY, ENDS, HOURS, SLEEPER, POLICY) == TEN


def test_both_of_them_are_one_reminder_then() -> None:
    found = plan(NIGHTLY, SLEEPER, None, TEN, POLICY)
    assert (found.threshold, found.now, found.next) == (HOURS, True, SIX - 15 * MINUTES)


def test_the_last_one_and_critical_ones_come_at_night() -> None:
    assert moment(NIGHTLY, ENDS, 15 * MINUTES, SLEEPER, POLICY) == SIX - 15 * MINUTES
    critical = replace(NIGHTLY, risk=Risk(Level.CRITICAL))
    assert moment(critical, ENDS, 4 * HOURS, SLEEPER, POLICY) == SIX - 4 * HOURS


def test_unless_the_company_wants_quiet_nights() -> None:
    calm = Reminders(last_at_night=False, critical_at_night=False)
    critical = replace(NIGHTLY, risk=Risk(Level.CRITICAL))
    assert moment(critical, ENDS, 15 * MINUTES, SLEEPER, calm) == TEN


def test_it_never_comes_before_the_request() -> None:
    made = TEN + HOURS
    row = a_row(a_request(created=made, start=SIX), risk=CALM)
    assert moment(row, Deadline(Until.START, SIX), HOURS, SLEEPER, POLICY) == made


def test_who_has_no_quiet_hours_is_told_at_any_hour() -> None:
    assert moment(NIGHTLY, ENDS, 4 * HOURS, replace(SLEEPER, quiet=None), POLICY) == SIX - 4 * HOURS


# Away


def test_everybody_is_away_until_the_first_is_back() -> None:
    gone = [replace(ANN, away_until=NOW + days * timedelta(days=1)) for days in (3, 1, 2)]
    assert everybody_away(gone, NOW) == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    "people", [[], [ANN], [replace(ANN, away_until=NOW + HOURS), ANN], [replace(ANN, away_until=NOW)]]
)
def test_somebody_is_there_or_nobody_is_known(people: list[Recipient]) -> None:
    assert everybody_away(people, NOW) is None


# Whatever the request, the person, the policy and the times at which somebody looks


CLOCK = st.times().map(lambda at: at.replace(second=0, microsecond=0))
PEOPLE = st.builds(
    Recipient,
    st.just("U1"),
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe"]).map(ZoneInfo),
    st.none() | st.builds(Quiet, CLOCK, CLOCK),
)
POLICIES = st.builds(
    Reminders,
    st.lists(st.integers(1, 1439), max_size=5, unique=True).map(
        lambda found: tuple(timedelta(minutes=one) for one in sorted(found, reverse=True))
    ),
    st.none(),
    st.booleans(),
    st.booleans(),
)
MADE = st.integers(0, 220 * 24 * 60).map(lambda minutes: datetime(2026, 3, 27, tzinfo=UTC) + minutes * MINUTES)
LOOKS = st.lists(st.integers(0, 26 * 60), min_size=1, max_size=40).map(sorted)


def lived(made: datetime, start: int | None, level: Level) -> RequestRow:
    scheduled = made + timedelta(minutes=start) if start is not None else None
    return a_row(a_request(created=made, start=scheduled), risk=Risk(level))


ROWS = st.builds(lived, MADE, st.none() | st.integers(0, 3000), st.sampled_from(Level))


@given(row=ROWS, person=PEOPLE, policy=POLICIES, looks=LOOKS, decided=st.integers(0, 26 * 60))
def test_at_most_once_for_each_threshold_and_never_once_decided(
    row: RequestRow, person: Recipient, policy: Reminders, looks: list[int], decided: int
) -> None:
    told: dict[Until, list[timedelta]] = {until: [] for until in Until}
    for minutes in looks:
        now = row.request.created + timedelta(minutes=minutes)
        seen = replace(row, status=Status.APPROVED) if minutes >= decided else row
        end = deadline(seen, now)
        known = told[end.until] if end is not None else []
        found = plan(seen, person, min(known, default=None), now, policy)
        if found.now:
            assert end is not None
            assert found.threshold is not None
            assert now < end.at
            assert minutes < decided
            known.append(found.threshold)
    for spans in told.values():
        assert spans == sorted(set(spans), reverse=True)
        assert set(spans) <= set(policy.before)


@given(row=ROWS, person=PEOPLE, policy=POLICIES, data=st.data())
def test_a_moment_is_pulled_forward_and_never_into_the_past(
    row: RequestRow, person: Recipient, policy: Reminders, data: st.DataObject
) -> None:
    end = deadline(row, row.request.created)
    if end is None or not policy.before:
        return
    span = data.draw(st.sampled_from(policy.before))
    at = moment(row, end, span, person, policy)
    original = max(end.at - span, row.request.created)
    assert row.request.created <= at <= original
    if person.quiet is not None and at < original:
        assert person.quiet.begun(original, person.zone) is not None


@given(row=ROWS, person=PEOPLE, policy=POLICIES)
def test_who_looks_whenever_told_to_misses_nothing(row: RequestRow, person: Recipient, policy: Reminders) -> None:
    """Following `next` alone, every deadline's last threshold is told before it."""
    now, told, looks = row.request.created, dict[Until, list[timedelta]](), 0
    while (end := deadline(row, now)) is not None:
        looks += 1
        assert looks < 50
        spans = told.setdefault(end.until, [])
        found = plan(row, person, min(spans, default=None), now, policy)
        if found.now and found.threshold is not None:
            spans.append(found.threshold)
        now = found.next if found.next is not None else end.at
    assert all(min(spans, default=None) == min(policy.before, default=None) for spans in told.values())
