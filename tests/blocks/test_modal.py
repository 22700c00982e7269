"""The decision modal and what it turns into."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.request import PolicyFacts, Verdict
from app.ports import View
from blocks import modal
from tests.blocks import samples


def decide(verdict: Verdict, row: samples.RequestRow | None = None) -> View:
    return modal.decide_modal(row or samples.row(), verdict, "m0dal", now=samples.NOW)


def entry(view: View) -> dict[str, Any]:
    (block,) = [block for block in view["blocks"] if block["type"] == "input"]
    found: dict[str, Any] = block
    return found


@pytest.mark.parametrize("verdict,block_id", [(Verdict.APPROVE, "comment"), (Verdict.DENY, "reason")])
def test_modal_is_recognised_and_carries_only_its_token(verdict: Verdict, block_id: str) -> None:
    view = decide(verdict)
    assert (view["callback_id"], view["private_metadata"]) == ("pim_decide", "m0dal")
    assert view["submit"]["text"] == verdict.value
    assert view["blocks"][-1]["block_id"] == block_id


def test_reason_is_always_required() -> None:
    row = samples.row(request=samples.low(), policy=PolicyFacts(comment_required=False))
    assert entry(decide(Verdict.DENY, row))["optional"] is False


@pytest.mark.parametrize(
    "request_,known,optional,hint",
    [
        (samples.low(), False, True, "Optional."),
        (samples.low(), True, False, "settings in PIM."),
        (samples.low(), None, False, "could not be read"),
        (samples.REQUEST, False, False, "Required at High risk"),
        (samples.critical(), None, False, "Required at Critical risk"),
    ],
)
def test_comment_hint_says_why_it_is_required(
    *, request_: samples.ActivationRequest, known: bool | None, optional: bool, hint: str
) -> None:
    block = entry(decide(Verdict.APPROVE, samples.row(request=request_, policy=PolicyFacts(comment_required=known))))
    assert block["optional"] is optional
    assert hint in block["hint"]["text"]


def test_modal_shows_the_whole_justification_with_its_lines() -> None:
    words = "first line\n" + "x" * 1500 + "\nlast line"
    view = decide(Verdict.APPROVE, samples.row(request=replace(samples.REQUEST, justification=words)))
    assert json.dumps(words) in json.dumps(view)


def test_facts_come_before_the_input() -> None:
    words = json.dumps(decide(Verdict.APPROVE, samples.row(request=samples.critical())))
    order = [
        words.index(part)
        for part in (
            "Critical risk",
            "No ticket number",
            "Requestor",
            "Scope",
            "Duration",
            "Justification,",
            "Decide by",
        )
    ]
    assert order == sorted(order)
    assert order[-1] < words.index('"block_id": "comment"')


@pytest.mark.parametrize(
    "view",
    [
        modal.sending_modal(samples.row(), Verdict.APPROVE),
        modal.outcome_modal(samples.row(), "Approved", "Microsoft accepted it."),
        modal.refused_modal("Nothing was changed."),
        modal.sign_in_modal(samples.URL),
    ],
)
def test_modals_that_only_show_cannot_be_submitted(view: View) -> None:
    assert "submit" not in view
    assert view["callback_id"] == "pim_result"


def test_sign_in_modal_opens_the_one_time_address() -> None:
    view = modal.sign_in_modal(samples.URL)
    assert [element["url"] for element in view["blocks"][-1]["elements"]] == [samples.URL]
