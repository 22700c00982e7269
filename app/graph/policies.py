"""PIM's role settings, as far as they matter to an approver. What a reply does not say stays unknown (None).

Source: `unifiedRoleManagementPolicy` rules; the ones that drive activation end in `_EndUser_Assignment`.
"""

from __future__ import annotations

from app.domain.durations import parse_duration
from app.domain.request import PolicyFacts
from app.graph.wire import Json, items, part, text


def parse_policy(answer: Json) -> PolicyFacts:
    """The facts in a `roleManagementPolicyAssignments` answer expanded with policy and rules."""
    rules = {
        text(part(rule).get("id")).casefold(): part(rule)
        for assignment in items(answer.get("value"))
        for rule in items(part(part(assignment).get("policy")).get("rules"))
    }
    return PolicyFacts(
        comment_required=_comment_required(rules.get("approval_enduser_assignment", {})),
        ticket_required=_ticket_required(rules.get("enablement_enduser_assignment", {})),
        longest=parse_duration(text(rules.get("expiration_enduser_assignment", {}).get("maximumDuration"))),
    )


def _comment_required(rule: Json) -> bool | None:
    stages = items(part(rule.get("setting")).get("approvalStages"))
    answers = [part(stage).get("isApproverJustificationRequired") for stage in stages]
    if not answers or any(not isinstance(answer, bool) for answer in answers):
        return None
    return any(answers)


def _ticket_required(rule: Json) -> bool | None:
    enabled = rule.get("enabledRules")
    if not isinstance(enabled, list):
        return None
    return any(text(name).casefold() == "ticketing" for name in enabled)
