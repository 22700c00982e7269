"""A desk that does not answer is said in the channel after five minutes, once, restarts or not, and once it is back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request
from fakes import ALWAYS, FakeDesk
from people import CHANNEL, ann
from use_cases.house import House

from app.domain.errors import BotError, ConsentMissing, GraphRefused, Malformed, Unavailable
from app.domain.request import Kind
from app.ports import ChannelNote
from app.watcher import unseen_words
from blocks import notices

MINUTE = timedelta(minutes=1)
OUT = notices.outage_words(Kind.ENTRA)


async def painted(house: House) -> list[ChannelNote]:
    """The notes Slack does not show yet; from now on it does."""
    notes = list(await house.outbox.unpainted_notes())
    for note in notes:
        await house.outbox.painted_note(note, note.ts or f"17.{note.topic}")
    return notes


async def out_for(house: House, minutes: int, failure: BotError | None = None) -> list[str]:
    """One poll a minute in vain; what the channel was told during it."""
    house.desk.fail("list_all", failure or Unavailable(), times=ALWAYS)
    told: list[str] = []
    for _ in range(minutes):
        await house.watcher.tick()
        told += [note.text for note in await painted(house)]
        house.clock.advance(MINUTE)
    await house.watcher.tick()
    return told + [note.text for note in await painted(house)]


async def mended(house: House) -> list[str]:
    house.desk.heal()
    await house.watcher.tick()
    return [note.text for note in await painted(house)]


@pytest.mark.parametrize("failure", [Unavailable(), Unavailable(retry_after=60), Malformed()])
async def test_five_minutes_without_an_answer_are_said_once(house: House, failure: BotError) -> None:
    assert await out_for(house, 4, failure) == []
    assert await out_for(house, 60, failure) == [OUT]
    assert await house.outbox.standing_notes() == [OUT]


async def test_a_short_outage_is_nobodys_business(house: House) -> None:
    for _ in range(3):
        assert await out_for(house, 4) == []
        assert await mended(house) == []


async def test_when_it_is_over_the_same_note_says_so_and_what_was_missed(house: House) -> None:
    await out_for(house, 6)
    house.desk.ask(a_request(), [ann])
    assert await mended(house) == [notices.sighted_words([Kind.ENTRA], 1)]
    assert await house.outbox.standing_notes() == []
    assert await mended(house) == []


async def test_a_restart_neither_forgets_an_outage_nor_says_it_again(house: House) -> None:
    assert await out_for(house, 3) == []
    house.restart()
    assert await out_for(house, 3) == [OUT]
    house.restart()
    assert await out_for(house, 3) == []
    house.restart()
    assert await mended(house) == [notices.sighted_words([Kind.ENTRA], 0)]


async def test_the_next_outage_is_a_note_of_its_own_that_notifies(house: House) -> None:
    topics = []
    for _ in range(2):
        await out_for(house, 4)
        house.clock.advance(2 * MINUTE)
        await house.watcher.tick()
        notes = await painted(house)
        assert [(note.channel, note.button) for note in notes] == [(CHANNEL, False)]
        topics += [note.topic for note in notes]
        await mended(house)
    assert len(set(topics)) == 2


async def test_without_consent_the_channel_says_who_must_do_what(house: House) -> None:
    azure = FakeDesk(house.clock, kind=Kind.AZURE)
    azure.fail("list_all", ConsentMissing(), times=ALWAYS)
    watcher = house.watching(house.desk, azure)
    for _ in range(2):
        await watcher.tick()
        house.clock.advance(5 * MINUTE)
    assert await house.outbox.standing_notes() == [notices.unconsented_words(Kind.AZURE)]


async def test_an_answer_that_refuses_ends_the_outage_and_is_a_blindness(house: House) -> None:
    await out_for(house, 6)
    house.desk.heal()
    house.desk.fail("list_all", GraphRefused("no", status=403), times=ALWAYS)
    await house.watcher.tick()
    assert {note.text for note in await painted(house)} == {
        notices.answering_words(Kind.ENTRA),
        notices.refused_words([Kind.ENTRA]),
    }


async def test_the_note_is_ended_before_the_outage_is_forgotten(house: House) -> None:
    await out_for(house, 6)
    await house.outbox.put_note(f"outage:entra:{NOW:%Y%m%dT%H%M%S}", "", over="over", button=False, channel=CHANNEL)
    await painted(house)
    assert await mended(house) == []
    assert await house.sights.out_since(Kind.ENTRA) is None


async def test_what_was_not_seen_whole_for_five_minutes_is_noted_with_its_last_good_poll(house: House) -> None:
    await house.watcher.tick()
    seen = await house.sights.last_seen()
    assert unseen_words(seen, NOW + 4 * MINUTE) == []
    (words,) = unseen_words(seen, NOW + 6 * MINUTE)
    assert words == f"The last good poll of Entra role requests was at {NOW:%H:%M} UTC, 6 minutes ago."
    assert unseen_words(seen, NOW + timedelta(hours=2))[0].endswith("2 h 0 min ago.")
