"""Who may decide a request, and what its policy demands, on any of the three desks. Pure."""

from __future__ import annotations

from functools import cache

from app.sandbox.activations import Ask, Request
from app.sandbox.azure_roles import azure_policy
from app.sandbox.group_access import group_policy
from app.sandbox.people import GROUPS, MANAGERS
from app.sandbox.roles import ADMINISTRATORS, Policy, policy_of


def policy_for(asked: Ask) -> Policy:
    """The policy of what is asked for: of a directory role, of an Azure role at its scope, of access to a group."""
    if asked.kind == "azure":
        return azure_policy(asked.role, asked.scope)
    return group_policy(asked.role, asked.scope) if asked.kind == "group" else policy_of(asked.role)


def approvers_of(asked: Ask) -> tuple[str, ...]:
    """Short ids of those this very request waits for: its own list, else its policy's with groups expanded."""
    if asked.approvers is not None:
        return asked.approvers
    policy = policy_for(asked)
    if asked.kind == "entra" and not policy.names_approvers:
        return ADMINISTRATORS
    return _expanded(policy, MANAGERS.get(asked.requestor) if policy.managers else None)


@cache
def _expanded(policy: Policy, manager: str | None) -> tuple[str, ...]:
    members = (member for group in GROUPS if group.id == policy.group for member in group.members)
    return tuple(dict.fromkeys((*members, *policy.users, *((manager,) if manager else ()))))


def can_decide(request: Request, person_id: str) -> bool:
    """Whether the step is assigned to this person: an approver, and not the one who asks."""
    return person_id != request.asked.requestor and person_id in approvers_of(request.asked)
