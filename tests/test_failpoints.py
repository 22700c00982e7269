"""Every step from listing to card and from click to painted card has a kill test, or a reason why it has none."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest
from soak.kills import ELSEWHERE, MATRIX, WITHDRAWALS, steps

from app.main.failpoints import Failpoint, failpoint

KILLED = {kill.call for kill in (*MATRIX, *WITHDRAWALS)}


def test_every_step_is_killed_at_or_says_why_not() -> None:
    assert steps() - KILLED - ELSEWHERE.keys() == set()


def test_nothing_is_killed_or_excused_that_is_no_step() -> None:
    assert (KILLED | ELSEWHERE.keys()) - steps() == set()
    assert KILLED & ELSEWHERE.keys() == set()


class Room:
    """Something with calls."""

    name = "a room"

    def __init__(self) -> None:
        self.done: list[str] = []

    async def claim(self) -> str:
        self.done.append("claim")
        return "claimed"

    async def call(self, method: str) -> str:
        return method


@pytest.mark.parametrize("words", ["", "after desk.decide"])
def test_a_room_without_this_failpoint_is_left_as_it_is(words: str) -> None:
    room = Room()
    assert failpoint(words).of("book", room) is room
    assert failpoint("") == Failpoint("", "", "")


async def test_other_calls_of_an_armed_room_go_through() -> None:
    room = failpoint("after book.settle").of("book", Room())
    assert (await room.claim(), await room.call("chat_update"), room.name) == ("claimed", "chat_update", "a room")


DYING = """
import asyncio
from test_failpoints import Room
from app.main.failpoints import failpoint
room = Room()
async def run(words, call, *arguments):
    await getattr(failpoint(words).of("book", room), call)(*arguments)
try:
    asyncio.run(run({words}))
finally:
    print("survived")
"""


@pytest.mark.parametrize("words", ['"before book.claim", "claim"', '"after book.chat_update", "call", "chat_update"'])
async def test_the_process_dies_there_and_cleans_nothing_up(words: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        DYING.format(words=words),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    said, _ = await child.communicate()
    assert (child.returncode, said) == (-signal.SIGKILL, b"")
