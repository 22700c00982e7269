"""The book of requests, as the use cases know it: each method is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.domain.changes import Known
from app.domain.lifecycle import Course, Doubt
from app.domain.match import Match
from app.domain.pattern import Past
from app.domain.records import Record
from app.domain.request import ActivationRequest, Decided, Kind, RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer
from app.ports import Counters, Intent, Outcome, Page, Query, Seen
from app.store import claims, history, lifecycle, matching, records
from app.store.audit import AuditTrail
from app.store.past import past
from app.store.remember import Posting, remember
from app.store.writer import Store


class StoredRequests:
    """Implements `ports.RequestBook`. All methods raise Unavailable when the database is gone."""

    def __init__(self, store: Store, trail: AuditTrail, posting: Posting) -> None:
        self._store = store.fenced()
        self._trail = trail
        self._posting = posting

    async def known(self, kind: Kind) -> Mapping[str, Known]:
        """Every open request of a desk, by id."""
        return await self._store.read(lambda connection: history.known(connection, kind))

    async def find(self, key: RequestKey) -> RequestRow | None:
        """One request."""
        return await self._store.read(lambda connection: history.find(connection, key))

    async def find_id(self, request_id: str) -> RequestRow | None:
        """One request by Microsoft's GUID, whatever its desk; None where two desks have one."""
        return await self._store.read(lambda connection: history.find_id(connection, request_id))

    async def open_rows(self) -> Sequence[RequestRow]:
        """Every request not final, oldest first."""
        return await self._store.read(history.open_rows)

    async def overdue(self, kind: Kind, now: datetime) -> Sequence[RequestRow]:
        """Pending requests of a desk that are older than their 24 hours."""
        return await self._store.read(lambda connection: lifecycle.overdue(connection, kind, now))

    async def incomplete(self, kind: Kind, limit: int) -> Sequence[RequestRow]:
        """Pending requests of a desk of which something is not known."""
        return await self._store.read(lambda connection: lifecycle.incomplete(connection, kind, limit))

    async def remember(self, seen: Sequence[Seen], now: datetime) -> None:
        """What a poll saw: new rows with a card to post, changed pending rows; the others are left alone."""
        if seen:
            await self._store.write(lambda connection: remember(connection, seen, now, self._posting))

    async def doubted(self, key: RequestKey, doubt: Doubt) -> None:
        """What could not be confirmed of a pending request."""
        await self._store.write(lambda connection: lifecycle.doubted(connection, key, doubt))

    async def staled(self, key: RequestKey, *, stale: bool) -> None:
        """Whether a pending request has no open approval step."""
        posting = self._posting
        await self._store.write(lambda connection: lifecycle.staled(connection, key, stale, posting))

    async def learned(self, record: Record, seen: Seen, now: datetime) -> bool:
        """How a request ended without us."""
        return await self._store.write(
            lambda connection: records.learned(connection, self._trail, records.Learned(record, seen, now))
        )

    async def asked_roles(self, limit: int) -> Sequence[ActivationRequest]:
        """One request for every role and scope that was ever asked for, the last asked first."""
        return await self._store.read(lambda connection: history.asked_roles(connection, limit))

    async def lacking(self, since: datetime) -> Sequence[RequestRow]:
        """Ended requests of which something is not known."""
        return await self._store.read(lambda connection: records.lacking(connection, since))

    async def look_due(self, now: datetime, limit: int) -> Sequence[RequestRow]:
        """What is to be looked at again, the longest due first."""
        return await self._store.read(lambda connection: lifecycle.look_due(connection, now, limit))

    async def followed(self, key: RequestKey, course: Course) -> None:
        """What a look at an approved role taught."""
        await self._store.write(lambda connection: lifecycle.followed(connection, key, course))

    async def look_again(self, key: RequestKey, due: datetime | None) -> None:
        """When to look again at a request that ended nobody knows how."""
        await self._store.write(lambda connection: lifecycle.look_again(connection, key, due))

    async def past(self, requestor: str, before: datetime, limit: int) -> Past:
        """A person's newest requests made before then, and since when our memory is whole."""
        return await self._store.read(lambda connection: past(connection, requestor, before, limit))

    async def unmatched(self, before: datetime, limit: int) -> Sequence[RequestRow]:
        """Open requests whose requestor nobody has found in Slack, nor asked for since `before`."""
        return await self._store.read(lambda connection: matching.unmatched(connection, before, limit))

    async def matched(self, key: RequestKey, match: Match, now: datetime) -> None:
        """Who the requestor is in Slack, as far as could be learned now."""
        posting = self._posting
        await self._store.write(lambda connection: matching.matched(connection, posting, key, match, now))

    async def claim(self, intent: Intent) -> RequestRow | None:
        """From pending to deciding; None when somebody was first or the request reads differently now."""
        return await self._store.write(lambda connection: claims.claim(connection, self._trail, intent), flush=True)

    async def sending(self, intent: Intent) -> Intent:
        """Count one more send. If it comes back with an outcome other than SENDING, it is settled: send nothing."""
        return await self._store.write(lambda connection: claims.sending(connection, intent), flush=True)

    async def mark(self, intent: Intent, outcome: Outcome) -> None:
        """What is known of it so far; a settled intent keeps its outcome."""
        await self._store.write(lambda connection: claims.mark(connection, intent, outcome))

    async def release(self, intent: Intent, outcome: Outcome, note: str, now: datetime) -> None:
        """From deciding back to pending, if this intent still holds the claim."""
        told = (note, now)
        await self._store.write(
            lambda connection: claims.release(connection, self._trail, intent, outcome, told), flush=True
        )

    async def settle(
        self, key: RequestKey, status: Status, decided: Decided, intent: Intent | None, now: datetime
    ) -> bool:
        """The request is final. False when it was final before, or is unknown."""
        ending = claims.Ending(key, status, decided, intent, now)
        new_id = self._posting.new_id
        return await self._store.write(
            lambda connection: claims.settle(connection, self._trail, ending, new_id), flush=True
        )

    async def unsettled(self) -> Sequence[Intent]:
        """Intents whose fate is not known, oldest first."""
        return await self._store.read(lambda connection: claims.unsettled(connection, self._trail))

    async def page(self, viewer: Viewer, query: Query) -> Page:
        """History the viewer may see."""
        return await self._store.read(lambda connection: history.page(connection, viewer, query))

    async def waiting(self, viewer: Viewer, limit: int) -> Sequence[RequestRow]:
        """Pending requests the viewer may see, the soonest to expire first."""
        return await self._store.read(lambda connection: history.waiting(connection, viewer, limit))

    async def counters(self, viewer: Viewer, now: datetime) -> Counters:
        """The overview over what the viewer may see."""
        return await self._store.read(lambda connection: history.counters(connection, viewer, now))
