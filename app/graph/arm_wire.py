"""Azure's JSON: requests, stages and instances of Azure Resource Manager, read without trusting it. Pure.

A row names its scope, its role and its approval by paths. Each is checked against a strict grammar before anything of
it may stand in an address; a path that does not fit makes the row Malformed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from app.domain import azure_roles
from app.domain.azure_scopes import AzureScope, read_scope
from app.domain.errors import Malformed
from app.domain.request import ActivationRequest, Kind, Person, RequestKey, Role, Scope
from app.domain.ruling import Step
from app.graph.shapes import parse_created, parse_schedule, parse_ticket
from app.graph.wire import Json, guid, items, last_segment, listed, moment, part, text

PROVIDER = "providers/Microsoft.Authorization"
REQUESTS = "roleAssignmentScheduleRequests"
_ROLE = re.compile(rf"(?P<scope>/.*)?/{re.escape(PROVIDER)}/roleDefinitions/(?P<id>[^/]+)", re.IGNORECASE)


def address(scope: AzureScope | None, *segments: str) -> str:
    """A path below ARM's root: the scope (None: the tenant) and what is asked of its authorization provider."""
    at = "" if scope is None or scope.id == "/" else quote(scope.id, safe="/()~$!,;:=@+-._")
    return "/".join((at, PROVIDER, *segments))


def scope_of(value: object) -> AzureScope:
    """The Azure scope behind a path, or Malformed."""
    scope = read_scope(text(value))
    if scope is None:
        raise Malformed("Microsoft sent an Azure scope that we cannot read.")
    return scope


def role_path(value: object) -> str:
    """The full path of a role definition, or Malformed: it stands in a filter."""
    found = _ROLE.fullmatch(text(value))
    if found is None:
        raise Malformed("Microsoft sent an Azure role that we cannot read.")
    guid(found["id"])
    if found["scope"]:
        scope_of(found["scope"])
    return found[0]


def parse_request(row: Json, subscriptions: Mapping[str, str] | None = None) -> ActivationRequest:
    """A `roleAssignmentScheduleRequest`; Malformed without its ids, scope, role, time. `subscriptions`: known names."""
    facts = part(row.get("properties"))
    expanded = part(facts.get("expandedProperties"))
    created = parse_created(facts.get("createdOn"))
    schedule = parse_schedule(part(facts.get("scheduleInfo")), created)
    return ActivationRequest(
        key=RequestKey(Kind.AZURE, guid(row.get("name"))),
        native_status=text(facts.get("status")),
        action=text(facts.get("requestType")),
        requestor=_requestor(part(expanded.get("principal")), guid(facts.get("principalId"))),
        created_by=text(facts.get("requestorId")).lower(),
        role=_role(facts.get("roleDefinitionId"), part(expanded.get("roleDefinition"))),
        scope=_scope(scope_of(facts.get("scope")), part(expanded.get("scope")), subscriptions or {}),
        justification=text(facts.get("justification")),
        ticket=parse_ticket(part(facts.get("ticketInfo"))),
        created=created,
        start=schedule.start,
        duration=schedule.length,
        duration_text=schedule.text,
        approval_id=_approval_id(facts.get("approvalId")),
    )


def parse_steps(approval: Json) -> tuple[Step, ...]:
    """The stages of an approval, which an older edition calls steps; Malformed when it shows neither."""
    facts = part(approval.get("properties"))
    stages = facts.get("stages")
    return tuple(parse_step(part(stage)) for stage in listed(facts.get("steps") if stages is None else stages))


def parse_step(row: Json) -> Step:
    """A stage. Its id is the last word of its path; its name may be another."""
    facts = part(row.get("properties"))
    reviewer = part(facts.get("reviewedBy"))
    reviewer_id = text(reviewer.get("principalId")).lower()
    by = Person(reviewer_id, text(reviewer.get("principalName")), text(reviewer.get("userPrincipalName")))
    return Step(
        id=guid(last_segment(row.get("id"))),
        status=text(facts.get("status")),
        result=text(facts.get("reviewResult")),
        assigned_to_me=facts.get("assignedToMe") is True,
        reviewed_by=by if reviewer_id.strip("0-") else None,
        reviewed_at=moment(facts.get("reviewedDateTime")),
        justification=text(facts.get("justification")),
    )


def instance_of(row: Json, request: ActivationRequest) -> bool:
    """Whether an instance came of this request: its schedule has the request's id.

    Role, scope and person are not enough: the same person may have held the same role here an hour ago.
    """
    return last_segment(part(row.get("properties")).get("roleAssignmentScheduleId")).lower() == request.key.id


def rules_at(answer: Json, scope: AzureScope, role_id: str) -> list[Json]:
    """The effective rules of a role at this very scope: settings are not inherited, those above may be listed too."""
    for row in items(answer.get("value")):
        facts = part(part(row).get("properties"))
        here = text(facts.get("scope")).casefold() == scope.id.casefold()
        if here and last_segment(facts.get("roleDefinitionId")).lower() == role_id:
            return [part(rule) for rule in items(facts.get("effectiveRules"))]
    return []


def _requestor(raw: Json, oid: str) -> Person:
    return Person(oid, text(raw.get("displayName")), mail=text(raw.get("email")))


def _role(path: object, expanded: Json) -> Role:
    whole = role_path(path)
    sort = text(expanded.get("type")).casefold()
    built_in = {"builtinrole": True, "customrole": False}.get(sort)
    id_ = guid(last_segment(whole))
    return Role(id_, text(expanded.get("displayName")) or azure_roles.name_of(id_), built_in, path=whole)


def _scope(scope: AzureScope, expanded: Json, subscriptions: Mapping[str, str]) -> Scope:
    name = text(expanded.get("displayName")) or subscriptions.get(scope.own.lower(), "")
    return Scope(scope.id, scope.label(name, subscriptions))


def _approval_id(value: object) -> str:
    """The approval's own id, at the end of its path; empty for requests that need none."""
    return guid(last_segment(value)) if text(value) else ""
