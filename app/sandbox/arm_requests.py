"""Azure activation requests and the assignments they lead to: list, get, withdraw. Decides nothing."""

from __future__ import annotations

import json

from app.sandbox.activations import Refused, Request
from app.sandbox.approvers import can_decide
from app.sandbox.arm_gate import ArmCall, ArmError, Reply, denied, not_found
from app.sandbox.arm_query import Filter, page, read_filter
from app.sandbox.arm_shapes import instance_row, request_row

ABOUT_ME = ("asApprover", "asTarget", "asRequestor")


def list_requests(call: ArmCall) -> Reply:
    """What concerns the caller, anywhere; or everything at a scope, for somebody who holds Reader there.

    Every status is listed: there is no filter for it.
    """
    wanted = read_filter(call.query.get("$filter"), (*ABOUT_ME, "atScope", "assignedTo"), ("principalId",))
    if not wanted.has(*ABOUT_ME):
        _check_reader(call)
    found = [request for request in call.world.of_kind("azure") if _is_wanted(call, request, wanted)]
    shown, link = page(call, found)
    return Reply(200, {"value": [request_row(call.world, request) for request in shown], **link})


def get_request(call: ArmCall) -> Reply:
    """One request at its own scope, for its requestor, its approvers and readers of the scope."""
    request = _find(call)
    if not call.may_read(request.asked.scope.id) and not _concerns(call, request):
        raise denied(call, "read")
    return Reply(200, request_row(call.world, request))


def cancel_request(call: ArmCall) -> Reply:
    """Withdraw a request; only its requestor may. Some clients have seen 200, others 204."""
    request = _find(call)
    if not call.caller.person or call.caller.person.id != request.asked.requestor:
        raise denied(call, "cancel/action")
    outcome = call.world.cancel(request.id)
    if isinstance(outcome, Refused):
        raise ArmError(400, "InvalidRequest", outcome.sentence)
    return Reply(204 if request.quirk % 2 else 200)


def remove_held(call: ArmCall) -> Reply:
    """Take away what somebody holds at this very scope, under a name that the caller makes up: only an owner may."""
    sent = _removal(call)
    if not call.caller.may_administer(call.scope):
        raise denied(call, "write")
    if not sent["justification"].strip():
        message = 'The following policy rules failed: ["JustificationRule"]'
        raise ArmError(400, "RoleAssignmentRequestPolicyValidationFailed", message)
    holder, role = call.world.person(sent["principalId"]), sent["roleDefinitionId"].rsplit("/", 1)[-1].lower()
    outcome = call.world.remove("azure", holder.id if holder else "", role, call.scope)
    if isinstance(outcome, Refused):
        raise ArmError(400, "RoleAssignmentDoesNotExist", outcome.sentence)
    row = request_row(call.world, outcome)
    done = {"requestType": "AdminRemove", "status": "Revoked", "approvalId": None}
    return Reply(201, row | {"name": call.ids["name"], "properties": row["properties"] | done})


def list_instances(call: ArmCall) -> Reply:
    """The role assignments that exist right now through approved requests; for the tenant as a whole, none."""
    wanted = read_filter(call.query.get("$filter"), ("asTarget", "atScope", "assignedTo"), ("principalId",))
    if not call.scope:
        return Reply(200, {"value": []})
    if not wanted.has("asTarget"):
        _check_reader(call)
    now = call.world.now()
    found = [r for r in call.world.of_kind("azure") if r.active(now) and _is_wanted(call, r, wanted)]
    shown, link = page(call, found)
    rows = [instance_row(call.world, request, *active) for request in shown if (active := request.active(now))]
    return Reply(200, {"value": rows, **link})


def _removal(call: ArmCall) -> dict[str, str]:
    """The facts of a removal; no other type of request is emulated: people ask through `/control`."""
    problem = ArmError(400, "InvalidRequestContent", "The request content is not a removal.")
    try:
        sent = json.loads(call.sent.body)["properties"]
    except (ValueError, TypeError, KeyError) as error:
        raise problem from error
    fields = {"requestType", "principalId", "roleDefinitionId", "justification"}
    if not isinstance(sent, dict) or set(sent) != fields or not all(isinstance(each, str) for each in sent.values()):
        raise problem
    if sent["requestType"].lower() != "adminremove":
        raise problem
    return sent


def _find(call: ArmCall) -> Request:
    request = call.world.seen(call.ids["name"].lower())
    if request is None or request.asked.kind != "azure" or request.asked.scope.id.lower() != call.scope.lower():
        raise not_found("role assignment schedule request", call.ids["name"])
    return request


def _check_reader(call: ArmCall) -> None:
    if not call.may_read(call.scope):
        message = (
            f"The requestor {call.caller.oid} does not have permissions for this request. Please use "
            "$filter=asTarget() to filter on the requestor's assignments."
        )
        raise ArmError(400, "InsufficientPermissions", message)


def _is_wanted(call: ArmCall, request: Request, wanted: Filter) -> bool:
    principal = call.world.people[request.asked.requestor].oid
    return (
        call.reaches(request.asked.scope.id, below=not wanted.has("atScope"))
        and wanted.principal in {None, principal}
        and (not wanted.has("asTarget") or principal == call.caller.oid)
        and (not wanted.has("asRequestor") or call.world.people[request.creator].oid == call.caller.oid)
        and (not wanted.has("asApprover") or _waits_for(call, request))
    )


def _waits_for(call: ArmCall, request: Request) -> bool:
    return call.caller.person is not None and can_decide(request, call.caller.person.id)


def _concerns(call: ArmCall, request: Request) -> bool:
    person = call.caller.person
    return person is not None and (person.id == request.asked.requestor or can_decide(request, person.id))
