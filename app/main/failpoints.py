"""Named moments at which a test ends this process as a power cut would. In production nothing here is ever in the way.

A failpoint is a call of a port and a side of it: `before book.claim`, `after slack.chat_update`. Since it is the calls
themselves that have names, no step between a click and its card can come into being without one.
"""

from __future__ import annotations

import inspect
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Where the process ends, or is only stopped until somebody continues it: on which side of which call."""

    side: str
    port: str
    call: str
    blow: signal.Signals = signal.SIGKILL

    def of(self, port: str, room: T) -> T:
        """The room itself, unless one of its calls is this failpoint."""
        return cast("T", _Armed(room, self)) if port == self.port else room


def failpoint(words: str) -> Failpoint:
    """`after book.claim` or `stop after book.claim`, as the settings have checked it; no words are nowhere."""
    *stop, side, name = words.split() or ("", "")
    port, _, call = name.partition(".")
    return Failpoint(side, port, call, signal.SIGSTOP if stop else signal.SIGKILL)


class _Armed:
    """Stands before a room and hands on every call but the one."""

    def __init__(self, room: object, failpoint: Failpoint) -> None:
        self._room = room
        self._failpoint = failpoint

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the room has
        found = getattr(self._room, name)
        return self._deadly(name, found) if inspect.iscoroutinefunction(found) else found

    def _strike(self) -> None:
        """Nothing is closed, flushed or told."""
        os.kill(os.getpid(), self._failpoint.blow)

    def _deadly(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: object, **named: object) -> object:
            # Slack's methods go through one call, and its first argument is their name.
            step = str(arguments[0]) if name == "call" else name
            here = step == self._failpoint.call
            if here and self._failpoint.side == "before":
                self._strike()
            answer = await real(*arguments, **named)
            if here and self._failpoint.side == "after":
                self._strike()
            return answer

        return call
