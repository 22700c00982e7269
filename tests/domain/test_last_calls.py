"""Last calls to requestors: in the last 15 minutes of an undecided request and of an active role, never else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request, a_row, decided
from hypothesis import given
from hypothesis import strategies as st

from app.domain.last_calls import LastCall, last_call
from app.domain.lifecycle import Holding, HowEnded
from app.domain.request import Status

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def waiting(left: timedelta, **over: object) -> LastCall | None:
    """What the requestor of a pending request is told that dies so long from now."""
    request = a_request(created=NOW + left - timedelta(hours=24), **over)
    return last_call(a_row(request), NOW)


def held(left: timedelta, length: timedelta = timedelta(hours=2), **over: object) -> LastCall | None:
    """... and whoever holds a role that ends so long from now."""
    until = NOW + left
    holding = Holding(**{"activated": until - length, "until": until, **over})  # type: ignore[arg-type]
    return last_call(a_row(status=Status.APPROVED, decided=decided(), holding=holding), NOW)


@pytest.mark.parametrize(
    "left, told",
    [
        (15 * MINUTE + SECOND, None),
        (15 * MINUTE, LastCall.DYING),
        (SECOND, LastCall.DYING),
        (timedelta(0), None),
        (-MINUTE, None),
    ],
)
def test_a_request_that_dies_is_told_in_its_last_15_minutes(left: timedelta, told: LastCall | None) -> None:
    assert waiting(left) is told


def test_what_does_not_die_is_never_told() -> None:
    assert waiting(5 * MINUTE, action="selfExtend") is None


@pytest.mark.parametrize(
    "left, told",
    [
        (15 * MINUTE + SECOND, None),
        (15 * MINUTE, LastCall.ENDING),
        (SECOND, LastCall.ENDING),
        (timedelta(0), None),
        (-MINUTE, None),
    ],
)
def test_an_active_role_is_told_in_its_last_15_minutes(left: timedelta, told: LastCall | None) -> None:
    assert held(left) is told


@pytest.mark.parametrize("length", [5 * MINUTE, 15 * MINUTE])
def test_a_role_held_for_no_longer_than_that_is_not_told_twice(length: timedelta) -> None:
    assert held(length, length) is None
    assert held(MINUTE, length) is None


@pytest.mark.parametrize(
    "over",
    [
        {"deactivated": NOW - MINUTE, "how": HowEnded.EARLY},
        {"how": HowEnded.FAILED},
        {"until": None},
        {"activated": None},
        {"activated": NOW + MINUTE, "until": NOW + 10 * MINUTE},
    ],
)
def test_a_role_that_is_not_held_or_without_a_known_end_is_not_told(over: dict[str, object]) -> None:
    assert held(5 * MINUTE, **over) is None


@given(st.sampled_from([status for status in Status if status not in (Status.PENDING, Status.APPROVED)]))
def test_nothing_else_is_told(status: Status) -> None:
    holding = Holding(NOW - timedelta(hours=1), NOW + 5 * MINUTE)
    request = a_request(created=NOW + 5 * MINUTE - timedelta(hours=24))
    assert last_call(a_row(request, status=status, holding=holding), NOW) is None
