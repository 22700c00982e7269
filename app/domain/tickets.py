"""Whether a ticket number has the form that its system gives it. It asks no ticket system.

A company's pattern is a small regular expression. It is refused at the start when matching it could take long: what
is matched comes from anybody who may ask for a role.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.domain.request import Ticket

LONGEST = 64  # characters; a longer "number" has no system's form, and is never matched
LONGEST_FORM = 200  # characters of a pattern
ANY_SYSTEM = "*"
MOST_WAYS = 300_000  # of matching one pattern that backtracking may have to try: some milliseconds
_QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
# In a set only what numbers are made of: doubled marks mean set operations to later Pythons.
_ATOM = re.compile(r"\\[^\d]|\[\^?(?:\\.|-(?!-)|[\w ./#:,@])+\]|[^\\\[\]()|*+?{}]")

Patterns = Mapping[str, re.Pattern[str]]


def ticket_form(text: str) -> re.Pattern[str]:
    """The pattern, for whole numbers in any letter case; ValueError says why it is none, or not a safe one."""
    if len(text) > LONGEST_FORM:
        raise ValueError(f"{text[:LONGEST]!r}… is longer than {LONGEST_FORM} characters")
    ways, end = _alternatives(text, 0)
    if end != len(text):
        raise ValueError(f"{text!r} is no pattern: {text[end:]!r} is out of place")
    if ways > MOST_WAYS:
        raise ValueError(f"{text!r} could take too long to match: use fewer or bounded repetitions")
    try:
        return re.compile(text, re.ASCII | re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as problem:
        raise ValueError(f"{text!r} is no pattern: {problem}") from None


def misshapen(ticket: Ticket, forms: Patterns) -> str:
    """What is wrong with the form of a given number, as a sentence; empty when nothing is, or nobody said how it looks.

    `forms`: by system, lower case; `*` is for every other system.
    """
    number = ticket.number.strip()
    if not any(char.isdigit() for char in number):
        return f"Ticket {number[:LONGEST]!r} is no number"
    if fits(ticket, forms) is not False:
        return ""
    return f"Ticket {number[:LONGEST]!r} does not look like one of {ticket.system.strip() or 'your system'}"


def form_of(ticket: Ticket, forms: Patterns) -> re.Pattern[str] | None:
    """How numbers of this ticket's system look; None where nobody said, or the number is too long to be matched."""
    if len(ticket.number.strip()) > LONGEST:
        return None
    return forms.get(ticket.system.strip().casefold()) or forms.get(ANY_SYSTEM)


def fits(ticket: Ticket, forms: Patterns) -> bool | None:
    """Whether the whole number has the form of its system; None where nobody said how that looks."""
    number = ticket.number.strip()
    form = forms.get(ticket.system.strip().casefold()) or forms.get(ANY_SYSTEM)
    if form is None:
        return None
    return len(number) <= LONGEST and form.fullmatch(number) is not None


def _alternatives(text: str, at: int) -> tuple[int, int]:
    """In how many ways `a|b|c` may be tried, from here to where it ends. Each function below answers the same."""
    total, at = _sequence(text, at)
    while text[at : at + 1] == "|":
        more, at = _sequence(text, at + 1)
        total += more
    return total, at


def _sequence(text: str, at: int) -> tuple[int, int]:
    total = 1
    while at < len(text) and text[at] not in "|)":
        ways, at = _element(text, at)
        total = min(total * ways, MOST_WAYS + 1)
    return total, at


def _element(text: str, at: int) -> tuple[int, int]:
    """One atom or group with its repetition: every length that it may stop at is a way of its own."""
    ways, at = _group(text, at) if text[at] == "(" else _atom(text, at)
    match = _QUANTIFIER.match(text, at)
    if match is None:
        return ways, at
    least, most = _bounds(match)
    if least > most:
        raise ValueError(f"{text!r} is no pattern: {match.group()} ends before it begins")
    if text[match.end() : match.end() + 1] in ("*", "+", "?", "{"):
        raise ValueError(f"{text!r} is not used here: one repetition at a time")
    # A repeated choice multiplies with itself; the power is cut off long before it gets large.
    choices = min(ways ** min(most, 20), MOST_WAYS + 1) if ways > 1 else 1
    return min(choices * (most - least + 1), MOST_WAYS + 1), match.end()


def _group(text: str, at: int) -> tuple[int, int]:
    start = at + 3 if text.startswith("(?:", at) else at + 1
    if text.startswith("?", start):
        raise ValueError(f"{text!r} is not used here: of groups only (…) and (?:…)")
    ways, end = _alternatives(text, start)
    if text[end : end + 1] != ")":
        raise ValueError(f"{text!r} is no pattern: a bracket is not closed")
    return ways, end + 1


def _atom(text: str, at: int) -> tuple[int, int]:
    match = _ATOM.match(text, at)
    if match is None:
        raise ValueError(f"{text!r} is no pattern: {text[at:]!r} is out of place")
    return 1, match.end()


def _bounds(match: re.Match[str]) -> tuple[int, int]:
    sign = match.group()[0]
    if sign != "{":
        return {"*": (0, LONGEST), "+": (1, LONGEST), "?": (0, 1)}[sign]
    least = int(match[1] or 0)
    if not match[2]:
        return least, least
    return least, int(match[3]) if match[3] else max(LONGEST, least)
