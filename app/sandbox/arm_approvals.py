"""Approvals of Azure requests and their stages, and the decision, in the shapes that a tenant may accept.

Sources disagree on which of four shapes the real service takes, so a world accepts those it was told to.
"""

from __future__ import annotations

import json

from app.sandbox.activations import Refused, Request, Verdict
from app.sandbox.approvers import can_decide, policy_for
from app.sandbox.arm_gate import ArmCall, ArmError, Reply, denied, not_found
from app.sandbox.arm_query import page, read_filter
from app.sandbox.arm_shapes import approval_row, stage_row
from app.sandbox.wire import Json

ABOUT_ME = ("asApprover", "asCreatedBy", "asTarget")
# What a decision gets that is not taken: nobody documents finer codes than these statuses.
REFUSALS = {
    "unknown": (404, "ResourceNotFound"),
    "closed": (404, "ResourceNotFound"),
    "own": (403, "AuthorizationFailed"),
    "not_approver": (403, "AuthorizationFailed"),
    "decided": (409, "Conflict"),
}


def list_approvals(call: ArmCall) -> Reply:
    """The approvals that concern the caller, whatever became of them."""
    person = call.person()
    wanted = read_filter(call.query.get("$filter"), ABOUT_ME)
    if not wanted.functions:
        raise ArmError(400, "InvalidFilter", "The filter must be one of asApprover(), asCreatedBy(), asTarget().")
    found = [
        request
        for request in call.world.of_kind("azure")
        if request.has_approval
        and call.reaches(request.asked.scope.id)
        and (not wanted.has("asApprover") or can_decide(request, person.id))
        and (not wanted.has("asCreatedBy") or request.creator == person.id)
        and (not wanted.has("asTarget") or request.asked.requestor == person.id)
    ]
    shown, link = page(call, found)
    return Reply(200, {"value": [approval_row(call.world, request, person) for request in shown], **link})


def get_approval(call: ArmCall) -> Reply:
    """One approval with its stages."""
    return Reply(200, approval_row(call.world, _find(call), call.person()))


def list_stages(call: ArmCall) -> Reply:
    """The stages of one approval: always one, since PIM has no chains."""
    return Reply(200, {"value": [stage_row(call.world, _find(call), call.person())]})


def get_stage(call: ArmCall) -> Reply:
    """One stage."""
    return Reply(200, stage_row(call.world, _stage_of(call), call.person()))


def decide_stage(call: ArmCall) -> Reply:
    """Record a decision, if it comes in a shape this tenant takes; each shape has its own way to say yes."""
    request, person = _stage_of(call), call.person()
    sent = _content(call.sent.body)
    shape = _shape(call, sent)
    if shape not in call.world.arm_accepts:
        raise _refused_shape(call, shape)
    verdict, comment = _decision(sent.get("properties", sent))
    if not comment.strip() and policy_for(request.asked).comment_required:
        message = 'The following policy rules failed: ["JustificationRule"]'
        raise ArmError(400, "RoleAssignmentRequestPolicyValidationFailed", message)
    outcome = call.world.decide(request.id, person.id, verdict, comment)
    if isinstance(outcome, Refused):
        status, code = REFUSALS[outcome.why]
        raise ArmError(status, code, outcome.sentence)
    if shape == "batch":
        return Reply(204)
    if shape == "patch_bare" and request.quirk % 2:
        return Reply(200)
    return Reply(200, stage_row(call.world, outcome, person))


def _find(call: ArmCall) -> Request:
    """The request behind the approval in the path; raises ArmError 404, or 403 for whom it does not concern."""
    name = call.ids["id"].lower()
    request = call.world.seen(call.world.approvals.get(name, ""))
    if request is None or request.asked.kind != "azure" or not request.has_approval:
        raise not_found("role assignment approval", name)
    if not call.reaches(request.asked.scope.id):
        raise not_found("role assignment approval", name)
    person = call.person()
    if person.id not in {request.asked.requestor, request.creator} and not can_decide(request, person.id):
        raise denied(call, "read")
    return request


def _stage_of(call: ArmCall) -> Request:
    request = _find(call)
    if call.ids["stage"].lower() != request.step_id:
        raise not_found("role assignment approval stage", call.ids["stage"])
    return request


def _content(body: bytes) -> Json:
    try:
        sent = json.loads(body)
    except ValueError as problem:
        raise _bad("The request content was invalid and could not be deserialized.") from problem
    if not isinstance(sent, dict) or not isinstance(sent.get("properties", {}), dict):
        raise _bad("The request content must be a JSON object.")
    return sent


def _shape(call: ArmCall, sent: Json) -> str:
    is_wrapped, is_put = "properties" in sent, call.sent.method == "PUT"
    if is_put and not is_wrapped:
        raise _bad("The request content must have a 'properties' object.")
    if call.sent.is_batched:
        return "batch"
    if is_put:
        return "put"
    return "patch_wrapped" if is_wrapped else "patch_bare"


def _refused_shape(call: ArmCall, shape: str) -> ArmError:
    # A refused PUT looks like a missing right, a refused PATCH like a mistake in the body: only a re-read tells.
    return denied(call, "stages/write") if shape in {"put", "batch"} else _bad("The request content is not supported.")


def _decision(sent: Json) -> tuple[Verdict, str]:
    if set(sent) - {"reviewResult", "justification", "displayName"}:
        raise _bad("Only reviewResult and justification can be set on an approval stage.")
    comment = sent.get("justification") or ""
    if not isinstance(comment, str):
        raise _bad("The justification must be a string.")
    if sent.get("reviewResult") == "Approve":
        return "approve", comment
    if sent.get("reviewResult") == "Deny":
        return "deny", comment
    raise _bad("The reviewResult must be 'Approve' or 'Deny'.")


def _bad(message: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", message)
