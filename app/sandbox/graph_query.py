"""OData as far as the emulated Graph understands it: $filter, $select, $expand and paging over plain rows. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from app.sandbox.graph_gate import GraphError
from app.sandbox.wire import Json

PAGE = 100
Item = TypeVar("Item")
Page = tuple[list[Item], dict[str, str]]
_CLAUSE = re.compile(r"\s*([A-Za-z][A-Za-z/]*)\s+(eq|ne)\s+('(?:[^']|'')*'|true|false|null)\s*")
_AND = re.compile(r"and(?=\s)")


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of a filter."""

    field: str
    operator: str
    value: str | bool | None

    def holds(self, row: Mapping[str, object]) -> bool:
        """Whether a row meets it; text compares without regard to case, as Graph does; `createdBy` by its user."""
        value = row.get(self.field)
        if isinstance(value, dict):
            value = value["user"]["id"]
        return (_folded(value) == _folded(self.value)) == (self.operator == "eq")


def read_filter(text: str, fields: Iterable[str]) -> list[Clause]:
    """Parse `a eq 'x' and b ne 'y'`; raises GraphError 400 for other grammar or fields that cannot be filtered."""
    known = set(fields)
    found = _part(_CLAUSE, text, 0)
    clauses = [_clause(found)]
    while found.end() < len(text):
        found = _part(_CLAUSE, text, _part(_AND, text, found.end()).end())
        clauses.append(_clause(found))
    unknown = [clause.field for clause in clauses if clause.field not in known]
    if unknown:
        raise GraphError(400, "InvalidFilter", f"The filter on '{unknown[0]}' is not supported.")
    return clauses


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


def page(items: Sequence[Item], key: Callable[[Item], str], query: Mapping[str, str], here: str) -> Page[Item]:
    """One page of items, and the `@odata.nextLink` that leads on: `here` with a token; empty at the end."""
    size = _page_size(query.get("$top"))
    start = _position(query.get("$skiptoken"), items, key)
    chosen = list(items[start : start + size])
    if start + size >= len(items):
        return chosen, {}
    token = base64.urlsafe_b64encode(key(chosen[-1]).encode()).decode().rstrip("=")
    kept = {name: value for name, value in query.items() if name != "$skiptoken"} | {"$skiptoken": token}
    return chosen, {"@odata.nextLink": f"{here}?{_encoded(kept)}"}


def keep(rows: Iterable[Json], clauses: Sequence[Clause]) -> list[Json]:
    """The rows that meet every clause."""
    return [row for row in rows if meets(row, clauses)]


def meets(row: Json, clauses: Sequence[Clause]) -> bool:
    """Whether a row meets every clause."""
    return all(clause.holds(row) for clause in clauses)


def _part(pattern: re.Pattern[str], text: str, position: int) -> re.Match[str]:
    found = pattern.match(text, position)
    if found is None:
        message = f"Invalid filter clause: syntax error at position {position} in '{text}'."
        raise GraphError(400, "BadRequest", message)
    return found


def _clause(found: re.Match[str]) -> Clause:
    return Clause(found[1], found[2], _literal(found[3]))


def _literal(text: str) -> str | bool | None:
    words: dict[str, bool | None] = {"true": True, "false": False, "null": None}
    return words[text] if text in words else text[1:-1].replace("''", "'")


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _page_size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text) <= PAGE:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {PAGE} inclusive."
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
