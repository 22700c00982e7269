"""The standing notes of the approvers channel: one row a topic, edited as long as there is something to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import ChannelNote
from app.store.tables import channel_notes as notes
from app.store.upserts import insert_into, took_place

_NEW = {"ts": "", "version": 1, "painted": 0, "tried": False}


@dataclass(frozen=True, slots=True)
class Saying:
    """What a note is to say; an empty `text` ends it with the words `over`."""

    topic: str
    text: str
    over: str
    button: bool
    channel: str


async def put(connection: AsyncConnection, saying: Saying) -> None:
    """Begin, change or end a note. The same words again change nothing."""
    found = await connection.execute(select(notes).where(notes.c.topic == saying.topic).with_for_update())
    row = found.mappings().one_or_none()
    if saying.text and row is None:
        await _begin(connection, saying)
    elif saying.text and row is not None:
        await _change(connection, row, saying)
    elif row is not None and row["standing"]:
        await _end(connection, row, saying)


async def announce(connection: AsyncConnection, topic: str, text: str, channel: str) -> bool:
    """A note that never changes, and that readiness does not tell of; False when there is one under this topic."""
    row = {**_words(Saying(topic, text, over="", button=False, channel=channel)), **_NEW, "topic": topic}
    once = insert_into(connection, notes).on_conflict_do_nothing()
    return await took_place(connection, once.values(**row | {"standing": False}))


async def standing(connection: AsyncConnection) -> Sequence[str]:
    """The texts that stand right now."""
    wanted = select(notes.c.text).where(notes.c.standing).order_by(notes.c.topic)
    return (await connection.scalars(wanted)).all()


async def unpainted(connection: AsyncConnection) -> Sequence[ChannelNote]:
    """Notes that Slack does not show as they are."""
    wanted = select(notes).where(notes.c.painted < notes.c.version).order_by(notes.c.topic)
    return [_to_note(row) for row in (await connection.execute(wanted)).mappings()]


async def trying(connection: AsyncConnection, note: ChannelNote) -> None:
    """Its first post is about to be sent."""
    await connection.execute(update(notes).where(notes.c.topic == note.topic).values(tried=True))


async def painted(connection: AsyncConnection, note: ChannelNote, ts: str) -> bool:
    """Slack shows this version of it, in this channel. False: another process was quicker, and its message is it."""
    same_place = (notes.c.topic == note.topic, notes.c.channel == note.channel)
    shown = update(notes).where(*same_place, notes.c.ts.in_({"", note.ts, ts}))
    shown = shown.values(ts=ts, painted=note.version, tried=True)
    if await connection.scalar(shown.returning(notes.c.topic)) is not None:
        return True
    other = select(notes.c.ts).where(*same_place, notes.c.ts.not_in({"", ts}))
    return await connection.scalar(other) is None


async def _begin(connection: AsyncConnection, saying: Saying) -> None:
    row = {**_words(saying), **_NEW, "topic": saying.topic}
    await connection.execute(insert_into(connection, notes).on_conflict_do_nothing().values(**row))


async def _change(connection: AsyncConnection, row: RowMapping, saying: Saying) -> None:
    words = _words(saying)
    if all(row[name] == value for name, value in words.items()):
        return
    # A message cannot move: in another channel the note is a new one.
    moved = {"ts": "", "tried": False} if row["channel"] != saying.channel else {}
    await _edit(connection, row, {**words, **moved})


async def _end(connection: AsyncConnection, row: RowMapping, saying: Saying) -> None:
    if not row["ts"] and not row["tried"]:
        # Nobody ever saw it: there is nothing to take back.
        await connection.execute(delete(notes).where(notes.c.topic == saying.topic))
        return
    await _edit(connection, row, {"text": saying.over, "button": False, "standing": False})


async def _edit(connection: AsyncConnection, row: RowMapping, changes: dict[str, Any]) -> None:
    newer = {**changes, "version": row["version"] + 1}
    await connection.execute(update(notes).where(notes.c.topic == row["topic"]).values(**newer))


def _words(saying: Saying) -> dict[str, Any]:
    return {"text": saying.text, "button": saying.button, "channel": saying.channel, "standing": True}


def _to_note(row: RowMapping) -> ChannelNote:
    return ChannelNote(
        topic=row["topic"],
        text=row["text"],
        button=row["button"],
        channel=row["channel"],
        ts=row["ts"],
        version=row["version"],
        painted=row["painted"],
        tried=row["tried"],
    )
