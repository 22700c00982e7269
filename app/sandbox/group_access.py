"""What one can ask for in a PIM group, membership or ownership, and the policy of each. Pure look-ups only."""

from __future__ import annotations

from app.sandbox.people import APPROVER_GROUP, APPROVERS, PIM_GROUPS
from app.sandbox.roles import Policy, Role
from app.sandbox.scopes import Scope

ACCESS = {name: Role(name, name, privileged=name == "owner") for name in ("member", "owner")}
_USUAL = Policy("PT8H", ("Justification",), None, APPROVERS, comment_required=True)
_STRICT = Policy("PT4H", ("Justification", "Ticketing"), APPROVER_GROUP, (), comment_required=True)
_POLICIES = {
    ("prod-db-admins", "owner"): _STRICT,
    ("breakglass-operators", "member"): Policy("PT1H", ("Justification",), None, ("ben",), comment_required=True),
    # Groups know no default approvers: with an empty list nobody can approve.
    ("breakglass-operators", "owner"): Policy("PT1H", ("Justification",), None, (), comment_required=True),
}


def group_scope(id_or_name: str) -> Scope | None:
    """A group under PIM's care, by id or name in any letter case."""
    wanted = id_or_name.strip().lower()
    for group in PIM_GROUPS:
        if wanted in {group.id, group.name.lower()}:
            return Scope(group.id, group.name, "group")
    return None


def group_policy(access: Role, scope: Scope) -> Policy:
    """What PIM demands for membership or ownership of one group."""
    return _POLICIES.get((scope.name, access.id), _USUAL)
