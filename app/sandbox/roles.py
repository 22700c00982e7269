"""The directory roles of the emulated tenant and the PIM policy of each. Constants and pure look-ups only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.sandbox.people import APPROVER_GROUP, APPROVERS


@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role of one desk; a directory role's definition id equals its template id."""

    id: str
    name: str
    privileged: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What PIM demands for a role: longest activation (ISO 8601), what to enter, who approves.

    `managers`: the requestor's manager approves too; `context`: the authentication context an activation needs.
    """

    max_duration: str
    enabled: tuple[str, ...]
    group: str | None
    users: tuple[str, ...]
    comment_required: bool
    managers: bool = False
    context: str | None = None

    @property
    def names_approvers(self) -> bool:
        """Whether anybody stands in its list of approvers."""
        return bool(self.group or self.users or self.managers)


# Who holds a directory role that administers PIM and reads all of it. Approvers need none: ann lists only what is hers.
ADMINISTRATORS = ("ben", "cleo")
READERS = ADMINISTRATORS

_PRIVILEGED = """
62e90394-69f5-4237-9190-012177145e10 Global Administrator
e8611ab8-c189-46e8-94e1-60213ab1f814 Privileged Role Administrator
7be44c8a-adaf-4e2a-84d6-ab2649e08a13 Privileged Authentication Administrator
194ae4cb-b126-40b2-bd5b-6091b380977d Security Administrator
9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3 Application Administrator
158c047a-c907-4556-b7ef-446551a6b5f7 Cloud Application Administrator
cf1c38e5-3621-4004-a7cb-879624dced7c Application Developer
fe930be7-5e62-47db-91af-98c3a49a38b1 User Administrator
3a2c62db-5318-420d-8d74-23affee5d9d5 Intune Administrator
b1be1c3e-b65d-4f19-8427-f6fa0d97feb9 Conditional Access Administrator
8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2 Hybrid Identity Administrator
c4e39bd9-1100-46d3-8c65-fb160da0071f Authentication Administrator
729827e3-9c14-49f7-bb1b-9608f156bbb8 Helpdesk Administrator
966707d0-3269-4727-9be2-8c3a10f19b9d Password Administrator
8329153b-31d0-4727-b945-745eb3bc5f31 Domain Name Administrator
9360feb5-f418-4baa-8175-e2a00bac4301 Directory Writers
7698a772-787b-4ac8-901f-60d6b08affd2 Cloud Device Administrator
5f2222b1-57c3-48ba-8ad5-d4759f1fde6f Security Operator
5d6b6bb7-de71-4623-b4af-96380a352509 Security Reader
f2ef992c-3afb-46b9-b7cf-a126ee74c451 Global Reader
"""

_ORDINARY = """
29232cdf-9323-42fd-ade2-1d097af3e4de Exchange Administrator
f28a1f50-f6e7-4571-818b-6a12f2af6b6c SharePoint Administrator
69091246-20e8-4a56-aa4d-066075b2a7a8 Teams Administrator
fdd7a751-b60b-444a-984c-02652fe8fa1c Groups Administrator
45d8d3c5-c802-45c6-b32a-1d70b5e1e86e Identity Governance Administrator
0526716b-113d-4c15-b2c8-68e3c22b9f80 Authentication Policy Administrator
17315797-102d-40b4-93e0-432062caca18 Compliance Administrator
b0f54661-2d74-4c50-afa3-1ec803f12efe Billing Administrator
11648597-926c-4cf3-9c36-bcebb0ba8dcc Power Platform Administrator
a9ea8996-122f-4c74-9520-8edcd192826c Fabric Administrator
e3973bdf-4987-49ae-837a-ba8e231c7286 Azure DevOps Administrator
4d6ac14f-3453-41d0-bef9-a3e0c569773a License Administrator
95e79109-95c0-4d8e-aee3-d01accf2d47b Guest Inviter
4a5d8f65-41da-4de4-8968-e035b65339cf Reports Reader
88d8e3e3-8f55-4a1e-953a-9b9898b8876b Directory Readers
f023fd81-a637-4b56-95fd-791ac0226033 Service Support Administrator
11451d60-acb2-45eb-a7d6-43d0f0125c13 Windows 365 Administrator
ac434307-12b9-4fa1-a708-88bf58caabc1 Global Secure Access Administrator
d2562ede-74db-457e-a7b6-544e236ebb61 AI Administrator
892c5842-a9a6-463a-8041-72aa08ca3cf6 Cloud App Security Administrator
44367163-eba1-44c3-98af-f5787879f96a Dynamics 365 Administrator
"""


def read_roles(table: str, *, privileged: bool) -> list[Role]:
    """One role a line: its id, a space, its name."""
    pairs = (line.split(" ", 1) for line in table.strip().splitlines())
    return [Role(role_id, name, privileged) for role_id, name in pairs]


ROLES: dict[str, Role] = {
    role.id: role for role in read_roles(_PRIVILEGED, privileged=True) + read_roles(_ORDINARY, privileged=False)
}

_STRICT = Policy(
    "PT8H", ("MultiFactorAuthentication", "Justification", "Ticketing"), APPROVER_GROUP, (), comment_required=True
)
_USUAL = Policy("PT8H", ("Justification",), None, APPROVERS, comment_required=True)
_LIGHT = Policy("PT10H", ("Justification",), None, APPROVERS, comment_required=False)
_ODD = {
    "Windows 365 Administrator": replace(_USUAL, users=("ben",)),
    # For directory roles an empty list means whoever administers PIM.
    "Global Secure Access Administrator": replace(_USUAL, users=()),
    "AI Administrator": replace(_USUAL, users=(), managers=True),
    # An authentication context excludes the older demand for MFA.
    "Cloud App Security Administrator": replace(_USUAL, context="c1"),
    "Dynamics 365 Administrator": replace(_LIGHT, enabled=("Justification", "Ticketing")),
}


def find_role(name_or_id: str) -> Role | None:
    """The role with this template id or display name, in any letter case."""
    wanted = name_or_id.strip().lower()
    return next((role for role in ROLES.values() if wanted in {role.id, role.name.lower()}), None)


def policy_of(role: Role) -> Policy:
    """Strict for privileged roles, light for readers, one of its own for some, the usual one for the rest."""
    if role.privileged:
        return _STRICT
    return _ODD.get(role.name, _LIGHT if "Reader" in role.name else _USUAL)
