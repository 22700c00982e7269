"""Approvals and their steps in the emulated Graph (beta only).

Who may decide sees it there, and the first decision counts.
"""

from __future__ import annotations

import json

from app.sandbox.activations import Refused, Request, Verdict
from app.sandbox.approvers import can_decide, policy_for
from app.sandbox.graph_gate import GraphCall, GraphError, not_found
from app.sandbox.graph_query import read_expand
from app.sandbox.graph_requests import find_request
from app.sandbox.graph_shapes import step_row
from app.sandbox.wire import Json

COLLECTION = "roleManagement/directory/roleAssignmentApprovals"
# What the service answers to a decision it does not take: nobody documents finer codes than these four statuses.
REFUSALS = {
    "unknown": (404, "ResourceNotFound"),
    "closed": (404, "ResourceNotFound"),
    "own": (403, "UnauthorizedAccessException"),
    "not_approver": (403, "UnauthorizedAccessException"),
    "decided": (409, "Conflict"),
}


def approvals_of_caller(call: GraphCall) -> Json:
    """The approvals that wait for the caller."""
    person = call.caller()
    if call.ids["on"] != "approver":
        raise GraphError(400, "BadRequest", f"The value '{call.ids['on']}' of the parameter 'on' is not supported.")
    now = call.world.now()
    rows = [
        _approval(call, request)
        for request in call.world.of_kind("entra")
        if request.standing(now) == "waiting" and can_decide(request, person.id)
    ]
    return {"@odata.context": call.context("Collection(approval)"), "value": rows}


def get_approval(call: GraphCall) -> Json:
    """One approval; its steps only when expanded."""
    return {"@odata.context": call.context(f"{COLLECTION}/$entity"), **_approval(call, _find(call))}


def list_steps(call: GraphCall) -> Json:
    """The steps of one approval: always one, since PIM for Entra roles has no chains."""
    request = _find(call)
    return {
        "@odata.context": call.context(f"{COLLECTION}('{request.id}')/steps"),
        "value": [step_row(call.world, request, call.person)],
    }


def get_step(call: GraphCall) -> Json:
    """One step."""
    request = _step_of(call)
    context = call.context(f"{COLLECTION}('{request.id}')/steps/$entity")
    return {"@odata.context": context, **step_row(call.world, request, call.person)}


def decide_step(call: GraphCall) -> None:
    """Record a decision: 204, or 403, 404 and 409 as documented for this call."""
    request = _step_of(call)
    verdict, comment = _decision(call.body)
    if not comment.strip() and policy_for(request.asked).comment_required:
        message = 'The following policy rules failed: ["JustificationRule"]'
        raise GraphError(400, "RoleAssignmentRequestPolicyValidationFailed", message)
    outcome = call.world.decide(request.id, call.caller().id, verdict, comment)
    if isinstance(outcome, Refused):
        status, code = REFUSALS[outcome.why]
        raise GraphError(status, code, outcome.sentence)


def _find(call: GraphCall) -> Request:
    request = find_request(call)
    if not request.has_approval:
        raise not_found(request.id)
    return request


def _step_of(call: GraphCall) -> Request:
    request = _find(call)
    if call.ids["step"].lower() != request.step_id:
        raise not_found(call.ids["step"])
    return request


def _approval(call: GraphCall, request: Request) -> Json:
    expanded = read_expand(call.query.get("$expand"), {"steps": ""})
    steps = {"steps": [step_row(call.world, request, call.person)]} if expanded else {}
    return {"id": request.id, **steps}


def _decision(body: bytes) -> tuple[Verdict, str]:
    try:
        sent = json.loads(body)
    except ValueError as problem:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from problem
    if not isinstance(sent, dict) or set(sent) - {"reviewResult", "justification", "@odata.type"}:
        raise GraphError(400, "BadRequest", "Only reviewResult and justification can be set on an approval step.")
    comment = sent.get("justification") or ""
    if not isinstance(comment, str):
        raise GraphError(400, "BadRequest", "The justification must be a string.")
    if sent.get("reviewResult") == "Approve":
        return "approve", comment
    if sent.get("reviewResult") == "Deny":
        return "deny", comment
    raise GraphError(400, "BadRequest", "The reviewResult must be 'Approve' or 'Deny'.")
