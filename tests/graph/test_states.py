"""Microsoft's words for where a request stands: all of them known, documented, and unknown ones safe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from build import a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain.request import Status
from app.graph import states
from app.graph.states import ARM, EVERY, GRAPH, STATES

DOCS = Path(__file__).parents[2] / "docs" / "lifecycle.md"
# The enumerations as Microsoft's clients have them.
GRAPHS_WORDS = """Canceled Denied Failed Granted PendingAdminDecision PendingApproval PendingProvisioning
PendingScheduleCreation Provisioned Revoked ScheduleCreated"""
ARMS_WORDS = """Accepted PendingEvaluation Granted Denied PendingProvisioning Provisioned PendingRevocation Revoked
Canceled Failed PendingApprovalProvisioning PendingApproval FailedAsResourceIsLocked PendingAdminDecision AdminApproved
AdminDenied TimedOut ProvisioningStarted Invalid PendingScheduleCreation ScheduleCreated PendingExternalProvisioning"""


def ended(word: str) -> Status | None:
    return states.ended(a_request(native_status=word))


@pytest.mark.parametrize("desks, words", [(GRAPH, GRAPHS_WORDS), (ARM, ARMS_WORDS)])
def test_every_word_of_microsofts_is_known(desks: tuple[str, ...], words: str) -> None:
    assert {state.word for state in STATES if set(desks) <= set(state.desks)} == set(words.split())


@pytest.mark.parametrize(
    "word, status",
    [
        ("PendingApproval", None),
        ("PendingAdminDecision", None),
        ("Accepted", None),
        ("PendingEvaluation", None),
        ("PendingApprovalProvisioning", None),
        ("AdminApproved", Status.APPROVED),
        ("AdminDenied", Status.DENIED),
        ("PendingRevocation", Status.APPROVED),
        ("Revoked", Status.APPROVED),
        ("TIMEDOUT", Status.EXPIRED),
        ("Cancelled", Status.CANCELED),
        ("FailedAsResourceIsLocked", Status.FAILED),
        ("Invalid", Status.FAILED),
    ],
)
def test_what_a_word_means_to_us(word: str, status: Status | None) -> None:
    assert ended(word) is status


KNOWN = {state.word.casefold() for state in STATES} | {"cancelled"}


@given(st.text(max_size=30).filter(lambda word: word.casefold() not in KNOWN))
def test_an_unknown_word_ends_nothing_and_waits_for_nobody(word: str) -> None:
    assert ended(word) is None
    assert not states.waits(a_request(native_status=word))


def test_only_two_words_wait_for_somebody() -> None:
    assert {word for word in KNOWN if states.waits(a_request(native_status=word))} == {
        "pendingapproval",
        "pendingadmindecision",
    }


def test_the_documented_table_is_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    told = [
        (state.word, ", ".join(state.desks), state.status.value.capitalize() if state.status else "open", state.why)
        for state in STATES
    ]
    assert rows == told
    assert set(EVERY) == {"Entra", "groups", "Azure"}
