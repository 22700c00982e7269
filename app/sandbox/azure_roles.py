"""The Azure roles of the emulated tenant and the PIM policy of each. Constants and pure look-ups only.

A policy belongs to a role at one scope: settings are not inherited downwards.
"""

from __future__ import annotations

from app.sandbox.people import APPROVER_GROUP, APPROVERS
from app.sandbox.roles import Policy, Role, read_roles
from app.sandbox.scopes import PROD, VAULT, WEB, Scope

_PRIVILEGED = """
8e3af657-a8ff-443c-a75c-2fe8c4bcb635 Owner
b24988ac-6180-42a0-ab88-20f7382dd24c Contributor
18d7d88d-d35e-4fb5-a5c3-7773c20a72d9 User Access Administrator
f58310d9-a9f6-439a-9e8d-f62e7b41a168 Role Based Access Control Administrator
a8889054-8d42-49c9-bc1c-52486c10e7cd Reservations Administrator
"""

_ORDINARY = """
00482a5a-887f-4fb3-b363-3b7fe8e74483 Key Vault Administrator
b86a8fe4-44ce-4948-aee5-eccb2c155cd7 Key Vault Secrets Officer
9980e02c-c2be-4d73-94e8-173b1dc7cf3c Virtual Machine Contributor
1c0163c0-47e6-4577-8991-ea5c82e286e4 Virtual Machine Administrator Login
acdd72a7-3385-48ef-bd42-f606fba81ae7 Reader
"""

# Who holds Reader where, and so may list everything there; approvers need no role.
AZURE_READERS = {"app": (PROD.id,), "cleo": (PROD.id,)}

# Who holds Owner there, and so may take roles away.
AZURE_OWNERS = {"ben": (PROD.id,), "cleo": (PROD.id,)}

AZURE_ROLES: dict[str, Role] = {
    role.id: role for role in read_roles(_PRIVILEGED, privileged=True) + read_roles(_ORDINARY, privileged=False)
}

_STRICT = Policy("PT8H", ("Justification", "Ticketing"), APPROVER_GROUP, (), comment_required=True)
_USUAL = Policy("PT8H", ("Justification",), None, APPROVERS, comment_required=True)
_LIGHT = Policy("PT10H", ("Justification",), None, APPROVERS, comment_required=False)
_AT_SCOPE = {
    ("Contributor", WEB.id): Policy("PT4H", ("Justification",), None, APPROVERS, comment_required=True),
    # Azure knows no default approvers: with an empty list nobody can approve.
    ("User Access Administrator", PROD.id): Policy("PT1H", ("Justification",), None, (), comment_required=True),
    ("Role Based Access Control Administrator", PROD.id): Policy(
        "PT8H", ("Justification",), None, APPROVERS, comment_required=True, context="c1"
    ),
    ("Key Vault Administrator", VAULT.id): Policy("PT2H", ("Justification",), None, ("ann",), comment_required=True),
}


def find_azure_role(name_or_id: str) -> Role | None:
    """The role with this definition id (bare, or at the end of a path) or display name, in any letter case."""
    wanted = name_or_id.strip().lower()
    names = {wanted, wanted.rsplit("/", 1)[-1]}
    return next((role for role in AZURE_ROLES.values() if names & {role.id, role.name.lower()}), None)


def azure_policy(role: Role, scope: Scope) -> Policy:
    """What PIM demands for a role at one scope: strict for owners, light for readers, the exceptions above."""
    if (role.name, scope.id) in _AT_SCOPE:
        return _AT_SCOPE[role.name, scope.id]
    if role.name == "Owner":
        return _STRICT
    return _LIGHT if role.name == "Reader" else _USUAL
