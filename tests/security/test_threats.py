"""What must not exist at all, and the page that says which test shows which defence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [path for room in ("app", "handlers", "blocks") for path in (ROOT / room).rglob("*.py")]
SHOWN = re.findall(r"`([\w/]+\.py)::(test_\w+)`", (ROOT / "SECURITY.md").read_text())


def test_no_device_code_flow_exists() -> None:
    found = [path for path in CODE if re.search(r"device_?code|device_flow", path.read_text(), re.IGNORECASE)]
    assert [path for path in found if "sandbox" not in path.parts] == []


def test_the_page_names_tests_for_every_row() -> None:
    assert len(SHOWN) > 40


@pytest.mark.parametrize("file,name", SHOWN)
def test_the_security_page_names_tests_that_exist(file: str, name: str) -> None:
    assert re.search(rf"def {name}\b", (ROOT / "tests" / file).read_text())
