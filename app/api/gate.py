"""The gate before Slack's door: method, size, time and signature are checked on the raw bytes, before anything parses.

Bolt parses a body before it verifies it and logs the whole body on a bad signature; behind this gate it never sees
one. Nothing of a refused request is logged but the reason.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from app.api.bodies import read_body, replay, single

LARGEST_BODY = 256 * 1024  # bytes; Slack's own payloads stay far below
WINDOW = 300  # seconds between Slack's timestamp and our clock, as Slack recommends
_TIMESTAMP = re.compile(rb"[0-9]{9,11}")
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
_SENTENCES = {
    400: b"Not a payload of Slack.",
    401: b"Not signed by Slack.",
    405: b"Only POST is answered here.",
    413: b"Too large.",
}
log = logging.getLogger(__name__)


class SlackGate:
    """An ASGI application that lets only what Slack signed, just now, through to the one behind it."""

    def __init__(
        self, inner: Callable[[Any, Any, Any], Awaitable[None]], signing_secret: str, now: Callable[[], float]
    ) -> None:
        """`now`: seconds since 1970."""
        self._inner = inner
        self._secret = signing_secret.encode()
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 405, 413, 401 or 400, or hand on the very bytes that were verified."""
        status, body = await self._examine(scope, receive)
        if status:
            log.warning("A request to the Slack door was refused: %s", _SENTENCES[status].decode())
            await _refuse(send, status)
            return
        try:
            await self._inner(scope, replay(body), send)
        except (ValueError, TypeError, AttributeError):  # how Bolt fails on a body that holds no payload
            log.warning("A signed request holds no payload of Slack; it was ignored.")
            await _refuse(send, 400)

    async def _examine(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if scope["method"] != "POST":
            return 405, b""
        headers = single(scope["headers"])
        timestamp = headers.get(b"x-slack-request-timestamp", b"")
        signature = headers.get(b"x-slack-signature", b"")
        body = await read_body(receive, LARGEST_BODY)
        if body is None:
            return 413, b""
        return (0 if self._genuine(timestamp, signature, body) else 401), body

    def _genuine(self, timestamp: bytes, signature: bytes, body: bytes) -> bool:
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return False
        if abs(self._now() - int(timestamp)) > WINDOW:
            return False
        expected = hmac.new(self._secret, b"v0:" + timestamp + b":" + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(b"v0=" + expected.encode(), signature)


async def _refuse(send: Send, status: int) -> None:
    headers: list[Any] = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-slack-no-retry", b"1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": _SENTENCES[status]})
