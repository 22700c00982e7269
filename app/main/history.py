"""Wiring of what reads the past: Microsoft's ended requests and its audit log, into the book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime

from app.domain.risk import RiskPolicy
from app.identity.keyring import Keyring
from app.main.rooms import Memory, MicrosoftSide, open_memory, open_microsoft, utc_now
from app.settings import Settings
from app.watcher.backfilling import Backfilling, Report


def make_backfilling(memory: Memory, microsoft: MicrosoftSide, risk: RiskPolicy) -> Backfilling:
    """The use case on open rooms."""
    return Backfilling(
        desks=tuple(microsoft.desks.values()),
        chronicle=microsoft.chronicle,
        book=memory.book,
        sights=memory.sights,
        tokens=microsoft.tokens,
        clock=utc_now,
        risk=risk,
    )


async def backfill(settings: Settings, since: datetime, tell: Callable[[str, int, int], None]) -> Sequence[Report]:
    """Read what Microsoft still keeps, beside a running bot or without one. Slack is not asked for anything."""
    async with AsyncExitStack() as stack:
        keyring = Keyring.parse(settings.keys.get_secret_value())
        memory = await open_memory(settings, keyring, stack)
        microsoft = await open_microsoft(settings, keyring, memory, "", stack)
        return await make_backfilling(memory, microsoft, settings.policy().risk).run(since, tell)
