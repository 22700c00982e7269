"""OData's `$filter` as far as the emulated Graph understands it: read once, then asked row by row. Pure.

Understood: comparisons, `startswith(a,'x')`, `c/any(t:t/id eq 'x')`, `and`, `or` and parentheses. Each collection says
which of its fields take which operators; anything else is Graph's 400.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, le, ne
from typing import Any

from app.sandbox.graph_gate import GraphError

Value = str | bool | datetime | None
# What a row holds under a field's name: a value, or several where the field belongs to a collection.
Facts = Callable[[str], object]

EQUALITY = ("eq", "ne")
ORDER = ("ge", "le")
NESTED = 100
_NAME = r"[A-Za-z][A-Za-z/]*"
_TEXT = r"'(?:[^']|'')*'"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?Z"
_COMPARISON = re.compile(rf"\s*({_NAME})\s+(eq|ne|ge|le)\s+({_TEXT}|{_TIME}|true|false|null)\s*")
_STARTSWITH = re.compile(rf"\s*startswith\(\s*({_NAME})\s*,\s*({_TEXT})\s*\)\s*")
_ANY = re.compile(rf"\s*({_NAME})/any\(\s*(\w+)\s*:\s*\2/({_NAME})\s+(eq)\s+({_TEXT})\s*\)\s*")
_OPEN, _CLOSE = re.compile(r"\s*\(\s*"), re.compile(r"\s*\)\s*")
_AND, _OR = re.compile(r"and(?=[\s(])"), re.compile(r"or(?=[\s(])")
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "ge": ge, "le": le}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; text compares without regard to letter case, as Graph does."""

    field: str
    operator: str
    value: Value

    def holds(self, facts: Facts) -> bool:
        """Whether a row with these facts meets it; of several values one that meets it is enough."""
        value = facts(self.field)
        return any(self._meets(each) for each in value) if isinstance(value, tuple) else self._meets(value)

    def _meets(self, value: object) -> bool:
        found, wanted = _folded(value), _folded(self.value)
        if self.operator == "startswith":
            return isinstance(found, str) and found.startswith(str(wanted))
        return _TESTS[self.operator](found, wanted)


@dataclass(frozen=True, slots=True)
class Filter:
    """Clauses joined by `and` (`every`) or by `or`; the parts may be filters themselves."""

    parts: tuple[Filter | Clause, ...]
    every: bool = True

    def holds(self, facts: Facts) -> bool:
        """Whether a row with these facts passes."""
        return (all if self.every else any)(part.holds(facts) for part in self.parts)

    def clauses(self) -> Iterable[Clause]:
        """Every comparison in it, wherever it stands."""
        for part in self.parts:
            yield from (part,) if isinstance(part, Clause) else part.clauses()

    def is_plain(self) -> bool:
        """Whether no `or` stands in it."""
        return self.every and all(isinstance(part, Clause) or part.is_plain() for part in self.parts)

    def demanded(self) -> dict[str, Value]:
        """What each row that passes is sure to equal, by field."""
        if not self.every:
            return {}
        found: dict[str, Value] = {}
        for part in self.parts:
            if isinstance(part, Filter):
                found |= part.demanded()
            elif part.operator == "eq":
                found[part.field] = part.value
        return found


def read_filter(text: str, fields: Mapping[str, Iterable[str]]) -> Filter:
    """Parse a filter over `fields`, each with the operators it takes; raises GraphError 400 for anything else."""
    if text.count("(") > NESTED:
        raise GraphError(400, "BadRequest", f"The node count limit of '{NESTED}' has been exceeded.")
    found, end = _either(text, 0)
    if end < len(text):
        raise _syntax(text, end)
    for clause in found.clauses():
        if clause.operator not in fields.get(clause.field, ()):
            raise GraphError(400, "InvalidFilter", f"The filter on '{clause.field}' is not supported.")
        if clause.operator in ORDER and not isinstance(clause.value, datetime):
            raise GraphError(400, "BadRequest", f"'{clause.field}' is compared with something that is no date.")
    return found


def _either(text: str, start: int) -> tuple[Filter, int]:
    part, end = _both(text, start)
    parts = [part]
    while joint := _OR.match(text, end):
        part, end = _both(text, joint.end())
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Filter(tuple(parts), every=False)), end


def _both(text: str, start: int) -> tuple[Filter, int]:
    part, end = _term(text, start)
    parts = [part]
    while joint := _AND.match(text, end):
        part, end = _term(text, joint.end())
        parts.append(part)
    return Filter(tuple(parts)), end


def _term(text: str, start: int) -> tuple[Filter | Clause, int]:
    if found := _COMPARISON.match(text, start):
        return Clause(found[1], found[2], _literal(found[3])), found.end()
    if found := _STARTSWITH.match(text, start):
        return Clause(found[1], "startswith", _literal(found[2])), found.end()
    if found := _ANY.match(text, start):
        return Clause(f"{found[1]}/{found[3]}", found[4], _literal(found[5])), found.end()
    if found := _OPEN.match(text, start):
        inner, end = _either(text, found.end())
        if close := _CLOSE.match(text, end):
            return inner, close.end()
    raise _syntax(text, start)


def _literal(text: str) -> Value:
    words: dict[str, bool | None] = {"true": True, "false": False, "null": None}
    if text in words:
        return words[text]
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    try:
        return datetime.fromisoformat(text)
    except ValueError as problem:
        raise GraphError(400, "BadRequest", f"Invalid filter clause: '{text}' is no date.") from problem


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _syntax(text: str, position: int) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: syntax error at position {position} in '{text}'.")
