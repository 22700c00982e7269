"""Which justifications say enough, and which do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.justification import SHORTEST, SHORTEST_AT_CRITICAL, vague

NO_TASK = "Justification names no task: ask what it is for"
NO_OBJECT = "Justification names no ticket, system or person: at Critical it must say what it is about"


@pytest.mark.parametrize(
    "words",
    [
        *["need admin access", "Need Admin Access!!!", "I need access to do my job", "please approve my pim request"],
        *["access required for work", "urgent, need it asap", "need this role for a task", "temporary admin rights"],
        *["testing some stuff", "just to do some things today", "daily routine administration", "support support"],
        *["need need need need", "for the usual daily tasks", "ISSUE TROUBLESHOOTING", "to fix a problem quickly"],
        *["need\nadmin\taccess", "...need --- access...", "I would like to get my access now", "aaaaaaaaaaaaaaaa"],
    ],
)
def test_words_without_a_task_are_vague(words: str) -> None:
    assert vague(words) == NO_TASK


@pytest.mark.parametrize("words", ["", "   ", "...", "?!? --- ???", "\n\t", "\N{THUMBS UP SIGN}" * 20])
def test_nothing_said_is_no_justification(words: str) -> None:
    assert vague(words) == "No justification"


@pytest.mark.parametrize("words", ["x", "CHG1", "fix mail", "   because    ", "migration  "])
def test_a_word_or_two_are_too_short(words: str) -> None:
    assert vague(words) == f"Justification is only {len(words.strip())} characters long"


@pytest.mark.parametrize(
    "words",
    [
        *["Investigate alert INC-20391", "Restore the mailbox of a leaver, as asked in the ticket"],
        *["Rotate the federation certificate", "Monthly licence usage report for finance, due today"],
        *["Reset MFA for the new CFO", "Need admin access to restore the finance mailbox", "Unlock account of J. Doe"],
        *["Zugriff auf Postfach f\N{LATIN SMALL LETTER U WITH DIAERESIS}r Audit", "need access for CHG0042 rollout"],
        "\N{CYRILLIC CAPITAL LETTER A}\N{CYRILLIC SMALL LETTER BE}" * 10,
    ],
)
def test_a_named_task_is_enough(words: str) -> None:
    assert vague(words) == ""


def test_the_name_of_the_role_alone_says_nothing() -> None:
    assert vague("Need Exchange Administrator", role="Exchange Administrator") == NO_TASK
    assert vague("Exchange outage in Lyon", role="Exchange Administrator") == ""


# --- at Critical ---


@pytest.mark.parametrize(
    "words",
    [
        *["Investigate alert INC-20391", "Need global admin for the Lyon tenant", "please fix srv01.lyon.example now"],
        *["need admin access for VPN today", "Break-glass: conditional access locked everybody out"],
        *["rotate the federation certificate tonight"],
    ],
)
def test_at_critical_it_is_enough_to_name_what_it_is_about(words: str) -> None:
    assert vague(words, SHORTEST, "Global Administrator", SHORTEST_AT_CRITICAL) == ""


@pytest.mark.parametrize(
    "words",
    [
        *["I need this for maintenance today", "Some urgent maintenance in the tenant", "please do the usual cleanup"],
        *["NEED THIS NOW FOR MAINTENANCE", "Global Administrator for maintenance"],
    ],
)
def test_at_critical_a_task_without_an_object_is_not_enough(words: str) -> None:
    assert vague(words, SHORTEST, "Global Administrator") == ""
    assert vague(words, SHORTEST, "Global Administrator", SHORTEST_AT_CRITICAL) == NO_OBJECT


def test_at_critical_it_takes_more_characters_and_says_how_many() -> None:
    assert vague("need admin access", at_critical=SHORTEST_AT_CRITICAL) == NO_TASK
    assert (
        vague("Reset MFA for Ann", at_critical=SHORTEST_AT_CRITICAL)
        == "Justification is only 17 characters long; at Critical it takes 24"
    )


# --- the documented examples ---

DOCS = Path(__file__).parents[2] / "docs" / "policy.md"
EXAMPLES = re.findall(r"^\| `(.+)` \| (vague|enough) \| (vague|enough) \|$", DOCS.read_text("utf-8"), re.MULTILINE)


def test_there_are_examples_of_both_kinds() -> None:
    assert {example[1:] for example in EXAMPLES} == {("vague", "vague"), ("enough", "vague"), ("enough", "enough")}


@pytest.mark.parametrize("words, ordinary, critical", EXAMPLES)
def test_a_documented_example_is_judged_as_documented(words: str, ordinary: str, critical: str) -> None:
    role = "Global Administrator"
    assert bool(vague(words, role=role)) == (ordinary == "vague")
    assert bool(vague(words, role=role, at_critical=SHORTEST_AT_CRITICAL)) == (critical == "vague")


# --- any text at all ---


@given(st.text(), st.integers(0, 60), st.text(max_size=20), st.none() | st.integers(0, 60))
def test_any_text_is_judged(words: str, shortest: int, role: str, at_critical: int | None) -> None:
    reason = vague(words, shortest, role, at_critical)
    assert reason == "" or reason.startswith(("No justification", "Justification"))


@given(st.text())
def test_critical_is_never_milder(words: str) -> None:
    assert vague(words) == "" or vague(words, at_critical=0) != ""


@given(st.text(), st.integers(0, 60), st.integers(0, 60))
def test_asking_for_more_is_never_milder(words: str, few: int, more: int) -> None:
    assert vague(words, min(few, more)) == "" or vague(words, max(few, more)) != ""
