"""People, groups, role definitions and PIM policies of the emulated Graph. Reads only."""

from __future__ import annotations

import uuid

from app.sandbox.graph_gate import GraphCall, GraphError, denied, not_found
from app.sandbox.graph_query import keep, page, read_expand, read_filter, select
from app.sandbox.graph_shapes import ROLE_V1, USER_DEFAULT, USER_MORE, role_row, user_row
from app.sandbox.people import CAST, GROUPS, Group, Person
from app.sandbox.roles import ROLES, Policy, Role, policy_of
from app.sandbox.wire import Json
from app.sandbox.world import World

USER_PROPERTIES = (*USER_DEFAULT, *USER_MORE)
RULE = "#microsoft.graph.unifiedRoleManagementPolicy"


def get_me(call: GraphCall) -> Json:
    """The signed-in person."""
    return {"@odata.context": call.context("users/$entity"), **_user(call, call.caller())}


def get_user(call: GraphCall) -> Json:
    """One person by object id or user principal name; with `User.Read` alone, a person reads only themselves."""
    wanted = call.ids["id"].lower()
    found = [person for person in call.world.people.values() if wanted in {person.oid, person.upn.lower()}]
    if call.person and call.person not in found:
        raise denied()
    if not found:
        message = (
            f"Resource '{call.ids['id']}' does not exist or one of its queried reference-property objects "
            "are not present."
        )
        raise GraphError(404, "Request_ResourceNotFound", message)
    return {"@odata.context": call.context("users/$entity"), **_user(call, found[0])}


def get_group(call: GraphCall) -> Json:
    """The name of a group."""
    group = _group(call)
    row = {"id": group.id, "displayName": group.name, "isAssignableToRole": group.is_role_assignable}
    picked = select([row], call.query.get("$select"), "group", row)[0]
    return {"@odata.context": call.context("groups/$entity"), **picked}


def list_members(call: GraphCall) -> Json:
    """The people in a group, page by page."""
    group = _group(call)
    rows = [user_row(call.world.people[member]) for member in group.members]
    here = f"{call.world.settings.world_url}/graph/{call.version}/{call.path}"
    shown, link = page(rows, lambda row: str(row["id"]), call.query, here)
    chosen = call.query.get("$select") or ",".join(USER_DEFAULT)
    members = [
        {"@odata.type": "#microsoft.graph.user", **row} for row in select(shown, chosen, "user", USER_PROPERTIES)
    ]
    return {"@odata.context": call.context("directoryObjects"), "value": members, **link}


def list_roles(call: GraphCall) -> Json:
    """The role definitions; in v1.0 `isPrivileged` is no property and selecting it is an error."""
    rows = [role_row(role, call.version) for role in ROLES.values()]
    if "$filter" in call.query:
        rows = keep(rows, read_filter(call.query["$filter"], ("id", "templateId", "displayName", "isBuiltIn")))
    picked = select(rows, call.query.get("$select"), "unifiedRoleDefinition", _role_properties(call))
    return {"@odata.context": call.context("roleManagement/directory/roleDefinitions"), "value": picked}


def get_role(call: GraphCall) -> Json:
    """One role definition."""
    role = ROLES.get(call.ids["id"].lower())
    if role is None:
        raise not_found(call.ids["id"])
    row = select(
        [role_row(role, call.version)], call.query.get("$select"), "unifiedRoleDefinition", _role_properties(call)
    )[0]
    return {"@odata.context": call.context("roleManagement/directory/roleDefinitions/$entity"), **row}


def list_policies(call: GraphCall) -> Json:
    """The policy assignments of directory roles; the filter must name scope and scope type."""
    clauses = read_filter(call.query.get("$filter", ""), ("scopeId", "scopeType", "roleDefinitionId"))
    if not {"scopeId", "scopeType"} <= {clause.field for clause in clauses}:
        message = "The filter must contain both scopeId and scopeType."
        raise GraphError(400, "InvalidFilter", message)
    expanded = read_expand(call.query.get("$expand"), {"policy": "$expand=rules"})
    rows = keep([_assignment(call.world, role) for role in ROLES.values()], clauses)
    if "policy" in expanded:
        rows = [row | {"policy": _policy(row, with_rules=bool(expanded["policy"]))} for row in rows]
    return {"@odata.context": call.context("policies/roleManagementPolicyAssignments"), "value": rows}


