"""What earlier requests tell: uses, usual lengths and hours, denials, what else is held, and asking again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import EXCHANGE, NOW, REPORTS_READER, a_key, a_past, a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain.lifecycle import Holding, HowEnded
from app.domain.pattern import (
    Held,
    Hours,
    PastRequest,
    Pattern,
    Resubmission,
    Use,
    pattern_of,
    resubmission_of,
)
from app.domain.request import Kind, RequestKey, Scope, Status, Ticket

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REQUEST = a_request(created=NOW)
ELSEWHERE = Scope("/administrativeUnits/7", "Lyon")


def used(*days: int, hour: int = 9, **over: object) -> list[PastRequest]:
    """Held that many days ago, from that hour on."""
    moments = [(NOW - day * DAY).replace(hour=hour, minute=30) for day in days]
    return [a_past(ago=NOW - moment, holding=Holding(moment), **over) for moment in moments]


# --- uses ---


def test_nothing_known_is_no_use_at_all() -> None:
    assert pattern_of(REQUEST, [], NOW) == Pattern()
    assert pattern_of(REQUEST, [], NOW, since=NOW - DAY).since == NOW - DAY


def test_uses_of_this_role_and_scope_are_counted_and_the_last_three_told_newest_first() -> None:
    found = pattern_of(REQUEST, used(5, 9, 2, 30), NOW)
    assert found.uses == 4
    assert [use.at.day for use in found.last] == [21, 18, 14]
    assert {use.length for use in found.last} == {2 * HOUR}


def test_a_use_is_as_long_as_it_was_held() -> None:
    begun = NOW - 2 * DAY
    ended = a_past(ago=2 * DAY, holding=Holding(begun, begun + 2 * HOUR, begun + HOUR, HowEnded.EARLY))
    known = a_past(ago=3 * DAY, holding=Holding(begun - DAY, begun - DAY + 3 * HOUR))
    assert pattern_of(REQUEST, [ended, known], NOW).last == (Use(begun, HOUR), Use(begun - DAY, 3 * HOUR))


@pytest.mark.parametrize(
    "other",
    [
        {"role": REPORTS_READER},
        {"scope": ELSEWHERE},
        {"key": a_key(Kind.GROUP)},
        {"status": Status.DENIED},
        {"status": Status.FAILED},
        {"status": Status.CANCELED},
        {"status": Status.PENDING},
        {"status": Status.UNKNOWN},
        {"holding": Holding(NOW + HOUR)},
        {"holding": Holding(how=HowEnded.FAILED)},
        {"holding": Holding(how=HowEnded.REVOKED)},
    ],
    ids=str,
)
def test_another_role_scope_or_desk_and_what_was_never_held_are_no_uses(other: dict[str, object]) -> None:
    assert pattern_of(REQUEST, [a_past(**other)], NOW).uses == 0


def test_ids_are_compared_in_any_case() -> None:
    shouted = a_past(role=type(EXCHANGE)(EXCHANGE.id.upper()))
    assert pattern_of(REQUEST, [shouted], NOW).uses == 1


def test_a_role_whose_start_nobody_told_us_is_held_from_its_decision_or_its_chosen_start() -> None:
    plain = a_past(holding=Holding())
    chosen = a_past(holding=Holding(), start=NOW - HOUR)
    unseen = a_past(holding=Holding(how=HowEnded.LAPSED))
    assert pattern_of(REQUEST, [unseen], NOW).uses == 1
    assert pattern_of(REQUEST, [plain], NOW).last[0].at == plain.decided_at
    assert pattern_of(REQUEST, [chosen], NOW).last[0].at == NOW - HOUR


def test_the_request_itself_and_later_ones_are_no_past() -> None:
    itself = a_past(key=REQUEST.key)
    later = a_past(ago=-HOUR, holding=Holding(NOW))
    assert pattern_of(REQUEST, [itself, later], NOW + DAY).uses == 0


def test_what_was_decided_later_had_not_happened_yet() -> None:
    denied = a_past(Status.DENIED, ago=HOUR)
    assert pattern_of(REQUEST, [denied], NOW - HOUR).denials == 0
    assert pattern_of(REQUEST, [denied], NOW).denials == 1


# --- what is usual ---


def test_two_uses_make_nothing_usual_and_three_do() -> None:
    two, three = (pattern_of(REQUEST, used(*days), NOW) for days in ((2, 3), (2, 3, 4)))
    assert (two.typical, two.hours) == (None, None)
    assert (three.typical, three.hours) == (2 * HOUR, Hours(9, 9))


def test_the_usual_length_is_the_median_of_what_was_asked_for() -> None:
    past = [*used(2, duration=HOUR), *used(3, duration=8 * HOUR), *used(4, duration=2 * HOUR)]
    assert pattern_of(REQUEST, past, NOW).typical == 2 * HOUR
    unreadable = used(5, 6, duration=None)
    assert pattern_of(REQUEST, [*past[:2], *unreadable], NOW).typical is None


@pytest.mark.parametrize(
    "starts, hours, words",
    [
        ((8, 9, 10), Hours(8, 10), "08–11 UTC"),
        ((9, 9, 9), Hours(9, 9), "09–10 UTC"),
        ((23, 0, 1), Hours(23, 1), "23–02 UTC"),
        ((22, 22, 23), Hours(22, 23), "22–00 UTC"),
        ((8, 9, 9, 10, 3), Hours(8, 10), "08–11 UTC"),  # one odd night among five
    ],
)
def test_the_usual_hours_are_the_shortest_stretch_of_the_clock(
    starts: tuple[int, ...], hours: Hours, words: str
) -> None:
    past = [one for day, hour in enumerate(starts, 2) for one in used(day, hour=hour)]
    found = pattern_of(REQUEST, past, NOW).hours
    assert found == hours
    assert str(found) == words


def test_starts_all_around_the_clock_are_no_habit() -> None:
    past = [one for day, hour in enumerate((0, 6, 12, 18), 2) for one in used(day, hour=hour)]
    assert pattern_of(REQUEST, past, NOW).hours is None


def test_before_three_uses_of_the_role_the_hours_are_those_of_all_roles() -> None:
    past = [*used(2, hour=8), *used(3, 4, hour=10, role=REPORTS_READER)]
    found = pattern_of(REQUEST, past, NOW)
    assert (found.uses, found.typical, found.hours) == (1, None, Hours(8, 10))


@pytest.mark.parametrize("hour, away", [(8, 0), (10, 0), (11, 1), (7, 1), (5, 3), (22, 10), (21, 11)])
def test_an_hour_is_so_far_away_around_the_clock(hour: int, away: int) -> None:
    assert Hours(8, 10).away(hour) == away


@given(st.integers(0, 23), st.integers(0, 23), st.integers(0, 23))
def test_no_hour_is_more_than_half_a_day_away(first: int, last: int, hour: int) -> None:
    assert 0 <= Hours(first, last).away(hour) <= 12
    assert Hours(first, last).away(first) == Hours(first, last).away(last) == 0


# --- denials, and what else is held ---


def test_denials_of_seven_days_are_counted_whatever_the_role() -> None:
    past = [a_past(Status.DENIED, ago=days * DAY, role=role) for days, role in ((2, EXCHANGE), (6, REPORTS_READER))]
    old = a_past(Status.DENIED, ago=8 * DAY)
    found = pattern_of(REQUEST, [*past, old], NOW)
    assert (found.denials, found.counted) == (2, 2)


def test_the_denials_that_somebody_answers_by_asking_again_are_not_counted_against_them() -> None:
    again = [a_past(Status.DENIED, ago=hours * HOUR) for hours in (2, 20)]
    other = a_past(Status.DENIED, ago=3 * HOUR, role=REPORTS_READER)
    found = pattern_of(REQUEST, [*again, other], NOW)
    assert (found.denials, found.counted) == (3, 1)


def test_what_else_is_held_is_told_with_its_end() -> None:
    reports = a_past(ago=HOUR, role=REPORTS_READER)
    lyon = a_past(ago=HOUR, scope=ELSEWHERE, duration=4 * HOUR)
    ended = a_past(ago=4 * HOUR, role=REPORTS_READER)
    stopped = a_past(ago=HOUR, role=REPORTS_READER, holding=Holding(NOW - HOUR, NOW, NOW - timedelta(minutes=1)))
    endless = a_past(ago=HOUR, role=REPORTS_READER, duration=None)
    found = pattern_of(REQUEST, [reports, lyon, ended, stopped, endless, a_past(ago=HOUR)], NOW).active
    begun = NOW - HOUR + timedelta(minutes=10)
    assert set(found) == {
        Held("Reports Reader", "", begun + 2 * HOUR),
        Held("Exchange Administrator", "Lyon", begun + 4 * HOUR),
    }


# --- asking again ---


def test_asking_again_shows_the_earlier_reason_and_what_changed() -> None:
    denied = a_past(
        Status.DENIED, ago=HOUR, duration=8 * HOUR, ticket=Ticket(), comment=" Too long ", justification="Mail"
    )
    assert resubmission_of(REQUEST, [denied], NOW) == Resubmission(
        denied.key,
        Status.DENIED,
        denied.decided_at or NOW,
        "Ben Bauer",
        "Too long",
        ("8 h → 2 h", "ticket CHG-4711 added", "justification rewritten"),
    )


@pytest.mark.parametrize(
    "before, changed",
    [
        ({}, ()),
        ({"justification": "RESTORE the mailbox  of a leaver,\nas asked in the ticket"}, ()),
        ({"duration": None, "duration_text": "P1M"}, ("P1M → 2 h",)),
        ({"duration": None}, ("no duration → 2 h",)),
        ({"ticket": Ticket("CHG-1")}, ("ticket CHG-1 → CHG-4711",)),
        ({"ticket": Ticket(" chg-4711 ", "other")}, ()),
        ({"start": NOW - 3 * HOUR}, ()),  # "as soon as possible", as the portal writes it
        ({"start": NOW + 3 * HOUR}, ("start moved",)),
    ],
    ids=str,
)
def test_only_what_differs_is_told(before: dict[str, object], changed: tuple[str, ...]) -> None:
    found = resubmission_of(REQUEST, [a_past(Status.DENIED, ago=3 * HOUR, **before)], NOW)
    assert found is not None
    assert found.changed == changed


def test_a_ticket_taken_away_is_told() -> None:
    found = resubmission_of(a_request(created=NOW, ticket=Ticket()), [a_past(Status.DENIED, ago=HOUR)], NOW)
    assert found is not None
    assert found.changed == ("ticket CHG-4711 removed",)


def test_an_expiry_counts_from_its_24th_hour() -> None:
    expired = a_past(Status.EXPIRED, ago=30 * HOUR, decided_at=NOW - 6 * HOUR, by="")
    found = resubmission_of(REQUEST, [expired], NOW)
    assert found is not None
    assert (found.status, found.at, found.by) == (Status.EXPIRED, NOW - 6 * HOUR, "")


@pytest.mark.parametrize(
    "other",
    [
        {"status": Status.APPROVED},
        {"status": Status.CANCELED},
        {"role": REPORTS_READER},
        {"scope": ELSEWHERE},
        {"decided_at": NOW - DAY - timedelta(seconds=1), "ago": 2 * DAY},
        {"key": RequestKey(Kind.AZURE, "x")},
    ],
    ids=str,
)
def test_everything_else_is_a_new_request(other: dict[str, object]) -> None:
    past = a_past(**{"status": Status.DENIED, "ago": HOUR, **other})
    assert resubmission_of(REQUEST, [past], NOW + DAY) is None


def test_exactly_24_hours_later_is_still_asking_again() -> None:
    denied = a_past(Status.DENIED, ago=2 * DAY, decided_at=NOW - DAY)
    assert resubmission_of(REQUEST, [denied], NOW) is not None
    assert resubmission_of(a_request(created=NOW + timedelta(seconds=1)), [denied], NOW + DAY) is None


def test_an_end_that_was_noted_a_moment_later_is_an_end_all_the_same() -> None:
    denied = a_past(Status.DENIED, ago=HOUR, decided_at=NOW + timedelta(seconds=1))
    found = resubmission_of(REQUEST, [denied], NOW + timedelta(seconds=2))
    assert found is not None
    assert resubmission_of(REQUEST, [denied], NOW) is None
    assert pattern_of(REQUEST, [denied], NOW + timedelta(seconds=2)).counted == 0


def test_of_several_attempts_the_latest_is_told() -> None:
    first, second = (a_past(Status.DENIED, ago=hours * HOUR, comment=str(hours)) for hours in (5, 2))
    found = resubmission_of(REQUEST, [second, first], NOW)
    assert found is not None
    assert found.reason == "2"


# --- any history at all ---

MOMENTS = st.timedeltas(-60 * DAY, 30 * DAY).map(lambda span: NOW + span)
LENGTHS = st.none() | st.timedeltas(timedelta(minutes=5), DAY)
PAST = st.builds(
    PastRequest,
    key=st.builds(RequestKey, st.just(Kind.ENTRA), st.uuids().map(str)),
    role=st.sampled_from([EXCHANGE, REPORTS_READER]),
    scope=st.sampled_from([Scope("/"), ELSEWHERE]),
    created=MOMENTS,
    status=st.sampled_from(list(Status)),
    start=st.none() | MOMENTS,
    duration=LENGTHS,
    holding=st.builds(
        Holding, st.none() | MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS, st.none() | st.sampled_from(HowEnded)
    ),
    decided_at=st.none() | MOMENTS,
    ticket=st.builds(Ticket, st.text(max_size=5)),
    justification=st.text(max_size=20),
    comment=st.text(max_size=20),
)


@given(st.lists(PAST, max_size=12), st.randoms(use_true_random=False))
def test_any_history_in_any_order_has_one_pattern(past: list[PastRequest], random: object) -> None:
    shuffled = list(past)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found, again = (pattern_of(REQUEST, order, NOW) for order in (past, shuffled))
    assert (found.uses, found.typical, found.hours, found.denials) == (
        again.uses,
        again.typical,
        again.hours,
        again.denials,
    )
    assert 0 <= found.counted <= found.denials
    assert len(found.last) == min(found.uses, 3)
    assert all(use.at <= NOW for use in found.last)
    assert all(held.until > NOW for held in found.active)
    earlier = resubmission_of(REQUEST, past, NOW)
    assert earlier is None or earlier.at <= NOW
