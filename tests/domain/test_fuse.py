"""The fuse: what a card says of the time that is left, and when that changes next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fuse import left, next_burn

EXPIRES = NOW + timedelta(hours=24)
seconds = st.integers(min_value=0, max_value=26 * 3600)


@pytest.mark.parametrize(
    "before, words",
    [
        (timedelta(hours=4, seconds=1), ""),
        (timedelta(hours=4), "under 4 hours left"),
        (timedelta(hours=1), "under 1 hour left"),
        (timedelta(minutes=15), "under 15 minutes left"),
        (timedelta(seconds=1), "under 15 minutes left"),
        (timedelta(0), ""),
    ],
)
def test_words_change_at_the_thresholds(before: timedelta, words: str) -> None:
    assert left(EXPIRES, EXPIRES - before) == words


@given(seconds)
def test_the_words_stay_until_the_next_burn_and_change_then(after: int) -> None:
    now = NOW + timedelta(seconds=after)
    burn = next_burn(EXPIRES, now)
    if burn is None:
        assert now >= EXPIRES
        return
    assert burn > now
    assert left(EXPIRES, burn - timedelta(microseconds=1)) == left(EXPIRES, now)
    assert left(EXPIRES, burn) != left(EXPIRES, now)


def test_a_fuse_burns_four_times() -> None:
    moments = []
    now = NOW
    while (burn := next_burn(EXPIRES, now)) is not None:
        moments.append(EXPIRES - burn)
        now = burn
    assert moments == [timedelta(hours=4), timedelta(hours=1), timedelta(minutes=15), timedelta(0)]
