"""Calling people: first posts mention, edits never do; messages of one's own are cards like every other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest
from build import a_link, a_request, seen
from notifier.painting import DELETE, POST, UPDATE, buttons, end, ticks
from notifier.rig import Rig
from people import TENANT, ann, ben

from app.domain.arrival import MOST_CALLED, Reach, Step
from app.domain.policy import Aliases, Policy
from app.domain.request import ActivationRequest, Person, PolicyFacts
from app.domain.routes import NOBODY, Route
from app.domain.row import RequestRow
from app.notifier.audience import LASTS, PAUSE, SlackAudience
from app.sandbox.slack_records import Message
from app.store.calls import StoredCalls
from app.store.remember import Posting

# People of the emulated workspace, known by their mail addresses alone.
ANN = Person("oid-ann", "Ann Alder", "ann@contoso.example", "ann@contoso.example")
BEN = Person("oid-ben", "Ben Brook", "ben@contoso.example", "ben@contoso.example")
ROB = Person("oid-rob", "Rob Reed", "rob@contoso.example", "rob@contoso.example")
CLEO = Person("oid-cleo", "Cleo Clay", "cleo@contoso.example", "cleo@contoso.example")
ANN_SLACK, BEN_SLACK, ROB_SLACK = "U0ANNALDER", "U0BENBROOK", "U0ROBREED1"
LOOKUP, OPEN = "users.lookupByEmail", "conversations.open"


@pytest.fixture(autouse=True)
def audience(rig: Rig) -> SlackAudience:
    rig.painter.audience = SlackAudience(matching=rig.matching, aliases=Aliases(), clock=rig.clock)
    return rig.painter.audience


@pytest.fixture
def calls(rig: Rig) -> StoredCalls:
    return StoredCalls(rig.store, Posting(rig.slack.settings.channel, rig.new_token, rig.new_token))


async def asked(rig: Rig, approvers: Iterable[Person] = (ANN, BEN), **over: object) -> ActivationRequest:
    """A request whose approvers PIM's settings name."""
    request = a_request(**{"requestor": ROB, **over})
    await rig.book.remember([seen(request, policy=PolicyFacts(approvers=tuple(approvers)))], rig.clock())
    return request


async def row_of(rig: Rig, request: ActivationRequest) -> RequestRow:
    return await rig.row(request)


def mentions(message: Message) -> list[str]:
    """Whom a message would notify."""
    found: list[str] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if part.get("type") in ("user", "usergroup"):
                found.append(str(part.get("user_id") or part.get("usergroup_id")))
            walk(list(part.values()))
        elif isinstance(part, list):
            for item in part:
                walk(item)

    walk(message.blocks)
    return found


# Mentions


async def test_a_new_card_mentions_the_approvers_in_slack(rig: Rig) -> None:
    await asked(rig, (ANN, BEN, CLEO))
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    assert mentions(message) == [ANN_SLACK, BEN_SLACK]


async def test_no_edit_mentions_anybody(rig: Rig) -> None:
    request = await asked(rig)
    await rig.painter.tick()
    await end(rig, request)
    await ticks(rig, 2)
    assert len(rig.slack.calls(UPDATE)) == 1
    body = json.dumps(rig.slack.calls(UPDATE)[0].body)
    assert ANN_SLACK not in body
    assert BEN_SLACK not in body


@pytest.mark.parametrize("mention, expected", [("S0ONCALL01", ["S0ONCALL01"]), (NOBODY, [])])
async def test_a_route_says_whom_its_cards_mention(rig: Rig, mention: str, expected: list[str]) -> None:
    rig.painter.policy = replace(Policy(), routes=(Route(rig.slack.settings.channel, mention=mention),))
    await asked(rig)
    await rig.painter.tick()
    assert mentions(rig.slack.messages()[0]) == expected
    assert rig.slack.calls(LOOKUP) == []


async def test_slack_being_slow_about_people_costs_the_mention_and_not_the_card(rig: Rig) -> None:
    rig.slack.disturb(LOOKUP, status=503, body={})
    await asked(rig)
    await rig.painter.tick()
    assert [mentions(message) for message in rig.slack.messages()] == [[]]


async def test_the_whole_channel_is_never_woken(rig: Rig) -> None:
    names = "<!channel> <!here> <!subteam^S0123>"
    await asked(rig, (replace(ANN, name=names),), requestor=replace(ROB, name=names), justification=names)
    await rig.painter.tick()
    payload = json.dumps([rig.slack.messages()[0].text, rig.slack.messages()[0].blocks])
    assert "broadcast" not in payload
    assert "<!channel>" not in rig.slack.messages()[0].text


# Who is reached


async def test_whose_own_list_held_it_is_reached_by_their_link(rig: Rig, audience: SlackAudience) -> None:
    await rig.links.save(a_link(ann, slack_user="U0ANNLINK1", tenant=TENANT), "sealed", 1, rig.clock())
    request = a_request()
    await rig.book.remember([seen(request, approvers=(ann, ben))], rig.clock())
    assert await audience.reach(await rig.row(request)) == Reach(("U0ANNLINK1",))


async def test_whoever_asked_is_not_reached_under_any_account(rig: Rig) -> None:
    audience = SlackAudience(matching=rig.matching, aliases=Aliases((("adm-{x}@", "{x}@"),)), clock=rig.clock)
    admin = Person("oid-adm-rob", "Rob (admin)", "adm-rob@contoso.example", "")
    request = await asked(rig, (ANN, ROB, admin), requestor=admin)
    assert (await audience.reach(await rig.row(request))).users == (ANN_SLACK,)


