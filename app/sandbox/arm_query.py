"""ARM's filters and pages, as far as the emulated services understand them. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from app.sandbox.activations import Request
from app.sandbox.arm_gate import ArmCall, ArmError
from app.sandbox.wire import Json

PAGE = 100
_FUNCTION = re.compile(r"(\w+)\(\s*(?:'([^']*)')?\s*\)")
_EQUALS = re.compile(r"(\w+)\s+eq\s+(?:'([^']*)'|([^'\s]+))")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing asks for: functions such as `asApprover`, and fields that must equal a value (lower case)."""

    functions: Mapping[str, str]
    equals: Mapping[str, str]

    def has(self, *names: str) -> bool:
        """Whether one of these functions was asked for."""
        return any(name in self.functions for name in names)

    @property
    def principal(self) -> str | None:
        """Whose rows are asked for, by object id."""
        return self.equals.get("principalId") or self.functions.get("assignedTo")


def read_filter(text: str | None, functions: Iterable[str], fields: Iterable[str] = ()) -> Filter:
    """Parse `asApprover()` or `atScope() and principalId eq 'x'`; raises ArmError 400 for anything else.

    Names count whatever their letter case; a status cannot be filtered, as in the real service.
    """
    known = {name.lower(): name for name in (*functions, *fields)}
    called: dict[str, str] = {}
    equals: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text.strip()) if text else ():
        found = _FUNCTION.fullmatch(part) or _EQUALS.fullmatch(part)
        name = known.get(found[1].lower()) if found else None
        if found is None or name is None or (found.re is _FUNCTION) != (name in functions):
            raise ArmError(400, "InvalidFilter", f"The filter '{part}' is not supported.")
        value = next((group for group in found.groups()[1:] if group is not None), "")
        (called if found.re is _FUNCTION else equals)[name] = value.lower()
    return Filter(called, equals)


def page(call: ArmCall, items: list[Request]) -> tuple[list[Request], Json]:
    """At most a hundred rows, and the `nextLink` that leads on; empty at the end."""
    start = _position(call.query.get("$skiptoken"), items)
    shown = items[start : start + PAGE]
    if start + PAGE >= len(items):
        return shown, {}
    token = base64.urlsafe_b64encode(shown[-1].id.encode()).decode().rstrip("=")
    query = {**call.query, "$skiptoken": token}
    encoded = "&".join(f"{name}={quote(value, safe='()')}" for name, value in query.items())
    return shown, {"nextLink": f"{call.world.settings.world_url}/arm{quote(call.sent.path)}?{encoded}"}


def _position(token: str | None, items: list[Request]) -> int:
    if token is None:
        return 0
    try:
        last = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return next(number for number, item in enumerate(items) if item.id == last) + 1
    except (binascii.Error, UnicodeDecodeError, StopIteration) as problem:
        raise ArmError(400, "InvalidSkipToken", "The $skiptoken is not valid.") from problem
