"""The keys of the ring and what is encrypted with each: counting it, and putting all of it under the first key.

Safe beside a running bot: a token cache keeps its version here, so that a refresh under way wins. What does not open is
left as it is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from app.domain.errors import Tampered
from app.identity.keyring import Keyring, key_name
from app.identity.sign_in import cache_context
from app.identity.tokens import CACHE
from app.ports import SealedCache
from app.store.sealed import reread, reseal, sealed_caches, sealed_flows
from app.store.writer import Store

TRIES = 3  # for a row that a bot saves at the same moment


@dataclass(frozen=True, slots=True)
class Census:
    """What is stored under which key id. `pages`: sign-ins under way; `lost`: people whose session does not open."""

    ring: tuple[str, ...]
    sessions: Mapping[str, int]
    pages: Mapping[str, int]
    lost: Sequence[str]

    @property
    def missing(self) -> tuple[str, ...]:
        """Key ids that something stored names and the ring has not; an empty one is no sealed text at all."""
        return tuple(sorted({*self.sessions, *self.pages} - set(self.ring)))

    def warning(self) -> str:
        """One sentence for logs and readiness that names nobody, or an empty string."""
        if not self.lost:
            return ""
        whose = "one person's stored session" if len(self.lost) == 1 else f"{len(self.lost)} people's stored sessions"
        lacking = ", ".join(name for name in self.missing if name)
        why = f"PIM_KEYS lacks {lacking}, so " if lacking else ""
        return f"{why}{whose} cannot be opened: they must sign in again. `pim-approvals keys status` names them."


class Move(Enum):
    """What became of one token cache."""

    DONE = "moved"
    RIGHT = "under the first key already"
    BUSY = "saved by a bot with another first key, again and again"
    LOST = "does not open"


@dataclass(slots=True)
class Rotation:
    """How many token caches went which way, and whose do not open."""

    moves: Counter[Move] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


async def census(store: Store, keyring: Keyring, now: datetime) -> Census:
    """Count everything that is sealed, and try to open every session."""
    sessions: Counter[str] = Counter()
    lost: list[str] = []
    async for page in sealed_caches(store):
        for cache in page:
            sessions[key_name(cache.sealed)] += 1
            if _opened(keyring, cache) is None:
                lost.append(cache.link.person.label)
    pages = Counter(key_name(sealed) for sealed in await sealed_flows(store, now))
    return Census(keyring.names, sessions, pages, lost)


async def rotate(store: Store, keyring: Keyring) -> Rotation:
    """Encrypt every token cache with the first key, a page at a time. Run again, it finds nothing left to do."""
    rotation = Rotation()
    async for page in sealed_caches(store):
        moves = await asyncio.gather(*(_move(store, keyring, cache) for cache in page))
        rotation.moves.update(moves)
        whose = [cache.link.person.label for cache in page]
        rotation.lost += [name for name, move in zip(whose, moves, strict=True) if move is Move.LOST]
    return rotation


async def _move(store: Store, keyring: Keyring, cache: SealedCache) -> Move:
    current: SealedCache | None = cache
    for _ in range(TRIES):
        if current is None or key_name(current.sealed) == keyring.names[0]:
            return Move.RIGHT  # or gone: nothing of it is left under another key
        plain = _opened(keyring, current)
        if plain is None:
            return Move.LOST
        if await reseal(store, current, keyring.seal(CACHE, _context(current), plain)):
            return Move.DONE
        current = await reread(store, cache)
    return Move.BUSY


def _opened(keyring: Keyring, cache: SealedCache) -> str | None:
    try:
        return keyring.open(CACHE, _context(cache), cache.sealed)
    except Tampered:
        return None


def _context(cache: SealedCache) -> str:
    return cache_context(cache.link, cache.version)
