"""The page about the API says what the API does."""

from __future__ import annotations

import re
from pathlib import Path

from app.api.approvals import PATIENCE
from app.api.bearer_gate import LARGEST, PREFIX
from app.api.problems import CODES
from app.api.shapes import MOST_ROWS, Filters
from app.main.calling import DECISIONS, READS
from app.watcher.visiting import EVERY

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_page_lists_every_code_with_its_status() -> None:
    listed = {code: int(status) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE, re.MULTILINE)}
    assert listed == {code: status for code, (status, _) in CODES.items()}


def test_the_page_names_every_filter_and_no_other() -> None:
    named = PAGE.split("**Lists** are")[1].split("A parameter")[0]
    filters = {field.alias or name for name, field in Filters.model_fields.items()}
    assert set(re.findall(r"`(\w+)`", named)) - {"next"} == filters


def test_the_page_tells_the_limits_that_hold() -> None:
    assert f"below `{PREFIX}`" in PAGE
    assert f"1 to {MOST_ROWS}, else {Filters().limit}" in PAGE
    assert f"longer than {PATIENCE:.0f} seconds" in PAGE
    assert f"every {EVERY.total_seconds():.0f} seconds" in PAGE
    assert f"at most {LARGEST // 1024} KiB" in PAGE
    assert f"read {READS.burst} times at once and {READS.per_second:.0f} times a second" in PAGE
    assert f"decide {DECISIONS.burst} times at once and every other\nsecond" in PAGE
    assert DECISIONS.per_second == 0.5
