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


def test_the_installation_page_switches_the_device_code_flow_off() -> None:
    page = (ROOT / "docs" / "install.md").read_text()
    assert "*Allow public client flows* stays **No**" in page
    assert "blocks the device code flow" in page


@pytest.mark.parametrize(
    "what",
    [
        "The host, running",
        "The database, read",
        "The database, written",
        "The Slack bot token",
        "The Slack signing secret",
    ],
)
def test_what_a_thief_can_do_is_said_plainly(what: str) -> None:
    page = (ROOT / "SECURITY.md").read_text()
    said = page.partition("## What a thief can do")[2].partition("\n## ")[0]
    assert f"- **{what}**: " in said


def test_the_page_has_a_row_for_every_threat_of_identity() -> None:
    rows = set(re.findall(r"^\| T(\d+) \|", (ROOT / "SECURITY.md").read_text(), re.MULTILINE))
    wanted = {*range(1, 26), 28, 30, 32, 36, 37, 39, 40, 41}
    assert {str(number) for number in wanted} <= rows


def test_the_page_names_tests_for_every_row() -> None:
    assert len(SHOWN) > 40


@pytest.mark.parametrize("file,name", SHOWN)
def test_the_security_page_names_tests_that_exist(file: str, name: str) -> None:
    assert re.search(rf"def {name}\b", (ROOT / "tests" / file).read_text())
