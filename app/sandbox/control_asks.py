"""Reads a new request of `POST /control/requests`: the fields of the contract, and oddities a test may want. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.sandbox.activations import ACTIVATE, FOR_ADMIN, Ask, Kind, Ticket, parse_duration
from app.sandbox.azure_roles import find_azure_role
from app.sandbox.control_input import BadInput, one_of, person_id, read
from app.sandbox.group_access import ACCESS, group_scope
from app.sandbox.roles import Role, find_role
from app.sandbox.scopes import DIRECTORY, Scope, azure_scope, directory_scope
from app.sandbox.world import World

Json = dict[str, Any]
NEEDED = {"kind": str, "requestor": str, "role": str}
USUAL = {"scope": str, "duration": str, "justification": str, "ticket": dict, "age": str, "start": str}
ODD = {"action": str, "stale": bool, "created_by": str, "approvers": list}


def read_ask(world: World, body: object) -> Ask:
    """A new activation request; every field is checked before anything is believed."""
    fields = read(body, NEEDED, {**USUAL, **ODD})
    kind = _kind(fields["kind"])
    return Ask(
        kind=kind,
        requestor=person_id(world, fields["requestor"]),
        role=_role(kind, fields["role"]),
        scope=_scope(world, kind, fields.get("scope")),
        duration=_duration("duration", fields.get("duration", "PT2H"))[0],
        justification=fields.get("justification"),
        ticket=_ticket(fields.get("ticket")),
        age=_duration("age", fields.get("age", "PT0S"))[1],
        start=_moment(fields.get("start")),
        action=one_of("action", fields.get("action", ACTIVATE), (ACTIVATE, *FOR_ADMIN)),
        is_stale=fields.get("stale", False),
        created_by=person_id(world, fields["created_by"]) if "created_by" in fields else None,
        approvers=_approvers(world, fields.get("approvers")),
    )


def _kind(text: str) -> Kind:
    kinds: dict[str, Kind] = {"entra": "entra", "azure": "azure", "group": "group"}
    return kinds[one_of("kind", text, tuple(kinds))]


def _role(kind: Kind, name: str) -> Role:
    if kind == "group":
        return ACCESS[one_of("role", name, tuple(ACCESS))]
    role = find_azure_role(name) if kind == "azure" else find_role(name)
    if role is None:
        raise BadInput(f"There is no {'Azure' if kind == 'azure' else 'directory'} role called '{name}'.")
    return role


def _scope(world: World, kind: Kind, text: str | None) -> Scope:
    if kind == "entra":
        found, known = directory_scope(text or DIRECTORY.id), "'/' or '/administrativeUnits/{id}'"
    elif kind == "azure":
        found, known = azure_scope(text or world.settings.subscription), "its path, its name or a subscription's id"
    else:
        found, known = group_scope(text or ""), "the id or name of one of the world's groups"
    if found is None:
        raise BadInput(f"The scope of this kind of request is {known}.")
    return found


def _approvers(world: World, given: list[object] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not all(isinstance(name, str) for name in given):
        raise BadInput("The field 'approvers' must be a list of people's ids.")
    return tuple(person_id(world, str(name)) for name in given)


def _duration(name: str, text: str) -> tuple[str, timedelta]:
    length = parse_duration(text)
    if length is None or (name == "duration" and not length):
        raise BadInput(f"The field '{name}' must be an ISO 8601 duration such as PT2H or P1DT4H.")
    return text, length


def _ticket(given: Json | None) -> Ticket | None:
    if given is None:
        return None
    fields = read(given, {}, {"number": str, "system": str})
    return Ticket(fields.get("number"), fields.get("system"))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise BadInput("The field 'start' must be an ISO 8601 time.") from problem
    if moment.tzinfo is None:
        raise BadInput("The field 'start' needs a time zone, for example a Z at its end.")
    return moment
