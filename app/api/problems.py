"""What went wrong, as RFC 9457 problem details: one table of codes, and every failure of the HTTP API through it.

A detail is a sentence for the person behind the call.
"""

from __future__ import annotations

import base64
import json
import logging
import math
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.domain.errors import BotError, ClaimsChallenge, SignInRequired, Unavailable
from app.domain.ruling import Refused, Why

MEDIA_TYPE = "application/problem+json"
REALM = 'Bearer realm="PIM Approvals"'
LONGEST = 500  # characters of a complaint
SOON = 5  # seconds after which it is worth trying again, where nobody says
# Code to HTTP status and title.
CODES: Mapping[str, tuple[int, str]] = {
    "invalid_request": (422, "The request is not valid"),
    "comment_missing": (422, "A comment is needed"),
    "key_reused": (422, "This idempotency key belongs to another request"),
    "sign_in_required": (401, "Sign in with Microsoft"),
    "insufficient_scope": (403, "The token lacks a permission"),
    "own_request": (403, "Nobody approves their own request"),
    "not_approver": (403, "Not an approver of this request"),
    "portal_only": (403, "To be decided in the portal"),
    "frozen": (403, "This person's link is frozen"),
    "managed_device": (403, "A managed device is demanded"),
    "refused": (403, "Microsoft refused"),
    "not_found": (404, "There is no such thing here"),
    "method_not_allowed": (405, "Not a method of this address"),
    "already_decided": (409, "Already decided"),
    "claimed": (409, "Somebody is deciding it right now"),
    "no_step": (409, "Nobody can decide it"),
    "in_progress": (409, "The first call with this key is still under way"),
    "not_taken": (409, "The first call with this key came to nothing"),
    "expired": (410, "The request has expired"),
    "changed": (412, "The request reads differently now"),
    "too_large": (413, "Too large"),
    "rate_limited": (429, "Too many calls"),
    "failed": (500, "Something went wrong on our side"),
    "unavailable": (503, "Not available right now"),
    "paused": (503, "Decisions are paused"),
}
_CODE_OF = {
    Why.NOT_LINKED: "sign_in_required",
    Why.SIGN_IN_AGAIN: "sign_in_required",
    Why.UNKNOWN_CARD: "not_found",
    Why.NOT_MEMBER: "not_approver",
}
_RETRIED = frozenset({"claimed", "in_progress", "unavailable"})
_OF_HTTP = {404: "not_found", 405: "method_not_allowed"}
NO_SUCH = "There is no such request, or it is not yours to see. Nothing was changed."
CHANGED = (
    "The request is not what you were shown: it reads differently in Microsoft now. Nothing was sent; read it again, "
    "and decide with its new digest."
)
BROKEN = "Something went wrong on our side; the log of the bot says what. Read the request again to see what is true."
log = logging.getLogger(__name__)


class Problem(Exception):
    """One problem: its code, a sentence, and headers."""

    def __init__(self, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.headers = dict(headers or {})
        if code in _RETRIED:
            self.headers.setdefault("Retry-After", str(SOON))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.code][0]

    def response(self) -> Response:
        """As it goes out. It is about one moment, so nobody keeps it."""
        status, title = CODES[self.code]
        body = {"type": "about:blank", "title": title, "status": status, "detail": str(self), "code": self.code}
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def refusal(refused: Refused) -> Problem:
    """An expected no."""
    code = _CODE_OF.get(refused.why, refused.why.value)
    if code == "sign_in_required":
        return sign_in(refused.text)
    return Problem(code, CHANGED if code == "changed" else refused.text)


def sign_in(detail: str, claims: str = "", flaw: str = "") -> Problem:
    """Another token is needed: one that meets `claims` (Microsoft's JSON), or that has not this `flaw`."""
    challenge = REALM
    if flaw:
        challenge += f', error="invalid_token", error_description="{flaw}"'
    if claims:
        challenge += f', error="insufficient_claims", claims="{base64.b64encode(claims.encode()).decode()}"'
    return Problem("sign_in_required", detail, {"WWW-Authenticate": challenge})


def failure(error: BotError) -> Problem:
    """What kept us from answering. Nothing was changed by what only reads."""
    if isinstance(error, SignInRequired):
        return sign_in(f"{error} Nothing was changed.", error.claims if isinstance(error, ClaimsChallenge) else "")
    wait = error.retry_after if isinstance(error, Unavailable) else None
    headers = {"Retry-After": str(math.ceil(wait))} if wait is not None else None
    return Problem("unavailable" if error.retryable else "refused", f"{error} Nothing was changed.", headers)


def install(app: FastAPI) -> None:
    """Let every failure of the application come out as a problem."""
    for kind in (Problem, BotError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(_request: Request, error: Exception) -> Response:
    return _problem(error).response()


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, BotError):
        log.info("A call could not be answered: %s", error)
        return failure(error)
    if isinstance(error, RequestValidationError):
        return Problem("invalid_request", _complaint(error))
    if isinstance(error, HTTPException):
        code = _OF_HTTP.get(error.status_code, "invalid_request")
        return Problem(code, "This address does not take that.", error.headers)  # a 405 says what it takes
    return Problem("failed", BROKEN)  # Starlette raises it once more, for the log


def _complaint(error: RequestValidationError) -> str:
    """The first mistakes, each with its place."""
    found = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:3]]
    return f"{'; '.join(found)[:LONGEST]}. Nothing was changed."
