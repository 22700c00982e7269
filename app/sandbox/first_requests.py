"""What waits when the emulated world begins: something on each of the three desks."""

from __future__ import annotations

from datetime import timedelta

from app.sandbox.activations import Ask, Ticket
from app.sandbox.azure_roles import AZURE_ROLES
from app.sandbox.group_access import ACCESS
from app.sandbox.people import PIM_GROUPS
from app.sandbox.roles import ROLES
from app.sandbox.scopes import PROD, WEB, Scope

MINUTE = timedelta(minutes=1)
DATABASE_GROUP = PIM_GROUPS[0]


def first_requests() -> tuple[Ask, ...]:
    """Six requests, the oldest first."""
    return (*_azure_and_group(), *_entra())


def _azure_and_group() -> tuple[Ask, ...]:
    return (
        Ask(
            "azure",
            "rita",
            AZURE_ROLES["b24988ac-6180-42a0-ab88-20f7382dd24c"],
            WEB,
            duration="PT4H",
            justification="Roll the web tier back to Friday's build",
            ticket=Ticket("CHG-902", "ServiceNow"),
            age=15 * MINUTE,
        ),
        Ask(
            "group",
            "rita",
            ACCESS["member"],
            Scope(DATABASE_GROUP.id, DATABASE_GROUP.name, "group"),
            justification="Index rebuild on the orders database",
            ticket=Ticket("CHG-881", "Jira"),
            age=12 * MINUTE,
        ),
        Ask(
            "azure",
            "rob",
            AZURE_ROLES["8e3af657-a8ff-443c-a75c-2fe8c4bcb635"],
            PROD,
            duration="PT8H",
            justification="Rotate the keys of production after the contractor left",
            ticket=Ticket("CHG-917", "ServiceNow"),
            age=9 * MINUTE,
        ),
    )


def _entra() -> tuple[Ask, ...]:
    return (
        Ask(
            "entra",
            "rita",
            ROLES["29232cdf-9323-42fd-ade2-1d097af3e4de"],
            duration="PT8H",
            justification="need admin access",
            age=7 * MINUTE,
        ),
        Ask(
            "entra",
            "rob",
            ROLES["4a5d8f65-41da-4de4-8968-e035b65339cf"],
            duration="PT1H",
            justification="Monthly licence usage report for finance, due today",
            ticket=Ticket("REQ-2207", "ServiceNow"),
            age=4 * MINUTE,
        ),
        Ask(
            "entra",
            "rob",
            ROLES["62e90394-69f5-4237-9190-012177145e10"],
            duration="PT4H",
            justification="Restore federation after the sign-in certificate expired, with Microsoft on the line",
            ticket=Ticket("INC-20391", "ServiceNow"),
            age=MINUTE,
        ),
    )
