"""How long: what PIM writes, read strictly, and said in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.durations import in_words, parse_duration


@pytest.mark.parametrize(
    "text, length",
    [
        ("PT5H30M", timedelta(hours=5, minutes=30)),
        ("PT8H", timedelta(hours=8)),
        ("P1D", timedelta(days=1)),
        ("P1DT4H", timedelta(days=1, hours=4)),
        ("P365D", timedelta(days=365)),
        ("PT90M", timedelta(minutes=90)),
        ("PT3600S", timedelta(hours=1)),
        ("PT1H0.5S", timedelta(hours=1)),
        ("pt2h", timedelta(hours=2)),
        (" PT2H\n", timedelta(hours=2)),
    ],
)
def test_a_duration_is_read(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        *["", "P", "PT", "P1DT", "T2H", "2H", "PT0S", "P0D", "PT0H0M0S", "-PT2H", "PT-2H", "+PT2H"],
        *["P1M", "P1Y", "P1W", "P1Y2M", "PT1H1H", "PT1M1H", "PT1.5H", "PT2H junk", "P999999D", "PT9999999H"],
        *["PT\N{ARABIC-INDIC DIGIT TWO}H", "5:30:00", "8:00:00", "infinity", "PT2H\x00"],
    ],
)
def test_what_cannot_be_trusted_is_not_a_duration(text: str) -> None:
    assert parse_duration(text) is None


@given(st.text(alphabet="PTDHMSY0123456789.-+ pt", max_size=14))
def test_a_duration_is_never_zero_or_negative_and_never_raises(text: str) -> None:
    length = parse_duration(text)
    assert length is None or length > timedelta(0)


@pytest.mark.parametrize(
    "length, words",
    [
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=4), "4 h"),
        (timedelta(hours=5, minutes=30), "5 h 30 min"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=1, hours=2), "1 d 2 h"),
        (timedelta(days=1, minutes=1), "1 d 1 min"),
        (timedelta(days=365), "365 d"),
    ],
)
def test_a_length_is_said_as_shortly_as_it_can_be(length: timedelta, words: str) -> None:
    assert in_words(length) == words


@given(st.integers(1, 9), st.integers(0, 23), st.integers(1, 59))
def test_no_minute_is_lost_in_words(days: int, hours: int, minutes: int) -> None:
    words = in_words(timedelta(days=days, hours=hours, minutes=minutes))
    units = {"d": 24 * 60, "h": 60, "min": 1}
    parts = words.split()
    counted = sum(int(number) * units[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))
    assert counted == (days * 24 + hours) * 60 + minutes
