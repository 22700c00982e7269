"""Stands before the emulated Microsoft, sees every decision that arrives, and knows what must never be seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.world import World

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SERVER_ERROR = 500


@dataclass
class Watch:
    """What is known of the decisions on one request: those under way, and whether the last one's fate is unknown."""

    under_way: int = 0
    unknown: bool = False


@dataclass
class Witness:
    """`accepted`: request, approver and verdict of every decision that counted; `violations`: what must never be.

    `over`: requests that have ended without us; `sent`: how many decisions arrived; `taken` is called when one counts.
    """

    app: ASGIApp
    world: World
    accepted: list[tuple[str, str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    sent: int = 0
    taken: Callable[[], object] = lambda: None
    _watches: dict[str, Watch] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = next(self._about(scope["path"]), "")
        watch = self._watches.setdefault(request, Watch())
        if request and scope["method"] == "GET":
            watch.unknown = False  # somebody looked
        if not request or scope["method"] not in ("PATCH", "PUT"):
            await self.app(scope, receive, send)
            return
        await self._decision(request, watch, (scope, receive, send))

    def forget(self) -> None:
        """The process is gone, and whatever it had under way."""
        for watch in self._watches.values():
            watch.under_way = 0

    async def _decision(self, request: str, watch: Watch, call: tuple[Scope, Receive, Send]) -> None:
        self.sent += 1
        self._judge(request, watch)
        scope, receive, send = call
        status: list[int] = []

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        before = self.world.requests[request].review
        watch.under_way += 1
        watch.unknown = True
        try:
            await self.app(scope, receive, note)
            watch.unknown = not status or status[0] >= SERVER_ERROR
        finally:
            watch.under_way -= 1
            review = self.world.requests[request].review
            if before is None and review is not None:
                self.accepted.append((request, review.by, review.verdict))
                self.taken()

    def _judge(self, request: str, watch: Watch) -> None:
        if watch.under_way:
            self.violations.append(f"{request}: a second decision was sent while one is under way")
        elif watch.unknown:
            self.violations.append(f"{request}: a decision was sent though nobody looked what became of the one before")
        if any(request == accepted for accepted, _, _ in self.accepted):
            self.violations.append(f"{request}: a decision was sent though one of ours had counted")
        if request in self.over:
            self.violations.append(f"{request}: a decision was sent on what had ended before anybody submitted it")

    def _about(self, path: str) -> Iterator[str]:
        if "/steps" in path or "/stages" in path or "Approvals/" in path:
            yield from (self.world.approvals[id_] for id_ in GUID.findall(path) if id_ in self.world.approvals)
