"""PIM's rows of Entra's audit log, as small values. It lists them; what they change is somebody else's business.

Facts: rows come minutes late and are kept for about 30 days; the reporting service takes five calls in ten seconds, so
it gets a gate of its own, with these `MANNERS`. Names of events are documented for Entra roles only, and groups and
Azure may write others: they are told by their significant words. Lists within a row have no order.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from app.domain.chronicle import Event, What
from app.domain.errors import Malformed
from app.domain.request import Person
from app.graph.client import Gate, Manners
from app.graph.wire import Json, guid, items, listed, moment, part, text
from app.ports import TokenSource

AUDITS = "/v1.0/auditLogs/directoryAudits"
MANNERS = Manners(pace=2.0, patience=120.0)  # seconds
MOST_PAGES = 5_000  # of a hundred rows: a busy tenant's month
# The first that fits counts. Whatever fits none of them is about eligibility, settings or alerts.
_EVENTS: tuple[tuple[re.Pattern[str], What], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"remove member .*\(PIM activation expired\)", What.ENDED),
        (r"remove member .*completed", What.DEACTIVATED),
        (r"PIM activation request expired", What.TIMED_OUT),
        (r".*\bapproved\b.*\((PIM activation|extend/renew)\)", What.APPROVED),
        (r".*\bdenied\b.*\((PIM activation|extend/renew)\)", What.DENIED),
        (r".*\bcancell?ed \(PIM activation\)|cancel request", What.WITHDRAWN),
        (r"add member .*completed \(PIM activation\)", What.ACTIVATED),
        (r"add member .*(?<!approval) requested \(PIM activation\)", What.ASKED),
    )
)
_DECISIONS = (What.APPROVED, What.DENIED)


class DirectoryAudits:
    """The Chronicle that Microsoft Graph keeps."""

    def __init__(self, gate: Gate) -> None:
        """`gate`: a way to Microsoft Graph with these `MANNERS`."""
        self._gate = gate

    async def since(self, since: datetime, token: TokenSource) -> AsyncIterator[Sequence[Event]]:
        """What happened since then, page by page as Microsoft gives it, the newest first."""
        begin = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"$filter": f"loggedByService eq 'PIM' and activityDateTime ge {begin}", "$top": "100"}
        async for page in self._gate.pages(AUDITS, token, query, MOST_PAGES):
            yield parse_events(listed(page.get("value")))


def parse_events(rows: Iterable[object]) -> tuple[Event, ...]:
    """The rows that are about a request; any other, and any that cannot be read, tells nothing."""
    return tuple(event for row in rows if (event := parse_event(part(row))) is not None)


def parse_event(row: Json) -> Event | None:
    """One `directoryAudit`; None when it says nothing about a request, or that the deed failed."""
    what = _what(text(row.get("activityDisplayName")).strip())
    at, request_id = moment(row.get("activityDateTime")), _request_id(row)
    if what is None or at is None or not request_id:
        return None
    if text(row.get("result")).casefold() == "failure" and what not in (What.DENIED, What.TIMED_OUT):
        return None
    comment = text(row.get("resultReason")).strip() if what in _DECISIONS else ""
    return Event(request_id, what, at, _by(row, what), comment)


def _what(activity: str) -> What | None:
    return next((what for pattern, what in _EVENTS if pattern.match(activity)), None)


def _request_id(row: Json) -> str:
    """The detail RequestId, else the target of type Request, else what the rows of one request have in common."""
    targets = _targets(row)
    for found in (_details(row).get("requestid"), targets.get("request", {}).get("id"), row.get("correlationId")):
        try:
            return guid(found)
        except Malformed:
            continue
    return ""


def _by(row: Json, what: What) -> Person | None:
    """Whoever started it; of an Azure decision also the target of type User, since the requestor is Other there."""
    user = part(part(row.get("initiatedBy")).get("user"))
    azure = text(row.get("category")).casefold() == "resourcemanagement"
    if not user.get("id") and azure and what in _DECISIONS:
        user = _targets(row).get("user", {})
    try:
        oid = guid(user.get("id"))
    except Malformed:
        return None
    return Person(oid, text(user.get("displayName")), text(user.get("userPrincipalName")))


def _details(row: Json) -> Mapping[str, object]:
    details = (part(each) for each in items(row.get("additionalDetails")))
    return {text(each.get("key")).casefold(): each.get("value") for each in details}


def _targets(row: Json) -> Mapping[str, Json]:
    targets = (part(each) for each in items(row.get("targetResources")))
    return {text(each.get("type")).casefold(): each for each in targets}
