"""How tall a card gets: as many lines at the width of a phone as one screen holds, whatever a request brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

from app.domain.request import Person, PolicyFacts
from app.domain.risk import assess
from app.domain.row import RequestRow
from blocks.card import Call, card
from tests.blocks import samples

# An estimate for 390 points of width: letters that fit a line, and the lines of 645 points of height.
WIDE, HEADER_WIDE, SCREEN = 46, 30, 24
FIVE = Call(tuple(f"U0APPROVE{number}" for number in range(5)))
NAMES = ("Annabel Ames-Carter", "Bob Berg", "Cleo Clay", "Dora Dunn")
APPROVERS = tuple(Person(f"oid-{name}", name) for name in NAMES)


def lines(block: dict[str, Any]) -> int:
    if block["type"] == "header":
        return ceil(len(block["text"]["text"]) / HEADER_WIDE)
    if block["type"] == "rich_text":
        return sum(rows for part in block["elements"] for rows in _rows(part))
    return 1


def _rows(part: dict[str, Any]) -> Iterator[int]:
    if part["type"] == "rich_text_list":
        for item in part["elements"]:
            yield from _rows(item)
        return
    text = "".join(_letters(element) for element in part["elements"])
    yield from (max(ceil(len(line) / WIDE), 1) for line in text.split("\n"))


def _letters(element: dict[str, Any]) -> str:
    shown = {"user": "@Somebody Named", "date": "Mon, 23 Nov, 09:00"}
    return shown.get(element["type"]) or str(element.get("text", ""))


def tall(row: RequestRow, call: Call = FIVE) -> int:
    return sum(lines(block) for block in card(row, "t" * 32, card_id="c1", now=samples.NOW, call=call).blocks)


def grave(reasons: int) -> RequestRow:
    """A High request with so many reasons, a justification of several lines and four approvers."""
    request = replace(samples.REQUEST, justification="Mailbox migration of the Lyon office " * 4)
    row = samples.row(request=request, policy=PolicyFacts(comment_required=True, approvers=APPROVERS))
    risk = replace(
        assess(request), reasons=tuple(f"Reason {n}: 8 h instead of their usual 2 h" for n in range(reasons))
    )
    return replace(row, risk=risk)


@pytest.mark.parametrize("reasons", range(1, 11))
def test_a_grave_card_with_mentions_fits_one_screen_of_a_phone(reasons: int) -> None:
    assert tall(grave(reasons)) <= SCREEN


def test_reasons_beyond_the_third_line_are_counted_and_stand_in_details() -> None:
    shown = str(card(grave(5), "t", card_id="c1", now=samples.NOW).blocks)
    assert [f"Reason {n}" in shown for n in range(5)] == [True, True, False, False, False]
    assert "3 more: see Details" in shown
    assert "more: see Details" not in str(card(grave(3), "t", card_id="c1", now=samples.NOW).blocks)


def test_approvers_are_one_line_on_the_card() -> None:
    shown = str(card(grave(1), "t", card_id="c1", now=samples.NOW).blocks)
    assert ("Bob Berg" in shown, "Cleo Clay" in shown, " and 2 more" in shown) == (True, False, True)


def test_a_line_more_would_be_noticed() -> None:
    everything = replace(grave(4), away_until=samples.NOW + timedelta(days=1))
    assert tall(everything) > tall(grave(4))
