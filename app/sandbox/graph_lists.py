"""What PIM's collections of requests have in common, for directory roles and for groups: whose, which, one by id.

With thousands of requests a filter reads single facts; rows are made only for what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from app.sandbox.activations import Kind, Refused, Request
from app.sandbox.approvers import can_decide
from app.sandbox.graph_filter import EQUALITY, Facts, Filter, read_filter
from app.sandbox.graph_gate import GraphCall, GraphError, denied, not_found
from app.sandbox.people import Person
from app.sandbox.roles import ADMINISTRATORS, READERS
from app.sandbox.world import World

Fields = Mapping[str, Iterable[str]]
# The function `filterByCurrentUser` returns no more rows than this, and no link to a next page.
FUNCTION_ROWS = 50
EXTENSION = "PendingAdminDecision"


def equality(*names: str) -> Fields:
    """Fields that may be compared with `eq` and `ne` only, as PIM's collections have it."""
    return dict.fromkeys(names, EQUALITY)


def read_query(call: GraphCall, fields: Fields) -> Filter:
    """The call's filter; one that lets everything pass if it has none.

    An application's `or` is refused: nobody reports that it works.
    """
    text = call.query.get("$filter")
    asked = read_filter(text, fields) if text else Filter(())
    if call.person is None and not asked.is_plain():
        raise GraphError(400, "InvalidFilter", f"The {text} filter is invalid.")
    return asked


def matching(world: World, requests: Iterable[Request], asked: Filter) -> Iterator[Request]:
    """The requests that pass the filter, one by one."""
    if not asked.parts:
        return iter(requests)
    now = world.now()
    return (request for request in requests if asked.holds(_facts(world, request, now)))


def of_caller(call: GraphCall, kind: Kind, asked: Filter, relations: Iterable[str]) -> list[Request]:
    """What `filterByCurrentUser` finds, at most 50: requests that wait for the caller, or that the caller made.

    What only an administrator can decide waits for nobody here, unless it is asked for by its status.
    """
    person, on = call.caller(), call.ids["on"]
    if on not in relations:
        raise GraphError(400, "BadRequest", f"The value '{on}' of the parameter 'on' is not supported.")
    mine = (request for request in call.world.of_kind(kind) if _RELATIONS[on](request, person))
    if on == "approver" and EXTENSION not in {clause.value for clause in asked.clauses()}:
        mine = (request for request in mine if request.status(call.world.now()) != EXTENSION)
    return list(islice(matching(call.world, mine, asked), FUNCTION_ROWS))


def find(call: GraphCall, kind: Kind) -> Request:
    """The request of this kind named in the path, as reads show it; raises GraphError 404."""
    request = call.world.seen(call.ids["id"].lower())
    if request is None or request.asked.kind != kind:
        raise not_found(call.ids["id"])
    return request


def find_own(call: GraphCall, kind: Kind) -> Request:
    """The same for those it concerns: requestor, approvers, readers of PIM, applications; raises GraphError 403."""
    request, person = find(call, kind), call.person
    if person and not (person.id in {request.asked.requestor, *READERS} or can_decide(request, person.id)):
        raise denied()
    return request


def cancel(call: GraphCall, kind: Kind) -> None:
    """Withdraw a request: its requestor may, an application, and who administers PIM."""
    request = find(call, kind)
    if call.person and call.person.id not in {request.asked.requestor, *ADMINISTRATORS}:
        raise denied()
    outcome = call.world.cancel(request.id)
    if isinstance(outcome, Refused):
        raise GraphError(400, "InvalidRequest", outcome.sentence)


def remove(call: GraphCall, kind: Kind, role: str, scope: str) -> Request:
    """Take away what somebody holds: only who administers PIM may, and only for a reason.

    `role` and `scope` are what this collection calls them. No other action is emulated: people ask through `/control`.
    """
    sent = _removal(call, {"action", "principalId", "justification", role, scope})
    if call.person and call.person.id not in ADMINISTRATORS:
        raise denied()
    if not sent["justification"].strip():
        message = 'The following policy rules failed: ["JustificationRule"]'
        raise GraphError(400, "RoleAssignmentRequestPolicyValidationFailed", message)
    holder = call.world.person(sent["principalId"])
    outcome = call.world.remove(kind, holder.id if holder else "", sent[role].lower(), sent[scope].lower())
    if isinstance(outcome, Refused):
        raise GraphError(400, "RoleAssignmentDoesNotExist", outcome.sentence)
    return outcome


def _removal(call: GraphCall, fields: set[str]) -> dict[str, str]:
    try:
        sent = json.loads(call.body)
    except ValueError as problem:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from problem
    if not isinstance(sent, dict) or set(sent) != fields or not all(isinstance(each, str) for each in sent.values()):
        raise GraphError(400, "BadRequest", f"A removal has exactly these texts: {', '.join(sorted(fields))}.")
    if sent["action"].lower() != "adminremove":
        raise GraphError(400, "BadRequest", f"The action '{sent['action']}' is not supported here.")
    return sent


def target_schedule(request: Request) -> str:
    """The id of the schedule that a request leads to; a group's names the group and the access too."""
    asked = request.asked
    return f"{asked.scope.id}_{asked.role.id}_{request.id}" if asked.kind == "group" else request.id


_RELATIONS: Mapping[str, Callable[[Request, Person], bool]] = {
    "approver": lambda request, person: can_decide(request, person.id),
    "principal": lambda request, person: request.asked.requestor == person.id,
    "createdBy": lambda request, person: request.creator == person.id,
}
_FACTS: Mapping[str, Callable[[World, Request, datetime], object]] = {
    "id": lambda _, request, __: request.id,
    "status": lambda _, request, now: request.status(now),
    "principalId": lambda world, request, _: world.people[request.asked.requestor].oid,
    "createdBy": lambda world, request, _: world.people[request.creator].oid,
    "targetScheduleId": lambda _, request, __: target_schedule(request),
    "roleDefinitionId": lambda _, request, __: request.asked.role.id,
    "directoryScopeId": lambda _, request, __: request.asked.scope.id,
    "appScopeId": lambda *_: None,
    "groupId": lambda _, request, __: request.asked.scope.id,
    "accessId": lambda _, request, __: request.asked.role.id,
}


def _facts(world: World, request: Request, now: datetime) -> Facts:
    return lambda field: _FACTS[field](world, request, now)
