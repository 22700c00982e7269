"""The desk of PIM groups: membership and ownership. It lists, reads and decides; it never judges who may.

All of it is Graph v1.0, where an approval has `stages`; where a decision is not known there, beta's `steps` are tried.
Facts: a listing must name a group or a principal; its rows leave out what a single read shows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus

from app.domain.calls import Receipt
from app.domain.changes import Listing
from app.domain.errors import BotError, GraphRefused, Malformed
from app.domain.request import ActivationRequest, Kind, PolicyFacts, RequestKey, Role, Scope, Status, Term
from app.domain.ruling import Step
from app.graph import states
from app.graph.approvals import Approvals, still_live
from app.graph.client import Gate
from app.graph.collection import Collection
from app.graph.directory import MOST, Directory
from app.graph.listings import Places
from app.graph.names import with_requestor
from app.graph.policies import Policies
from app.graph.shapes import parse_created, parse_person, parse_schedule, parse_ticket, schedule_is, term_among
from app.graph.wire import Json, flag, guid, listed, part, text
from app.ports import Removal, Resource, TokenSource, Vote

ROOT = "identityGovernance/privilegedAccess/group"
REQUESTS = f"/v1.0/{ROOT}/assignmentScheduleRequests"
INSTANCES = f"/v1.0/{ROOT}/assignmentScheduleInstances"
RESOURCES = f"/v1.0/{ROOT}/resources"
EXPAND = "group,principal"
AT_ONCE = 5  # single reads of sparse rows
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
# What a whole row has. A listing may leave any of it null; what really is null is asked for once.
_FACTS = (
    "createdDateTime", "action", "accessId", "groupId", "principalId", "createdBy", "scheduleInfo", "justification",
    "ticketInfo",
)  # fmt: skip
_NAMED = ("group", "principal")
log = logging.getLogger(__name__)


class Groups:
    """The Desk of PIM groups."""

    kind = Kind.GROUP
    resource = Resource.GRAPH

    def __init__(self, gate: Gate, directory: Directory, watched: Sequence[str] = ()) -> None:
        """`watched`: ids of the groups that an application lists; none: those that it may discover."""
        self._gate = gate
        self._directory = directory
        self._watched = tuple(watched)
        self._requests = Collection(gate, self.kind, REQUESTS, EXPAND, parse_request, self._whole)
        self._approvals = Approvals(gate, f"/v1.0/{ROOT}/assignmentApprovals", "stages")
        self._beta = Approvals(gate, f"/beta/{ROOT}/assignmentApprovals", "steps")
        self._policies = Policies(directory)
        self._places = Places(self.kind)
        self._rows: dict[str, Json] = {}

    async def list_all(self, token: TokenSource) -> Listing:
        """Every pending request of every watched group; a group that fails makes the listing incomplete."""
        groups = await self._groups(token)
        asked = {group: self._requests.pending(token, f"groupId eq '{group}'") for group in groups}
        return await self._named(await self._places.listed(asked))

    async def list_for(self, token: TokenSource) -> Listing:
        """What waits for this person: one page of at most 50 rows. A full page may hide more, so it is incomplete."""
        return await self._named(await self._requests.own(token))

    async def list_ended(self, since: datetime, token: TokenSource) -> Listing:
        """What was asked since then and is not pending any more: of the watched groups, else the caller's own part."""
        groups = await self._groups(token)
        asked = {group: self._requests.ended(since, token, f"groupId eq '{group}'") for group in groups}
        try:
            listing = await self._places.listed(asked) if asked else await self._requests.own_ended(since, token)
        except GraphRefused as refused:
            if refused.status != HTTPStatus.FORBIDDEN or not asked:
                raise
            listing = await self._requests.own_ended(since, token)
        return await self._named(listing)

    async def fetch(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        """The request as it is now, whatever its status; on 403 as the caller's own listing shows it."""
        return await self._requests.fetch(request.key.id, token)

    async def steps(self, request: ActivationRequest, token: TokenSource) -> tuple[Step, ...]:
        """Its approval's stages, as this caller sees them."""
        return await self._approvals.steps(request.key.id, token)

    async def decide(self, request: ActivationRequest, vote: Vote, token: TokenSource) -> Receipt:
        """Send one decision; where v1.0 does not know the call, and the stage is still live, once more to beta."""
        step = guid(vote.step)
        try:
            return await self._approvals.decide(request.key.id, vote, token)
        except GraphRefused as refused:
            look = partial(self.steps, request, token)
            if refused.status not in _NOT_THERE or not await still_live(step, look):
                raise
            log.info("%s: v1.0 does not take the decision; sending it to beta.", request.key)
            return await self._beta.decide(request.key.id, vote, token)

    async def cancel(self, request: ActivationRequest, token: TokenSource) -> None:
        """Withdraw it."""
        await self._requests.cancel(request.key.id, token)

    async def remove(self, request: ActivationRequest, removal: Removal, token: TokenSource) -> Receipt:
        """Take the access away (201), by person, group and sort of access."""
        what = {"groupId": guid(request.scope.id), "accessId": _access(request.role.id)}
        return await self._requests.remove(request, what, removal, token)

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """What the settings of this access to this group demand; where they cannot be read, every fact is unknown."""
        group, access = guid(request.scope.id), _access(request.role.id)
        where = f"scopeId eq '{group}' and scopeType eq 'Group' and roleDefinitionId eq '{access}'"
        return await self._policies.at_graph(self._gate, where, request, token)

    async def term(self, request: ActivationRequest, token: TokenSource) -> Term | None:
        """From the instance that the approved request brought about; it is there only while the access is held."""
        where = f"groupId eq '{guid(request.scope.id)}' and principalId eq '{guid(request.requestor.id)}'"
        answer = await self._gate.get(INSTANCES, token, {"$filter": where})
        return term_among(answer, lambda row: schedule_is(row, "assignmentScheduleId", request))

    def ended(self, request: ActivationRequest) -> Status | None:
        """The product's status for Microsoft's word; None while it is pending, or for a word we do not know."""
        return states.ended(request)

    async def _groups(self, token: TokenSource) -> Sequence[str]:
        """What is watched; where nothing is configured, whatever this token may discover, which may be nothing."""
        if self._watched:
            return self._watched
        try:
            pages = [page async for page in self._gate.pages(RESOURCES, token, {})]
        except GraphRefused:
            return ()
        return [guid(part(row).get("id")) for page in pages for row in listed(page.get("value"))]

    async def _named(self, listing: Listing) -> Listing:
        return replace(
            listing, requests=tuple([await with_requestor(each, self._directory) for each in listing.requests])
        )

    # --- sparse rows ---

    async def _whole(self, rows: Sequence[object], token: TokenSource) -> Sequence[object]:
        """The rows with what the listing left out. Each is read once; a request does not change while it waits."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def whole(row: object) -> object:
            async with turns:
                return await self._completed(part(row), token) if _lacks(part(row), (*_FACTS, *_NAMED)) else row

        return await asyncio.gather(*(whole(row) for row in rows))

    async def _completed(self, row: Json, token: TokenSource) -> Json:
        """In an outage a row without all its facts is worth its id only: another digest would look like a change."""
        id_ = text(row.get("id")).lower()
        try:
            more = await self._more(id_, token)
        except GraphRefused as refused:
            log.info("The rest of a group request is not shown: %s", refused)
            return row
        except BotError as failure:
            log.info("The rest of a group request cannot be read: %s", failure)
            return {"id": row.get("id")} if _lacks(row, _FACTS) else row
        return {**more, **{name: value for name, value in row.items() if value is not None}}

    async def _more(self, id_: str, token: TokenSource) -> Json:
        if id_ not in self._rows:
            row = await self._gate.get(f"{REQUESTS}/{guid(id_)}", token, {"$expand": EXPAND})
            if len(self._rows) >= MOST:
                self._rows.clear()
            self._rows[id_] = row
        return self._rows[id_]


def parse_request(row: Json) -> ActivationRequest:
    """A `privilegedAccessGroupAssignmentScheduleRequest`; Malformed without its ids, its access, its time."""
    group = part(row.get("group"))
    access = _access(row.get("accessId"))
    created = parse_created(row.get("createdDateTime"))
    schedule = parse_schedule(part(row.get("scheduleInfo")), created)
    return ActivationRequest(
        key=RequestKey(Kind.GROUP, guid(row.get("id"))),
        native_status=text(row.get("status")),
        action=text(row.get("action")),
        requestor=parse_person(part(row.get("principal")), guid(row.get("principalId"))),
        created_by=text(part(part(row.get("createdBy")).get("user")).get("id")).lower(),
        role=Role(access, _ACCESS[access], privileged=flag(group.get("isAssignableToRole"))),
        scope=Scope(guid(row.get("groupId")), text(group.get("displayName"))),
        justification=text(row.get("justification")),
        ticket=parse_ticket(part(row.get("ticketInfo"))),
        created=created,
        start=schedule.start,
        duration=schedule.length,
        duration_text=schedule.text,
    )


def _access(value: object) -> str:
    """`member` or `owner`, in lower case; it is all that may stand in an address."""
    access = text(value).casefold()
    if access not in _ACCESS:
        raise Malformed("Microsoft sent a sort of access to a group that we do not know.")
    return access


def _lacks(row: Json, names: Iterable[str]) -> bool:
    return any(row.get(name) is None for name in names)


_ACCESS = {"member": "Member", "owner": "Owner"}
