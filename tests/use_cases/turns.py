"""A stage manager for interleavings: everybody stops at every step into the outer world, and one at a time goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar

from fakes import FakeDesk, ProcessKilled

_actor: ContextVar[str] = ContextVar("actor", default="")


class Turns:
    """Actors stop in `wait`; `play` lets them go on one by one, in the order that `choose` picks."""

    def __init__(self) -> None:
        self._stopped: list[tuple[str, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    async def wait(self, _: str = "") -> None:
        """Stop until it is this actor's turn. Who is no actor walks through."""
        if not _actor.get():
            return
        future = asyncio.get_running_loop().create_future()
        self._stopped.append((_actor.get(), future))
        self._changed.set()
        await future

    async def play(
        self, actors: dict[str, Callable[[], Awaitable[object]]], choices: Iterable[int], deadly: frozenset[int]
    ) -> None:
        """Everybody to the end. At the turns in `deadly` the process dies for the actor whose turn it is."""
        tasks = {name: asyncio.create_task(self._act(name, act)) for name, act in actors.items()}
        picks = iter(choices)
        turn = 0
        while await self._everybody_stopped(tasks):
            _, future = self._stopped.pop(next(picks, 0) % len(self._stopped))
            if turn in deadly:
                future.set_exception(ProcessKilled())
            else:
                future.set_result(None)
            turn += 1
        for task in tasks.values():
            error = task.exception()
            assert error is None or isinstance(error, ProcessKilled), error

    async def _act(self, name: str, act: Callable[[], Awaitable[object]]) -> None:
        _actor.set(name)
        try:
            await act()
        finally:
            self._changed.set()

    async def _everybody_stopped(self, tasks: dict[str, asyncio.Task[None]]) -> bool:
        """Wait until whoever is not at the end stands still; False when all are at the end."""
        while True:
            running = {name for name, task in tasks.items() if not task.done()}
            if not running:
                return False
            if running <= {name for name, _ in self._stopped}:
                return True
            self._changed.clear()
            await asyncio.wait(
                [asyncio.ensure_future(self._changed.wait()), *(tasks[name] for name in running)],
                return_when=asyncio.FIRST_COMPLETED,
            )


class LateAnswer:
    """A decision that Microsoft has taken, while its answer is still on the way."""

    def __init__(self, desk: FakeDesk, decide: Callable[[], Coroutine[object, object, object]]) -> None:
        self._desk = desk
        self._decide = decide
        self._task: asyncio.Task[object] | None = None
        self._taken = asyncio.Event()
        self._answered = asyncio.Event()

    async def begin(self) -> None:
        """Returns when Microsoft has taken it."""
        if self._task is None:
            self._desk.turn = self._hold
            self._task = asyncio.create_task(self._decide())
        await self._taken.wait()

    async def end(self) -> object:
        """The answer arrives; what the decider was told."""
        assert self._task is not None
        self._answered.set()
        return await self._task

    async def _hold(self, method: str) -> None:
        if method == "answer":
            self._taken.set()
            await self._answered.wait()
