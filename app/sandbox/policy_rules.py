"""The rules of a PIM policy as Graph and ARM both list them: same ids, same settings, each in its own dress. Pure."""

from __future__ import annotations

from collections.abc import Callable

from app.sandbox.roles import Policy
from app.sandbox.wire import Json

Dress = Callable[..., Json]  # makes a row of a rule's sort, its id and what it sets
Approvers = Callable[[Policy], list[Json]]


def policy_rules(policy: Policy, dress: Dress, approvers: Approvers) -> list[Json]:
    """The rules that both services have; `approvers` lists a policy's as the service does."""
    approval = {
        "isApprovalRequired": True,
        "isApprovalRequiredForExtension": False,
        "isRequestorJustificationRequired": True,
        "approvalMode": "SingleStage",
        "approvalStages": [_stage(policy, approvers(policy))],
    }
    end_user = {"isExpirationRequired": True, "maximumDuration": policy.max_duration}
    context = {"isEnabled": policy.context is not None, "claimValue": policy.context}
    return [
        dress("Expiration", "Expiration_Admin_Eligibility", isExpirationRequired=False, maximumDuration="P365D"),
        dress("Enablement", "Enablement_Admin_Assignment", enabledRules=["Justification"]),
        dress("Expiration", "Expiration_EndUser_Assignment", **end_user),
        dress("Enablement", "Enablement_EndUser_Assignment", enabledRules=list(policy.enabled)),
        dress("Approval", "Approval_EndUser_Assignment", setting=approval),
        dress("AuthenticationContext", "AuthenticationContext_EndUser_Assignment", **context),
    ]


def _stage(policy: Policy, approvers: list[Json]) -> Json:
    return {
        "approvalStageTimeOutInDays": 1,
        "isApproverJustificationRequired": policy.comment_required,
        "escalationTimeInMinutes": 0,
        "isEscalationEnabled": False,
        "primaryApprovers": approvers,
        "escalationApprovers": [],
    }
