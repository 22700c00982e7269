"""What a requestor can ask for on the page, on each desk, and what PIM demands for it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from app.sandbox.activations import Ask, Kind
from app.sandbox.approvers import policy_for
from app.sandbox.azure_roles import AZURE_ROLES
from app.sandbox.group_access import ACCESS
from app.sandbox.people import CAST, GROUPS, PIM_GROUPS
from app.sandbox.roles import ROLES
from app.sandbox.scopes import AZURE_SCOPES, DIRECTORY, PROD, VAULT, WEB, Scope

if TYPE_CHECKING:
    from app.sandbox.roles import Policy, Role
    from app.sandbox.wire import Json

NAMES: dict[Kind, str] = {"entra": "Microsoft Entra", "azure": "Azure resources", "group": "Groups"}
FIRST_ROLE = "Exchange Administrator"
# What stands in the list of eligible roles; the form offers everything.
_ELIGIBLE: dict[Kind, tuple[tuple[str, Scope], ...]] = {
    "entra": tuple(
        (name, DIRECTORY)
        for name in ("Exchange Administrator", "Global Administrator", "Reports Reader", "SharePoint Administrator")
    ),
    "azure": (("Contributor", WEB), ("Owner", PROD), ("Key Vault Administrator", VAULT)),
    "group": tuple(
        (access, Scope(group.id, group.name, "group")) for group in PIM_GROUPS for access in ("member", "owner")
    ),
}


def offers() -> Json:
    """Per desk: its name, roles, scopes, the first eligible ones, and what PIM demands for each pair of the two."""
    return {kind: _offer(kind) for kind in get_args(Kind)}


def offered(kind: str, role: str, scope: str) -> tuple[Kind, Role, Scope] | None:
    """What these words of the form mean; None when it is not on offer."""
    known = next((one for one in get_args(Kind) if one == kind), None)
    if known is None:
        return None
    found = next((one for one in _roles(known) if one.name == role), None)
    place = next((one for one in _scopes(known) if one.id == scope), None)
    return (known, found, place) if found and place else None


def _offer(kind: Kind) -> Json:
    roles, scopes = _roles(kind), _scopes(kind)
    return {
        "name": NAMES[kind],
        "roles": [role.name for role in roles],
        "scopes": [{"id": scope.id, "name": _scope_name(scope)} for scope in scopes],
        "eligible": [[role, scope.id] for role, scope in _ELIGIBLE[kind]],
        "demands": {f"{role.name}|{scope.id}": _demands(kind, role, scope) for role in roles for scope in scopes},
    }


def _demands(kind: Kind, role: Role, scope: Scope) -> Json:
    policy = policy_for(Ask(kind, "", role, scope))
    return {
        "hours": int(policy.max_duration[2:-1]),
        "ticket": "Ticketing" in policy.enabled,
        "mfa": "MultiFactorAuthentication" in policy.enabled,
        "justification": "Justification" in policy.enabled,
        "context": policy.context,
        "approvers": _who_approves(kind, policy),
    }


def _who_approves(kind: Kind, policy: Policy) -> str:
    groups = [f"the group {group.name}" for group in GROUPS if group.id == policy.group]
    people = [CAST[short].name for short in policy.users]
    found = groups + people + (["the requestor's manager"] if policy.managers else [])
    return ", ".join(found) or ("whoever administers PIM" if kind == "entra" else "nobody: its list is empty")


def _roles(kind: Kind) -> list[Role]:
    if kind == "entra":
        # Something harmless first, so that an idle click asks for no power.
        return sorted(ROLES.values(), key=lambda role: (role.name != FIRST_ROLE, role.name))
    return list(AZURE_ROLES.values()) if kind == "azure" else list(ACCESS.values())


def _scopes(kind: Kind) -> list[Scope]:
    if kind == "entra":
        return [DIRECTORY]
    if kind == "azure":
        return sorted(AZURE_SCOPES, key=lambda scope: scope != PROD)
    return [Scope(group.id, group.name, "group") for group in PIM_GROUPS]


def _scope_name(scope: Scope) -> str:
    words = {
        "managementgroup": "management group",
        "resourcegroup": "resource group",
        "subscription": "subscription",
        "resource": "resource",
    }
    return f"{scope.name} ({words[scope.type]})" if scope.type in words else scope.name
