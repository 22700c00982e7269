"""Who and what stands behind an id in Entra: people, members of groups, managers, privileged roles. Reads only.

It asks with whichever token may, the bot's own first, and remembers answers and refusals alike for a while. What
nobody's token may read is None, never a guess.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from app.domain.errors import BotError, GraphRefused, RequestGone, SignInRequired
from app.domain.request import Person
from app.graph.client import Gate
from app.graph.shapes import parse_person
from app.graph.wire import flag, guid, items, listed, part, text
from app.ports import Clock, TokenSource

USERS = "/v1.0/users"
GROUPS = "/v1.0/groups"
ROLES = "/beta/roleManagement/directory/roleDefinitions"  # v1.0 does not know isPrivileged
NAMES = {"$select": "id,displayName,userPrincipalName,mail"}
ACCOUNT = {"$select": "id,accountEnabled"}
MOST_READERS = 4  # tokens tried for one question: permissions belong to the registration, so others fare alike
MOST_LEVELS = 4  # of managers above a manager
LASTS = timedelta(minutes=10)
ROLES_LAST = timedelta(hours=1)
MOST = 5_000  # answers; then the memory starts anew
T = TypeVar("T")
Readers = Callable[[], Awaitable[Sequence[TokenSource]]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    value: object
    until: datetime


class Directory:
    """Questions about Entra that are nobody's in particular."""

    def __init__(self, gate: Gate, readers: Readers, clock: Clock) -> None:
        """`gate`: the way to Microsoft Graph; `readers`: Graph tokens that may be used, the likeliest first."""
        self._gate = gate
        self._readers = readers
        self._clock = clock
        self._known: dict[tuple[str, str], _Answer] = {}

    async def person(self, oid: str) -> Person | None:
        """A user's names."""

        async def ask(token: TokenSource) -> Person | None:
            try:
                return parse_person(await self._gate.get(f"{USERS}/{guid(oid)}", token, NAMES), oid)
            except RequestGone:  # deleted, or not a user
                return None

        return await self._remembered(("person", oid), LASTS, ask)

    async def enabled(self, oid: str) -> bool | None:
        """Whether a user may sign in at all; it takes User.Read.All, so where names may be read this may not."""

        async def ask(token: TokenSource) -> bool | None:
            try:
                return flag((await self._gate.get(f"{USERS}/{guid(oid)}", token, ACCOUNT)).get("accountEnabled"))
            except RequestGone:
                return None

        return await self._remembered(("enabled", oid), LASTS, ask)

    async def members(self, group: str) -> tuple[Person, ...] | None:
        """Every user in a group, groups within it included; () is a group without any."""

        async def ask(token: TokenSource) -> tuple[Person, ...]:
            path = f"{GROUPS}/{guid(group)}/transitiveMembers/microsoft.graph.user"
            pages = [page async for page in self._gate.pages(path, token, NAMES)]
            return tuple(_user(row) for page in pages for row in listed(page.get("value")))

        return await self._remembered(("members", group), LASTS, ask)

    async def manager(self, oid: str, level: int = 1) -> tuple[Person, ...] | None:
        """Whoever stands `level` steps above a user; () when nobody does."""
        above = oid
        for _ in range(min(max(level, 1), MOST_LEVELS)):
            found = await self._manager(above)
            if not found:
                return found
            above = found[0].id
        return found

    async def privileged(self) -> Mapping[str, bool]:
        """Which directory roles Microsoft calls privileged, by role id; empty when nobody may read that."""

        async def ask(token: TokenSource) -> Mapping[str, bool]:
            query = {"$select": "id,templateId,displayName,isPrivileged,isBuiltIn"}
            pages = [page async for page in self._gate.pages(ROLES, token, query)]
            rows = (part(row) for page in pages for row in items(page.get("value")))
            flags = ((text(row.get("id")).lower(), flag(row.get("isPrivileged"))) for row in rows)
            return {id_: privileged for id_, privileged in flags if privileged is not None}

        return await self._remembered(("privileged", ""), ROLES_LAST, ask) or {}

    async def _manager(self, oid: str) -> tuple[Person, ...] | None:
        async def ask(token: TokenSource) -> tuple[Person, ...]:
            try:
                return (_user(await self._gate.get(f"{USERS}/{guid(oid)}/manager", token, NAMES)),)
            except RequestGone:
                return ()

        return await self._remembered(("manager", oid), LASTS, ask)

    async def _remembered(
        self, key: tuple[str, str], lasts: timedelta, ask: Callable[[TokenSource], Awaitable[T | None]]
    ) -> T | None:
        """The first answer. A refusal is remembered too, but an outage is asked again at the next occasion."""
        now = self._clock()
        known = self._known.get(key)
        if known is not None and now < known.until:
            return known.value  # type: ignore[return-value] # each key is only ever asked in one way
        try:
            value = await self._first(ask)
        except BotError as outage:
            log.info("The directory cannot be read right now: %s", outage)
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = _Answer(value, now + lasts)
        return value

    async def _first(self, ask: Callable[[TokenSource], Awaitable[T | None]]) -> T | None:
        """None when each was refused; raises when one of them could not be asked."""
        outage: BotError | None = None
        for token in (await self._readers())[:MOST_READERS]:
            try:
                return await ask(token)
            except (GraphRefused, SignInRequired) as refusal:
                log.info("One of the readers may not read the directory: %s", refusal)
            except BotError as failure:
                outage = failure
        if outage is not None:
            raise outage
        return None


def _user(row: object) -> Person:
    return parse_person(part(row), guid(part(row).get("id")))
