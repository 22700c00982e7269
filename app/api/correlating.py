"""A name for every request, before anybody looks at it, so that its log lines can be found together."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.ports import correlated


class Correlating:
    """An ASGI application around another one. The name is ours: what a caller sends could be anything."""

    def __init__(self, inner: ASGIApp, new_name: Callable[[], str]) -> None:
        """`new_name`: unique, and no secret."""
        self._inner = inner
        self._new_name = new_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on everything as it is."""
        with correlated(self._new_name()):
            await self._inner(scope, receive, send)
