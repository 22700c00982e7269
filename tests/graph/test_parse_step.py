"""An approval step as Microsoft shows it to one caller."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from graph.fake_microsoft import EVIL_IDS, a_step

from app.domain.errors import Malformed
from app.domain.request import Person, Verdict
from app.graph.approvals import parse_step

NOBODY = "00000000-0000-0000-0000-000000000000"
BEN = "b2b2b2b2-0000-4000-8000-00000000000b"


@pytest.mark.parametrize(
    "reviewer",
    [
        None,
        {},
        "Ben",
        {"id": None, "displayName": None},
        {"id": NOBODY},
        {"id": NOBODY, "displayName": "", "userPrincipalName": None, "mail": None},
    ],
)
def test_an_all_zero_reviewer_is_nobody(reviewer: object) -> None:
    step = parse_step(a_step(reviewedBy=reviewer))
    assert step.reviewed_by is None
    assert step.live


def test_a_review_names_who_when_and_why() -> None:
    reviewer = {"id": BEN.upper(), "displayName": "Ben Bauer", "userPrincipalName": "ben@acme.example", "mail": None}
    when = "2021-07-15T20:10:11.1234567Z"
    row = a_step(status="Completed", reviewResult="Approve", reviewedBy=reviewer, reviewedDateTime=when)
    step = parse_step(row | {"justification": "Trusted"})
    assert step.reviewed_by == Person(BEN, "Ben Bauer", "ben@acme.example")
    assert step.reviewed_at == datetime(2021, 7, 15, 20, 10, 11, 123_456, tzinfo=UTC)
    assert (step.justification, step.live) == ("Trusted", False)


@pytest.mark.parametrize(
    "word, verdict",
    [
        ("Approve", Verdict.APPROVE),
        ("Approved", Verdict.APPROVE),
        ("APPROVED", Verdict.APPROVE),
        ("deny", Verdict.DENY),
        ("Denied", Verdict.DENY),
        ("NotReviewed", None),
        ("unknownFutureValue", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_both_spellings_of_a_verdict_are_read_in_any_case(word: object, verdict: Verdict | None) -> None:
    assert parse_step(a_step(reviewResult=word)).verdict is verdict


@pytest.mark.parametrize(
    "over, live",
    [
        ({}, True),
        ({"status": "inprogress", "reviewResult": "NOTREVIEWED"}, True),
        ({"assignedToMe": False}, False),
        ({"assignedToMe": None}, False),
        ({"assignedToMe": "true"}, False),
        ({"assignedToMe": 1}, False),
        ({"status": "Initializing"}, False),
        ({"status": "Completed"}, False),
        ({"status": "Expired"}, False),
        ({"status": None}, False),
        ({"reviewResult": "Deny"}, False),
        ({"reviewResult": None}, False),
    ],
)
def test_a_step_is_live_only_when_all_three_facts_say_so(over: dict[str, object], live: bool) -> None:  # noqa: FBT001 - a table
    assert parse_step(a_step(**over)).live is live


@pytest.mark.parametrize("value", [None, *EVIL_IDS])
def test_a_step_without_a_guid_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        parse_step(a_step(id=value))
