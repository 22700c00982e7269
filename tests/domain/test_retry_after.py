"""However a service says how long to wait: seconds, milliseconds, a date against its own clock."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from build import NOW
from hypothesis import given
from hypothesis import strategies as st

from app.domain.retry_after import LONGEST_WAIT, asked_wait


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": " 30 "}, 30.0),
        ({"Retry-After": "99999"}, LONGEST_WAIT),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "9"}, 9.0),
        ({"Retry-After": date(40)}, 40.0),
        ({"Retry-After": date(40), "Date": date(10)}, 30.0),
        ({"Retry-After": date(-40)}, 0.0),
        ({"Retry-After": "\N{SUPERSCRIPT TWO}"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Date": date(10)}, None),
        ({}, None),
    ],
)
def test_every_form_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


@given(st.dictionaries(st.sampled_from(["Retry-After", "retry-after-ms", "Date"]), st.text(max_size=30)))
def test_nothing_makes_us_wait_longer_than_an_hour(headers: dict[str, str]) -> None:
    assert 0 <= (asked_wait(headers, NOW) or 0) <= LONGEST_WAIT
