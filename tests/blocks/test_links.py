"""The way to the portal leads to the portal of the cloud that is used, from everything we draw."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from app.domain.request import Kind, Verdict
from app.identity.clouds import CLOUDS
from blocks import notices
from blocks.card import card, fallback_card
from blocks.home import Contents, home
from blocks.links import GLOBAL, Portal
from blocks.modal import decide_modal
from tests.blocks import samples

ROOT = Path(__file__).parents[2]
ELSEWHERE = Portal("https://portal.azure.us")
STATES = samples.every_state()
DENIED, PENDING = STATES["denied"], STATES["pending"]


def drawn(portal: Portal) -> list[str]:
    """Everything that shows a way to the portal."""
    outcome = notices.outcome_notice(DENIED, now=samples.NOW, portal=portal)
    note = notices.channel_note("Nobody can see", button_shown=True, version=1, portal=portal)
    shown = card(PENDING, "t", card_id="c", now=samples.NOW, portal=portal)
    fallback = fallback_card(PENDING, card_id="c", now=samples.NOW, portal=portal)
    views = (
        home(Contents(), now=samples.NOW, portal=portal),
        decide_modal(PENDING, Verdict.APPROVE, "m", now=samples.NOW, portal=portal),
    )
    messages = (outcome, note, shown, fallback)
    return [json.dumps(view) for view in views] + [f"{one.text} {json.dumps(one.blocks)}" for one in messages if one]


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS.keys())
def test_every_cloud_has_its_own_portal(cloud: object) -> None:
    root = CLOUDS[cloud.name].portal  # type: ignore[attr-defined]  # the row of the table
    portal = Portal(root)
    for kind in Kind:
        for address in (portal.decide(kind), portal.ask_again(kind)):
            assert address.startswith(f"{root}/#view/Microsoft_Azure_PIMCommon/")


def test_the_default_is_the_global_clouds() -> None:
    assert CLOUDS["global"].portal == GLOBAL.root


def test_whatever_is_drawn_leads_to_the_portal_it_is_told() -> None:
    texts = drawn(ELSEWHERE)
    assert len(texts) == 6
    assert all(ELSEWHERE.root in text and GLOBAL.root not in text for text in texts)


def _drawing_functions() -> set[str]:
    found = set[str]()
    for path in (ROOT / "blocks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and "portal" in {arg.arg for arg in node.args.kwonlyargs}:
                found.add(node.name)
    return found


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_nobody_who_draws_forgets_to_say_which_portal() -> None:
    """The default is for tests: a bot in another cloud would send people to a page that does not know them."""
    drawing, forgotten, calls = _drawing_functions() | {"draw_card"}, [], 0
    for path in (path for room in ("app", "handlers") for path in (ROOT / room).rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in drawing:
                calls += 1
                if "portal" not in {keyword.arg for keyword in node.keywords}:
                    forgotten.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert forgotten == []
    assert calls >= 7
