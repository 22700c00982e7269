"""What Socket Mode delivers, brought to the same listeners as what comes by HTTP. It knows no websocket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.payloads import Body

OK = 200


@dataclass(frozen=True, slots=True)
class Envelopes:
    """`answer` is what the socket hands envelopes to."""

    bolt: AsyncApp

    async def answer(self, envelope: Body) -> dict[str, Any] | None:
        """The payload of the acknowledgement, often empty; None: this is not acknowledged.

        The listeners acknowledge after the delivery's row is committed, so an answer says that it cannot be lost.
        """
        payload = envelope.get("payload")
        if not isinstance(payload, dict):
            return None
        response = await self.bolt.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
        return _payload(response) if response.status == OK else None


def _payload(response: BoltResponse) -> dict[str, Any]:
    """The body of an HTTP answer as Socket Mode carries it: JSON as it is, words as a message's text."""
    if not response.body:
        return {}
    if str((response.headers.get("content-type") or [""])[0]).startswith("application/json"):
        found: dict[str, Any] = json.loads(response.body)
        return found
    return {"text": response.body}
