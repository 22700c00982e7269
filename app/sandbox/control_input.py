"""Reads what tests send to `/control`: unknown, missing or mistyped fields become one plain sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.sandbox.activations import Ask, Ticket, parse_duration
from app.sandbox.faults import Fault
from app.sandbox.roles import Role, find_role
from app.sandbox.world import World

Json = dict[str, Any]
Kinds = type | tuple[type, ...]
SERVICES = ("graph", "arm", "login", "slack")
DEEDS = ("answer", "drop_before", "drop_after", "slow")
NUMBER = (int, float)


class BadInput(Exception):
    """The caller's mistake, as a sentence; nothing was changed."""


def read(body: object, needed: Mapping[str, Kinds], optional: Mapping[str, Kinds] | None = None) -> Json:
    """Check a JSON object against its fields; optional ones may be missing or null, and come out only when given."""
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    kinds = {**needed, **(optional or {})}
    for name, value in body.items():
        if name not in kinds:
            raise BadInput(f"There is no field '{name}' here. Known fields: {', '.join(kinds) or 'none'}.")
        if not _fits(value, kinds[name]) and not (value is None and name not in needed):
            raise BadInput(f"The field '{name}' has the wrong type.")
    for name in needed:
        if name not in body:
            raise BadInput(f"The field '{name}' is missing.")
    return {name: value for name, value in body.items() if value is not None}


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """The value, if it is allowed."""
    if value not in allowed:
        raise BadInput(f"The field '{name}' must be one of: {', '.join(allowed)}.")
    return value


def person_id(world: World, name: str) -> str:
    """The short id of a person named by id or name."""
    person = world.person(name)
    if person is None:
        raise BadInput(f"There is nobody called '{name}' in this world.")
    return person.id


def read_ask(world: World, body: object) -> Ask:
    """A new activation request as `POST /control/requests` describes it."""
    fields = read(
        body,
        {"kind": str, "requestor": str, "role": str},
        {"scope": str, "duration": str, "justification": str, "ticket": dict, "age": str, "start": str},
    )
    if one_of("kind", fields["kind"], ("entra", "azure", "group")) != "entra":
        raise BadInput("azure/group requests are not emulated yet.")
    return Ask(
        kind="entra",
        requestor=person_id(world, fields["requestor"]),
        role=_role(fields["role"]),
        scope=_scope(fields.get("scope", "/")),
        duration=_duration("duration", fields.get("duration", "PT2H"))[0],
        justification=fields.get("justification"),
        ticket=_ticket(fields.get("ticket")),
        age=_duration("age", fields.get("age", "PT0S"))[1],
        start=_moment(fields.get("start")),
    )


def read_fault(body: object) -> Fault:
    """One fault as `POST /control/faults` describes it; without `times` it stays until faults are cleared."""
    fields = read(
        body,
        {"service": str, "do": str},
        {"method": str, "path": str, "status": int, "headers": dict, "body": object, "seconds": NUMBER, "times": int},
    )
    one_of("service", fields["service"], SERVICES)
    one_of("do", fields["do"], DEEDS)
    if fields["do"] == "answer" and not 100 <= fields.get("status", 0) <= 599:  # noqa: PLR2004 - HTTP's range
        raise BadInput("An answer needs a 'status' from 100 to 599.")
    if fields.get("times", 1) < 1 or fields.get("seconds", 0) < 0:
        raise BadInput("'times' must be at least 1 and 'seconds' not negative.")
    if not all(isinstance(value, str) for value in fields.get("headers", {}).values()):
        raise BadInput("The values of 'headers' must be strings.")
    method = {"method": fields.pop("method").upper()} if "method" in fields else {}
    seconds = {"seconds": 1.0} if fields["do"] == "slow" and "seconds" not in fields else {}
    return Fault(**{**fields, **method, **seconds, "path": _pattern(fields.get("path", ""))})


def _fits(value: object, kinds: Kinds) -> bool:
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if isinstance(value, bool) and bool not in wanted and object not in wanted:
        return False
    return isinstance(value, wanted)


def _role(name: str) -> Role:
    role = find_role(name)
    if role is None:
        raise BadInput(f"There is no directory role called '{name}'.")
    return role


def _scope(scope: str) -> str:
    if scope != "/" and not scope.startswith("/administrativeUnits/"):
        raise BadInput("The scope of a directory role is '/' or '/administrativeUnits/{id}'.")
    return scope


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


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as problem:
        raise BadInput(f"The path '{text}' is not a regular expression: {problem}.") from problem
