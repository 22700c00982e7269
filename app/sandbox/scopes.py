"""Where a role counts: the directory, a part of Azure, a group. Constants and pure look-ups only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from app.sandbox.people import SUBSCRIPTION

MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/"
_WORD = r"[^/?#\s]+"
_SUBSCRIPTION = rf"/subscriptions/{_WORD}"
_GROUP = rf"{_SUBSCRIPTION}/resourceGroups/{_WORD}"
# The kinds of Azure scope by their path, and the word PIM has for each.
_TYPES = {
    "managementgroup": re.compile(f"{MANAGEMENT_GROUP}{_WORD}", re.IGNORECASE),
    "subscription": re.compile(_SUBSCRIPTION, re.IGNORECASE),
    "resourcegroup": re.compile(_GROUP, re.IGNORECASE),
    "resource": re.compile(rf"{_GROUP}/providers/{_WORD}(?:/{_WORD}/{_WORD})+", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Microsoft's own id of a place, the name people know it by, and what it is."""

    id: str
    name: str
    type: str


DIRECTORY = Scope("/", "Directory", "directory")
PROD = Scope(f"/subscriptions/{SUBSCRIPTION}", "Prod", "subscription")
WEB = Scope(f"{PROD.id}/resourceGroups/rg-web", "rg-web", "resourcegroup")
VAULT = Scope(f"{PROD.id}/resourceGroups/rg-data/providers/Microsoft.KeyVault/vaults/kv-prod", "kv-prod", "resource")
AZURE_SCOPES = (
    Scope(f"{MANAGEMENT_GROUP}contoso", "Contoso", "managementgroup"),
    PROD,
    WEB,
    Scope(f"{PROD.id}/resourceGroups/rg-data", "rg-data", "resourcegroup"),
    VAULT,
    Scope("/subscriptions/1f1e1d1c-2222-4333-8444-a55566677788", "Staging", "subscription"),
)


def directory_scope(scope_id: str) -> Scope | None:
    """The whole directory or one administrative unit."""
    unit = scope_id.removeprefix("/administrativeUnits/")
    if scope_id == DIRECTORY.id:
        return DIRECTORY
    return Scope(scope_id, unit, "administrativeUnit") if unit and unit != scope_id and "/" not in unit else None


def azure_scope(id_or_name: str) -> Scope | None:
    """A part of Azure by name, by path, or by a subscription's bare id; any well-formed path is a place."""
    wanted = id_or_name.strip().strip("/").lower()
    for scope in AZURE_SCOPES:
        names = {scope.name.lower(), scope.id.strip("/").lower(), scope.id.removeprefix("/subscriptions/").lower()}
        if wanted in names:
            return scope
    path = f"/{id_or_name.strip().strip('/')}"
    found = next((name for name, pattern in _TYPES.items() if pattern.fullmatch(path)), None)
    return Scope(path, path.rsplit("/", 1)[1], found) if found else None


@lru_cache(maxsize=4096)
def is_within(inner: str, outer: str) -> bool:
    """Whether one Azure scope is the other or lies below it; one management group stands above everything else."""
    inner, outer = inner.lower(), outer.lower()
    above_all = outer.startswith(MANAGEMENT_GROUP.lower()) and inner.startswith("/subscriptions/")
    return inner == outer or inner.startswith(f"{outer}/") or above_all
