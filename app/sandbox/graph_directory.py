"""People, groups and role definitions of the emulated Graph. Reads only."""

from __future__ import annotations

from app.sandbox.graph_filter import EQUALITY, read_filter
from app.sandbox.graph_gate import GraphCall, GraphError, denied, not_found
from app.sandbox.graph_query import page, select
from app.sandbox.graph_shapes import ROLE_V1, USER_DEFAULT, USER_MORE, role_row, user_row
from app.sandbox.people import GROUPS, MANAGERS, Group, Person
from app.sandbox.roles import ROLES
from app.sandbox.wire import Json

ROLE_FIELDS = dict.fromkeys(("id", "templateId", "displayName", "isBuiltIn"), EQUALITY)
READS_ALL = {"User.Read.All", "Directory.Read.All"}
USER_PROPERTIES = (*USER_DEFAULT, *USER_MORE)


def get_me(call: GraphCall) -> Json:
    """The signed-in person."""
    return {"@odata.context": call.context("users/$entity"), **_user(call, call.caller())}


def get_user(call: GraphCall) -> Json:
    """One person by object id or user principal name; with `User.Read` alone, a person reads only themselves."""
    person = _find_person(call)
    if person is None:
        raise _missing(call.ids["id"])
    return {"@odata.context": call.context("users/$entity"), **_user(call, person)}


def get_manager(call: GraphCall) -> Json:
    """Somebody's manager; 404 for those who have none."""
    person = _find_person(call)
    if person is None:
        raise _missing(call.ids["id"])
    if person.id not in MANAGERS:
        raise _missing("manager")
    row = _user(call, call.world.people[MANAGERS[person.id]])
    kind = {"@odata.type": "#microsoft.graph.user"}
    return {"@odata.context": call.context("directoryObjects/$entity"), **kind, **row}


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
    shown, link = page(rows, lambda row: str(row["id"]), call)
    chosen = call.query.get("$select") or ",".join(USER_DEFAULT)
    members = [
        {"@odata.type": "#microsoft.graph.user", **row} for row in select(shown, chosen, "user", USER_PROPERTIES)
    ]
    return {"@odata.context": call.context("directoryObjects"), "value": members, **link}


def list_roles(call: GraphCall) -> Json:
    """The role definitions; in v1.0 `isPrivileged` is no property and selecting it is an error."""
    rows = [role_row(role, call.version) for role in ROLES.values()]
    if "$filter" in call.query:
        asked = read_filter(call.query["$filter"], ROLE_FIELDS)
        rows = [row for row in rows if asked.holds(row.get)]
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


def _find_person(call: GraphCall) -> Person | None:
    wanted = call.ids["id"].lower()
    found = (person for person in call.world.people.values() if wanted in {person.oid, person.upn.lower()})
    person = next(found, None)
    if call.person and call.person != person and not call.held & READS_ALL:
        raise denied()
    return person


def _missing(name: str) -> GraphError:
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)


def _user(call: GraphCall, person: Person) -> Json:
    chosen = call.query.get("$select") or ",".join(USER_DEFAULT)
    return select([user_row(person)], chosen, "user", USER_PROPERTIES)[0]


def _group(call: GraphCall) -> Group:
    for group in (*GROUPS, *call.world.settings.groups):
        if group.id == call.ids["id"].lower():
            return group
    raise _missing(call.ids["id"])


def _role_properties(call: GraphCall) -> tuple[str, ...]:
    return (*ROLE_V1, "isPrivileged") if call.version == "beta" else ROLE_V1
