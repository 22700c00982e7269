"""The door of the emulated Azure Resource Manager: who calls, what a path means, and ARM's error shapes.

Decides nothing about requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import uuid4

import jwt
from starlette.requests import Request
from starlette.responses import Response

from app.sandbox.azure_roles import AZURE_OWNERS, AZURE_READERS
from app.sandbox.people import Person
from app.sandbox.scopes import azure_scope, is_within
from app.sandbox.wire import Json, JsonAnswer, stamp
from app.sandbox.world import World

AUTHORIZATION = "/providers/Microsoft.Authorization"
AUDIENCES = ("https://management.core.windows.net", "https://management.azure.com")
SERVICE_NAME = "PIM Approvals"


class ArmError(Exception):
    """An answer other than success: HTTP status, ARM's error code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds the token; `person` is None for an application."""

    person: Person | None
    oid: str
    scopes: frozenset[str] = frozenset()

    def may_read(self, scope: str) -> bool:
        """Whether the caller holds Reader there; nobody does for the tenant as a whole."""
        name = self.person.id if self.person else "app"
        return bool(scope) and any(is_within(scope, root) for root in AZURE_READERS.get(name, ()))

    def may_administer(self, scope: str) -> bool:
        """Whether the caller holds Owner there."""
        roots = AZURE_OWNERS.get(self.person.id, ()) if self.person else ()
        return any(is_within(scope, root) for root in roots)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it reaches the service, directly or inside a batch: the path below the root, query and body."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    body: bytes
    is_batched: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A success: HTTP status, and JSON unless there is nothing to say."""

    status: int
    body: Json | None = None


@dataclass(frozen=True, slots=True)
class ArmCall:
    """One admitted call; `scope` is the part of Azure it is about, "" for the whole tenant."""

    world: World
    caller: Caller
    sent: Sent
    scope: str
    ids: Mapping[str, str]
    query: Mapping[str, str]

    def person(self) -> Person:
        """The signed-in person; raises ArmError where only a person makes sense."""
        if self.caller.person is None:
            raise denied(self, "read")
        return self.caller.person

    def may_read(self, scope: str) -> bool:
        """Whether the caller holds Reader there."""
        return self.caller.may_read(scope)

    def reaches(self, scope: str, *, below: bool = True) -> bool:
        """Whether a listing of this call covers a scope: at it, above it and, unless told otherwise, below it."""
        return not self.scope or is_within(self.scope, scope) or (below and is_within(scope, self.scope))


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the table of supported calls; `path` is what follows the provider's name."""

    method: str
    path: str
    handler: Callable[[ArmCall], Reply]
    versions: tuple[str, ...]
    options: frozenset[str] = field(default_factory=frozenset)


def authenticate(world: World, authorization: str) -> Json:
    """The claims of a bearer token made for ARM by the world's tenant and not expired; else ArmError 401."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "Authentication failed. The 'Authorization' header is missing or has an invalid format."
        raise ArmError(401, "AuthenticationFailed", message)
    try:
        claims = world.key.read(token)
    except jwt.InvalidTokenError as problem:
        raise ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.") from problem
    if claims["aud"].rstrip("/") not in AUDIENCES:
        message = (
            f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should exactly "
            f"match with one of the allowed audiences {','.join(repr(name) for name in AUDIENCES)}."
        )
        raise ArmError(401, "InvalidAuthenticationTokenAudience", message)
    if claims["tid"] != world.settings.tenant:
        raise ArmError(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.")
    if not claims["nbf"] <= world.now().timestamp() < claims["exp"]:
        message = f"The access token expiry UTC time is earlier than current UTC time '{stamp(world.now(), 0)}'."
        raise ArmError(401, "ExpiredAuthenticationToken", message)
    return claims


def caller_of(world: World, claims: Json) -> Caller:
    """The person or the application that a token stands for."""
    oid = str(claims["oid"])
    person = None if claims.get("idtyp") == "app" else world.person(oid)
    return Caller(person, oid, frozenset(str(claims.get("scp", "")).split()))


def split_path(path: str) -> tuple[str, str]:
    """The scope before the provider's name and what follows it; ARM ignores letter case in paths."""
    marker = f"{AUTHORIZATION}/"
    at = path.lower().rfind(marker.lower())
    if at < 0:
        raise ArmError(404, "InvalidResourceType", f"The resource type of '{path}' could not be found.")
    return path[:at], path[at + len(marker) :].rstrip("/")


