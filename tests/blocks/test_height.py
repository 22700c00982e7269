"""How tall a card gets: no taller at the width of a phone than one screen, with all that makes a grave request long."""

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

# Measured in the sandbox's page, 390 points wide, where no state of a card came out taller than this says, and none
# more than 23 points lower. Letters that fit a line; points of a line of text and of a headline, of the gap around a
# block, of a row of buttons with its gap, of the last line, of the sender's name on top; and what one screen has.
WIDE, HEADER_WIDE = 40, 27
LINE, HEADLINE, GAP, BUTTONS, LAST, SENDER = 22, 24, 10, 37, 26, 22
SCREEN = 645
FIVE = Call(tuple(f"U0APPROVE{number}" for number in range(5)))
NAMES = ("Annabel Ames-Carter", "Bob Berg", "Cleo Clay", "Dora Dunn")
APPROVERS = tuple(Person(f"oid-{name}", name) for name in NAMES)


def points(block: dict[str, Any]) -> int:
    if block["type"] == "header":
        return HEADLINE * ceil(len(block["text"]["text"]) / HEADER_WIDE)
    if block["type"] == "rich_text":
        return GAP + LINE * sum(rows for part in block["elements"] for rows in _rows(part))
    return BUTTONS if block["type"] == "actions" else LAST


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
    blocks = card(row, "t" * 32, card_id="c1", now=samples.NOW, call=call).blocks
    return SENDER + sum(points(block) for block in blocks)


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
