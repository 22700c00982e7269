"""A Microsoft that only lists: so many pending requests, as bytes made beforehand, so that the bot's own work shows."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from app.domain.errors import Malformed
from app.domain.risk import RiskPolicy
from app.graph.client import Gate
from app.graph.directory import Directory
from app.graph.directory_roles import DirectoryRoles
from app.ports import Reader, Resource, TokenSource
from app.store.audit import AuditTrail
from app.store.engine import open_engine
from app.store.links import StoredLinks
from app.store.migrate import upgrade
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.writer import Store
from app.watcher import Watcher

ROLE = "4a5d8f65-41da-4de4-8968-e035b65339cf"
LISTED = "roleAssignmentScheduleRequests"
PEOPLE = 500  # who ask


@dataclass
class Canned(httpx.AsyncBaseTransport):
    """Answers every listing with `body`; whatever else is asked may not be read."""

    body: bytes = b'{"value": []}'

    def hold(self, pending: int) -> None:
        """From now on so many requests are pending."""
        rows = [_row(number) for number in range(pending)]
        self.body = json.dumps({"value": rows}).encode()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        if request.url.path.endswith(LISTED) and "PendingApproval" in str(request.url.query):
            return httpx.Response(200, content=self.body, headers={"Content-Type": "application/json"})
        return httpx.Response(403, json={"error": {"code": "Forbidden", "message": "no"}})


def _row(number: int) -> dict[str, object]:
    own = str(uuid.uuid5(uuid.NAMESPACE_OID, f"request {number}"))
    who = str(uuid.uuid5(uuid.NAMESPACE_OID, f"person {number % PEOPLE}"))
    asked = datetime.now(UTC) - timedelta(minutes=number % 600)
    name = f"Person {number % PEOPLE}"
    return {
        "id": own,
        "status": "PendingApproval",
        "createdDateTime": asked.isoformat(),
        "completedDateTime": None,
        "approvalId": own,
        "customData": None,
        "action": "selfActivate",
        "principalId": who,
        "roleDefinitionId": ROLE,
        "directoryScopeId": "/",
        "appScopeId": None,
        "isValidationOnly": False,
        "targetScheduleId": None,
        "justification": f"Monthly licence usage report for finance, number {number}",
        "createdBy": {"application": None, "device": None, "user": {"displayName": None, "id": who}},
        "scheduleInfo": {
            "startDateTime": asked.isoformat(),
            "recurrence": None,
            "expiration": {"type": "afterDuration", "endDateTime": None, "duration": "PT2H"},
        },
        "ticketInfo": {"ticketNumber": f"REQ-{number}", "ticketSystem": "ServiceNow"},
        "roleDefinition": {"id": ROLE, "displayName": "Reports Reader", "isBuiltIn": True},
        "principal": {"id": who, "displayName": name, "userPrincipalName": f"p{number % PEOPLE}@contoso.example"},
    }


class Anybody:
    """Implements `ports.Tokens`: the application's token is all there is."""

    def application(self, resource: Resource = Resource.GRAPH) -> TokenSource:
        """A token that nobody looks at."""
        del resource

        async def token(_claims: str = "") -> str:
            return "token"

        return token

    async def readers(self, resource: Resource = Resource.GRAPH) -> list[Reader]:
        """The bot itself."""
        return [Reader("", self.application(resource))]


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[tuple[Canned, Watcher]]:
    """A watcher on a new SQLite database before such a Microsoft."""
    url = f"sqlite+aiosqlite:///{folder / f'{uuid.uuid4()}.db'}"
    await upgrade(url)
    store, microsoft, tokens = Store(open_engine(url)), Canned(), Anybody()
    trail = AuditTrail(store, b"a key of the bench")
    gate = Gate("https://graph.microsoft.com", _now, transport=microsoft)
    directory = Directory(gate, _nobody, _now)
    watcher = Watcher(
        desks=(DirectoryRoles(gate, directory),),
        book=StoredRequests(store, trail, Posting("C0BENCH", _text, _text)),
        accounts=directory,
        outbox=StoredOutbox(store),
        links=StoredLinks(store, trail, _text),
        tokens=tokens,  # type: ignore[arg-type]  # nobody is linked, so that nobody's token is asked for
        sights=StoredSights(store),
        clock=_now,
        channel="C0BENCH",
        as_application=True,
        risk=RiskPolicy(),
    )
    try:
        yield microsoft, watcher
    finally:
        await gate.aclose()
        await store.aclose()


async def polled(watcher: Watcher) -> None:
    """One poll that worked."""
    await watcher.tick()
    if watcher.troubles():
        raise Malformed(watcher.troubles()[0])


async def _nobody() -> list[TokenSource]:
    return []


def _now() -> datetime:
    return datetime.now(UTC)


def _text() -> str:
    return uuid.uuid4().hex
