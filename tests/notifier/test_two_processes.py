"""A process that was stopped in the middle of painting or telling, while another one did the same: one copy remains."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from build import a_notice
from notifier.painting import buttons, end
from notifier.rig import Rig

from app.domain.weekly import Tally, write_tally
from app.notifier.messenger import Messenger
from app.notifier.painter import Painter
from app.ports import Card, ChannelNote, Notice
from app.store.outbox import StoredOutbox
from app.store.writer import Store

ROB = "U0ROBREED1"


class Stopped(StoredOutbox):
    """Is stopped right before it calls Slack for the first time; `meanwhile` is what the others do then."""

    def __init__(self, store: Store, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(store)
        self._meanwhile: Callable[[], Awaitable[None]] | None = meanwhile

    async def trying(self, card: Card) -> None:
        await super().trying(card)
        await self._stop()

    async def trying_notice(self, notice: Notice) -> None:
        await super().trying_notice(notice)
        await self._stop()

    async def trying_note(self, note: ChannelNote) -> None:
        await super().trying_note(note)
        await self._stop()

    async def _stop(self) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            await meanwhile()


def stopped_painter(rig: Rig, meanwhile: Callable[[], Awaitable[None]]) -> Painter:
    return replace(rig.painter, outbox=Stopped(rig.store, meanwhile))


def stopped_messenger(rig: Rig, meanwhile: Callable[[], Awaitable[None]]) -> Messenger:
    return replace(rig.messenger, outbox=Stopped(rig.store, meanwhile))


async def test_of_two_posts_of_a_card_the_later_one_is_taken_back(rig: Rig) -> None:
    await rig.appear()
    await stopped_painter(rig, rig.painter.tick).tick()
    (message,) = rig.slack.messages()
    card = await rig.cards.by_place(message.channel, message.ts)
    assert card is not None
    assert (len(rig.slack.calls("chat.postMessage")), await rig.behind()) == (2, 0)


async def test_of_two_posts_of_a_weekly_digest_the_later_one_is_taken_back(rig: Rig) -> None:
    await announced(rig)
    await stopped_painter(rig, rig.painter.tick).tick()
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    assert message.text.startswith("The week from ")
    assert (len(rig.slack.calls("chat.postMessage")), await rig.outbox.unpainted_notes()) == (2, [])


async def test_a_weekly_digest_whose_answer_was_lost_is_posted_once(rig: Rig) -> None:
    await announced(rig)
    rig.slack.disturb("chat.postMessage", "drop_after")
    for _ in range(4):
        await rig.painter.tick()
        rig.clock.forward(2)
    assert (len(rig.slack.messages()), len(rig.slack.calls("chat.postMessage"))) == (1, 1)


async def announced(rig: Rig) -> None:
    tally = Tally("2026-11-16T08:00:00+00:00", "2026-11-23T08:00:00+00:00", asked=3)
    assert await rig.outbox.announce("week:2026-W48", write_tally(tally), rig.slack.settings.channel)


async def test_an_edit_that_came_too_late_is_painted_over(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await rig.change("UPDATE cards SET painted = 0")

    async def the_others_end_and_paint_it() -> None:
        await end(rig, request)
        rig.clock.forward(5)
        await rig.painter.tick()

    rig.clock.forward(5)
    await stopped_painter(rig, the_others_end_and_paint_it).tick()
    (message,) = rig.slack.messages()
    assert buttons(message)  # what the late edit shows
    rig.clock.forward(5)
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    assert (buttons(message), await rig.behind()) == ({}, 0)


async def test_of_two_direct_messages_the_later_one_is_taken_back(rig: Rig) -> None:
    notice = a_notice(to_slack=ROB)
    await rig.outbox.owe(notice, notice.id, rig.clock())
    await stopped_messenger(rig, rig.messenger.tick).tick()
    assert len(rig.slack.said_to(ROB)) == 1
    assert len(rig.slack.calls("chat.postMessage")) == 2


async def test_a_direct_message_that_the_others_found_is_not_taken_back(rig: Rig) -> None:
    notice = a_notice(to_slack=ROB)
    await rig.outbox.owe(notice, notice.id, rig.clock())

    async def close() -> None:
        await rig.outbox.sent(notice, "delivered", rig.clock())

    await stopped_messenger(rig, close).tick()
    assert len(rig.slack.said_to(ROB)) == 1
