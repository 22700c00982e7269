"""Role definitions and PIM policies of the emulated Azure: settings per role and scope, not inherited. Reads only."""

from __future__ import annotations

import uuid

from app.sandbox.arm_gate import AUTHORIZATION, ArmCall, Reply, denied, not_found
from app.sandbox.arm_query import read_filter
from app.sandbox.arm_shapes import PREFIX, role_path, role_row
from app.sandbox.azure_roles import AZURE_ROLES, azure_policy
from app.sandbox.people import CAST, GROUPS
from app.sandbox.policy_rules import policy_rules
from app.sandbox.roles import Policy, Role
from app.sandbox.scopes import Scope, azure_scope
from app.sandbox.wire import Json

POLICIES = "roleManagementPolicies"
ASSIGNMENTS = "roleManagementPolicyAssignments"


def get_role(call: ArmCall) -> Reply:
    """One role definition; anybody of the tenant may read it."""
    role = AZURE_ROLES.get(call.ids["id"].lower())
    if role is None:
        raise not_found("role definition", call.ids["id"])
    return Reply(200, role_row(role))


def list_assignments(call: ArmCall) -> Reply:
    """Which policy holds for each role at a scope, with its effective rules."""
    wanted = read_filter(call.query.get("$filter"), ("atScope",), ("roleDefinitionId",))
    scope = _scope(call)
    role_id = wanted.equals.get("roleDefinitionId", "").rsplit("/", 1)[-1]
    roles = [role for role in AZURE_ROLES.values() if role_id in {"", role.id}]
    return Reply(200, {"value": [_assignment(role, scope) for role in roles]})


def list_policies(call: ArmCall) -> Reply:
    """The policy of every role at a scope."""
    read_filter(call.query.get("$filter"), ("atScope",))
    scope = _scope(call)
    return Reply(200, {"value": [_policy(role, scope) for role in AZURE_ROLES.values()]})


def get_policy(call: ArmCall) -> Reply:
    """One policy."""
    scope = _scope(call)
    for role in AZURE_ROLES.values():
        if _policy_name(role, scope) == call.ids["id"].lower():
            return Reply(200, _policy(role, scope))
    raise not_found("role management policy", call.ids["id"])


def _scope(call: ArmCall) -> Scope:
    scope = azure_scope(call.scope) if call.scope else None
    if scope is None or not call.may_read(scope.id):
        raise denied(call, "read")
    return scope


def _assignment(role: Role, scope: Scope) -> Json:
    policy_id = f"{scope.id}{AUTHORIZATION}/{POLICIES}/{_policy_name(role, scope)}"
    name = f"{_policy_name(role, scope)}_{role.id}"
    role_id = role_path(role, scope.id)
    return {
        "id": f"{scope.id}{AUTHORIZATION}/{ASSIGNMENTS}/{name}",
        "name": name,
        "type": f"{PREFIX}/{ASSIGNMENTS}",
        "properties": {
            "scope": scope.id,
            "roleDefinitionId": role_id,
            "policyId": policy_id,
            "effectiveRules": _rules(azure_policy(role, scope)),
            "policyAssignmentProperties": {
                "scope": {"id": scope.id, "displayName": scope.name, "type": scope.type},
                "roleDefinition": {"id": role_id, "displayName": role.name, "type": "BuiltInRole"},
                "policy": {"id": policy_id, "lastModifiedBy": None, "lastModifiedDateTime": None},
            },
        },
    }


def _policy(role: Role, scope: Scope) -> Json:
    name, rules = _policy_name(role, scope), _rules(azure_policy(role, scope))
    return {
        "id": f"{scope.id}{AUTHORIZATION}/{POLICIES}/{name}",
        "name": name,
        "type": f"{PREFIX}/{POLICIES}",
        "properties": {
            "scope": scope.id,
            "displayName": None,
            "description": None,
            "isOrganizationDefault": False,
            "lastModifiedBy": None,
            "lastModifiedDateTime": None,
            "rules": rules,
            "effectiveRules": rules,
            "policyProperties": {"scope": {"id": scope.id, "displayName": scope.name, "type": scope.type}},
        },
    }


def _policy_name(role: Role, scope: Scope) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{scope.id.lower()} {role.id}"))


def _rules(policy: Policy) -> list[Json]:
    mails = _rule(
        "Notification",
        "Notification_Approver_EndUser_Assignment",
        notificationType="Email",
        recipientType="Approver",
        isDefaultRecipientsEnabled=True,
        notificationLevel="All",
        notificationRecipients=None,
    )
    return [*policy_rules(policy, _rule, _approvers), mails]


def _rule(kind: str, rule_id: str, **values: object) -> Json:
    caller, level = rule_id.split("_")[-2:]
    target = {
        "caller": caller,
        "operations": ["All"],
        "level": level,
        "targetObjects": None,
        "inheritableSettings": None,
        "enforcedSettings": None,
    }
    return {"id": rule_id, "ruleType": f"RoleManagementPolicy{kind}Rule", **values, "target": target}


def _approvers(policy: Policy) -> list[Json]:
    groups = [_approver(group.id, group.name, "Group") for group in GROUPS if group.id == policy.group]
    return [*groups, *(_approver(CAST[user].oid, CAST[user].name, "User") for user in policy.users)]


def _approver(identifier: str, name: str, kind: str) -> Json:
    return {"id": identifier, "description": name, "isBackup": False, "userType": kind}
