"""The audit trail: rows that are only ever appended, each sealed by an HMAC that includes the one before.

Without the key nobody can rewrite it: editing, deleting or reordering breaks the chain at a row that can be named. A
cut-off tail is found by comparing with anchors kept elsewhere. It judges nothing and never changes a row.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.anchors import Anchor
from app.domain.request import RequestKey
from app.store.chain import AuditRow, Break, Expected, seal, verify
from app.store.columns import storable
from app.store.tables import audit, audit_head
from app.store.writer import Store

PAGE = 1000  # rows read at a time while verifying
_BEFORE_ALL = -(2**63)  # numbers begin with one, unless somebody else wrote them
_COLUMNS = [audit.c[one.name] for one in fields(AuditRow)]
_PUT_BACK = "lies behind what the database calls the trail's end: that was put back, and the next row would fork it"


def _silent(_done: int, _of: int) -> None:
    """Nobody listens."""


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
        head = found.mappings().one_or_none()
        return Anchor(int(head["n"]), head["mac"]) if head is not None else Anchor()

    async def rows(self, after: int, limit: int) -> Sequence[AuditRow]:
        """The next rows after number `after`, in order."""
        wanted = select(*_COLUMNS).where(audit.c.n > after).order_by(audit.c.n).limit(limit)
        found = await self._store.read(lambda connection: connection.execute(wanted))
        return [AuditRow(*row) for row in found]

    async def verify(self, anchors: Iterable[Anchor] = (), tell: Callable[[int, int], None] = _silent) -> Break | None:
        """The first row that is not as it was written, or None. Anchors kept elsewhere also find a cut-off tail.

        `tell` hears how many rows are verified, of how many. The bot may go on writing meanwhile.
        """
        # The head is read first: rows appended while we read lie behind it and do no harm.
        head, expected, last, after = await self.head(), Expected(), Anchor(), _BEFORE_ALL
        expected.add((*anchors, head))
        while rows := await self.rows(after, PAGE):
            broken = [one for one in (verify(rows, self._key, after=last), expected.replaced(rows)) if one is not None]
            if broken:
                return min(broken, key=lambda one: one.n)
            last = Anchor(rows[-1].n, rows[-1].mac)
            after = last.n
            tell(last.n, max(last.n, head.n))
        return expected.missing(last) or await self._beyond(last)

    async def _beyond(self, last: Anchor) -> Break | None:
        """A head is written with its row: one that stands before a row which we have read was put back."""
        head = await self.head()
        return Break(head.n + 1, _PUT_BACK) if head.n < last.n else None


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
