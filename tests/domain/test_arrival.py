"""Whom a new card wakes: what its route says, else up to five known approvers, else nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.arrival import MOST_MENTIONED, Reach, mentioned
from app.domain.routes import NOBODY, Route

USERS = tuple(f"U{number:08}" for number in range(9))


@pytest.mark.parametrize("count, all_of_them", [(0, True), (1, True), (5, True), (6, False), (9, False)])
def test_up_to_five_known_approvers_are_mentioned_and_never_some_of_more(count: int, all_of_them: bool) -> None:  # noqa: FBT001 - a table
    reach = Reach(USERS[:count])
    assert mentioned(reach, None) == (USERS[:count] if all_of_them else ())


def test_a_crowd_is_not_mentioned() -> None:
    assert mentioned(Reach(USERS[:2], crowd=True), Route("C1")) == ()


@given(st.integers(0, 9), st.booleans())
def test_a_routes_user_group_stands_for_everybody(count: int, crowd: bool) -> None:  # noqa: FBT001 - generated
    assert mentioned(Reach(USERS[:count], crowd=crowd), Route("C1", mention="S0ONCALL01")) == ("S0ONCALL01",)


@given(st.integers(0, 9))
def test_a_route_may_mention_nobody(count: int) -> None:
    assert mentioned(Reach(USERS[:count]), Route("C1", mention=NOBODY)) == ()


@given(st.lists(st.sampled_from(USERS), unique=True))
def test_no_card_ever_wakes_more_than_five(users: list[str]) -> None:
    assert len(mentioned(Reach(tuple(users)), None)) <= MOST_MENTIONED
