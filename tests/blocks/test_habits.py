"""What card, form and sentence say of a requestor's habits and of an earlier attempt."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.pattern import Hours, Pattern, Use
from app.domain.request import Person, PolicyFacts, Scope, Status, Ticket, Verdict
from app.domain.risk import assess
from blocks.card import card
from blocks.modal import decide_modal
from blocks.sentence import sentence
from tests.blocks import samples

HOUR = timedelta(hours=1)


def words(blocks: list[dict[str, Any]]) -> list[str]:
    """What eyes see, line by line; a date as its fallback."""
    return [line for block in blocks for line in "".join(_texts(block)).split("\n")]


def _texts(node: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [text for one in node for text in _texts(one)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "date":
        return [node["fallback"]]
    if isinstance(node.get("text"), str):
        return [node["text"]]
    ends_line = node.get("type") in ("rich_text_section", "rich_text_quote", "button")
    inner = _texts(node.get("elements") or node.get("text") or [])
    return [*inner, "\n"] if ends_line else inner


def on_card(row: samples.RequestRow) -> list[str]:
    return words(card(row, "t0ken", card_id="c", now=samples.NOW).blocks)


def on_form(row: samples.RequestRow) -> list[str]:
    return words(decide_modal(row, Verdict.APPROVE, "m0dal", now=samples.NOW)["blocks"])


KNOWN = samples.row(pattern=samples.PATTERN)
AGAIN = samples.row(earlier=samples.EARLIER)


# --- habits ---


def test_the_card_says_how_the_role_is_used_and_what_else_is_to_be_known_on_two_lines() -> None:
    shown = on_card(KNOWN)
    assert "Held this role 6 times, last 2026-11-20 09:00 UTC; usually 2 h, 08–11 UTC" in shown
    assert (
        "2 denials in the last 7 days · Also active: Teams Administrator until 2026-11-23 10:00 UTC and 1 more" in shown
    )


def test_the_form_says_it_all() -> None:
    shown = on_form(KNOWN)
    start = shown.index("Held this role 6 times, last 2026-11-20 09:00 UTC; usually 2 h, 08–11 UTC")
    assert shown[start + 1 : start + 5] == [
        "Last uses: 2026-11-20 09:00 UTC (2 h), 2026-11-13 09:00 UTC (2 h), 2026-11-12 09:00 UTC (2 h)",
        "2 denials in the last 7 days",
        "Also active: Teams Administrator until 2026-11-23 10:00 UTC",
        "Also active: Contributor (rg-prod) until 2026-11-23 11:00 UTC",
    ]


@pytest.mark.parametrize(
    "pattern, line",
    [
        (
            Pattern(since=samples.NOW - 24 * HOUR),
            "First known use of this role (history begins 2026-11-22 09:00 UTC)",
        ),
        (
            Pattern(since=samples.NOW - 24 * HOUR, hours=Hours(22, 1)),
            "First known use of this role (history begins 2026-11-22 09:00 UTC); other roles usually 22–02 UTC",
        ),
        (Pattern(1, (Use(samples.NOW),), hours=Hours(1, 2)), "Held this role once, last 2026-11-23 09:00 UTC"),
        (
            Pattern(3, (Use(samples.NOW),), typical=HOUR),
            "Held this role 3 times, last 2026-11-23 09:00 UTC; usually 1 h",
        ),
        (Pattern(denials=1), "1 denial in the last 7 days"),
    ],
)
def test_little_history_is_said_as_what_it_is(pattern: Pattern, line: str) -> None:
    row = samples.row(pattern=pattern)
    assert line in on_card(row)
    assert line in on_form(row)


@pytest.mark.parametrize("pattern", [None, Pattern()])
def test_no_history_is_no_line(pattern: Pattern | None) -> None:
    assert on_card(samples.row(pattern=pattern)) == on_card(samples.row())


def test_what_is_over_by_now_is_not_called_active() -> None:
    later = samples.NOW + 5 * HOUR
    shown = words(card(KNOWN, "t", card_id="c", now=later).blocks)
    assert "2 denials in the last 7 days" in shown
    assert "Also active" not in "".join(shown)


@pytest.mark.parametrize("status", [Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.CANCELED])
def test_habits_are_gone_once_the_request_has_ended(status: Status) -> None:
    row = samples.row(status, decided=samples.decided(), pattern=samples.PATTERN, earlier=samples.EARLIER)
    assert "Held this role" not in "".join(on_card(row))
    assert "Asked again" not in "".join(on_card(row))


# --- asking again ---


def test_asking_again_shows_who_denied_why_and_what_changed() -> None:
    line = "Asked again 40 min after a denial by Ben Bauer: “too long”. Changed: 8 h → 4 h, ticket CHG0031337 added"
    assert line in on_card(AGAIN)
    assert line in on_form(AGAIN)


def test_asking_again_unchanged_after_an_expiry_says_so() -> None:
    row = samples.every_state()["pending_again_unchanged"]
    assert "Asked again 40 min after nobody decided. Changed: nothing" in on_card(row)


def test_two_clocks_never_count_backwards() -> None:
    row = samples.row(earlier=replace(samples.EARLIER, at=samples.REQUEST.created + timedelta(seconds=1)))
    assert "Asked again 0 s after a denial by Ben Bauer" in " ".join(on_card(row))


def test_who_hears_the_card_hears_that_it_is_asked_again() -> None:
    assert "; asked again 40 min after a denial; scope Whole directory" in sentence(AGAIN, samples.NOW)
    assert "again" not in sentence(KNOWN, samples.NOW)


def test_a_long_reason_is_cut_on_the_card_and_whole_in_the_form() -> None:
    row = samples.row(earlier=replace(samples.EARLIER, reason="because " * 40))
    (short,) = [line for line in on_card(row) if line.startswith("Asked again")]
    (long,) = [line for line in on_form(row) if line.startswith("Asked again")]
    assert "…”" in short
    assert "because " * 39 in long


# --- one phone screen ---

LINE = 44  # characters that Slack shows on one line of an ordinary phone
SCREEN = 42  # such lines, buttons and the small print included
BUTTONS = 2


def height(blocks: list[dict[str, Any]]) -> int:
    shown = [line for line in words([block for block in blocks if block["type"] != "actions"]) if line.strip()]
    return sum(math.ceil(len(line) / LINE) for line in shown) + BUTTONS


def test_a_card_with_everything_to_say_stays_within_one_phone_screen() -> None:
    request = replace(
        samples.critical(),
        requestor=Person("o", "Wilhelmina Featherstonehaugh", "adm-wilhelmina.featherstonehaugh@contoso.example"),
        scope=Scope("/administrativeUnits/7", "Administrative unit Western Europe, retail stores"),
        justification="word " * 80,
        ticket=Ticket("CHG0031337", "ServiceNow"),
    )
    approvers = tuple(Person(str(n), f"Approver Number {n} Of Many") for n in range(9))
    row = samples.row(
        request=request,
        risk=assess(request),
        policy=PolicyFacts(approvers=approvers),
        pattern=samples.PATTERN,
        earlier=replace(samples.EARLIER, reason="because " * 40, changed=("8 h → 4 h", "justification rewritten") * 4),
    )
    assert height(card(row, "t0ken", card_id="c", now=samples.NOW).blocks) <= SCREEN
    assert height(card(KNOWN, "t0ken", card_id="c", now=samples.NOW).blocks) <= SCREEN * 2 // 3
