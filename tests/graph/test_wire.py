"""Single values of Microsoft's JSON: what is read, and what is refused at the door."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from graph.fake_microsoft import A_GUID, EVIL_IDS
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Malformed
from app.graph.wire import guid, items, listed, moment, part, text

WHOLE = datetime(2026, 3, 4, 9, 15, 22, tzinfo=UTC)


@pytest.mark.parametrize("value", [A_GUID, A_GUID.upper()])
def test_a_guid_comes_out_in_lower_case(value: str) -> None:
    assert guid(value) == A_GUID


@pytest.mark.parametrize("value", [*EVIL_IDS, None, 7, True, [A_GUID], {"id": A_GUID}])
def test_what_is_not_a_guid_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        guid(value)


@pytest.mark.parametrize("digits", range(1, 10))
@pytest.mark.parametrize("zone", ["Z", "z", "", "+00:00"])
def test_any_number_of_fraction_digits_is_read(digits: int, zone: str) -> None:
    fraction = "123456789"[:digits]
    microseconds = int(fraction[:6].ljust(6, "0"))
    assert moment(f"2026-03-04T09:15:22.{fraction}{zone}") == WHOLE.replace(microsecond=microseconds)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-04T09:15:22Z",
        "2026-03-04T09:15:22",
        "2026-03-04t09:15:22z",
        "2026-03-04 09:15:22Z",
        "2026-03-04T11:15:22+02:00",
        "2026-03-04T03:45:22-05:30",
    ],
)
def test_a_time_is_understood_as_utc(value: str) -> None:
    read = moment(value)
    assert read == WHOLE
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "2026-03-04",
        "2026-13-04T09:15:22Z",
        "2026-02-30T09:15:22Z",
        "2026-03-04T25:15:22Z",
        "2026-03-04T09:15:22.Z",
        "2026-03-04T09:15:22Zulu",
        "2026-03-04T09:15:22+99:99",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-14:00",
        1_772_615_722,
        ["2026-03-04T09:15:22Z"],
    ],
)
def test_what_is_no_time_and_what_means_never_is_none(value: object) -> None:
    assert moment(value) is None


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", fullmatch=True))
def test_a_time_never_raises_and_leaves_room_for_a_day_more(value: str) -> None:
    read = moment(value)
    assert read is None or 1 < read.year < 9999


@pytest.mark.parametrize(
    "value, kept",
    [
        ("plain", "plain"),
        ("a\x00b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud83d", "\N{REPLACEMENT CHARACTER}"),
        ("\N{LOCK}", "\N{LOCK}"),
        (None, ""),
        (7, ""),
        (["x"], ""),
    ],
)
def test_text_is_always_storable(value: object, kept: str) -> None:
    assert text(value) == kept
    text(value).encode()


@pytest.mark.parametrize("value", [None, "x", 7, [], True])
def test_a_missing_object_is_an_empty_one(value: object) -> None:
    assert part(value) == {}


@pytest.mark.parametrize("value", [None, "x", 7, {}, True])
def test_a_missing_list_is_empty_where_it_may_be_and_malformed_where_it_is_the_answer(value: object) -> None:
    assert items(value) == []
    with pytest.raises(Malformed):
        listed(value)
