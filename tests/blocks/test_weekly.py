"""The weekly digest as a message: golden JSON of a busy week and a quiet one, and Slack's rules for hostile names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.domain.weekly import Tally
from blocks.lint import lint
from blocks.weekly import weekly_message

GOLDEN = Path(__file__).parent / "golden" / "weekly"
SPAN = ("2026-11-16T08:00:00+00:00", "2026-11-23T08:00:00+00:00")
BUSY = Tally(
    *SPAN,
    asked=80,
    approved=61,
    denied=11,
    expired=2,
    median=540,
    almost_all=9000,
    busiest=(("Exchange Administrator", 31), ("Member of prod-db-admins", 1)),
    alone=("Owner on Subscription Prod",),
    alone_more=2,
)
TALLIES = {"busy": BUSY, "quiet": Tally(*SPAN)}


@pytest.mark.parametrize("name", TALLIES)
def test_message_reads_as_agreed(name: str) -> None:
    drawn = weekly_message(TALLIES[name], 1)
    path = GOLDEN / f"{name}.json"
    if os.environ.get("PIM_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(drawn.payload(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert drawn.payload() == json.loads(path.read_text(encoding="utf-8"))
    assert lint(drawn.payload(), "message") == []


def test_golden_folder_holds_these_messages_and_nothing_else() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(TALLIES)


@pytest.mark.parametrize("name", ["<!channel>", "<@U0ANN00001>", "*bold* _x_ `y`", "\u202egnp", "x" * 5000, ""])
def test_names_from_outside_mention_and_break_nothing(name: str) -> None:
    drawn = weekly_message(Tally(*SPAN, busiest=((name, 3),) * 5, alone=(name,) * 5), 1)
    assert lint(drawn.payload(), "message") == []
    assert "<!channel>" not in drawn.text
