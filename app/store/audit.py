"""The audit trail: rows that are only ever appended, each sealed by an HMAC that includes the one before.

Without the key nobody can rewrite it: editing, deleting or reordering breaks the chain at a row that can be named. A
cut-off tail is found by comparing with anchors kept elsewhere. It judges nothing and never changes a row.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.request import RequestKey
from app.store.columns import storable
from app.store.tables import audit, audit_head
from app.store.writer import Store

PAGE = 1000  # rows read at a time while verifying


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written down: what happened, to which request if to one, by whom, and the facts.

    `who` is an object id, empty for nobody, or `os:` with the name of an operator at the command line.
    """

    at: datetime
    what: str
    key: RequestKey | None
    who: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the chain at some moment: the number and MAC of its last row. Zero and empty before the first."""

    n: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row as stored, letter by letter. `at` is ISO 8601 in UTC, `facts` is a JSON object."""

    n: int
    at: str
    what: str
    kind: str
    request_id: str
    who: str
    facts: str
    prev_mac: str
    mac: str = ""


class AuditTrail:
    """Appends within somebody's transaction; reads and verifies in its own."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key

    async def append(self, connection: AsyncConnection, entry: Entry) -> None:
        """Add a row in the caller's transaction: it is there if and only if what it tells of is.

        The head row stays locked until the commit, so that two writers cannot both continue from the same row. Call it
        last in a transaction: locks are then always taken in the same order, requests first.
        """
        head = (await connection.execute(select(audit_head).with_for_update())).mappings().one()
        row = _write_out(entry, Anchor(int(head["n"]), head["mac"]))
        row = replace(row, mac=seal(row, self._key))
        await connection.execute(insert(audit).values(asdict(row)))
        await connection.execute(update(audit_head).values(n=row.n, mac=row.mac))

    def witness(self, facts: Mapping[str, str]) -> str:
        """HMAC-SHA256, as hex, of something else that only the bot may have written. It fits no row of the chain."""
        canonical = json.dumps(["witness", sorted(facts.items())])
        return hmac.new(self._key, canonical.encode(), hashlib.sha256).hexdigest()

    async def head(self) -> Anchor:
        """Where the chain ends right now: the anchor to keep somewhere else."""
        found = await self._store.read(lambda connection: connection.execute(select(audit_head)))
        head = found.mappings().one()
        return Anchor(int(head["n"]), head["mac"])

    async def rows(self, after: int, limit: int) -> Sequence[AuditRow]:
        """The next rows after number `after`, in order."""
        wanted = select(audit).where(audit.c.n > after).order_by(audit.c.n).limit(limit)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return [AuditRow(**row) for row in found.mappings()]

    async def verify(self, anchors: Iterable[Anchor] = ()) -> int | None:
        """The number of the first bad or missing row, or None. Anchors kept elsewhere also find a cut-off tail."""
        # The head is read first: rows appended while we read lie behind it and do no harm.
        expected = {anchor.n: anchor.mac for anchor in (*anchors, await self.head()) if anchor.n}
        last = Anchor()
        while rows := await self.rows(last.n, PAGE):
            broken = verify(rows, self._key, after=last)
            moved = [row.n for row in rows if expected.pop(row.n, row.mac) != row.mac]
            if broken is not None or moved:
                return min(moved if broken is None else [broken, *moved])
            last = Anchor(rows[-1].n, rows[-1].mac)
        return last.n + 1 if expected else None


_START = Anchor()


def verify(rows: Iterable[AuditRow], key: bytes, *, after: Anchor = _START) -> int | None:
    """The number at which the chain breaks (a row edited, missing or out of order), or None when it holds.

    `rows` are consecutive and continue from `after`, by default from the very beginning.
    """
    last = after
    for row in rows:
        intact = hmac.compare_digest(seal(row, key), row.mac)
        if row.n != last.n + 1 or row.prev_mac != last.mac or not intact:
            return last.n + 1
        last = Anchor(row.n, row.mac)
    return None


def seal(row: AuditRow, key: bytes) -> str:
    """HMAC-SHA256, as hex, over everything in the row but its own MAC; the predecessor's MAC is part of it."""
    told = asdict(row)
    del told["mac"]
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def _write_out(entry: Entry, head: Anchor) -> AuditRow:
    return AuditRow(
        n=head.n + 1,
        at=entry.at.astimezone(UTC).isoformat(),
        what=storable(entry.what),
        kind=storable(entry.key.kind) if entry.key is not None else "",
        request_id=storable(entry.key.id) if entry.key is not None else "",
        who=storable(entry.who),
        facts=json.dumps(dict(entry.facts), sort_keys=True),
        prev_mac=head.mac,
    )
