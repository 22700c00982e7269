"""The desk of Azure resource roles, at Azure Resource Manager. It lists, reads and decides; it never judges who may.

Facts: a listing shows every status and cannot filter it; an approver asks the whole tenant at once, an application
scope by scope; an approval has an id of its own; settings and instances belong to the very scope.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from uuid import UUID, uuid4

from app.domain.azure_scopes import AzureScope, Breadth, read_scope
from app.domain.calls import Receipt
from app.domain.changes import Listing
from app.domain.errors import GraphRefused, Malformed
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts, Status, Term
from app.domain.ruling import Step
from app.graph import arm_wire, states
from app.graph.arm_decision import APPROVALS, VERSION, Ballot, Shapes
from app.graph.arm_wire import REQUESTS, address, instance_of, parse_steps, rules_at, scope_of
from app.graph.client import Change, Gate, Manners
from app.graph.directory import MOST, Directory
from app.graph.listings import Keep, Places, ended_since, paged
from app.graph.policies import Policies, parse_rules
from app.graph.shapes import Rows, parse_rows, parse_term
from app.graph.wire import Json, guid, listed, part, text
from app.ports import Removal, Resource, TokenSource, Vote

MANNERS = Manners(
    service="Azure Resource Manager",
    following="nextLink",
    our_name="x-ms-client-request-id",
    their_name="x-ms-request-id",
)
SCHEDULES = {"api-version": "2020-10-01"}
SUBSCRIPTIONS = {"api-version": "2022-12-01"}


class AzureResources:
    """The Desk of Azure resource roles."""

    kind = Kind.AZURE
    resource = Resource.ARM

    def __init__(
        self,
        gate: Gate,
        directory: Directory,
        watched: Sequence[str] = (),
        new_name: Callable[[], UUID] = uuid4,
    ) -> None:
        """`gate`: the way to ARM, with its `MANNERS`.

        `watched`: the scopes that an application lists; none: every subscription it may read.
        """
        self._gate = gate
        self._directory = directory
        self._watched = tuple(watched)
        self._policies = Policies(directory)
        self._shapes = Shapes(gate, new_name)
        self._places = Places(self.kind)
        self._subscriptions: dict[str, str] = {}

    async def list_all(self, token: TokenSource) -> Listing:
        """Everything pending at and below the watched scopes; a scope that fails makes the listing incomplete."""
        asked = self._at_each(await self._scopes(token), token, states.waits)
        return await self._named(await self._places.listed(asked))

    async def list_for(self, token: TokenSource) -> Listing:
        """What waits for this person anywhere in the tenant, page by page."""
        return await self._named(await self._mine(token, states.waits))

    async def list_ended(self, since: datetime, token: TokenSource) -> Listing:
        """What was asked since then and is not pending any more: at the watched scopes, else the caller's own part."""
        keep = ended_since(since)
        try:
            asked = self._at_each(await self._scopes(token), token, keep)
            listing = await self._places.listed(asked) if asked else await self._part(token, keep)
        except GraphRefused:
            listing = await self._part(token, keep)
        return await self._named(listing)

    async def fetch(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        """The request as it is now, whatever its status; on 403 as the caller's own listing shows it."""
        path = address(scope_of(request.scope.id), REQUESTS, guid(request.key.id))
        try:
            return self._parse(await self._gate.get(path, token, SCHEDULES))
        except GraphRefused as refused:
            if refused.status != HTTPStatus.FORBIDDEN:
                raise
            mine = await self._mine(token, lambda each: each.key == request.key)
            if not mine.requests:
                raise
            return mine.requests[0]

    async def steps(self, request: ActivationRequest, token: TokenSource) -> tuple[Step, ...]:
        """Its approval's stages, as this caller sees them."""
        return parse_steps(await self._gate.get(f"{APPROVALS}/{_approval(request)}", token, VERSION))

    async def decide(self, request: ActivationRequest, vote: Vote, token: TokenSource) -> Receipt:
        """Send one decision, in the shapes that are known; at most one of them is accepted."""
        ballot = Ballot(_approval(request), replace(vote, step=guid(vote.step)))
        return await self._shapes.decide(ballot, token, partial(self.steps, request, token))

    async def cancel(self, request: ActivationRequest, token: TokenSource) -> None:
        """Withdraw it (200 or 204)."""
        path = address(scope_of(request.scope.id), REQUESTS, guid(request.key.id), "cancel")
        await self._gate.send(Change("POST", path, params=SCHEDULES), token)

    async def remove(self, request: ActivationRequest, removal: Removal, token: TokenSource) -> Receipt:
        """Take the role away (201), by person, role and scope. The call's own name is that of the request it makes."""
        path = address(scope_of(request.scope.id), REQUESTS, guid(removal.call))
        facts = {
            "requestType": "AdminRemove",
            "principalId": guid(request.requestor.id),
            "roleDefinitionId": arm_wire.role_path(request.role.path),
            "justification": text(removal.reason),
        }
        change = Change("PUT", path, {"properties": facts}, SCHEDULES, removal.call)
        return self._gate.receipt(await self._gate.send(change, token))

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """What this role's settings demand at this very scope; where they cannot be read, every fact is unknown."""
        if not request.role.path:
            return PolicyFacts()
        scope, role = scope_of(request.scope.id), arm_wire.role_path(request.role.path)
        query = {"$filter": f"atScope() and roleDefinitionId eq '{role}'", **SCHEDULES}
        try:
            answer = await self._gate.get(address(scope, "roleManagementPolicyAssignments"), token, query)
        except (GraphRefused, Malformed):
            return PolicyFacts()
        return await self._policies.facts(parse_rules(rules_at(answer, scope, request.role.id)), request)

    async def term(self, request: ActivationRequest, token: TokenSource) -> Term | None:
        """From the instance at its scope; whoever may not read others' there may be the one who holds it."""
        path = address(scope_of(request.scope.id), "roleAssignmentScheduleInstances")
        whose = f"principalId eq '{guid(request.requestor.id)}'"
        try:
            answer = await self._gate.get(path, token, {"$filter": whose, **SCHEDULES})
        except GraphRefused:
            answer = await self._gate.get(path, token, {"$filter": "asTarget()", **SCHEDULES})
        mine = (part(row) for row in listed(answer.get("value")))
        found = next((row for row in mine if instance_of(row, request)), None)
        return parse_term(part(found.get("properties"))) if found is not None else None

    def ended(self, request: ActivationRequest) -> Status | None:
        """The product's status for Microsoft's word; None while it is pending, or for a word we do not know."""
        return states.ended(request)

    # --- listing ---

    async def _scopes(self, token: TokenSource) -> Sequence[str]:
        """What is watched; where nothing is configured, the subscriptions that this token may read, maybe none."""
        if self._watched:
            return self._watched
        try:
            pages = [page async for page in self._gate.pages("/subscriptions", token, SUBSCRIPTIONS)]
        except GraphRefused:
            return ()
        rows = [part(row) for page in pages for row in listed(page.get("value"))]
        self._learn((scope_of(row.get("id")), text(row.get("displayName"))) for row in rows)
        return [text(row.get("id")) for row in rows]

    def _at_each(self, scopes: Sequence[str], token: TokenSource, keep: Keep) -> dict[str, Awaitable[Listing]]:
        return {scope: self._list(address(scope_of(scope), REQUESTS), token, keep, SCHEDULES) for scope in scopes}

    async def _mine(self, token: TokenSource, keep: Keep) -> Listing:
        return await self._list(address(None, REQUESTS), token, keep, {"$filter": "asApprover()", **SCHEDULES})

    async def _part(self, token: TokenSource, keep: Keep) -> Listing:
        return replace(await self._mine(token, keep), complete=False)

    async def _list(self, path: str, token: TokenSource, keep: Keep, query: Mapping[str, str]) -> Listing:
        return await paged(self.kind, self._gate.pages(path, token, query), self._read, keep)

    async def _read(self, rows: Sequence[object]) -> Rows:
        expanded = (part(part(part(row).get("properties")).get("expandedProperties")) for row in rows)
        scopes = (part(each.get("scope")) for each in expanded)
        self._learn((read_scope(text(each.get("id"))), text(each.get("displayName"))) for each in scopes)
        return parse_rows(rows, self._parse)

    def _parse(self, row: Json) -> ActivationRequest:
        return arm_wire.parse_request(row, self._subscriptions)

    def _learn(self, named: Iterable[tuple[AzureScope | None, str]]) -> None:
        """Subscriptions' names, for whatever lies in them: rows about a resource group do not tell them."""
        if len(self._subscriptions) >= MOST:
            self._subscriptions.clear()
        for scope, name in named:
            if scope is not None and scope.breadth is Breadth.SUBSCRIPTION and name:
                self._subscriptions[scope.subscription.lower()] = name

    async def _named(self, listing: Listing) -> Listing:
        return replace(listing, requests=tuple([await self._introduced(each) for each in listing.requests]))

    async def _introduced(self, request: ActivationRequest) -> ActivationRequest:
        """ARM tells a name and an address, never the sign-in name by which accounts of one human are recognised."""
        known = await self._directory.person(request.requestor.id)
        asks = request.requestor
        upn = known.upn if known is not None and known.upn else asks.mail
        name, mail = (known.name, known.mail) if known is not None else ("", "")
        return replace(request, requestor=Person(asks.id, asks.name or name, upn, asks.mail or mail))


def _approval(request: ActivationRequest) -> str:
    """The approval has an id of its own; only where Microsoft told none may it be the request's."""
    return guid(request.approval_id or request.key.id)
