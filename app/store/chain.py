"""The audit trail as arithmetic: how a row is sealed, and which is the first that is not as it was written.

Pure: it reads no database. Each row's HMAC includes the one before, so that without the key nobody can rewrite it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.domain.anchors import Anchor

_START = Anchor()


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


@dataclass(frozen=True, slots=True)
class Break:
    """The number of the first row that is not as it was written, and how one can tell, to be read after the number."""

    n: int
    why: str


def seal(row: AuditRow, key: bytes) -> str:
    """HMAC-SHA256, as hex, over everything in the row but its own MAC; the predecessor's MAC is part of it."""
    told = {
        "n": row.n,
        "at": row.at,
        "what": row.what,
        "kind": row.kind,
        "request_id": row.request_id,
        "who": row.who,
        "facts": row.facts,
        "prev_mac": row.prev_mac,
    }
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, canonical.encode(), "sha256").hex()


def verify(rows: Iterable[AuditRow], key: bytes, *, after: Anchor = _START) -> Break | None:
    """Where the chain breaks, or None when it holds.

    `rows` are consecutive and continue from `after`, by default from the very beginning.
    """
    last = after
    for row in rows:
        why = _fault(row, last, key)
        if why:
            return Break(last.n + 1, why)
        last = Anchor(row.n, row.mac)
    return None


def _fault(row: AuditRow, last: Anchor, key: bytes) -> str:
    try:
        return _misplaced(row, last) or _unsealed(row, last, key)
    except TypeError:  # SQLite keeps whatever somebody writes into a column
        return "holds something else than numbers and text"


def _misplaced(row: AuditRow, last: Anchor) -> str:
    if row.n > last.n + 1:
        return f"is missing: row {row.n} comes next"
    return f"is not there: a row {row.n} stands in its place" if row.n <= last.n else ""


def _unsealed(row: AuditRow, last: Anchor, key: bytes) -> str:
    if not hmac.compare_digest(seal(row, key), row.mac):
        first = "; is the last key of PIM_KEYS the one it began with?" if row.n == 1 else ""
        return f"was edited, moved, or sealed with another key{first}"
    if row.prev_mac != last.mac:
        return "continues another row than the one before it: the trail was forked, or rows were replaced"
    return ""


@dataclass(slots=True)
class Expected:
    """The rows that must be there because somebody wrote down their MAC: anchors, and the head of the trail itself."""

    macs: dict[int, set[str]] = field(default_factory=dict)

    def add(self, anchors: Iterable[Anchor]) -> None:
        """Two anchors that name one row differently cannot both be right: that row then counts as replaced."""
        for anchor in anchors:
            if anchor.n:
                self.macs.setdefault(anchor.n, set()).add(anchor.mac)

    def replaced(self, rows: Sequence[AuditRow]) -> Break | None:
        """The first of these rows that is another than it was when somebody wrote it down. Each is asked about once."""
        for row in rows:
            if self.macs.pop(row.n, {row.mac}) != {row.mac}:
                return Break(row.n, "is not the row that was anchored: the trail was rewritten from here or before")
        return None

    def missing(self, last: Anchor) -> Break | None:
        """The first row behind the last one, when somebody has seen one there."""
        if not self.macs:
            return None
        return Break(last.n + 1, f"is missing: the trail was cut off, it went on to row {max(self.macs)} at least")
