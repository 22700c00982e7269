"""The emulated Azure Resource Manager: the table of supported calls, and batches of them."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.sandbox import arm_approvals, arm_policies, arm_requests, arm_subscriptions
from app.sandbox.arm_gate import (
    ArmCall,
    ArmError,
    Caller,
    Operation,
    Reply,
    Sent,
    answer_of,
    authenticate,
    caller_of,
    check_version,
    denied,
    error_body,
    failure,
    read_query,
    read_scope,
    split_path,
)
from app.sandbox.wire import Json
from app.sandbox.world import World

SCHEDULES = ("2020-10-01", "2020-10-01-preview", "2022-04-01-preview", "2024-09-01-preview")
APPROVAL = ("2021-01-01-preview",)
POLICY = ("2020-10-01", "2020-10-01-preview", "2024-09-01-preview")
ROLES = ("2022-04-01", "2022-05-01-preview", "2018-07-01", "2015-07-01")
BATCH = ("2020-06-01",)
BATCH_SIZE = 20

REQUESTS = "roleAssignmentScheduleRequests"
APPROVALS = "roleAssignmentApprovals"
FILTER = frozenset({"$filter"})
PAGED = FILTER | {"$skiptoken"}

OPERATIONS = (
    Operation("GET", REQUESTS, arm_requests.list_requests, SCHEDULES, PAGED),
    Operation("GET", f"{REQUESTS}/{{name}}", arm_requests.get_request, SCHEDULES),
    Operation("PUT", f"{REQUESTS}/{{name}}", arm_requests.remove_held, SCHEDULES),
    Operation("POST", f"{REQUESTS}/{{name}}/cancel", arm_requests.cancel_request, SCHEDULES),
    Operation("GET", "roleAssignmentScheduleInstances", arm_requests.list_instances, SCHEDULES, PAGED),
    Operation("GET", APPROVALS, arm_approvals.list_approvals, APPROVAL, PAGED),
    Operation("GET", f"{APPROVALS}/{{id}}", arm_approvals.get_approval, APPROVAL),
    Operation("GET", f"{APPROVALS}/{{id}}/stages", arm_approvals.list_stages, APPROVAL),
    Operation("GET", f"{APPROVALS}/{{id}}/stages/{{stage}}", arm_approvals.get_stage, APPROVAL),
    Operation("PUT", f"{APPROVALS}/{{id}}/stages/{{stage}}", arm_approvals.decide_stage, APPROVAL),
    Operation("PATCH", f"{APPROVALS}/{{id}}/stages/{{stage}}", arm_approvals.decide_stage, APPROVAL),
    Operation("GET", "roleManagementPolicyAssignments", arm_policies.list_assignments, POLICY, FILTER),
    Operation("GET", "roleManagementPolicies", arm_policies.list_policies, POLICY, FILTER),
    Operation("GET", "roleManagementPolicies/{id}", arm_policies.get_policy, POLICY),
    Operation("GET", "roleDefinitions/{id}", arm_policies.get_role, ROLES),
)


def routes(world: World) -> list[BaseRoute]:
    """One route for all of `/arm`: what a path means depends on what stands before the provider's name."""
    verbs = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return [Route("/arm/{rest:path}", partial(_enter, world), methods=verbs)]


async def _enter(world: World, request: Request) -> Response:
    try:
        caller = caller_of(world, authenticate(world, request.headers.get("authorization", "")))
        request.state.who = caller.person.id if caller.person else "app"
        path = request.scope["path"].removeprefix("/arm")
        sent = Sent(request.method, path, request.query_params.multi_items(), await request.body())
        return answer_of(request, _reply(world, caller, sent))
    except ArmError as error:
        return failure(request, error, world.settings.tenant)


def _reply(world: World, caller: Caller, sent: Sent) -> Reply:
    if (sent.method, sent.path) == ("POST", "/batch"):
        return _batch(world, caller, sent)
    if (sent.method, sent.path) == ("GET", arm_subscriptions.PATH):
        return arm_subscriptions.list_subscriptions(caller, sent, world.settings.tenant)
    return _single(world, caller, sent)


def _single(world: World, caller: Caller, sent: Sent) -> Reply:
    """Find the operation, check the call against it, run it."""
    place, rest = split_path(sent.path)
    operation, ids = _operation(sent.method, rest)
    query = read_query(operation, sent.query)
    call = ArmCall(world, caller, sent, read_scope(place), ids, query)
    if caller.person and "user_impersonation" not in caller.scopes:
        raise denied(call, "read")
    return operation.handler(call)


def _operation(method: str, rest: str) -> tuple[Operation, dict[str, str]]:
    known = [(operation, found) for operation, pattern in _PATTERNS if (found := pattern.fullmatch(rest))]
    if not known:
        message = f"The resource type '{rest}' could not be found in the namespace 'Microsoft.Authorization'."
        raise ArmError(404, "InvalidResourceType", message)
    for operation, found in known:
        if operation.method == method:
            return operation, found.groupdict()
    raise ArmError(405, "MethodNotAllowed", f"The method '{method}' is not supported here.")


def _batch(world: World, caller: Caller, sent: Sent) -> Reply:
    """Run each call of a batch; the outer status says that they were run, not what became of them."""
    check_version("batch", BATCH, dict(sent.query))
    answers = [_inner(world, caller, item) for item in _items(sent.body)]
    return Reply(202 if _is_odd(answers[0]["name"]) else 200, {"responses": answers})


def _inner(world: World, caller: Caller, item: Json) -> Json:
    address = urlsplit(str(item["url"]))
    content = item.get("content")
    body = b"" if content is None else json.dumps(content).encode()
    query = parse_qsl(address.query, keep_blank_values=True)
    sent = Sent(str(item["httpMethod"]).upper(), unquote(address.path), query, body, is_batched=True)
    try:
        reply = _single(world, caller, sent)
    except ArmError as error:
        reply = Reply(error.status, error_body(error))
    return {"name": str(item.get("name", "")), "httpStatusCode": reply.status, "headers": {}, "content": reply.body}


def _items(body: bytes) -> list[Json]:
    problem = ArmError(400, "InvalidRequestContent", "The request content is not a batch of 1 to 20 requests.")
    try:
        items: Any = json.loads(body)["requests"]
    except (ValueError, TypeError, KeyError) as error:
        raise problem from error
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH_SIZE:
        raise problem
    if not all(isinstance(item, dict) and {"url", "httpMethod"} <= set(item) for item in items):
        raise problem
    return items


def _is_odd(name: str) -> bool:
    return bool(sum(name.encode()) % 2)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), re.IGNORECASE)


_PATTERNS = [(operation, _pattern(operation.path)) for operation in OPERATIONS]
