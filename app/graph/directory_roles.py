"""The desk of Entra directory roles. It lists, reads and decides; it never judges who may.

Lists and single reads are Graph v1.0; approval objects exist in beta only.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from app.domain.calls import Receipt
from app.domain.changes import Listing
from app.domain.errors import GraphRefused
from app.domain.request import ActivationRequest, Kind, PolicyFacts, RequestKey, Role, Scope, Status, Term
from app.domain.ruling import Step
from app.graph import states
from app.graph.approvals import Approvals
from app.graph.client import Gate
from app.graph.collection import Collection
from app.graph.directory import Directory
from app.graph.names import RoleNames
from app.graph.policies import Policies
from app.graph.shapes import parse_created, parse_person, parse_schedule, parse_ticket, schedule_is, term_among
from app.graph.wire import Json, flag, guid, part, text
from app.ports import Removal, Resource, TokenSource, Vote

ROOT = "roleManagement/directory"
INSTANCES = f"/v1.0/{ROOT}/roleAssignmentScheduleInstances"


class DirectoryRoles:
    """The Desk of Entra directory roles."""

    kind = Kind.ENTRA
    resource = Resource.GRAPH

    def __init__(self, gate: Gate, directory: Directory) -> None:
        """`gate`: the way to Microsoft Graph; `directory`: names, members, managers."""
        self._gate = gate
        path = f"/v1.0/{ROOT}/roleAssignmentScheduleRequests"
        self._requests = Collection(gate, self.kind, path, "principal,roleDefinition", parse_request)
        self._approvals = Approvals(gate, f"/beta/{ROOT}/roleAssignmentApprovals", "steps")
        self._policies = Policies(directory, defaults=True)
        self._names = RoleNames(gate, directory)

    async def list_all(self, token: TokenSource) -> Listing:
        """Every pending request, with an application's token; the page that fails makes the listing incomplete."""
        return await self._names.named(await self._requests.pending(token), token)

    async def list_for(self, token: TokenSource) -> Listing:
        """What waits for this person: one page of at most 50 rows. A full page may hide more, so it is incomplete."""
        return await self._names.named(await self._requests.own(token), token)

    async def list_ended(self, since: datetime, token: TokenSource) -> Listing:
        """What was asked since then and is not pending any more; who may not list that is shown their own part."""
        try:
            listing = await self._requests.ended(since, token)
        except GraphRefused as refused:
            if refused.status != HTTPStatus.FORBIDDEN:
                raise
            listing = await self._requests.own_ended(since, token)
        return await self._names.named(listing, token)

    async def fetch(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        """The request as it is now, whatever its status; on 403 as the caller's own listing shows it."""
        return await self._requests.fetch(request.key.id, token)

    async def steps(self, request: ActivationRequest, token: TokenSource) -> tuple[Step, ...]:
        """Its approval steps, as this caller sees them."""
        return await self._approvals.steps(request.key.id, token)

    async def decide(self, request: ActivationRequest, vote: Vote, token: TokenSource) -> Receipt:
        """Send one decision, once."""
        return await self._approvals.decide(request.key.id, vote, token)

    async def cancel(self, request: ActivationRequest, token: TokenSource) -> None:
        """Withdraw it."""
        await self._requests.cancel(request.key.id, token)

    async def remove(self, request: ActivationRequest, removal: Removal, token: TokenSource) -> Receipt:
        """Take the role away (201), by person, role and scope."""
        what = {"roleDefinitionId": guid(request.role.id), "directoryScopeId": text(request.scope.id)}
        return await self._requests.remove(request, what, removal, token)

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """What this role's settings demand; where they cannot be read, every fact is unknown."""
        role = guid(request.role.id)
        where = f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{role}'"
        return await self._policies.at_graph(self._gate, where, request, token)

    async def term(self, request: ActivationRequest, token: TokenSource) -> Term | None:
        """From the instance that the approved request brought about; it is there only while the role is held."""
        where = f"principalId eq '{guid(request.requestor.id)}'"
        answer = await self._gate.get(INSTANCES, token, {"$filter": where})
        return term_among(answer, lambda row: schedule_is(row, "roleAssignmentScheduleId", request))

    def ended(self, request: ActivationRequest) -> Status | None:
        """The product's status for Microsoft's word; None while it is pending, or for a word we do not know."""
        return states.ended(request)


def parse_request(row: Json) -> ActivationRequest:
    """A `unifiedRoleAssignmentScheduleRequest`; Malformed when it lacks what cannot be guessed (ids, created)."""
    role = part(row.get("roleDefinition"))
    created = parse_created(row.get("createdDateTime"))
    schedule = parse_schedule(part(row.get("scheduleInfo")), created)
    return ActivationRequest(
        key=RequestKey(Kind.ENTRA, guid(row.get("id"))),
        native_status=text(row.get("status")),
        action=text(row.get("action")),
        requestor=parse_person(part(row.get("principal")), guid(row.get("principalId"))),
        created_by=text(part(part(row.get("createdBy")).get("user")).get("id")).lower(),
        role=Role(guid(row.get("roleDefinitionId")), text(role.get("displayName")), flag(role.get("isBuiltIn"))),
        scope=_scope(row),
        justification=text(row.get("justification")),
        ticket=parse_ticket(part(row.get("ticketInfo"))),
        created=created,
        start=schedule.start,
        duration=schedule.length,
        duration_text=schedule.text,
    )


def _scope(row: Json) -> Scope:
    scope = text(row.get("directoryScopeId")) or text(row.get("appScopeId")) or "/"
    unit = scope.removeprefix("/administrativeUnits/")
    return Scope(scope, f"Administrative unit {unit}" if unit != scope else "")