def check_version(kind: str, versions: tuple[str, ...], query: Mapping[str, str]) -> None:
    """Raise ArmError unless the call names an api-version that this kind of resource has."""
    version = query.get("api-version")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", message)
    if not version[:10].replace("-", "").isdecimal():
        message = f"The api-version '{version}' is invalid. The supported versions are '{','.join(versions)}'."
        raise ArmError(400, "InvalidApiVersionParameter", message)
    if version not in versions:
        message = (
            f"The resource type '{kind}' could not be found in the namespace "
            f"'Microsoft.Authorization' for api version '{version}'. The supported api-versions are "
            f"'{','.join(versions)}'."
        )
        raise ArmError(404, "InvalidResourceType", message)


def read_query(operation: Operation, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The query options of an operation by name."""
    return read_options(operation.path.split("/")[0], operation.versions, operation.options, pairs)


def read_options(
    kind: str, versions: tuple[str, ...], options: frozenset[str], pairs: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """The query options by name; real ARM ignores many it does not know, this one refuses them, and doubles."""
    query = dict(pairs)
    check_version(kind, versions, query)
    unknown = [name for name in query if name not in options | {"api-version"}]
    if unknown:
        raise ArmError(400, "InvalidQueryParameter", f"The query parameter '{unknown[0]}' is not supported.")
    if len(pairs) > len(query):
        raise ArmError(400, "InvalidQueryParameter", "A query option was specified more than once.")
    return query


def read_scope(text: str) -> str:
    """The scope in the path, in the spelling of the world; raises ArmError for what is no part of Azure."""
    if not text:
        return ""
    scope = azure_scope(text)
    if scope is None or not text.startswith("/"):
        raise ArmError(400, "InvalidScope", f"The scope '{text}' is not valid.")
    return scope.id


def denied(call: ArmCall, action: str) -> ArmError:
    """The refusal for somebody whose token is fine but who holds no role for this."""
    kind = split_path(call.sent.path)[1].split("/")[0]
    name = call.caller.person.upn if call.caller.person else SERVICE_NAME
    message = (
        f"The client '{name}' with object id '{call.caller.oid}' does not have authorization to perform action "
        f"'Microsoft.Authorization/{kind}/{action}' over scope '{call.scope or '/'}' or the scope is invalid. If "
        "access was recently granted, please refresh your credentials."
    )
    return ArmError(403, "AuthorizationFailed", message)


def not_found(kind: str, name: str) -> ArmError:
    """The answer for an id that does not exist, or not at this scope."""
    return ArmError(404, "ResourceNotFound", f"The {kind} '{name}' was not found.")


def answer_of(request: Request, reply: Reply) -> Response:
    """A success on the wire, with the ids that a support case needs."""
    if reply.body is None:
        return Response(status_code=reply.status, headers=_ids(request))
    return JsonAnswer(reply.body, reply.status, _ids(request))


def failure(request: Request, error: ArmError, tenant: str) -> Response:
    """ARM's error envelope."""
    headers = _ids(request) | {"x-ms-failure-cause": "gateway"}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = (
            f'Bearer authorization_uri="https://login.windows.net/{tenant}", error="invalid_token", '
            f'error_description="{error}"'
        )
    return JsonAnswer(error_body(error), error.status, headers)


def error_body(error: ArmError) -> Json:
    """What stands in the body of a refusal, directly or inside a batch."""
    return {"error": {"code": error.code, "message": str(error)}}


def _ids(request: Request) -> dict[str, str]:
    own = str(uuid4())
    asked = request.headers.get("x-ms-client-request-id")
    echo = {"x-ms-client-request-id": asked} if asked else {}
    return {"x-ms-request-id": own, "x-ms-correlation-request-id": own, "cache-control": "no-cache", **echo}
