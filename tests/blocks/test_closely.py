"""What a card says beside the facts: how sure the requestor's Slack account is, mixed alphabets, why it is closed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Person, Role, Scope, Status, Ticket, Verdict
from blocks import ids
from blocks.card import card
from blocks.lint import lint
from blocks.modal import decide_modal
from blocks.text import mixed_alphabets
from tests.blocks import samples

REQUEST = samples.REQUEST
WARNING = "Mixed alphabets: read closely"


def shown(request: ActivationRequest = REQUEST, **facts: object) -> str:
    """The card's words."""
    return words(draw(request, **facts).blocks)


def draw(request: ActivationRequest = REQUEST, closed: str = "", **facts: object) -> Any:  # noqa: ANN401 - a Message
    row = samples.row(request=request, **facts)
    return card(row, "token", card_id="c", now=samples.NOW, closed=closed)


def words(value: object) -> str:
    if isinstance(value, list):
        return "".join(words(item) for item in value)
    if not isinstance(value, dict):
        return ""
    own = value.get("text", "")
    return (own if isinstance(own, str) else words(own)) + words([v for k, v in value.items() if k != "text"])


def buttons(blocks: object) -> set[str]:
    return {name for name in ids.ACTIONS if f'"{name}"' in json.dumps(blocks)}


# --- who the requestor is in Slack ---


@pytest.mark.parametrize(
    "match, said",
    [
        (Match(How.SIGNED_IN, "U1"), "Slack account: signed in\n"),
        (Match(How.BY_MAIL, "U1"), "Slack account: matched by mail, not proven\n"),
        (
            Match(How.BY_ALIAS, "U1", "bob@contoso.example"),
            "Slack account: admin account of bob@contoso.example, matched by alias\n",
        ),
        (Match(How.NOT_IN_SLACK), "Slack account: not in Slack: will not be told\n"),
    ],
)
def test_card_and_form_say_how_sure_we_are(match: Match, said: str) -> None:
    assert said in shown(match=match)
    form = decide_modal(samples.row(match=match), Verdict.APPROVE, "t", now=samples.NOW)
    assert said in words(form["blocks"])


def test_nothing_is_said_while_nobody_could_ask() -> None:
    assert "Slack account" not in shown(match=Match())


@pytest.mark.parametrize("how", How)
def test_no_card_mentions_anybody(how: How) -> None:
    message = draw(match=Match(how, "U0BOB00001", "<!channel>"))
    assert "U0BOB00001" not in json.dumps(message.payload())
    assert lint(message.payload(), "message") == []


# --- mixed alphabets ---


@pytest.mark.parametrize(
    "text",
    ["Gl\u043ebal Reader", "\u0391nn Ames", "\uff21nn", "\U0001d400nn", "\u13dann Ames", "CHG\u04220031", "\u0531nn"],
)
def test_look_alikes_beside_latin_letters_are_mixed(text: str) -> None:
    assert mixed_alphabets(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Global Reader",
        "\u00c5ngstr\u00f6m",
        "\u0418\u0432\u0430\u043d",
        "\u03a9",
        "50 \u00b5s",
        "\u65e5\u672c Ltd",
        "123",
        "\x00\ud800",
    ],
)
def test_one_alphabet_is_not_mixed(text: str) -> None:
    assert not mixed_alphabets(text)


ODD = "Gl\u043ebal"
MIXED = {
    "requestor": replace(REQUEST, requestor=Person("o", ODD, "bob@contoso.example")),
    "requestor sign-in name": replace(REQUEST, requestor=Person("o", "Bob", f"{ODD}@contoso.example")),
    "role": replace(REQUEST, role=Role("r", ODD)),
    "scope": replace(REQUEST, scope=Scope("/x", ODD)),
    "ticket": replace(REQUEST, ticket=Ticket(ODD, "ServiceNow")),
    "ticket system": replace(REQUEST, ticket=Ticket("1", ODD)),
}


@pytest.mark.parametrize("where", MIXED)
def test_names_in_mixed_alphabets_are_marked_on_card_and_form(where: str) -> None:
    said = f"{WARNING} ({where.removesuffix(' system').removesuffix(' sign-in name')})"
    assert said in shown(MIXED[where])
    form = decide_modal(samples.row(request=MIXED[where]), Verdict.DENY, "t", now=samples.NOW)
    assert said in words(form["blocks"])


def test_honest_names_carry_no_mark() -> None:
    assert WARNING not in shown()


# --- decided in the portal only ---


def test_a_closed_card_says_why_and_leads_to_the_portal_only() -> None:
    message = draw(closed="Decisions in Slack are paused (a *drill* <!channel>); decide it in the portal.")
    assert buttons(message.blocks) == {ids.PORTAL}
    assert "a *drill* <!channel>" in words(message.blocks)
    assert "token" not in json.dumps(message.blocks)
    assert lint(message.payload(), "message") == []


def test_an_open_card_has_its_buttons() -> None:
    assert buttons(draw().blocks) == {ids.APPROVE, ids.DENY, ids.MORE}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
def test_only_a_pending_card_says_that_it_is_closed(status: Status) -> None:
    row = samples.row(status, deciding=samples.ANN, decided=samples.decided())
    message = card(row, "token", card_id="c", now=samples.NOW, closed="Paused.")
    assert "Paused." not in words(message.blocks)
