"""Azure scopes: a strict grammar for their paths, and what they are called. Pure; whatever does not fit is no scope.

A path goes into an address that carries somebody's token, so nothing is guessed: no traversal, no escapes, no query.
ARM ignores letter case in paths and keeps the spelling it was given, and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 1_000  # characters; Microsoft's own ids are shorter
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Names may hold letters of any alphabet, and resources' names nearly anything; a dot alone would climb.
_NAME = r"(?!\.{1,2}(?:/|\Z))[\w.()~-]{1,90}"
_RESOURCE = r"(?!\.{1,2}(?:/|\Z))[\w.()~@$!,;:=+-](?:[\w.()~@$!,;:=+ -]{0,258}[\w.()~@$!,;:=+-])?"
_TYPE = r"[A-Za-z0-9.]{1,64}"
_SCOPE = re.compile(
    rf"/providers/Microsoft\.Management/managementGroups/(?P<management_group>{_NAME})"
    rf"|/subscriptions/(?P<subscription>{_GUID})"
    rf"(?:/resourceGroups/(?P<resource_group>{_NAME}))?"
    rf"(?P<resource>(?:/providers/{_TYPE}(?:/{_TYPE}/{_RESOURCE})+)+)?",
    re.IGNORECASE,
)


class Breadth(StrEnum):
    """How much of Azure a scope spans, the widest first."""

    ROOT = "root"
    MANAGEMENT_GROUP = "management group"
    SUBSCRIPTION = "subscription"
    RESOURCE_GROUP = "resource group"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class AzureScope:
    """One part of Azure. `id` is its path as Microsoft spells it, `/` for the root; the rest is read out of it."""

    id: str
    breadth: Breadth
    management_group: str = ""
    subscription: str = ""
    resource_group: str = ""
    resource: str = ""

    @property
    def own(self) -> str:
        """The last word of the path."""
        return self.id.rpartition("/")[2]

    def label(self, name: str = "", subscriptions: Mapping[str, str] | None = None) -> str:
        """`Resource group rg-web in Prod`. `name`: what it is called; `subscriptions`: names by id, lower case."""
        if self.breadth is Breadth.ROOT:
            return "All of Azure"
        called = f"{self.breadth.capitalize()} {name or self.own}"
        return f"{called} in {within}" if (within := self._within(subscriptions or {})) else called

    def _within(self, subscriptions: Mapping[str, str]) -> str:
        if self.breadth is Breadth.RESOURCE and self.resource_group:
            return self.resource_group
        if self.breadth in (Breadth.RESOURCE, Breadth.RESOURCE_GROUP):
            return subscriptions.get(self.subscription.lower(), "")
        return ""


def read_scope(path: str) -> AzureScope | None:
    """The scope behind a path, or None: `/`, a management group, a subscription, a resource group, a resource."""
    if path == "/":
        return AzureScope("/", Breadth.ROOT)
    found = _SCOPE.fullmatch(path) if len(path) <= LONGEST else None
    if found is None:
        return None
    parts = {name: value or "" for name, value in found.groupdict().items()}
    return AzureScope(path, next(breadth for name, breadth in _NARROWEST if parts[name]), **parts)


_NARROWEST = (
    ("resource", Breadth.RESOURCE),
    ("resource_group", Breadth.RESOURCE_GROUP),
    ("subscription", Breadth.SUBSCRIPTION),
    ("management_group", Breadth.MANAGEMENT_GROUP),
)
