from __future__ import annotations

from people import CHANNEL

from app.ports import ChannelNote
from app.store.outbox import StoredOutbox

OVER = "In sight again."


async def say(outbox: StoredOutbox, text: str, *, channel: str = CHANNEL) -> None:
    await outbox.put_note("blind", text, over=OVER, button=True, channel=channel)


async def only(outbox: StoredOutbox) -> ChannelNote:
    [note] = await outbox.unpainted_notes()
    return note


async def post(outbox: StoredOutbox, ts: str = "1.1") -> None:
    note = await only(outbox)
    await outbox.trying_note(note)
    await outbox.painted_note(note, ts)


async def test_a_note_is_posted_once_and_the_same_words_change_nothing(outbox: StoredOutbox) -> None:
    await say(outbox, "Nobody can see")
    note = await only(outbox)
    assert (note.text, note.button, note.channel, note.ts, note.tried) == ("Nobody can see", True, CHANNEL, "", False)
    await post(outbox)
    await say(outbox, "Nobody can see")
    assert await outbox.unpainted_notes() == []
    assert await outbox.standing_notes() == ["Nobody can see"]


async def test_new_words_edit_the_same_message(outbox: StoredOutbox) -> None:
    await say(outbox, "Nobody can see")
    await post(outbox)
    await say(outbox, "Ann can see a little")
    note = await only(outbox)
    assert (note.text, note.ts, note.tried) == ("Ann can see a little", "1.1", True)


async def test_an_ended_note_says_so_without_a_button(outbox: StoredOutbox) -> None:
    await say(outbox, "Nobody can see")
    await post(outbox)
    await say(outbox, "")
    note = await only(outbox)
    assert (note.text, note.button, note.ts) == (OVER, False, "1.1")
    await post(outbox)
    await say(outbox, "")
    assert await outbox.unpainted_notes() == []
    assert await outbox.standing_notes() == []


async def test_a_note_nobody_saw_ends_without_a_word(outbox: StoredOutbox) -> None:
    await say(outbox, "Nobody can see")
    await say(outbox, "")
    assert await outbox.unpainted_notes() == []
    assert await outbox.standing_notes() == []


async def test_a_note_that_may_stand_in_slack_is_ended_there(outbox: StoredOutbox) -> None:
    await say(outbox, "Nobody can see")
    await outbox.trying_note(await only(outbox))
    await say(outbox, "")
    assert ((await only(outbox)).text, (await only(outbox)).tried) == (OVER, True)


async def test_nothing_to_end_is_nothing_to_say(outbox: StoredOutbox) -> None:
    await say(outbox, "")
    assert await outbox.unpainted_notes() == []


async def test_trouble_that_comes_back_stands_again_in_the_same_message(outbox: StoredOutbox) -> None:
    for text in ("Nobody can see", ""):
        await say(outbox, text)
        await post(outbox)
    await say(outbox, "Nobody can see")
    assert ((await only(outbox)).text, (await only(outbox)).ts) == ("Nobody can see", "1.1")
    assert await outbox.standing_notes() == ["Nobody can see"]


async def test_words_that_changed_while_being_painted_are_painted_again(outbox: StoredOutbox) -> None:
    await say(outbox, "first")
    painting = await only(outbox)
    await say(outbox, "second")
    await outbox.painted_note(painting, "1.1")
    assert ((await only(outbox)).text, (await only(outbox)).ts) == ("second", "1.1")


async def test_in_another_channel_it_is_a_new_message(outbox: StoredOutbox) -> None:
    await say(outbox, "Nobody can see")
    await post(outbox)
    await say(outbox, "Nobody can see", channel="C0NEW")
    note = await only(outbox)
    assert (note.channel, note.ts, note.tried) == ("C0NEW", "", False)
