"""Remove access: from the button of an active role to what the form says in the end."""

from __future__ import annotations

from typing import Any

import pytest
from bolt_rig import BoltRig, BrokenInbox, body_of, slack_no, texts
from people import ann, ben, slack_of

from app.domain.errors import Unavailable
from app.domain.removal import GONE_SINCE
from app.domain.request import ActivationRequest
from app.inbox import Deliveries
from app.notifier.wording import notice_message
from app.ports import Notice
from blocks import ids
from blocks.card import card
from blocks.links import GLOBAL
from blocks.removal import NOT_KNOWN_YET, TAKEN
from handlers.answers import FORM_NOT_RECORDED, TOO_SLOW


async def active(rig: BoltRig) -> ActivationRequest:
    """Rob's request, which Ann approved and Microsoft shows as held."""
    request = await rig.house.ask()
    await rig.house.link(ann, ben)
    await rig.house.decide(ann, request)
    await rig.house.watcher.tick()
    await rig.house.paint()
    return request


async def form(rig: BoltRig, request: ActivationRequest) -> str:
    await rig.act(await rig.press_card(ben, request, ids.REMOVE))
    return str(rig.screens.opened[-1][1]["private_metadata"])


async def send(rig: BoltRig, token: str, why: str = "Wrong button") -> dict[str, Any]:
    return body_of(await rig.act(rig.written(ben, ids.REMOVE_MODAL, token, why)))


async def notices(rig: BoltRig, topic: str) -> list[Notice]:
    return [notice for notice in await rig.house.notices() if notice.topic == topic]


async def test_the_card_of_an_active_role_has_the_button_and_loses_it(rig: BoltRig) -> None:
    request = await active(rig)
    row = await rig.house.row(request)
    shown = card(row, "token", card_id="c1", now=rig.house.clock()).blocks
    assert ids.REMOVE in str(shown)
    assert ids.REMOVE not in str(card(row, "", card_id="c1", now=rig.house.clock()).blocks)
    await send(rig, await form(rig, request))
    row = await rig.house.row(request)
    assert ids.REMOVE not in str(card(row, "token", card_id="c1", now=rig.house.clock()).blocks)


async def test_a_submitted_form_says_what_became_of_it(rig: BoltRig) -> None:
    request = await active(rig)
    answer = await send(rig, await form(rig, request))
    assert "Sending to Microsoft" in texts(answer["view"])
    assert TAKEN in texts(rig.screens.updated[-1][1])
    assert (await rig.outcomes())[-1] == "done"


async def test_without_a_reason_the_form_says_so(rig: BoltRig) -> None:
    answer = await send(rig, await form(rig, await active(rig)), " ")
    assert answer["response_action"] == "errors"
    assert rig.house.desk.removals == []


async def test_a_refusal_leads_to_the_portal(rig: BoltRig) -> None:
    request = await active(rig)
    rig.house.desk.administrators.clear()
    await send(rig, await form(rig, request))
    shown = rig.screens.updated[-1][1]
    assert "Privileged Role Administrator" in texts(shown)
    assert ids.PORTAL in str(shown)


async def test_a_lost_answer_says_that_nothing_is_sent_twice(rig: BoltRig) -> None:
    request = await active(rig)
    rig.house.desk.lose_answer_before(method="remove")
    await send(rig, await form(rig, request))
    assert NOT_KNOWN_YET in texts(rig.screens.updated[-1][1])


async def test_a_role_that_is_gone_after_a_lost_answer_is_not_called_anybodys_doing(rig: BoltRig) -> None:
    request = await active(rig)
    rig.house.desk.lose_answer_after(method="remove")
    await send(rig, await form(rig, request))
    assert GONE_SINCE in texts(rig.screens.updated[-1][1])


async def test_whoever_closed_the_form_gets_a_message(rig: BoltRig) -> None:
    request = await active(rig)
    token = await form(rig, request)
    rig.screens.failures["update_modal"] = slack_no()
    await send(rig, token)
    (notice,) = await notices(rig, "removal")
    assert notice.to_slack == slack_of(ben)
    message = notice_message(notice, await rig.house.row(request), rig.house.clock(), GLOBAL)
    assert message is not None
    assert TAKEN in message.text


async def test_a_press_where_nothing_is_held_is_answered(rig: BoltRig) -> None:
    request = await active(rig)
    payload = await rig.press_card(ben, request, ids.REMOVE)
    await send(rig, await form(rig, request))
    await rig.act(payload)
    assert "Nothing more was sent" in rig.screens.whispers[-1].text


async def test_a_form_that_does_not_open_is_said(rig: BoltRig) -> None:
    request = await active(rig)
    rig.screens.failures["open_modal"] = slack_no()
    await rig.act(await rig.press_card(ben, request, ids.REMOVE))
    assert TOO_SLOW in rig.screens.whispers[-1].text


async def test_without_the_database_nothing_is_sent_and_that_is_said(rig: BoltRig) -> None:
    token = await form(rig, await active(rig))
    rig.reception.deliveries = Deliveries(
        inbox=BrokenInbox(Unavailable()), outbox=rig.house.outbox, clock=rig.house.clock
    )
    assert FORM_NOT_RECORDED in texts((await send(rig, token))["view"])
    assert rig.house.desk.removals == []


@pytest.mark.parametrize("topic, words", [("taken_away", "Wrong button"), ("revoke", "may not")])
async def test_those_concerned_are_told_in_words(rig: BoltRig, topic: str, words: str) -> None:
    request = await active(rig)
    facts = {"by": ben.name, "reason": "Wrong button", "refused": "no right"}
    notice = Notice("n1", topic, request.key, facts=facts)
    message = notice_message(notice, await rig.house.row(request), rig.house.clock(), GLOBAL)
    assert message is not None
    assert ben.name in message.text
    assert words in str(message.blocks)
