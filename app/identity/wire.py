"""Asynchronous JSON over the origin map: the profile at Graph, Slack's token call, both key sets. It judges nothing.

No redirects, no proxy from the environment, and no upstream text in any error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from app.domain.errors import Malformed, Unavailable
from app.identity.origins import Origins

TIMEOUT = httpx.Timeout(10.0, connect=5.0)  # seconds
LONGEST_ANSWER = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the JSON object that came with it."""

    status: int
    body: dict[str, Any]


class PinnedHttp:
    """GET and POST to addresses on the origin map, and to nothing else."""

    def __init__(self, origins: Origins, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`transport`: for tests; by default the network."""
        self._origins = origins
        self._http = httpx.AsyncClient(
            transport=transport or httpx.AsyncHTTPTransport(trust_env=False),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, url: str, bearer: str = "") -> Answer:
        """Fetch a JSON object; Unavailable or Malformed otherwise."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return await self._send(self._http.build_request("GET", self._origins.to_wire(url), headers=headers))

    async def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """Post a form and read the JSON object that answers; Unavailable or Malformed otherwise."""
        return await self._send(self._http.build_request("POST", self._origins.to_wire(url), data=dict(form)))

    async def _send(self, request: httpx.Request) -> Answer:
        try:
            response = await self._http.send(request)
        except httpx.HTTPError:
            raise Unavailable("The sign-in service cannot be reached.") from None
        if is_busy(response.status_code):
            raise Unavailable("The sign-in service is busy.")
        return Answer(response.status_code, json_object(response))


def is_busy(status: int) -> bool:
    """Whether the service did not take the call: 429, or any 5xx."""
    return status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The body as a JSON object, or Malformed without a word of what it was: it may hold secrets."""
    if len(response.content) > LONGEST_ANSWER:
        raise Malformed("The sign-in service's answer is too long.")
    try:
        body = response.json()
    except ValueError:
        raise Malformed("The sign-in service's answer is not JSON.") from None
    if not isinstance(body, dict):
        raise Malformed("The sign-in service's answer is not a JSON object.")
    return body