async def test_everybody_is_asked_for_once_an_hour(rig: Rig, audience: SlackAudience) -> None:
    request = await asked(rig, (ANN, CLEO))
    for _ in range(3):
        await audience.reach(await rig.row(request))
    assert len(rig.slack.calls(LOOKUP)) == 2
    rig.clock.forward(LASTS.total_seconds())
    await audience.reach(await rig.row(request))
    assert len(rig.slack.calls(LOOKUP)) == 4


async def test_an_outage_makes_the_answer_unsure_and_is_not_asked_every_second(
    rig: Rig, audience: SlackAudience
) -> None:
    rig.slack.disturb(LOOKUP, status=503, body={})
    request = await asked(rig)
    for _ in range(3):
        assert (await audience.reach(await rig.row(request))).sure is False
    assert len(rig.slack.calls(LOOKUP)) == 1
    rig.clock.forward(PAUSE.total_seconds())
    assert await audience.reach(await rig.row(request)) == Reach((ANN_SLACK, BEN_SLACK))


async def test_a_crowd_is_not_looked_up_one_by_one(rig: Rig, audience: SlackAudience) -> None:
    crowd = [Person(f"oid-{number}", mail=f"p{number}@contoso.example") for number in range(MOST_CALLED + 1)]
    request = await asked(rig, crowd)
    assert await audience.reach(await rig.row(request)) == Reach(crowd=True)
    assert rig.slack.calls(LOOKUP) == []


# Messages of one's own


async def test_a_call_is_a_message_with_buttons_that_says_why_one_gets_it(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK,), rig.clock())
    await rig.painter.tick()
    (message,) = rig.slack.said_to(ANN_SLACK)
    assert message.text.startswith("You can decide this. High: ")
    assert "pim_approve" in buttons(message)
    card = await rig.cards.by_place(message.channel, message.ts)
    assert card is not None
    assert (card.token, card.occasion) == (buttons(message)["pim_approve"], "arrival")
    assert buttons(rig.slack.messages()[0])["pim_approve"] != card.token


async def test_it_loses_its_buttons_like_every_copy(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await calls.call(request.key, Step.NUDGE, (ANN_SLACK, BEN_SLACK), rig.clock())
    await rig.painter.tick()
    await end(rig, request)
    await rig.painter.tick()
    for user in (ANN_SLACK, BEN_SLACK):
        (message,) = rig.slack.said_to(user)
        assert "pim_approve" not in buttons(message)
        assert not message.text.startswith("Nobody")
    assert await rig.behind() == 0


async def test_an_answer_that_was_lost_makes_no_second_message(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await rig.painter.tick()
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK,), rig.clock())
    rig.slack.disturb(POST, "drop_after")
    await ticks(rig, 4)
    assert len(rig.slack.said_to(ANN_SLACK)) == 1
    assert await rig.behind() == 0


@pytest.mark.parametrize("method", [OPEN, POST])
@pytest.mark.parametrize("code", ["user_disabled", "messages_tab_disabled", "user_not_found", "channel_not_found"])
async def test_who_cannot_be_reached_is_let_alone_and_the_others_hear(
    rig: Rig, calls: StoredCalls, method: str, code: str
) -> None:
    request = await asked(rig)
    await rig.painter.tick()
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK, BEN_SLACK), rig.clock())
    rig.slack.disturb(method, error=code)
    await ticks(rig, 3)
    assert len(rig.slack.said_to(ANN_SLACK)) + len(rig.slack.said_to(BEN_SLACK)) == 1
    assert (await rig.behind(), rig.painter.trouble) == (0, "")


async def test_who_has_no_conversation_by_name_is_told_under_their_own_id(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await rig.painter.tick()
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK,), rig.clock())
    rig.slack.disturb(OPEN, status=200, body={"ok": True})
    await ticks(rig, 2)
    assert (len(rig.slack.said_to(ANN_SLACK)), await rig.behind()) == (1, 0)


async def test_a_dead_token_loses_no_message(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await rig.painter.tick()
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK,), rig.clock())
    rig.slack.disturb(OPEN, error="token_revoked")
    await ticks(rig, 2)
    assert (len(rig.slack.said_to(ANN_SLACK)), await rig.behind()) == (0, 1)
    await ticks(rig, 2, 61)
    assert len(rig.slack.said_to(ANN_SLACK)) == 1


async def test_what_ended_before_the_message_went_out_is_not_told(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK,), rig.clock())
    await end(rig, request)
    await ticks(rig, 2)
    assert rig.slack.said_to(ANN_SLACK) == []


async def test_one_that_cannot_be_edited_any_more_goes_with_its_buttons(rig: Rig, calls: StoredCalls) -> None:
    request = await asked(rig)
    await rig.painter.tick()
    await calls.call(request.key, Step.ARRIVAL, (ANN_SLACK,), rig.clock())
    await ticks(rig, 2)
    assert "pim_approve" in buttons(rig.slack.said_to(ANN_SLACK)[0])
    await end(rig, request)
    rig.slack.disturb(UPDATE, error="restricted_action", times=None)
    rig.slack.disturb(DELETE, error="fatal_error")
    await ticks(rig, 3, 61)
    assert (rig.slack.said_to(ANN_SLACK), len(rig.slack.calls(DELETE))) == ([], 2)
