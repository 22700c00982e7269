"""Judging stored requests anew, with what was known when they were made. It writes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from app.domain.pattern import PAST_REQUESTS, Circumstances, circumstances_of
from app.domain.replay import Replayed
from app.domain.risk import Judgement, RiskPolicy, judge
from app.domain.row import RequestRow
from app.domain.ruling import Viewer
from app.ports import Query, RequestBook

_PAGE = 200  # rows at a time


async def judged_anew(book: RequestBook, row: RequestRow, policy: RiskPolicy) -> Judgement:
    """One request by these rules, with the circumstances that were stored, or else those that history shows."""
    if row.pattern is not None:
        around = Circumstances(row.policy, row.pattern, row.earlier, row.enabled)
    else:
        around = await _as_history_shows(book, row)
    return judge(row.request, policy, around)


async def replayed(book: RequestBook, policy: RiskPolicy, since: datetime) -> AsyncIterator[Replayed]:
    """Every request made since then, oldest first, with the circumstances that history shows for its moment."""
    cursor: str | None = ""
    while cursor is not None:
        page = await book.page(_EVERYTHING, Query(since=since, oldest_first=True, limit=_PAGE, after=cursor))
        for row in page.rows:
            yield Replayed(row, judge(row.request, policy, await _as_history_shows(book, row)))
        cursor = page.next or None


_EVERYTHING = Viewer(auditor=True)  # who can run a command of the bot can read its database


async def _as_history_shows(book: RequestBook, row: RequestRow) -> Circumstances:
    asked = row.request.created
    return circumstances_of(
        row.request, row.policy, await book.past(row.request.requestor.id, asked, PAST_REQUESTS), asked
    )
