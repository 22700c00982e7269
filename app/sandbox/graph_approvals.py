"""Approvals and their steps in the emulated Graph: who may decide sees it there, and the first decision counts.

Those of directory roles exist in beta only; those of groups in both versions, and v1.0 calls a step a stage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice

from app.sandbox.activations import Kind, Refused, Request, Verdict
from app.sandbox.approvers import can_decide, policy_for
from app.sandbox.graph_gate import GraphCall, GraphError, not_found
from app.sandbox.graph_lists import FUNCTION_ROWS, find
from app.sandbox.graph_query import read_expand
from app.sandbox.graph_shapes import step_row
from app.sandbox.wire import Json

# What the service answers to a decision it does not take: nobody documents finer codes than these four statuses.
REFUSALS = {
    "unknown": (404, "ResourceNotFound"),
    "closed": (404, "ResourceNotFound"),
    "own": (403, "UnauthorizedAccessException"),
    "not_approver": (403, "UnauthorizedAccessException"),
    "decided": (409, "Conflict"),
}


@dataclass(frozen=True, slots=True)
class Approvals:
    """The approvals of one kind of request, and where Graph keeps them."""

    kind: Kind
    collection: str

    def of_caller(self, call: GraphCall) -> Json:
        """The approvals that wait for the caller; at most 50, as in every such function."""
        person = call.caller()
        if call.ids["on"] != "approver":
            raise GraphError(400, "BadRequest", f"The value '{call.ids['on']}' of the parameter 'on' is not supported.")
        now = call.world.now()
        waiting = (
            request
            for request in call.world.of_kind(self.kind)
            if request.standing(now) == "waiting" and can_decide(request, person.id)
        )
        rows = [self._approval(call, request) for request in islice(waiting, FUNCTION_ROWS)]
        return {"@odata.context": call.context("Collection(approval)"), "value": rows}

    def get(self, call: GraphCall) -> Json:
        """One approval; its steps only when expanded."""
        row = self._approval(call, self._find(call))
        return {"@odata.context": call.context(f"{self.collection}/$entity"), **row}

    def steps(self, call: GraphCall) -> Json:
        """The steps of one approval: always one, since PIM has no chains."""
        request = self._find(call)
        return {
            "@odata.context": call.context(f"{self.collection}('{request.id}')/{_word(call)}"),
            "value": [step_row(call.world, request, call.person)],
        }

    def step(self, call: GraphCall) -> Json:
        """One step."""
        request = self._step_of(call)
        context = call.context(f"{self.collection}('{request.id}')/{_word(call)}/$entity")
        return {"@odata.context": context, **step_row(call.world, request, call.person)}

    def decide(self, call: GraphCall) -> None:
        """Record a decision: 204, or 403, 404 and 409 as documented for this call."""
        request = self._step_of(call)
        verdict, comment = _decision(call.body)
        if not comment.strip() and policy_for(request.asked).comment_required:
            message = 'The following policy rules failed: ["JustificationRule"]'
            raise GraphError(400, "RoleAssignmentRequestPolicyValidationFailed", message)
        outcome = call.world.decide(request.id, call.caller().id, verdict, comment)
        if isinstance(outcome, Refused):
            status, code = REFUSALS[outcome.why]
            raise GraphError(status, code, outcome.sentence)

    def _find(self, call: GraphCall) -> Request:
        request = find(call, self.kind)
        if not request.has_approval:
            raise not_found(request.id)
        return request

    def _step_of(self, call: GraphCall) -> Request:
        request = self._find(call)
        if call.ids["step"].lower() != request.step_id:
            raise not_found(call.ids["step"])
        return request

    def _approval(self, call: GraphCall, request: Request) -> Json:
        word = _word(call)
        expanded = read_expand(call.query.get("$expand"), {word: ""})
        return {"id": request.id} | ({word: [step_row(call.world, request, call.person)]} if expanded else {})


def _word(call: GraphCall) -> str:
    return "stages" if call.version == "v1.0" else "steps"


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
