"""The gate before our own API: a bearer token is judged, calls are counted and bodies capped before anything parses.

Who passes is in the request's state as `caller`. Nothing of a token is logged, and nothing of it is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.bodies import read_body, replay, single
from app.api.buckets import Buckets
from app.api.problems import Problem, failure, sign_in
from app.domain.errors import BotError
from app.ports import Bearers, Caller, Stranger

PREFIX = "/api/security/pim"
LARGEST = 16 * 1024  # bytes; a comment has 500 characters
WITHOUT_ANY = (
    "Call with `Authorization: Bearer` and an access token that Entra made for this API and for a person. Nothing was "
    "changed."
)


@dataclass(kw_only=True, slots=True)
class BearerGate:
    """Lets callers through to `inner`. Reading and deciding are counted apart: nobody reads themselves into silence."""

    inner: ASGIApp
    bearers: Bearers
    reads: Buckets
    decisions: Buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, 429, 413 or 503, or hand on the very bytes with who sends them."""
        try:
            caller = await self._caller(scope)
            self._count(caller, scope["method"])
            body = await _body(receive)
        except (Problem, BotError) as error:
            problem = error if isinstance(error, Problem) else failure(error)
            await problem.response()(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self.inner(scope, replay(body), send)

    async def _caller(self, scope: Scope) -> Caller:
        scheme, _, token = single(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise sign_in(WITHOUT_ANY)
        caller = await self.bearers.caller(token)
        if isinstance(caller, Stranger):
            raise sign_in(f"The token was refused: {caller.flaw}. Nothing was changed.", flaw=caller.flaw)
        return caller

    def _count(self, caller: Caller, method: str) -> None:
        buckets = self.reads if method == "GET" else self.decisions
        wait = buckets.take(caller.person.id)
        if wait:
            headers = {"Retry-After": str(int(wait) + 1)}
            raise Problem("rate_limited", "You call too often. Nothing was changed; wait, then go on.", headers)


async def _body(receive: Receive) -> bytes:
    body = await read_body(receive, LARGEST)
    if body is None:
        raise Problem("too_large", f"A body here has at most {LARGEST} bytes. Nothing was changed.")
    return body


def admitted(request: Request, scope: str) -> Caller:
    """Who calls, if their token holds this permission; Problem otherwise."""
    caller: Caller = request.state.caller
    if scope not in caller.scopes:
        challenge = f'Bearer realm="PIM Approvals", error="insufficient_scope", scope="{scope}"'
        detail = f"The token lacks the permission {scope}. Nothing was changed."
        raise Problem("insufficient_scope", detail, {"WWW-Authenticate": challenge})
    return caller
