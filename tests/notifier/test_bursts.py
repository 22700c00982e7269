"""Bursts: one card a second, a list of what comes first, nobody woken for each, and buttons that go at once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOW, a_request, seen
from notifier.painting import POST, UPDATE, end, ticks
from notifier.rig import Rig

from app.domain.arrival import Arrival, Reach, about
from app.domain.policy import Policy
from app.domain.request import ActivationRequest
from app.domain.risk import Level, Risk
from app.domain.row import RequestRow
from app.notifier.digests import Digests
from app.sandbox.slack_records import Message
from blocks.lint import lint

MANY = 6


class Everybody:
    """Ann may approve everything."""

    async def reach(self, _: RequestRow) -> Reach:
        return Reach(("U0ANNALDER",))


@pytest.fixture(autouse=True)
def _burst_of_five(rig: Rig) -> None:
    rig.painter.policy = replace(Policy(), arrival=Arrival(digest_from=4))
    rig.painter._digests = Digests(outbox=rig.outbox, begin=4)  # noqa: SLF001 - as a painter with this policy has it
    rig.painter.audience = Everybody()


async def burst(rig: Rig, count: int = MANY) -> list[ActivationRequest]:
    """So many at once; each a little older than the one before, the last one Critical."""
    made = [a_request(created=NOW - timedelta(minutes=number)) for number in range(count)]
    risks = [Risk(Level.LOW)] * (count - 1) + [Risk(Level.CRITICAL)]
    await rig.book.remember([seen(r, risk=risk) for r, risk in zip(made, risks, strict=True)], rig.clock())
    return made


def digests(rig: Rig) -> list[Message]:
    return [m for m in rig.slack.messages() if m.metadata and m.metadata["event_type"] == "pim_note"]


async def test_a_burst_gets_one_list_without_buttons_the_riskiest_and_oldest_first(rig: Rig) -> None:
    await burst(rig)
    await ticks(rig, 2)
    (digest,) = digests(rig)
    assert digest.text.splitlines()[0].startswith("1 or more requests wait for their cards")
    levels = [line.split(":")[0] for line in digest.text.splitlines()[1:]]
    assert levels == ["Critical", *["Low"] * (MANY - 1)]
    assert "actions" not in {block["type"] for block in digest.blocks}
    assert json.dumps(digest.blocks).count('"type": "link"') == MANY
    assert lint({"text": digest.text, "blocks": digest.blocks}, "message") == []


async def test_the_list_is_edited_and_says_in_the_end_that_it_is_over(rig: Rig) -> None:
    await burst(rig)
    await ticks(rig, MANY + 3)
    (digest,) = digests(rig)
    assert digest.text == "Every request has its card again."
    assert len(rig.slack.messages()) == MANY + 1
    assert await rig.behind() == 0


async def test_in_a_burst_no_card_mentions_anybody(rig: Rig) -> None:
    await burst(rig)
    await ticks(rig, MANY + 3)
    assert "U0ANNALDER" not in json.dumps([message.blocks for message in rig.slack.messages()])
    await rig.appear()
    await ticks(rig, 2)
    assert "U0ANNALDER" in json.dumps(rig.slack.messages()[-1].blocks)


async def test_a_few_at_once_are_no_burst(rig: Rig) -> None:
    await burst(rig, 4)
    await ticks(rig, 6)
    assert digests(rig) == []


async def test_decisions_and_buttons_never_wait_behind_posts(rig: Rig) -> None:
    first = await rig.appear()
    await ticks(rig, 1)
    await burst(rig, 40)
    await ticks(rig, 1)
    await end(rig, first)
    await ticks(rig, 1)
    assert len(rig.slack.calls(UPDATE)) >= 1
    edited = [call.body for call in rig.slack.calls(UPDATE) if isinstance(call.body, dict)]
    assert any(rig.slack.messages()[0].ts == body["ts"] for body in edited)


async def test_a_list_that_was_left_standing_by_the_process_before_ends(rig: Rig) -> None:
    await burst(rig)
    await ticks(rig, 2)
    fresh = Digests(outbox=rig.outbox, begin=4)
    await rig.change("UPDATE cards SET painted = wanted, tried = TRUE, ts = id WHERE painted = 0")
    await fresh.look((rig.slack.settings.channel,))
    assert await rig.outbox.standing_notes() == []


@pytest.mark.parametrize("count, words", [(0, 0), (1, 1), (19, 1), (20, 20), (99, 50), (4321, 2000), (99_999, 20_000)])
def test_the_number_is_rounded_down_so_that_the_list_is_not_edited_with_every_card(count: int, words: int) -> None:
    assert about(count) == words


async def test_posts_of_a_burst_keep_the_pace(rig: Rig) -> None:
    await burst(rig, 12)
    started = len(rig.slack.calls(POST))
    await ticks(rig, 5)
    assert len(rig.slack.calls(POST)) - started == 5
