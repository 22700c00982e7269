"""PIM's role settings in the emulated Graph, for directory roles and for groups. Reads only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from app.sandbox.graph_filter import EQUALITY, read_filter
from app.sandbox.graph_gate import GraphCall, GraphError, Permissions, not_found
from app.sandbox.graph_query import read_expand
from app.sandbox.group_access import ACCESS, group_policy
from app.sandbox.people import CAST, GROUPS
from app.sandbox.policy_rules import policy_rules
from app.sandbox.roles import ROLES, Policy, policy_of
from app.sandbox.scopes import Scope
from app.sandbox.wire import Json
from app.sandbox.world import World

ROLES_READ = Permissions(
    ("RoleManagementPolicy.Read.Directory", "RoleManagement.Read.Directory", "RoleManagement.Read.All")
)
ROLES_READ_APP = Permissions(("RoleManagement.Read.Directory", "RoleManagement.Read.All"))
GROUPS_READ = Permissions(("RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.ReadWrite.AzureADGroup"))
# The door lets in whoever may read either sort of policy; which sort it is stands in the filter or in the id.
EITHER = Permissions((*ROLES_READ.any_of, *GROUPS_READ.any_of))

FIELDS = dict.fromkeys(("scopeId", "scopeType", "roleDefinitionId"), EQUALITY)
RULE = "#microsoft.graph.unifiedRoleManagementPolicy"
DIRECTORY_ROLE, GROUP = "DirectoryRole", "Group"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a policy is about: a directory role in the whole directory, or one sort of access to a group."""

    scope_type: str
    scope_id: str
    role_id: str
    policy: Policy

    def policy_id(self, tenant: str) -> str:
        """The policy's id; its last part cannot be guessed from what it is about."""
        owner = tenant if self.scope_type == DIRECTORY_ROLE else self.scope_id
        return f"{self.scope_type}_{owner}_{uuid.uuid5(uuid.NAMESPACE_OID, self.scope_id + self.role_id)}"


def list_policies(call: GraphCall) -> Json:
    """The policy assignments of directory roles or of a group; the filter must name scope and scope type."""
    asked = read_filter(call.query.get("$filter", ""), FIELDS)
    where = asked.demanded()
    if not {"scopeId", "scopeType"} <= set(where):
        raise GraphError(400, "InvalidFilter", "The filter must contain both scopeId and scopeType.")
    _require(call, str(where["scopeType"]))
    expanded = read_expand(call.query.get("$expand"), {"policy": "$expand=rules"})
    rows = []
    for subject in _subjects(call.world):
        row = _assignment(call, subject)
        if asked.holds(row.get):
            more = {"policy": _policy(row, subject, with_rules=bool(expanded["policy"]))} if expanded else {}
            rows.append(row | more)
    return {"@odata.context": call.context("policies/roleManagementPolicyAssignments"), "value": rows}


def get_rule(call: GraphCall) -> Json:
    """One rule of one policy."""
    _require(call, call.ids["id"].partition("_")[0])
    for subject in _subjects(call.world):
        if subject.policy_id(call.world.settings.tenant) == call.ids["id"]:
            rules = [rule for rule in _rules(subject.policy) if rule["id"] == call.ids["rule"]]
            if rules:
                context = call.context("policies/roleManagementPolicies('{id}')/rules/$entity")
                return {"@odata.context": context, **rules[0]}
    raise not_found(call.ids["rule"])


def _require(call: GraphCall, scope_type: str) -> None:
    if scope_type.lower() == GROUP.lower():
        call.require(GROUPS_READ, GROUPS_READ)
    else:
        call.require(ROLES_READ, ROLES_READ_APP)


def _subjects(world: World) -> Iterator[Subject]:
    for role in ROLES.values():
        yield Subject(DIRECTORY_ROLE, "/", role.id, policy_of(role))
    for group in world.settings.groups:
        scope = Scope(group.id, group.name, "group")
        for access in ACCESS.values():
            yield Subject(GROUP, group.id, access.id, group_policy(access, scope))


def _assignment(call: GraphCall, subject: Subject) -> Json:
    policy_id = subject.policy_id(call.world.settings.tenant)
    return {
        "id": f"{policy_id}_{subject.role_id}",
        "policyId": policy_id,
        "scopeId": subject.scope_id,
        "scopeType": subject.scope_type,
        "roleDefinitionId": subject.role_id,
    }


def _policy(assignment: Json, subject: Subject, *, with_rules: bool) -> Json:
    row: Json = {
        "id": assignment["policyId"],
        "displayName": subject.scope_type,
        "description": subject.scope_type,
        "isOrganizationDefault": False,
        "scopeId": subject.scope_id,
        "scopeType": subject.scope_type,
        "lastModifiedDateTime": None,
        "lastModifiedBy": {"id": None, "displayName": None},
    }
    return row | ({"rules": _rules(subject.policy)} if with_rules else {})


def _rules(policy: Policy) -> list[Json]:
    return policy_rules(policy, _rule, lambda of: list(_approvers(of)))


def _rule(kind: str, rule_id: str, **values: object) -> Json:
    caller, level = rule_id.split("_")[1:]
    target = {
        "caller": caller,
        "operations": ["all"],
        "level": level,
        "inheritableSettings": [],
        "enforcedSettings": [],
    }
    return {"@odata.type": f"{RULE}{kind}Rule", "id": rule_id, **values, "target": target}


def _approvers(policy: Policy) -> Iterator[Json]:
    for group in GROUPS:
        if group.id == policy.group:
            yield {"@odata.type": "#microsoft.graph.groupMembers", "groupId": group.id, "description": group.name}
    for user in policy.users:
        person = CAST[user]
        yield {"@odata.type": "#microsoft.graph.singleUser", "userId": person.oid, "description": person.name}
    if policy.managers:
        yield {"@odata.type": "#microsoft.graph.requestorManager", "managerLevel": 1}
