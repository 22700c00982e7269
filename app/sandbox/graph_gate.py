"""The door of the emulated Graph: who calls, may they, and Microsoft's error shapes. Decides nothing about requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from uuid import uuid4

import jwt
from starlette.requests import Request
from starlette.responses import Response

from app.sandbox.people import Person
from app.sandbox.wire import Json, JsonAnswer
from app.sandbox.world import World

AUDIENCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
SHAPE = frozenset({"$select", "$expand"})
PAGED = SHAPE | {"$filter", "$top", "$skiptoken"}
CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class GraphError(Exception):
    """An answer other than success: HTTP status, Graph's error code and message, and headers where it has any."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Permissions:
    """What lets a caller in: any one of `any_of`, and every one of `all_of`. None instead of this: never allowed."""

    any_of: tuple[str, ...]
    all_of: tuple[str, ...] = ()
    is_pim: bool = True

    def missing(self, held: frozenset[str]) -> tuple[str, ...]:
        """The permissions Microsoft would name as missing; empty when the caller may enter."""
        if not held.intersection(self.any_of):
            return self.any_of
        return tuple(name for name in self.all_of if name not in held)


@dataclass(frozen=True, slots=True)
class GraphCall:
    """One authorised call: the person behind it (None: app-only), permissions held, the version and what was sent."""

    world: World
    person: Person | None
    held: frozenset[str]
    version: str
    path: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def caller(self) -> Person:
        """The signed-in person; raises GraphError where only a person makes sense."""
        if self.person is None:
            raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return self.person

    def require(self, delegated: Permissions, application: Permissions) -> None:
        """Demand more of the caller than the door did; raises GraphError 403."""
        _demand(delegated if self.person else application, self.held)

    def here(self) -> str:
        """The address that was called, without its query."""
        return f"{self.world.settings.world_url}/graph/{self.version}/{self.path}"

    def context(self, what: str) -> str:
        """The `@odata.context` of an answer."""
        return f"https://graph.microsoft.com/{self.version}/$metadata#{what}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the table of supported calls."""

    method: str
    path: str
    handler: Callable[[GraphCall], Json | None]
    delegated: Permissions | None
    application: Permissions | None
    options: frozenset[str] = field(default_factory=frozenset)
    versions: tuple[str, ...] = ("v1.0", "beta")
    status: int = 200  # of an answer with something to say


async def enter(world: World, request: Request, operation: Operation | None) -> Response:
    """Authenticate, authorise, run the operation; every failure becomes a Graph error with request ids."""
    try:
        claims = authenticate(world, request.headers.get("authorization", ""))
        request.state.who = _who(world, claims)
        if operation is None:
            raise _no_segment(request.url.path)
        _demand(operation.application if claims.get("idtyp") == "app" else operation.delegated, _held(claims))
        answer = operation.handler(await _call(world, request, operation, claims))
    except GraphError as error:
        return failure(request, error, world.now())
    if answer is None:
        return Response(status_code=204, headers=_ids(request))
    return JsonAnswer(answer, operation.status, headers={**_ids(request), "content-type": CONTENT_TYPE})


def authenticate(world: World, authorization: str) -> Json:
    """The claims of a bearer token made for Graph by the world's tenant and not expired; else GraphError 401."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("Access token is empty.")
    try:
        claims = world.key.read(token)
    except jwt.InvalidTokenError as problem:
        raise _unauthorized("IDX14100: JWT is not well formed, or its signature is invalid.") from problem
    if claims["aud"] not in AUDIENCES:
        raise _unauthorized("Access token validation failure. Invalid audience.")
    if claims["tid"] != world.settings.tenant:
        raise _unauthorized("Access token validation failure. Invalid tenant.")
    if not claims["nbf"] <= world.now().timestamp() < claims["exp"]:
        raise _unauthorized("Lifetime validation failed, the token is expired.")
    return claims


def failure(request: Request, error: GraphError, now: datetime) -> Response:
    """Microsoft's error envelope, with the ids that a support case needs."""
    ids = _ids(request)
    moment = now.strftime("%Y-%m-%dT%H:%M:%S")
    inner = {"date": moment, "request-id": ids["request-id"], "client-request-id": ids["client-request-id"]}
    body = {"error": {"code": error.code, "message": str(error), "innerError": inner}}
    if error.status == HTTPStatus.UNAUTHORIZED:
        ids["www-authenticate"] = (
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
    return JsonAnswer(body, error.status, {**ids, **error.headers, "content-type": "application/json"})


def denied(message: str = "Insufficient privileges to complete the operation.") -> GraphError:
    """The refusal for somebody whose token is fine but whose rights are not."""
    return GraphError(403, "Authorization_RequestDenied", message)


def not_found(identifier: str) -> GraphError:
    """The answer for an id that does not exist, or no longer."""
    return GraphError(404, "ResourceNotFound", f"The requested resource '{identifier}' does not exist.")


def _unauthorized(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message)


def _no_segment(path: str) -> GraphError:
    segment = path.rstrip("/").rsplit("/", 1)[-1]
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def _who(world: World, claims: Json) -> str | None:
    if claims.get("idtyp") == "app":
        return "app"
    person = world.person(str(claims["oid"]))
    return person.id if person else None


def _held(claims: Json) -> frozenset[str]:
    return frozenset(claims.get("roles", ()) if claims.get("idtyp") == "app" else str(claims.get("scp", "")).split())


def _demand(needed: Permissions | None, held: frozenset[str]) -> None:
    if needed is None:
        raise denied("The operation does not support this kind of sign-in: a delegated token of a user is needed.")
    missing = needed.missing(held)
    if missing and not needed.is_pim:
        raise denied()
    if missing:
        # PIM's own refusals arrive as JSON inside the message text.
        text = f"Authorization failed due to missing permission scope {','.join(missing)}."
        inner = {"errorCode": "PermissionScopeNotGranted", "message": text, "instanceAnnotations": []}
        raise GraphError(403, "UnknownError", json.dumps(inner, separators=(",", ":")))


async def _call(world: World, request: Request, operation: Operation, claims: Json) -> GraphCall:
    query = dict(request.query_params.items())
    unknown = [name for name in query if name not in operation.options]
    if unknown:
        raise GraphError(400, "BadRequest", f"The query parameter '{unknown[0]}' is not supported.")
    if len(request.query_params.multi_items()) > len(query):
        raise GraphError(400, "BadRequest", "A query option was specified more than once.")
    person = None if claims.get("idtyp") == "app" else world.person(str(claims["oid"]))
    version, _, path = request.url.path.removeprefix("/graph/").partition("/")
    return GraphCall(world, person, _held(claims), version, path, request.path_params, query, await request.body())


def _ids(request: Request) -> dict[str, str]:
    own = str(uuid4())
    return {"request-id": own, "client-request-id": request.headers.get("client-request-id", own)}