def get_rule(call: GraphCall) -> Json:
    """One rule of one policy."""
    for role in ROLES.values():
        if _assignment(call.world, role)["policyId"] == call.ids["id"]:
            rules = [rule for rule in _rules(policy_of(role)) if rule["id"] == call.ids["rule"]]
            if rules:
                context = call.context("policies/roleManagementPolicies('{id}')/rules/$entity")
                return {"@odata.context": context, **rules[0]}
    raise not_found(call.ids["rule"])


def _user(call: GraphCall, person: Person) -> Json:
    chosen = call.query.get("$select") or ",".join(USER_DEFAULT)
    return select([user_row(person)], chosen, "user", USER_PROPERTIES)[0]


def _group(call: GraphCall) -> Group:
    for group in (*GROUPS, *call.world.settings.groups):
        if group.id == call.ids["id"].lower():
            return group
    raise GraphError(404, "Request_ResourceNotFound", f"Resource '{call.ids['id']}' does not exist.")


def _role_properties(call: GraphCall) -> tuple[str, ...]:
    return (*ROLE_V1, "isPrivileged") if call.version == "beta" else ROLE_V1


def _assignment(world: World, role: Role) -> Json:
    tenant = world.settings.tenant
    policy_id = f"DirectoryRole_{tenant}_{uuid.uuid5(uuid.NAMESPACE_OID, role.id)}"
    return {
        "id": f"{policy_id}_{role.id}",
        "policyId": policy_id,
        "scopeId": "/",
        "scopeType": "DirectoryRole",
        "roleDefinitionId": role.id,
    }


def _policy(assignment: Json, *, with_rules: bool) -> Json:
    row: Json = {
        "id": assignment["policyId"],
        "displayName": "DirectoryRole",
        "description": "DirectoryRole",
        "isOrganizationDefault": False,
        "scopeId": "/",
        "scopeType": "DirectoryRole",
        "lastModifiedDateTime": None,
        "lastModifiedBy": {"id": None, "displayName": None},
    }
    return row | ({"rules": _rules(policy_of(ROLES[assignment["roleDefinitionId"]]))} if with_rules else {})


def _rules(policy: Policy) -> list[Json]:
    approval = {
        "isApprovalRequired": True,
        "isApprovalRequiredForExtension": False,
        "isRequestorJustificationRequired": True,
        "approvalMode": "SingleStage",
        "approvalStages": [_stage(policy)],
    }
    return [
        _rule("ExpirationRule", "Expiration_Admin_Eligibility", isExpirationRequired=False, maximumDuration="P365D"),
        _rule("EnablementRule", "Enablement_Admin_Assignment", enabledRules=["Justification"]),
        _rule(
            "ExpirationRule",
            "Expiration_EndUser_Assignment",
            isExpirationRequired=True,
            maximumDuration=policy.max_duration,
        ),
        _rule("EnablementRule", "Enablement_EndUser_Assignment", enabledRules=list(policy.enabled)),
        _rule("ApprovalRule", "Approval_EndUser_Assignment", setting=approval),
        _rule(
            "AuthenticationContextRule", "AuthenticationContext_EndUser_Assignment", isEnabled=False, claimValue=None
        ),
    ]


def _rule(kind: str, rule_id: str, **values: object) -> Json:
    caller, level = rule_id.split("_")[1:]
    target = {
        "caller": caller,
        "operations": ["all"],
        "level": level,
        "inheritableSettings": [],
        "enforcedSettings": [],
    }
    return {"@odata.type": f"{RULE}{kind}", "id": rule_id, **values, "target": target}


def _stage(policy: Policy) -> Json:
    groups = [
        {"@odata.type": "#microsoft.graph.groupMembers", "groupId": group.id, "description": group.name}
        for group in GROUPS
        if group.id == policy.group
    ]
    users = [
        {"@odata.type": "#microsoft.graph.singleUser", "userId": CAST[user].oid, "description": CAST[user].name}
        for user in policy.users
    ]
    return {
        "approvalStageTimeOutInDays": 1,
        "isApproverJustificationRequired": policy.comment_required,
        "escalationTimeInMinutes": 0,
        "isEscalationEnabled": False,
        "primaryApprovers": [*groups, *users],
        "escalationApprovers": [],
    }
