"""Direct messages about requests: one message that follows its requests, whatever Slack does to the calls."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from build import a_request, an_intent, guid
from notifier.painting import DELETE, HISTORY, POST, UPDATE, buttons, change, end
from notifier.rig import PORTAL, Rig

from app.domain.policy import Policy
from app.domain.request import ActivationRequest, Status
from app.notifier.directs import DirectPainter
from app.ports import Direct, Topic
from app.sandbox.slack_records import Message
from app.store.directs import StoredDirects
from blocks import ids

ANN, BEN = "U0ANNALDER", "U0BENBROOK"
SLACK_URL = "https://contoso.slack.com/"


@dataclass
class Owing:
    """Who owes messages, and the painter that shows them."""

    rig: Rig
    directs: StoredDirects
    painter: DirectPainter

    async def owe(self, *requests: ActivationRequest, user: str = ANN) -> Direct:
        direct = Direct(guid(), Topic.REMINDER, user)
        assert await self.directs.owe(direct, [one.key for one in requests], direct.id, self.rig.clock())
        return direct

    async def ticks(self, times: int, seconds: float = 1.0) -> None:
        for _ in range(times):
            self.rig.clock.forward(seconds)
            await self.painter.tick()

    async def note(self, direct: Direct) -> str | None:
        notes = {row["id"]: row["note"] for row in await self.rig.rows("SELECT id, note FROM directs")}
        return notes[direct.id]

    def calls(self, method: str) -> int:
        return len(self.rig.slack.calls(method))


@pytest.fixture
def owing(rig: Rig) -> Owing:
    directs = StoredDirects(rig.store, rig.new_token)
    return Owing(rig, directs, painter_of(rig, directs))


def painter_of(rig: Rig, directs: StoredDirects) -> DirectPainter:
    return DirectPainter(
        gateway=rig.gateway,
        directs=directs,
        cards=rig.cards,
        clock=rig.clock,
        portal=PORTAL,
        slack_url=SLACK_URL,
        policy=Policy(),
    )


def words(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def tokens(message: Message) -> list[str]:
    found = [element for block in message.blocks for element in block.get("elements", ())]
    return [element["value"] for element in found if element.get("action_id") == ids.APPROVE]


async def test_an_approver_gets_the_facts_the_buttons_and_the_way_to_the_card(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await owing.owe(request)
    await owing.ticks(3)
    (message,) = rig.slack.said_to(ANN)
    (card,) = rig.slack.messages()
    assert message.text.splitlines()[0] == "This request still waits for a decision."
    assert all(part in words(message) for part in ("Exchange Administrator", "Rob Reyes", "CHG-4711", "Restore the"))
    assert f"{SLACK_URL}archives/{card.channel}/p{card.ts.replace('.', '')}" in words(message)
    assert {ids.APPROVE, ids.DENY} <= buttons(message).keys()
    assert PORTAL.root in words(message)
    assert message.metadata is not None
    assert (message.metadata["event_type"], owing.calls(POST)) == (ids.DIRECT_EVENT, 2)


async def test_its_buttons_are_those_of_this_message(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await owing.owe(request)
    await owing.ticks(1)
    (message,), (card,) = rig.slack.said_to(ANN), rig.slack.messages()
    token = buttons(message)[ids.APPROVE]
    found = await rig.cards.copy(message.channel, message.ts, token)
    assert found is not None
    assert found.key == request.key
    assert token != buttons(card)[ids.APPROVE]


async def test_several_requests_are_one_message_with_buttons_for_each(owing: Owing, rig: Rig) -> None:
    await owing.owe(*[await rig.appear() for _ in range(3)])
    await owing.ticks(2)
    (message,) = rig.slack.said_to(ANN)
    assert "3 requests still wait" in words(message)
    assert len(set(tokens(message))) == 3


async def test_once_decided_it_says_by_whom_and_the_buttons_go(owing: Owing, rig: Rig) -> None:
    one, two = await rig.appear(), await rig.appear()
    await owing.owe(one)
    await owing.owe(one, two)
    await owing.ticks(1)
    await end(rig, one)
    await owing.ticks(2)
    alone, both = rig.slack.said_to(ANN)
    assert (tokens(alone), len(tokens(both))) == ([], 1)
    assert "Ann Archer" in words(alone)
    assert "There is nothing left to decide here." in words(alone)
    assert "Ann Archer" in words(both)
    assert owing.calls(UPDATE) == 2


async def test_while_somebody_decides_there_are_no_buttons(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    await owing.ticks(1)
    await rig.book.claim(an_intent(request))
    await owing.ticks(1)
    (message,) = rig.slack.said_to(ANN)
    assert tokens(message) == []
    assert "is deciding this right now" in words(message)


async def test_a_request_that_changed_gets_new_buttons(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    await owing.ticks(1)
    (before,) = tokens(rig.slack.said_to(ANN)[0])
    await change(rig, request)
    await owing.ticks(1)
    (after,) = tokens(rig.slack.said_to(ANN)[0])
    assert before != after


async def test_what_only_the_portal_decides_has_no_decision_buttons(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    owing.painter = replace(owing.painter, policy=Policy(portal_only=frozenset({request.role.id})))
    await owing.owe(request)
    await owing.ticks(1)
    (message,) = rig.slack.said_to(ANN)
    assert buttons(message).keys() == {ids.PORTAL}
    assert "in the portal only" in words(message)


async def test_nothing_is_sent_about_what_ended_before(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    direct = await owing.owe(request)
    await end(rig, request)
    await owing.ticks(2)
    assert (rig.slack.calls(POST), await owing.note(direct)) == ([], "over before it was sent")


async def test_nothing_is_sent_about_what_ran_out_of_time(owing: Owing, rig: Rig) -> None:
    await owing.owe(await rig.appear(a_request(created=rig.clock() - timedelta(hours=25))))
    await owing.ticks(2)
    assert rig.slack.calls(POST) == []


# Answers that never came


@pytest.mark.parametrize("lost, posts", [("drop_after", 1), ("drop_before", 2)])
async def test_one_message_though_the_answer_was_lost(owing: Owing, rig: Rig, lost: str, posts: int) -> None:
    await owing.owe(await rig.appear())
    rig.slack.disturb(POST, lost)
    await owing.ticks(6)
    (message,) = rig.slack.said_to(ANN)
    assert await rig.cards.copy(message.channel, message.ts, tokens(message)[0]) is not None
    assert (owing.calls(POST), await owing.directs.unpainted(9)) == (posts, [])
    assert owing.calls(HISTORY) == 1


async def test_a_message_found_again_shows_what_happened_meanwhile(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    rig.slack.disturb(POST, "drop_after")
    await owing.ticks(1)
    await end(rig, request)
    await owing.ticks(5)
    (message,) = rig.slack.said_to(ANN)
    assert (tokens(message), owing.calls(POST)) == ([], 1)


async def test_an_edit_whose_answer_was_lost_is_made_again(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    await owing.ticks(1)
    await end(rig, request)
    rig.slack.disturb(UPDATE, "drop_before")
    await owing.ticks(5)
    assert tokens(rig.slack.said_to(ANN)[0]) == []


async def test_of_two_posts_the_later_one_is_taken_back(owing: Owing, rig: Rig) -> None:
    await owing.owe(await rig.appear())
    await replace(owing.painter, directs=Stopped(rig, owing.painter.tick)).tick()
    assert (len(rig.slack.said_to(ANN)), owing.calls(POST)) == (1, 2)


class Stopped(StoredDirects):
    """Is stopped right before it calls Slack for the first time; `meanwhile` is what the others do then."""

    def __init__(self, rig: Rig, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(rig.store, rig.new_token)
        self._meanwhile: Callable[[], Awaitable[None]] | None = meanwhile

    async def trying(self, direct: Direct, channel: str) -> None:
        await super().trying(direct, channel)
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            await meanwhile()


# When Slack says no


@pytest.mark.parametrize("method, code", [(POST, "messages_tab_disabled"), ("conversations.open", "user_disabled")])
async def test_a_closed_door_is_noted_and_the_others_hear(owing: Owing, rig: Rig, method: str, code: str) -> None:
    request = await rig.appear()
    direct = await owing.owe(request)
    await owing.owe(request, user=BEN)
    rig.slack.disturb(method, error=code)
    await owing.ticks(3)
    assert await owing.note(direct) == f"not delivered: {code}"
    assert (len(rig.slack.said_to(ANN)), len(rig.slack.said_to(BEN))) == (0, 1)


async def test_a_message_that_somebody_deleted_stays_deleted(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    direct = await owing.owe(request)
    await owing.ticks(1)
    rig.slack.remove(rig.slack.said_to(ANN)[0])
    await end(rig, request)
    await owing.ticks(3)
    assert (rig.slack.said_to(ANN), await owing.note(direct)) == ([], "not delivered: message_not_found")


@pytest.mark.parametrize("code", ["token_revoked", "missing_scope"])
async def test_nothing_is_given_up_because_of_our_own_trouble(owing: Owing, rig: Rig, code: str) -> None:
    direct = await owing.owe(await rig.appear())
    rig.slack.disturb(POST, error=code)
    await owing.ticks(30)
    assert (owing.calls(POST), await owing.note(direct)) == (1, None)
    await owing.ticks(40)
    assert len(rig.slack.said_to(ANN)) == 1


async def test_buttons_go_while_new_messages_are_throttled(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    await owing.ticks(1)
    await owing.owe(await rig.appear(), user=BEN)
    limit = {"status": 429, "headers": {"Retry-After": "60"}, "body": {"ok": False, "error": "ratelimited"}}
    rig.slack.disturb(POST, **limit)
    await owing.ticks(2)
    await end(rig, request)
    await owing.ticks(2)
    assert (tokens(rig.slack.said_to(ANN)[0]), rig.slack.said_to(BEN), owing.calls(POST)) == ([], [], 2)
    await owing.ticks(70)
    assert len(rig.slack.said_to(BEN)) == 1


async def test_a_drawing_that_slack_refuses_becomes_words_and_a_link(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    rig.slack.disturb(POST, error="msg_blocks_too_long")
    await owing.ticks(1)
    (message,) = rig.slack.said_to(ANN)
    assert "Exchange Administrator" in message.text
    assert buttons(message).keys() == {ids.PORTAL}
    rig.slack.disturb(UPDATE, error="invalid_blocks")
    await end(rig, request, Status.DENIED)
    await owing.ticks(2)
    assert "denied" in rig.slack.said_to(ANN)[0].text


@pytest.mark.parametrize("refusals", [("invalid_blocks", "block_mismatch"), ("restricted_action",)])
async def test_a_message_that_cannot_be_edited_any_more_goes_with_its_buttons(
    owing: Owing, rig: Rig, refusals: tuple[str, ...]
) -> None:
    request = await rig.appear()
    direct = await owing.owe(request)
    await owing.ticks(1)
    await end(rig, request)
    for code in refusals:
        rig.slack.disturb(UPDATE, error=code)
    await owing.ticks(3)
    assert rig.slack.said_to(ANN) == []
    assert (owing.calls(DELETE), await owing.note(direct)) == (1, f"not delivered: {refusals[-1]}")


async def test_taking_it_away_is_tried_again_when_slack_was_not_heard(owing: Owing, rig: Rig) -> None:
    request = await rig.appear()
    await owing.owe(request)
    await owing.ticks(1)
    await end(rig, request)
    rig.slack.disturb(UPDATE, error="restricted_action", times=None)
    rig.slack.disturb(DELETE, error="fatal_error")
    await owing.ticks(5)
    assert (rig.slack.said_to(ANN), owing.calls(DELETE)) == ([], 2)
