"""How ticket numbers look, and that no pattern a company may write can be made to take long."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.request import Ticket
from app.domain.tickets import LONGEST, MOST_WAYS, misshapen, ticket_form

FORMS = {"servicenow": ticket_form(r"(CHG|INC)\d{7}"), "*": ticket_form(r"[A-Z]{2,10}-\d{1,6}")}


@pytest.mark.parametrize(
    "number, system",
    [
        *[("CHG0031337", "ServiceNow"), ("inc0000001", "servicenow"), (" CHG0031337 ", " SERVICENOW ")],
        *[("OPS-12", "Jira"), ("OPS-12", "")],
    ],
)
def test_a_number_of_its_systems_form_is_sound(number: str, system: str) -> None:
    assert misshapen(Ticket(number, system), FORMS) == ""


@pytest.mark.parametrize(
    "number, system, words",
    [
        ("CHG123", "ServiceNow", "Ticket 'CHG123' does not look like one of ServiceNow"),
        ("OPS-12", "ServiceNow", "Ticket 'OPS-12' does not look like one of ServiceNow"),
        ("CHG0031337", "", "Ticket 'CHG0031337' does not look like one of your system"),
        ("OPS-12 and OPS-13", "Jira", "Ticket 'OPS-12 and OPS-13' does not look like one of Jira"),
        ("n/a", "ServiceNow", "Ticket 'n/a' is no number"),
        ("tbd", "", "Ticket 'tbd' is no number"),
    ],
)
def test_another_form_is_said(number: str, system: str, words: str) -> None:
    assert misshapen(Ticket(number, system), FORMS) == words


def test_without_any_pattern_only_a_number_without_digits_is_wrong() -> None:
    assert misshapen(Ticket("whatever 1"), {}) == ""
    assert misshapen(Ticket("none"), {}) == "Ticket 'none' is no number"


def test_arabic_digits_are_not_what_a_pattern_means() -> None:
    assert misshapen(Ticket("OPS-\N{ARABIC-INDIC DIGIT ONE}", "Jira"), FORMS) != ""


def test_a_number_of_a_thousand_characters_is_never_matched() -> None:
    form = {"*": ticket_form(r"\d+")}
    assert misshapen(Ticket("1" * LONGEST), form) == ""
    assert misshapen(Ticket("1" * 1000), form).startswith("Ticket '1111")


# --- patterns ---


@pytest.mark.parametrize(
    "text",
    [
        *[r"CHG\d{7}", r"[A-Z][A-Z0-9]+-\d+", r"(?:CHG|INC|RITM)\d{7,10}", r"(INC|CHG)[0-9]{6}", r"#?\d{4,6}", ""],
        *[r"\w+-\w+-\d+", r"[A-Z]{3}(-\d{2}){3}", r"a\.b\+c", r"[\w.-]+", r"(\d{3} ){2}\d+", r"^CHG\d+$", r"x{2,}"],
    ],
)
def test_a_sound_pattern_is_taken(text: str) -> None:
    assert ticket_form(text).pattern == text


@pytest.mark.parametrize(
    "text",
    [
        *[r"(a+)+", r"(a*)*b", r"(\d+)*-\d+", r"(a|a)*", r"(a|b|ab)*c", r"(\w+\s?)+", r"(a?){25}b", r"(a|aa)+$"],
        *[r"\d*\d*\d*\d*x", r"(x+x+)+y", r"((a{1,9}){1,9}){1,9}", r"([a-z]+)*\d", "(a|b)" * 20, "a?" * 30],
    ],
)
def test_a_pattern_that_could_take_long_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too long to match"):
        ticket_form(text)


@pytest.mark.parametrize(
    "text",
    [
        *["(", ")", "a)", "[", "[]", "[a", "*a", "+", "a**", "a++", "a{2}{3}", "a{3,2}", "a{", "}", "\\", "|)"],
        *[r"(?i)a", r"(?P<n>a)", r"(?=a)", r"(?<!a)b", r"(a)\1", "[[a]", "[a--b]", "[^]", "[b-a]", r"\q", "(?:", "(?"],
        *["a" * 201, "(" * 150 + ")" * 150],
    ],
)
def test_what_is_no_pattern_here_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no pattern|not used here|longer than"):
        ticket_form(text)


@given(st.text(alphabet="ab01-(?:|)[]{}*+?,.\\d^$ ", max_size=30))
def test_any_text_is_a_pattern_or_a_mistake(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert ticket_form(text).pattern == text


def test_the_worst_taken_patterns_stay_within_the_promise() -> None:
    """Unbounded repetitions multiply: three are taken, a fourth is not, whatever stands between them."""
    for parts in itertools.product([r"\d+", r"\w*", "[a-z]+"], repeat=3):
        assert LONGEST ** len(parts) <= MOST_WAYS
        ticket_form("".join(parts))
        with pytest.raises(ValueError, match="too long"):
            ticket_form("".join((*parts, r"\d*")))
