"""Finding somebody whose token may read a thing. It stops at the first who may: many sign-ins cost no more than one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from app.domain.errors import BotError, RequestGone
from app.domain.lifecycle import Nothing
from app.domain.request import Kind
from app.ports import Clock, Desk, Reader, Tokens, TokenSource

MOST = 4  # who are asked about one thing in one go
THE_BOT = frozenset({""})  # its own token has no object id
ASKED_AGAIN = timedelta(minutes=10)  # a permission that was missing is not asked for again before
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Readers:
    """Everybody whose token may be tried."""

    tokens: Tokens
    clock: Clock
    _refused: dict[tuple[Kind, str, str], datetime] = field(init=False, default_factory=dict)

    async def ask(
        self,
        desk: Desk,
        what: str,
        ask: Callable[[TokenSource], Awaitable[T]],
        *,
        first: frozenset[str] = frozenset(),
        useful: Callable[[T], bool] = lambda _: True,
    ) -> T | Nothing:
        """The first useful answer, asking those with the ids `first` before others.

        `what` names the sort of question: who was refused it lately is asked last. An outage is raised: ask later.
        """
        outage: BotError | None = None
        for reader in await self._likeliest(desk, what, first):
            try:
                answer = await ask(reader.token)
            except RequestGone:
                return Nothing.GONE
            except BotError as failure:
                log.info("%s cannot read the %s of a %s request: %s", reader.who or "The bot", what, desk.kind, failure)
                outage = failure if failure.retryable else outage
                if failure.retryable:
                    continue
            else:
                if useful(answer):
                    return answer
            self._refused[desk.kind, what, reader.who] = self.clock()
        if outage is not None:
            raise outage
        return Nothing.UNREADABLE

    async def everybody(self, first: frozenset[str] = frozenset()) -> Sequence[Reader]:
        """Whose Graph tokens may be tried, those with the ids `first` before others."""
        return sorted(await self.tokens.readers(), key=lambda reader: reader.who not in first)

    async def _likeliest(self, desk: Desk, what: str, first: frozenset[str]) -> Sequence[Reader]:
        readers = await self.tokens.readers(desk.resource)
        ordered = sorted(readers, key=lambda reader: (reader.who not in first, self._lately(desk, what, reader)))
        own = [reader for reader in ordered[MOST:] if not reader.who]  # the bot itself is never left out
        return [*ordered[:MOST], *own]

    def _lately(self, desk: Desk, what: str, reader: Reader) -> bool:
        at = self._refused.get((desk.kind, what, reader.who))
        return at is not None and self.clock() - at < ASKED_AGAIN
