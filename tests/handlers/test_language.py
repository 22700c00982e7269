"""What is typed after `/pim history`: understood, or answered with an example."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from build import NOW
from hypothesis import given
from hypothesis import strategies as st

from app.domain.request import Kind, Status
from handlers.language import LISTS, Mistaken, Search, Turn, parse_search, read_turn, write_search, write_turn

DAY = timedelta(days=1)
minutes = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone is put on below
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)
searches = st.builds(
    Search,
    which=st.just("history"),
    person=st.sampled_from(["", "U0ROB00001", "W012"]),
    role=st.text(st.characters(exclude_characters='"“”„«»', exclude_categories=("C", "Z")), max_size=40).map(str.strip),
    statuses=st.frozensets(st.sampled_from(list(Status))),
    kinds=st.frozensets(st.sampled_from(list(Kind))),
    since=st.none() | minutes,
    export=st.booleans(),
)


def asked(text: str, which: str = "history") -> Search:
    found = parse_search(which, text, NOW)
    assert isinstance(found, Search), found
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text, search",
    [
        ("", Search()),
        ("<@U0ROB00001|rob>", Search(person="U0ROB00001")),
        ("<@U0ROB00001>", Search(person="U0ROB00001")),
        ('role:"Global Administrator"', Search(role="Global Administrator")),
        ("role:“Global Administrator”", Search(role="Global Administrator")),
        ("ROLE:Owner", Search(role="Owner")),
        ("status:denied,Expired", Search(statuses=frozenset({Status.DENIED, Status.EXPIRED}))),
        ("status:cancelled", Search(statuses=frozenset({Status.CANCELED}))),
        ("desk:azure desk:groups", Search(kinds=frozenset({Kind.AZURE, Kind.GROUP}))),
        ("7d", Search(since=NOW - 7 * DAY)),
        ("12h", Search(since=NOW - DAY / 2)),
        ("2W", Search(since=NOW - 14 * DAY)),
        ("2026-11-01..2026-11-20", Search(since=at("2026-11-01"), until=at("2026-11-21"))),
        ("2026-11-01..", Search(since=at("2026-11-01"))),
        ("..2026-11-20", Search(until=at("2026-11-21"))),
        ("2026-11-03", Search(since=at("2026-11-03"), until=at("2026-11-04"))),
        ("export 7d", Search(since=NOW - 7 * DAY, export=True)),
    ],
)
def test_what_is_understood(text: str, search: Search) -> None:
    assert asked(text) == search


@pytest.mark.parametrize(
    "text, words",
    [
        ("@rob", "Slack did not recognise that person"),
        ("<!channel>", "Slack did not recognise that person"),
        ("<@U1> <@U2>", "One person at a time"),
        ("role:", "Which role?"),
        ("role:" + "x" * 101, "Which role?"),
        ("role:a role:b", "One role at a time"),
        ("status:", "A status is"),
        ("status:happy", "A status is"),
        ("desk:teams", "A desk is"),
        ("7d 8d", "One time at a time"),
        ("0d", "I understand"),
        ("..", "I understand"),
        ("colour:red", "I understand"),
        ("gibberish", "I understand"),
        ("2026-02-30", "no such day"),
        ("9999-12-31", "no such day"),
        ("2026-11-20..2026-11-01", "ends before it begins"),
    ],
)
def test_what_is_not_is_answered_with_an_example(text: str, words: str) -> None:
    found = parse_search("history", text, NOW)
    assert isinstance(found, Mistaken)
    assert words in found.text
    assert "For example: /pim " in found.text


def test_ones_own_lists_take_no_person() -> None:
    assert isinstance(parse_search("mine", "<@U1>", NOW), Mistaken)


@given(st.text(max_size=200), st.sampled_from(LISTS))
def test_any_text_is_a_search_or_an_example(text: str, which: str) -> None:
    found = parse_search(which, text, NOW)
    if isinstance(found, Mistaken):
        assert "For example: " in found.text
    else:
        assert parse_search(which, write_search(found), NOW) == found


@given(searches)
def test_a_search_survives_being_written(search: Search) -> None:
    assert parse_search("history", write_search(search), NOW) == search


@given(searches, st.from_regex(r"[A-Za-z0-9_-]{0,200}", fullmatch=True), st.booleans())
def test_a_turn_survives_its_button(search: Search, after: str, newer: bool) -> None:  # noqa: FBT001 - hypothesis
    turn = Turn(search, after, newer)
    assert read_turn(write_turn(turn), NOW) == turn
    assert len(write_turn(turn)) <= 2000


@given(st.text(max_size=300))
def test_any_button_value_is_a_page(value: str) -> None:
    assert read_turn(value, NOW).search.which in LISTS
