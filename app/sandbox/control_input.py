"""Reads what tests send to `/control`: unknown, missing or mistyped fields become one plain sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.sandbox.faults import Fault
from app.sandbox.world import World

Json = dict[str, Any]
Kinds = type | tuple[type, ...]
SERVICES = ("graph", "arm", "login", "slack")
SHAPES = ("put", "patch_wrapped", "patch_bare", "batch")
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
        left_out = value is None and name not in needed
        if not left_out and not _fits(value, kinds[name]):
            raise BadInput(f"The field '{name}' has the wrong type.")
    _require(needed, body)
    return {name: value for name, value in body.items() if value is not None}


def _require(needed: Mapping[str, Kinds], body: Json) -> None:
    for name in needed:
        if name not in body:
            raise BadInput(f"The field '{name}' is missing.")


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


def read_shapes(body: object) -> tuple[str, ...]:
    """The shapes of a decision that Azure takes from now on, as `POST /control/arm` names them; none is possible."""
    shapes = read(body, {"accepts": list})["accepts"]
    return tuple(one_of("accepts", shape, SHAPES) for shape in shapes)


def _fits(value: object, kinds: Kinds) -> bool:
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if isinstance(value, bool) and bool not in wanted and object not in wanted:
        return False
    return isinstance(value, wanted)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as problem:
        raise BadInput(f"The path '{text}' is not a regular expression: {problem}.") from problem
