"""The desk of Entra directory roles. It lists, reads and decides; it never judges who may.

Lists and single reads are Graph v1.0; approval objects exist in beta only. Facts: a person's own listing holds at most
50 rows and cannot page; an application's listing may refuse the status filter or the expansion, so both are tried and
the first shape that works is remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from app.domain.changes import FULL_PAGE, Listing
from app.domain.durations import parse_duration
from app.domain.errors import BotError, GraphRefused, Malformed
from app.domain.request import (
    ActivationRequest,
    Kind,
    Person,
    PolicyFacts,
    RequestKey,
    Role,
    Scope,
    Status,
    Term,
    Ticket,
    Verdict,
)
from app.domain.ruling import Step
from app.graph.client import Gate
from app.graph.names import Names
from app.graph.policies import parse_policy
from app.graph.wire import Json, guid, listed, moment, part, text
from app.ports import Resource, TokenSource

REQUESTS = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
APPROVALS = "/beta/roleManagement/directory/roleAssignmentApprovals"
INSTANCES = "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances"
POLICIES = "/v1.0/policies/roleManagementPolicyAssignments"
_PENDING = "status eq 'PendingApproval'"
_EXPAND = {"$expand": "principal,roleDefinition"}
_SHAPES: tuple[Mapping[str, str], ...] = ({"$filter": _PENDING, **_EXPAND}, _EXPAND, {})

# Microsoft's words, lower case. What is not here is still pending, or unknown and left alone.
_ENDED = {
    "granted": Status.APPROVED,  # approved, starts later
    "schedulecreated": Status.APPROVED,
    "pendingschedulecreation": Status.APPROVED,
    "pendingprovisioning": Status.APPROVED,
    "provisioned": Status.APPROVED,
    "revoked": Status.APPROVED,  # it was approved, and taken away later
    "denied": Status.DENIED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "failed": Status.FAILED,
}
log = logging.getLogger(__name__)


Keep = Callable[[ActivationRequest], bool]


def _is_pending(request: ActivationRequest) -> bool:
    """The status filter, done here: Microsoft may have refused it, or not applied it."""
    return request.native_status.casefold() == "pendingapproval"


def _ended_since(since: datetime) -> Keep:
    return lambda request: request.created >= since and request.native_status.casefold() in _ENDED


class DirectoryRoles:
    """The Desk of Entra directory roles."""

    kind = Kind.ENTRA
    resource = Resource.GRAPH

    def __init__(self, gate: Gate) -> None:
        """`gate`: the way to Microsoft Graph."""
        self._gate = gate
        self._names = Names(gate)
        self._shapes = {"all": 0, "own": 0}

    async def list_all(self, token: TokenSource) -> Listing:
        """Every pending request, with an application's token; the page that fails makes the listing incomplete."""
        return await self._named(await self._in_shape("all", lambda shape: self._list(shape, token)), token)

    async def list_for(self, token: TokenSource) -> Listing:
        """What waits for this person: one page of at most 50 rows. A full page may hide more, so it is incomplete."""
        return await self._named(await self._in_shape("own", lambda shape: self._list_own(shape, token)), token)

    async def list_ended(self, since: datetime, token: TokenSource) -> Listing:
        """What was asked since then and is not pending any more. Microsoft keeps such rows for about 30 days."""
        return await self._named(await self._list({}, token, _ended_since(since)), token)

    async def fetch(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        """The request as it is now, whatever its status; on 403 as the caller's own listing shows it."""
        id_ = guid(request.key.id)
        try:
            return parse_request(await self._gate.get(f"{REQUESTS}/{id_}", token, _EXPAND))
        except GraphRefused as refused:
            if refused.status != HTTPStatus.FORBIDDEN:
                raise
            return await self._fetch_own(id_, token, refused)

    async def steps(self, request: ActivationRequest, token: TokenSource) -> tuple[Step, ...]:
        """Its approval steps, as this caller sees them (`assignedToMe` is about the caller)."""
        approval = await self._gate.get(f"{APPROVALS}/{guid(request.key.id)}", token, {"$expand": "steps"})
        return tuple(parse_step(part(step)) for step in listed(approval.get("steps")))

    async def decide(
        self, request: ActivationRequest, step_id: str, verdict: Verdict, justification: str, token: TokenSource
    ) -> None:
        """Send one decision, once (204). 409: another approver was first; OutcomeUnknown: read back."""
        path = f"{APPROVALS}/{guid(request.key.id)}/steps/{guid(step_id)}"
        body = {"reviewResult": verdict.value, "justification": text(justification)}
        await self._gate.send("PATCH", path, token, body)

    async def cancel(self, request: ActivationRequest, token: TokenSource) -> None:
        """Withdraw it (204, no body)."""
        await self._gate.send("POST", f"{REQUESTS}/{guid(request.key.id)}/cancel", token)

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """What this role's settings demand; where they cannot be read, every fact is unknown."""
        role = guid(request.role.id)
        where = f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{role}'"
        query = {"$filter": where, "$expand": "policy($expand=rules)"}
        try:
            return parse_policy(await self._gate.get(POLICIES, token, query))
        except (GraphRefused, Malformed):
            return PolicyFacts()

    async def term(self, request: ActivationRequest, token: TokenSource) -> Term | None:
        """From the instance that the approved request brought about; it is there only while the role is held."""
        where = f"principalId eq '{guid(request.requestor.id)}'"
        answer = await self._gate.get(INSTANCES, token, {"$filter": where})
        mine = (part(row) for row in listed(answer.get("value")))
        return next((parse_term(row) for row in mine if _of_request(row, request)), None)

    def ended(self, request: ActivationRequest) -> Status | None:
        """The product's status for Microsoft's word; None while it is pending, or for a word we do not know."""
        return _ENDED.get(request.native_status.casefold())

    async def _in_shape(self, which: str, ask: Callable[[Mapping[str, str]], Awaitable[Listing]]) -> Listing:
        """Ask in the best form that Microsoft takes: a 400 makes us use a plainer one, now and from now on."""
        for number in range(self._shapes[which], len(_SHAPES) - 1):
            try:
                return await ask(_SHAPES[number])
            except GraphRefused as refused:
                if refused.status != 400:  # noqa: PLR2004 - "bad request", HTTP's own number
                    raise
                self._shapes[which] = max(self._shapes[which], number + 1)
                log.info("Microsoft does not take this form of the listing; using a plainer one from now on.")
        return await ask(_SHAPES[-1])

    async def _named(self, listing: Listing, token: TokenSource) -> Listing:
        named = [await self._names.named(request, token) for request in listing.requests]
        return replace(listing, requests=tuple(named))

    async def _list_own(self, shape: Mapping[str, str], token: TokenSource) -> Listing:
        page = await self._gate.get(f"{REQUESTS}/filterByCurrentUser(on='approver')", token, shape)
        rows = listed(page.get("value"))
        requests, broken = _parse_rows(rows)
        full = len(rows) >= FULL_PAGE or page.get("@odata.nextLink") is not None
        pending = tuple(filter(_is_pending, requests))
        return Listing(self.kind, pending, complete=not full, full_page=full, broken=broken)

    async def _fetch_own(self, id_: str, token: TokenSource, refused: GraphRefused) -> ActivationRequest:
        """Who may not read the request itself may still see it in their own list, whatever its status."""
        query = {"$filter": f"id eq '{id_}'", **_EXPAND}
        page = await self._gate.get(f"{REQUESTS}/filterByCurrentUser(on='approver')", token, query)
        for row in listed(page.get("value")):
            if text(part(row).get("id")).lower() == id_:
                return parse_request(part(row))
        raise refused

    async def _list(self, shape: Mapping[str, str], token: TokenSource, keep: Keep = _is_pending) -> Listing:
        found: list[ActivationRequest] = []
        broken: list[str] = []
        pages = 0
        complete = True
        try:
            async for page in self._gate.pages(REQUESTS, token, shape):
                requests, unreadable = _parse_rows(listed(page.get("value")))
                pages += 1
                found.extend(requests)
                broken.extend(unreadable)
        except BotError:
            if not pages:
                raise
            complete = False
        return Listing(self.kind, tuple(filter(keep, found)), complete=complete, broken=tuple(broken))


def parse_request(row: Json) -> ActivationRequest:
    """A `unifiedRoleAssignmentScheduleRequest`; Malformed when it lacks what cannot be guessed (ids, created)."""
    principal, role = part(row.get("principal")), part(row.get("roleDefinition"))
    schedule = part(row.get("scheduleInfo"))
    ticket = part(row.get("ticketInfo"))
    created = moment(row.get("createdDateTime"))
    if created is None:
        raise Malformed("Microsoft sent a request without a time.")
    start = moment(schedule.get("startDateTime"))
    duration, duration_text = _length(part(schedule.get("expiration")), start or created)
    return ActivationRequest(
        key=RequestKey(Kind.ENTRA, guid(row.get("id"))),
        native_status=text(row.get("status")),
        action=text(row.get("action")),
        requestor=_person(principal, guid(row.get("principalId"))),
        created_by=text(part(part(row.get("createdBy")).get("user")).get("id")).lower(),
        role=Role(guid(row.get("roleDefinitionId")), text(role.get("displayName")), _flag(role.get("isBuiltIn"))),
        scope=_scope(row),
        justification=text(row.get("justification")),
        ticket=Ticket(text(ticket.get("ticketNumber")), text(ticket.get("ticketSystem"))),
        created=created,
        start=start,
        duration=duration,
        duration_text=duration_text,
    )


def parse_term(row: Json) -> Term:
    """A `unifiedRoleAssignmentScheduleInstance`; Malformed without a start."""
    start = moment(row.get("startDateTime"))
    if start is None:
        raise Malformed("Microsoft sent an active role without its start.")
    return Term(start, moment(row.get("endDateTime")))


def _of_request(row: Json, request: ActivationRequest) -> bool:
    """The instance carries the request's target schedule id, which is the request's own id."""
    return text(row.get("roleAssignmentScheduleId")).lower() == request.key.id


def parse_step(row: Json) -> Step:
    """An `approvalStep`. The all-zero reviewer Microsoft sends for "nobody yet" becomes None."""
    reviewer = part(row.get("reviewedBy"))
    reviewer_id = text(reviewer.get("id")).lower()
    nobody = not reviewer_id.strip("0-")
    return Step(
        id=guid(row.get("id")),
        status=text(row.get("status")),
        result=text(row.get("reviewResult")),
        assigned_to_me=row.get("assignedToMe") is True,
        reviewed_by=None if nobody else _person(reviewer, reviewer_id),
        reviewed_at=moment(row.get("reviewedDateTime")),
        justification=text(row.get("justification")),
    )


def _parse_rows(rows: list[object]) -> tuple[tuple[ActivationRequest, ...], tuple[str, ...]]:
    good: list[ActivationRequest] = []
    broken: list[str] = []
    for row in rows:
        if part(row).get("isValidationOnly") is True:  # a dry run of somebody's form, not a request
            continue
        try:
            good.append(parse_request(part(row)))
        except Malformed as problem:
            name = text(part(row).get("id"))[:64].lower()
            broken.append(name)
            log.warning("One row of Microsoft's listing was set aside: %s (id %r)", problem, name)
    return tuple(good), tuple(broken)


def _person(raw: Json, oid: str) -> Person:
    return Person(oid, text(raw.get("displayName")), text(raw.get("userPrincipalName")), text(raw.get("mail")))


def _scope(row: Json) -> Scope:
    scope = text(row.get("directoryScopeId")) or text(row.get("appScopeId")) or "/"
    unit = scope.removeprefix("/administrativeUnits/")
    return Scope(scope, f"Administrative unit {unit}" if unit != scope else "")


def _length(expiration: Json, start: datetime) -> tuple[timedelta | None, str]:
    raw = text(expiration.get("duration"))
    length = parse_duration(raw)
    until = moment(expiration.get("endDateTime"))
    if length is None and until is not None and until > start:
        return until - start, raw
    return length, raw or text(expiration.get("type"))


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
