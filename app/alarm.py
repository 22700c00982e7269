"""The door to the company's on-call tool: one signed HTTPS call to one address, and to no other. It tries once.

Slack cannot break through "do not disturb"; an on-call tool can.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

import httpx

from app.domain.errors import Unavailable
from app.ports import Clock

TIMEOUT = httpx.Timeout(10.0, connect=5.0)  # seconds


class Webhook:
    """Implements `ports.Alarm`.

    Signed is `timestamp.body` with HMAC-SHA256: a receiver that checks signature and age cannot be fooled or replayed.
    """

    def __init__(self, url: str, key: str, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`url`: the one address; `key`: of the signature; `transport`: for tests, by default the network."""
        self._url = url
        self._key = key.encode()
        self._clock = clock
        self._http = httpx.AsyncClient(
            transport=OneAddress(url, transport or httpx.AsyncHTTPTransport(trust_env=False)),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def sound(self, delivery: str, facts: Mapping[str, object]) -> None:
        """Post the facts. Unavailable unless the tool says 2xx; its answer is not read, and never repeated anywhere."""
        body = json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")
        try:
            response = await self._http.post(self._url, content=body, headers=self._headers(delivery, body))
        except httpx.HTTPError:
            raise Unavailable("The on-call tool cannot be reached.") from None
        if not response.is_success:
            raise Unavailable(f"The on-call tool answered HTTP {response.status_code}.")

    def _headers(self, delivery: str, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp()))
        mac = hmac.new(self._key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-PIM-Delivery": delivery,
            "X-PIM-Timestamp": stamp,
            "X-PIM-Signature": f"v1={mac}",
        }


class OneAddress(httpx.AsyncBaseTransport):
    """A transport that speaks to one origin (scheme, host, port) and refuses every other before a byte leaves."""

    def __init__(self, url: str, inner: httpx.AsyncBaseTransport) -> None:
        self._origin = _origin(httpx.URL(url))
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, or raise Unavailable."""
        if _origin(request.url) != self._origin:
            raise Unavailable("The on-call tool is somewhere else than the policy file says; nothing was sent.")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
