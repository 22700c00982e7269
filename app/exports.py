"""History as a file: page by page to whoever writes it, or bounded and as a whole to one person's Slack.

Every row passes `may_see`. Nothing is ever written to memory here but the audit row that says who took what. No more
than one page of rows is held, but for the file on its way to Slack.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from app.domain.export import Form, csv_head, csv_lines, facts_of, json_lines, moment
from app.domain.request import Kind
from app.domain.row import RequestRow
from app.domain.ruling import Viewer
from app.ports import Clock, Coverage, Files, Gap, Ledger, Query, RequestBook, Sights

PAGE_ROWS = 500
MOST_ROWS = 10_000  # in a file for Slack; the command line has no limit
FORMAT = 1  # of the JSON lines; a column more does not change it
_DESKS = {Kind.ENTRA: "Entra roles", Kind.AZURE: "Azure roles", Kind.GROUP: "Groups"}


@dataclass(frozen=True, slots=True)
class Piece:
    """The next part of a file, and how many requests it tells of."""

    text: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file went out: how many rows, `cut` where more fitted the search, and since when history is complete."""

    rows: int
    cut: bool
    coverage: Sequence[Coverage]


@dataclass(frozen=True, slots=True)
class Busy:
    """An earlier file of the same person is still on its way."""


@dataclass(kw_only=True, slots=True)
class Exports:
    """Writes history out."""

    book: RequestBook
    ledger: Ledger
    sights: Sights
    clock: Clock
    page_rows: int = PAGE_ROWS
    most_rows: int = MOST_ROWS
    _under_way: set[str] = field(init=False, default_factory=set)

    async def coverage(self) -> Sequence[Coverage]:
        """Since when every desk was seen whole, and the gaps."""
        return await self.sights.coverage()

    async def write_down(self, who: str, query: Query, rows: int, form: Form, to: str) -> None:
        """Into the audit trail, before anything leaves. `rows`: how many requests are about to; `to`: where."""
        facts = {"form": form.value, "rows": str(rows), "to": to, **_narrowed(query)}
        await self.ledger.exported(who, facts, self.clock())

    async def pieces(self, viewer: Viewer, query: Query, form: Form) -> AsyncIterator[Piece]:
        """The whole file, one page of rows after the other; the first piece has no rows.

        A request that is asked or decided meanwhile is in it as its page found it, and never twice.
        """
        yield Piece(await self._head(query, form))
        asked = replace(query, limit=self.page_rows, after="")
        while True:
            page = await self.book.page(viewer, asked)
            if page.rows:
                yield Piece(await self._lines(page.rows, form), len(page.rows))
            if not page.next:
                return
            asked = replace(asked, after=page.next)

    async def deliver(self, files: Files, user: str, viewer: Viewer, query: Query) -> Delivered | Busy:
        """A CSV of the newest that this person may see, `most_rows` in whole pages at most, into their messages.

        Unavailable and SlackFailed when Slack did not take it, though the audit trail then tells of it. One file at a
        time for each person.
        """
        if user in self._under_way:
            return Busy()
        self._under_way.add(user)
        try:
            content, rows, cut = await self._bounded(viewer, query)
            told = Delivered(rows, cut, await self.coverage())
            await self.write_down(viewer.oid or "", query, rows, Form.CSV, user)
            name = f"pim-history-{self.clock():%Y-%m-%d-%H%M}.csv"
            await files.deliver(user, name, content, " ".join(delivered_lines(told)))
            return told
        finally:
            self._under_way.discard(user)

    async def _bounded(self, viewer: Viewer, query: Query) -> tuple[bytes, int, bool]:
        parts: list[str] = []
        rows = 0
        async for piece in self.pieces(viewer, query, Form.CSV):
            if rows + piece.rows > self.most_rows:
                return "".join(parts).encode(), rows, True
            parts.append(piece.text)
            rows += piece.rows
        return "".join(parts).encode(), rows, False

    async def _head(self, query: Query, form: Form) -> str:
        if form is Form.CSV:
            return csv_head()
        covered = [_covered(desk) for desk in await self.coverage()]
        span = {"since": moment(query.since), "until": moment(query.until)}
        return json_lines([{"export": "history", "format": FORMAT, **span, "coverage": covered}])

    async def _lines(self, rows: Sequence[RequestRow], form: Form) -> str:
        answers = await self.ledger.answers([row.key for row in rows])
        facts = [facts_of(row, answers.get(row.key, "")) for row in rows]
        return csv_lines(facts) if form is Form.CSV else json_lines(facts)


def delivered_lines(told: Delivered) -> list[str]:
    """What is said beside a file: how much it holds, whether it was cut, and what it cannot hold."""
    rows = "1 request" if told.rows == 1 else f"{told.rows} requests"
    cut = f"More fit: these are the newest {told.rows}. Narrow the time, or ask an operator for the whole."
    return [f"History you may see, {rows}.", *([cut] if told.cut else []), *coverage_lines(told.coverage)]


def coverage_lines(coverage: Sequence[Coverage]) -> list[str]:
    """Since when history is complete, a sentence for each desk, with every gap."""
    if not coverage:
        return ["No desk has been seen whole yet, so nothing is known to be complete."]
    return [_coverage_line(desk) for desk in coverage]


def _coverage_line(desk: Coverage) -> str:
    gaps = ", ".join(f"{_minute(gap.began)} to {_minute(gap.ended)}" for gap in desk.gaps)
    but = f", but not from {gaps}" if gaps else ""
    return f"{_DESKS[desk.kind]}: complete since {_minute(desk.since)}{but}."


def _narrowed(query: Query) -> dict[str, str]:
    """What the file was narrowed to, as the audit trail tells it; nothing of how its pages are read."""
    words = {
        "status": " ".join(sorted(query.statuses)),
        "desk": " ".join(sorted(query.kinds)),
        "requestor": query.requestor,
        "requestor_slack": query.requestor_slack,
        "decided_by": query.decided_by,
        "role": query.role,
        "since": moment(query.since) or "",
        "until": moment(query.until) or "",
        "decidable": "yes" if query.decidable else "",
    }
    return {name: word for name, word in words.items() if word}


def _covered(desk: Coverage) -> dict[str, object]:
    return {
        "desk": desk.kind.value,
        "complete_since": moment(desk.since),
        "gaps": [_gap(gap) for gap in desk.gaps],
    }


def _gap(gap: Gap) -> dict[str, str | None]:
    return {"from": moment(gap.began), "until": moment(gap.ended)}


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
