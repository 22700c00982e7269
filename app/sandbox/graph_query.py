"""OData as far as the emulated Graph understands it: $select, $expand and paging over plain rows. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

from app.sandbox.graph_gate import GraphCall, GraphError
from app.sandbox.wire import Json

PAGE = 100
Item = TypeVar("Item")
Expansions = Mapping[str, Callable[[GraphCall, Json], Json | None]]  # what each navigation of a row leads to
Page = tuple[list[Item], dict[str, str]]


def select(
    rows: Sequence[Json], text: str | None, type_name: str, properties: Iterable[str], also: Iterable[str] = ()
) -> list[Json]:
    """Keep the selected properties of each row; `also` names what was expanded and stays in any case.

    Raises GraphError 400 for a property the type does not have.
    """
    if text is None:
        return list(rows)
    wanted = [name.strip() for name in text.split(",")]
    known = set(properties)
    for name in wanted:
        if name not in known:
            message = f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'."
            raise GraphError(400, "BadRequest", f"Parsing OData Select and Expand failed: {message}")
    kept = {*wanted, *also}
    return [{key: value for key, value in row.items() if key in kept or key.startswith("@")} for row in rows]


def read_expand(text: str | None, allowed: Mapping[str, str]) -> dict[str, str]:
    """Navigation names asked for, each with its nested options (`policy($expand=rules)`).

    `allowed` names each navigation and the one nested option text it accepts ("" for none); else GraphError 400.
    """
    asked = {}
    for part in re.split(r",(?![^(]*\))", text) if text else ():
        name, _, rest = part.strip().partition("(")
        nested = rest.removesuffix(")")
        if name not in allowed or nested not in {"", allowed[name]}:
            raise GraphError(400, "BadRequest", f"Parsing OData Select and Expand failed: '{part}' is not supported.")
        asked[name] = nested
    return asked


def presented(
    call: GraphCall, rows: Sequence[Json], type_name: str, properties: Iterable[str], expansions: Expansions
) -> list[Json]:
    """The rows as this call asks for them: expanded first, then cut to what was selected."""
    expanded = read_expand(call.query.get("$expand"), dict.fromkeys(expansions, ""))
    full = [row | {name: expansions[name](call, row) for name in expanded} for row in rows]
    return select(full, call.query.get("$select"), type_name, properties, expanded)


def page(items: Sequence[Item], key: Callable[[Item], str], call: GraphCall, most: int = PAGE) -> Page[Item]:
    """One page of at most `most` items, and the `@odata.nextLink` that leads on; none at the end."""
    query = call.query
    size = _page_size(query.get("$top"), most)
    start = _position(query.get("$skiptoken"), items, key)
    chosen = list(items[start : start + size])
    if start + size >= len(items):
        return chosen, {}
    token = base64.urlsafe_b64encode(key(chosen[-1]).encode()).decode().rstrip("=")
    kept = {name: value for name, value in query.items() if name != "$skiptoken"} | {"$skiptoken": token}
    return chosen, {"@odata.nextLink": f"{call.here()}?{_encoded(kept)}"}


def _page_size(text: str | None, most: int) -> int:
    if text is None:
        return most
    if not text.isdecimal() or not 1 <= int(text) <= most:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive."
        raise GraphError(400, "BadRequest", message)
    return int(text)


def _position(token: str | None, items: Sequence[Item], key: Callable[[Item], str]) -> int:
    if token is None:
        return 0
    try:
        last = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return next(number for number, item in enumerate(items) if key(item) == last) + 1
    except (binascii.Error, UnicodeDecodeError, StopIteration) as problem:
        raise GraphError(400, "BadRequest", "The $skiptoken is not valid.") from problem


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items())
