"""The level that a request starts from: what its role can do, and how far it reaches. Pure; the tables are data.

A role is known by Microsoft's id and never by its name, which a company can give to anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain import azure_roles, roles
from app.domain.azure_scopes import Breadth, read_scope
from app.domain.levels import Level
from app.domain.request import ActivationRequest, Kind, Role
from app.domain.rules import Item, RiskPolicy

Tier = tuple[Level, Item]

_WHERE = {
    Breadth.RESOURCE: "on one resource",
    Breadth.RESOURCE_GROUP: "on a resource group",
    Breadth.SUBSCRIPTION: "on a subscription",
    Breadth.MANAGEMENT_GROUP: "on a management group",
    Breadth.ROOT: "on all of Azure",
    None: "on a scope we cannot read",
}
# The column of the rows below. What cannot be read may be anything, so it counts as the widest.
_WIDTH: Mapping[Breadth | None, int] = {Breadth.RESOURCE: 0, Breadth.RESOURCE_GROUP: 1, Breadth.SUBSCRIPTION: 2}
_WIDEST = 3
# By what a role can do, from one resource to the widest scope. No row ever falls from left to right.
_CONTROL = (Level.MEDIUM, Level.HIGH, Level.HIGH, Level.CRITICAL)
_BROAD = (Level.MEDIUM, Level.MEDIUM, Level.HIGH, Level.HIGH)
_ELEVATED = (Level.MEDIUM, Level.MEDIUM, Level.MEDIUM, Level.HIGH)
_READING = (Level.LOW, Level.LOW, Level.LOW, Level.MEDIUM)


def tier(request: ActivationRequest, policy: RiskPolicy = RiskPolicy()) -> Tier:
    """Where the level starts, and the item that says why. A company's own level comes before every table."""
    own = _own_level(request, policy)
    if own is not None:
        what = request.scope.label if request.key.kind is Kind.GROUP else request.role.label
        return own, Item("level_set", f"{what}: level set by your policy")
    if request.key.kind is Kind.AZURE:
        return _azure(request)
    return _group(request) if request.key.kind is Kind.GROUP else _directory(request.role)


def _own_level(request: ActivationRequest, policy: RiskPolicy) -> Level | None:
    """For a group its id counts before its name: whoever owns a group may rename it."""
    if request.key.kind is not Kind.GROUP:
        return policy.extra_levels.get(request.role.id.casefold())
    by_id = policy.groups.get(request.scope.id.casefold())
    return by_id if by_id is not None else policy.groups.get(request.scope.name.strip().casefold())


def _directory(role: Role) -> Tier:
    template = role.id.casefold()
    for table, level, rule in (
        (roles.CRITICAL, Level.CRITICAL, "role_critical"),
        (roles.HIGH, Level.HIGH, "role_high"),
    ):
        if template in table:
            return level, Item(rule, f"{role.label}: {table[template][1]}")
    if template in roles.PRIVILEGED or role.privileged:
        return Level.MEDIUM, Item("role_privileged", f"{role.label} is a role Microsoft labels privileged")
    if template in roles.ELEVATED:
        words = f"{role.label} reaches far, though Microsoft does not label it privileged"
        return Level.MEDIUM, Item("role_elevated", words)
    if role.built_in is True or template in roles.LOW:
        return Level.LOW, Item("role_ordinary", f"{role.label} is not a privileged role")
    return Level.MEDIUM, Item("role_unknown", f"{role.label} is not a role we know: look up what it can do")


def _azure(request: ActivationRequest) -> Tier:
    scope = read_scope(request.scope.id)
    reach = scope.breadth if scope is not None else None
    levels, why = _azure_row(request.role)
    words = f"{request.role.label} {_WHERE[reach]}: {why}"
    return levels[_WIDTH.get(reach, _WIDEST)], Item("azure_role", words)


def _azure_row(role: Role) -> tuple[tuple[Level, ...], str]:
    id_ = role.id.casefold()
    if id_ in azure_roles.CONTROL:
        return _CONTROL, azure_roles.CONTROL[id_][1]
    if id_ in azure_roles.BROAD:
        return _BROAD, azure_roles.BROAD[id_][1]
    if id_ in azure_roles.READING:
        return _READING, "reads, and changes nothing"
    if id_ in azure_roles.ELEVATED:
        return _ELEVATED, "reaches data, machines or identities there"
    return _ELEVATED, "not a role we know, look up what it can do"


def _group(request: ActivationRequest) -> Tier:
    """An owner decides who is in the group, and so is worth whatever the group is worth."""
    group, owner = request.scope.label, request.role.id.casefold() == "owner"
    rule = "group_owner" if owner else "group_member"
    if request.role.privileged:
        return Level.HIGH, Item(rule, f"{_being(owner=owner)} {group}, which can hold directory roles")
    if owner:
        return Level.HIGH, Item(rule, f"{_being(owner=owner)} {group}: decides who is in it")
    return Level.MEDIUM, Item(rule, f"{_being(owner=owner)} {group}: look up what it opens")


def _being(*, owner: bool) -> str:
    return "Owner of" if owner else "Member of"
