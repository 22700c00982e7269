"""Lines of an export: every column, nothing guessed, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from build import NOW, a_request, a_row, decided
from hypothesis import given
from hypothesis import strategies as st
from people import ann, rob

from app.domain.export import COLUMNS, cell, csv_head, csv_lines, facts_of, json_lines
from app.domain.lifecycle import Holding, HowEnded
from app.domain.request import Person, Role, Status, Ticket
from app.domain.risk import Level, Risk

UNSAFE = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_decided_request_tells_every_column() -> None:
    request = a_request(created=NOW, ticket=Ticket("CHG-7", "ServiceNow"), duration=timedelta(hours=2))
    row = a_row(
        request,
        status=Status.APPROVED,
        risk=Risk(Level.HIGH, ("all mailboxes", "at night")),
        decided=decided(ann, comment="Fine"),
        holding=Holding(NOW, deactivated=NOW + timedelta(hours=1), how=HowEnded.EARLY),
    )
    facts = facts_of(row, "req-1")
    assert set(facts) == set(COLUMNS)
    assert None not in facts.values()
    told = ("active", "ended", "desk", "duration", "ticket", "verdict", "comment", "where_decided", "risk_then")
    assert [facts[name] for name in told] == [
        f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        f"{NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "entra",
        "PT2H",
        "ServiceNow CHG-7",
        "approved",
        "Fine",
        "slack",
        "High: all mailboxes; at night",
    ]
    assert facts["requestor"] == f"{rob.name} <{rob.upn}>"
    assert (facts["approver_id"], facts["microsoft_request_id"]) == (ann.id, "req-1")


def test_what_nobody_knows_is_nothing_and_never_a_guess() -> None:
    facts = facts_of(a_row(a_request(duration=None, duration_text="", ticket=Ticket())))
    unknown = ("decided", "active", "ended", "duration", "ticket", "approver", "comment", "microsoft_request_id")
    assert [facts[name] for name in unknown] == [None] * len(unknown)
    assert '"approver": null' in json_lines([facts])


def test_a_person_without_a_name_is_their_id() -> None:
    assert facts_of(a_row(a_request(requestor=Person("oid-1"))))["requestor"] == "oid-1"


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "\x00=1", "＝1", "\u3000=1"]
)
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    assert cell(text).startswith("'")


@pytest.mark.parametrize(
    "text, told",
    [
        ("please;=1+cmd|' /C calc'!A0", "please;'=1+cmd|' /C calc'!A0"),
        ('please;"=1', "please;'\"=1"),
        ("please\r\n=1\n\n-2\t+3", "please =1  -2 +3"),
        ("a, -b | @c;d", "a,' -b |' @c;d"),
    ],
)
def test_no_other_separator_begins_a_cell_that_runs(text: str, told: str) -> None:
    assert cell(text) == told


@pytest.mark.parametrize("text", ["CHG-7", "needs = and +", "a@b.c", "", "'quoted'", 'on-call; "x", y | z-1'])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_every_text_comes_back_as_one_cell_that_nothing_runs(texts: list[str]) -> None:
    rows = [facts_of(a_row(a_request(justification=text, role=Role("id", text)))) for text in texts]
    found = parsed(csv_head() + csv_lines(rows))
    assert found[0] == list(COLUMNS)
    assert [len(row) for row in found] == [len(COLUMNS)] * (len(texts) + 1)
    assert [row[COLUMNS.index("justification")] for row in found[1:]] == [cell(text) for text in texts]
    for row in found[1:]:
        assert not any(shown.lstrip().startswith(UNSAFE) or shown.startswith(UNSAFE) for shown in row)


NASTY = st.text(alphabet="=-@\uff0b;,|\t\"' \r\n\u2028\x00a", max_size=12)


@given(st.lists(st.tuples(NASTY, NASTY), min_size=1, max_size=3), st.sampled_from(",;\t|"))
def test_whatever_a_reader_takes_for_the_separator_nothing_runs(texts: list[tuple[str, str]], separator: str) -> None:
    rows = [
        facts_of(a_row(a_request(justification=why, role=Role("id", role), ticket=Ticket(role, why))))
        for why, role in texts
    ]
    lines = csv_lines(rows)
    assert lines.count("\n") == len(rows)
    for shown in (shown for row in csv.reader(io.StringIO(lines, newline=""), delimiter=separator) for shown in row):
        assert not shown.lstrip().startswith(UNSAFE)


@given(st.text())
def test_each_object_is_one_line_of_plain_ascii(text: str) -> None:
    written = json_lines([facts_of(a_row(a_request(justification=text)))])
    assert written.isascii()
    assert len(written.splitlines()) == 1
    assert json.loads(written)["justification"] == text
