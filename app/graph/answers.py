"""What an HTTP answer of Microsoft means, as our errors. Pure; it never sends anything.

Sources: Graph's documented codes for approval steps (204, 403, 404, 409), its throttling guide (429, 503 with
Retry-After in seconds or as a date), and the two shapes of a claims challenge seen in the wild.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from urllib.parse import unquote

import httpx

from app.domain.challenges import valid_claims
from app.domain.errors import (
    AlreadyDecided,
    BotError,
    ClaimsChallenge,
    GraphRefused,
    Malformed,
    OutcomeUnknown,
    RequestGone,
    SignInRequired,
    Unavailable,
)
from app.domain.retry_after import asked_wait
from app.graph.wire import Json, part, text

DEFAULT_WAIT = 5.0  # seconds, when a throttled answer does not say how long
_AUTH_CONTEXT = "RoleAssignmentRequestAcrsValidationFailed"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
# An error may quote the call it is about, token included, and its words are shown to people.
_LOOKS_SECRET = re.compile(r"(?i:bearer|basic) +\S+|\beyJ[\w-]+\.[\w.-]+|[\w.~+/=%-]{64,}")


def json_of(response: httpx.Response) -> Json:
    """The JSON object in an answer; Malformed for HTML, lists and other surprises."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        raise Malformed("Microsoft answered with something that is not JSON.") from None
    if not isinstance(body, dict):
        raise Malformed("Microsoft answered with JSON of another shape.")
    return body


def failure(response: httpx.Response, now: datetime, *, decision: bool) -> BotError:
    """The error for an answer that is not a success. `decision`: a 5xx then leaves the outcome unknown."""
    status = response.status_code
    if status in (429, 503) and not (decision and status == 503):  # noqa: PLR2004 - HTTP's own numbers
        wait = retry_after(response, now)
        return Unavailable(f"Microsoft asks us to wait {wait:.0f} seconds.", retry_after=wait)
    if status >= 500 or status < 400:  # noqa: PLR2004 - HTTP's own numbers
        return OutcomeUnknown() if decision else Unavailable(f"Microsoft is having trouble (HTTP {status}).")
    return _refusal(response)


def retry_after(response: httpx.Response, now: datetime) -> float:
    """Seconds to wait, 0 to 3600, in whatever form it is said."""
    wait = asked_wait(response.headers, now)
    return DEFAULT_WAIT if wait is None else wait


def _refusal(response: httpx.Response) -> BotError:
    code, message = _error_of(response)
    claims = _claims(response, code, message)
    if claims:
        return ClaimsChallenge(claims=claims)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return SignInRequired("Microsoft no longer accepts this sign-in.")
    classes = {404: RequestGone, 409: AlreadyDecided}
    error = classes.get(response.status_code, GraphRefused)
    return error(_sentence(code, message), status=response.status_code, code=code)


def _error_of(response: httpx.Response) -> tuple[str, str]:
    try:
        error = part(json_of(response).get("error"))
    except Malformed:
        return "", ""
    code, message = text(error.get("code")), text(error.get("message"))
    try:
        inner = json.loads(message)  # PIM nests a second error as JSON inside the message
    except (ValueError, RecursionError):
        return code, message
    return (text(part(inner).get("errorCode")) or code, text(part(inner).get("message")) or message)


def _sentence(code: str, message: str) -> str:
    said = _LOOKS_SECRET.sub("[…]", message)[:300] or "no reason given"
    return f"Microsoft refused: {said}" + (f" ({code})" if _CODE.fullmatch(code) else "")


def _claims(response: httpx.Response, code: str, message: str) -> str:
    header = re.search(r'claims="([^"]+)"', response.headers.get("WWW-Authenticate", ""))
    if response.status_code == httpx.codes.UNAUTHORIZED and header:
        return valid_claims(_unbase64(header.group(1)))
    query = re.search(r"[?&]claims=([^&\s\"']+)", message)
    if code == _AUTH_CONTEXT and query:
        return valid_claims(unquote(query.group(1)))
    return ""


def proof_wanted(response: httpx.Response) -> str:
    """The claims for lack of which this token was refused (401), if a new token may have them; else empty."""
    return _claims(response, "", "")


def _unbase64(value: str) -> str:
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
