"""The decision modal and what it turns into."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.match import How, Match
from app.domain.pattern import Pattern
from app.domain.request import Person, PolicyFacts, Role, Verdict
from app.domain.ticket_pages import UNCHECKED, TicketFacts
from app.ports import View
from blocks import modal
from blocks.templates import MISSING_TICKET, OTHER_TICKET, deny_templates
from tests.blocks import samples

GUEST = Person("g", "Gus", "gus_else#EXT#@acme.example")
DEMANDING = PolicyFacts(ticket_required=True, longest=timedelta(hours=8))


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


def test_a_reason_may_be_chosen_or_written() -> None:
    ready, own = [block for block in decide(Verdict.DENY)["blocks"] if block["type"] == "input"]
    assert (ready["block_id"], own["block_id"]) == ("template", "reason")
    assert (ready["optional"], own["optional"]) == (True, True)  # only the bot can demand one of the two
    options = [option["value"] for option in ready["element"]["options"]]
    assert options == list(deny_templates(samples.row()))
    assert all(option["text"]["text"] == option["value"] for option in ready["element"]["options"])


@pytest.mark.parametrize(
    "hours, usual, words",
    [
        (8, None, "Shorter please: 2 h should do."),
        (8, 1, "Shorter please: 1 h should do."),
        (2, None, "Shorter please: 1 h should do."),
        (None, None, "Shorter please: 2 h should do."),
        (1, None, ""),
    ],
)
def test_a_shorter_time_is_suggested_where_it_is_long(hours: int | None, usual: int | None, words: str) -> None:
    length = timedelta(hours=hours) if hours else None
    typical = Pattern(typical=timedelta(hours=usual)) if usual else None
    row = samples.row(request=replace(samples.REQUEST, duration=length), pattern=typical)
    assert [one for one in deny_templates(row) if one.startswith("Shorter")] == ([words] if words else [])


def test_ready_made_reasons_speak_of_the_ticket_that_is_there_or_missing() -> None:
    assert deny_templates(samples.row())[0] == OTHER_TICKET
    assert deny_templates(samples.row(request=samples.critical()))[0] == MISSING_TICKET


@given(st.integers(min_value=1, max_value=60 * 24 * 400), st.integers(min_value=1, max_value=60 * 24 * 400))
def test_every_ready_made_reason_fits_into_a_choice(asked: int, usual: int) -> None:
    request = replace(samples.REQUEST, duration=timedelta(minutes=asked))
    row = samples.row(request=request, pattern=Pattern(typical=timedelta(minutes=usual)))
    assert all(len(words) <= 75 for words in deny_templates(row))


def test_global_administrator_takes_fifteen_characters() -> None:
    element = entry(decide(Verdict.APPROVE, samples.row(request=samples.critical())))["element"]
    assert element["min_length"] == 15
    assert "min_length" not in entry(decide(Verdict.APPROVE))["element"]


def test_five_checks_stand_in_their_order() -> None:
    words = json.dumps(decide(Verdict.APPROVE), ensure_ascii=False)
    titles = ("1 · Is it really", "2 · Is the reason", "3 · Does the ticket", "4 · Is the time", "5 · Is this role")
    order = [words.index(title) for title in titles]
    assert order == sorted(order)


@pytest.mark.parametrize(
    "over, ticket, words",
    [
        ({"match": Match(How.BY_MAIL, "U1")}, UNCHECKED, "matched by mail, not proven"),
        ({}, UNCHECKED, "whether it is enabled could not be read"),
        ({"enabled": True}, UNCHECKED, "enabled when this was asked"),
        ({"enabled": False}, UNCHECKED, "disabled when this was asked"),
        ({"request": replace(samples.REQUEST, requestor=GUEST)}, UNCHECKED, "yes, by their sign-in name"),
        ({"request": samples.critical()}, UNCHECKED, "Justification names no task: ask what it is for"),
        ({"request": samples.critical(), "policy": DEMANDING}, UNCHECKED, "settings in PIM demand one."),
        ({}, TicketFacts(fits=True), "has the form of its system"),
        ({}, TicketFacts(fits=False), "has not the form of its system"),
        ({}, UNCHECKED, '"not checked"'),
        ({}, TicketFacts("https://tickets.example/1"), "https://tickets.example/1"),
        ({"policy": DEMANDING}, UNCHECKED, '"8 h"'),
        ({"pattern": Pattern(typical=timedelta(hours=2))}, UNCHECKED, '"2 h"'),
        ({}, UNCHECKED, "Microsoft cannot approve a shorter time: deny, and suggest one."),
        ({}, UNCHECKED, "all mailboxes and mail; exfiltration risk"),
        ({"request": replace(samples.REQUEST, role=Role("x", "Own role"))}, UNCHECKED, "it is not a built-in role."),
    ],
)
def test_each_check_tells_facts(over: dict[str, Any], ticket: TicketFacts, words: str) -> None:
    row = samples.row(**over)
    assert words in json.dumps(modal.details_modal(row, now=samples.NOW, ticket=ticket), ensure_ascii=False)


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
            "Justification,",
            "Duration",
            "Scope",
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
