"""The directory audit log of the emulated Graph, as far as PIM writes it. Reads only.

The reporting service is slow and stingy: rows come late (`World.audit_lag`) and it takes five calls in ten seconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from math import ceil

from app.sandbox.audit_trail import Event, events_of
from app.sandbox.graph_filter import Facts, read_filter
from app.sandbox.graph_gate import GraphCall, GraphError
from app.sandbox.graph_query import page
from app.sandbox.people import Person
from app.sandbox.roles import READERS
from app.sandbox.wire import Json, stamp
from app.sandbox.world import World

PAGE = 1000
WINDOW, CALLS = timedelta(seconds=10), 5
FIELDS: Mapping[str, tuple[str, ...]] = {
    "activityDateTime": ("eq", "ge", "le"),
    "activityDisplayName": ("eq", "startswith"),
    "loggedByService": ("eq",),
    "category": ("eq",),
    "correlationId": ("eq",),
    "initiatedBy/user/id": ("eq",),
    "initiatedBy/user/displayName": ("eq",),
    "initiatedBy/user/userPrincipalName": ("eq", "startswith"),
    "initiatedBy/app/displayName": ("eq",),
    "targetResources/id": ("eq",),
    "targetResources/displayName": ("eq", "startswith"),
}
CATEGORIES = {"entra": "RoleManagement", "azure": "ResourceManagement", "group": "GroupManagement"}
PIM = "Azure AD PIM"


def list_audits(call: GraphCall) -> Json:
    """What PIM logged, newest first, page by page; a person needs a directory role that may read reports."""
    if call.person and call.person.id not in READERS:
        raise GraphError(403, "Authentication_RequestFromUnsupportedUserRole", "User is not in the allowed roles.")
    _throttle(call.world)
    shown, link = page(_matching(call), _row_id, call, PAGE)
    rows = [_row(call.world, event) for event in shown]
    return {"@odata.context": call.context("auditLogs/directoryAudits"), "value": rows, **link}


def _throttle(world: World) -> None:
    now = world.now()
    recent = [at for at in world.audit_calls if now - at < WINDOW]
    if len(recent) >= CALLS:
        wait = ceil((recent[0] + WINDOW - now).total_seconds())
        raise GraphError(429, "TooManyRequests", "Too many requests.", {"retry-after": str(wait)})
    world.audit_calls = [*recent, now]


def _matching(call: GraphCall) -> list[Event]:
    """The events that pass the filter; rows are made of those on the page only."""
    world = call.world
    until = world.now() - world.audit_lag
    events = [event for request in world.requests.values() for event in events_of(request, until)]
    if "$filter" in call.query:
        asked = read_filter(call.query["$filter"], FIELDS)
        events = [event for event in events if asked.holds(_facts(world, event))]
    return sorted(events, key=lambda event: event.at)[::-1]


def _facts(world: World, event: Event) -> Facts:
    return lambda field: _FACTS[field](world, event)


def _targets_of(name: str) -> Callable[[World, Event], object]:
    return lambda world, event: tuple(target[name] for target in _targets(world, event))


def _actor_of(name: str) -> Callable[[World, Event], object]:
    return lambda world, event: getattr(world.people[event.actor], name) if event.actor else None


_FACTS: Mapping[str, Callable[[World, Event], object]] = {
    "activityDateTime": lambda _, event: event.at,
    "activityDisplayName": lambda _, event: event.activity,
    "loggedByService": lambda _, __: "PIM",
    "category": lambda _, event: CATEGORIES[event.request.asked.kind],
    "correlationId": lambda _, event: event.request.id,
    "initiatedBy/user/id": _actor_of("oid"),
    "initiatedBy/user/displayName": _actor_of("name"),
    "initiatedBy/user/userPrincipalName": _actor_of("upn"),
    "initiatedBy/app/displayName": lambda _, event: None if event.actor else PIM,
    "targetResources/id": _targets_of("id"),
    "targetResources/displayName": _targets_of("displayName"),
}


def _row(world: World, event: Event) -> Json:
    return {
        "id": _row_id(event),
        "category": CATEGORIES[event.request.asked.kind],
        "correlationId": event.request.id,
        "result": event.result,
        "resultReason": event.reason,
        "activityDisplayName": event.activity,
        "activityDateTime": stamp(event.at, 7),
        "loggedByService": "PIM",
        "operationType": event.operation,
        "userAgent": None,
        "initiatedBy": _initiator(world, event),
        "targetResources": _turned(_targets(world, event), event),
        "additionalDetails": _turned(list(_details(event)), event),
    }


def _row_id(event: Event) -> str:
    made = _made(event)
    return f"PIM_{made}_{made.hex[:5].upper()}_{made.int % 10**8:08d}"


def _made(event: Event) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{event.request.id} {event.activity}")


def _turned(items: list[Json], event: Event) -> list[Json]:
    """The same in an order that differs from row to row, as Microsoft's does: readers must go by `type` and `key`."""
    first = _made(event).int % len(items)
    return items[first:] + items[:first]


def _initiator(world: World, event: Event) -> Json:
    if event.actor is None:
        return {"user": None, "app": {"appId": None, "displayName": PIM, "servicePrincipalId": None}}
    person = world.people[event.actor]
    names = {"id": person.oid, "displayName": person.name, "userPrincipalName": person.upn, "ipAddress": None}
    return {"app": None, "user": names}


def _targets(world: World, event: Event) -> list[Json]:
    asked = event.request.asked
    principal = world.people[asked.requestor]
    role = _target("Role", asked.role.id, asked.role.name)
    if asked.kind == "azure":
        # Azure's rows name the requestor as "Other", and as "User" whoever decided; the request is a detail only.
        return [role, _target("Other", principal.oid, principal.name), _user(world.people[event.actor or principal.id])]
    request, user, other = _target("Request", event.request.id, None), _user(principal), _target("Other", None, None)
    if asked.kind == "group":
        return [_target("Group", asked.scope.id, asked.scope.name), role, request, user, other]
    origin = {"displayName": "RoleDefinitionOriginId", "oldValue": '""', "newValue": f'"{asked.role.id}"'}
    directory = _target("Directory", world.settings.tenant, "Contoso")
    return [role | {"modifiedProperties": [origin]}, request, user, directory, other]


def _target(kind: str, identifier: str | None, name: str | None) -> Json:
    return {"id": identifier, "displayName": name, "type": kind, "userPrincipalName": None, "modifiedProperties": []}


def _user(person: Person) -> Json:
    return _target("User", person.oid, person.name) | {"userPrincipalName": person.upn}


def _details(event: Event) -> Iterator[Json]:
    asked, (start, end) = event.request.asked, event.request.window()
    details = {
        "RoleDefinitionOriginType": "BuiltInRole",
        "TemplateId": asked.role.id if asked.kind == "entra" else None,
        "StartTime": stamp(start, 0),
        "ExpirationTime": stamp(end, 0),
        "Justification": asked.justification,
        "TicketNumber": asked.ticket and asked.ticket.number,
        "TicketSystem": asked.ticket and asked.ticket.system,
        "RequestId": event.request.id,
    }
    return ({"key": key, "value": value} for key, value in details.items() if value)
