"""A message ready for Slack. It is not sent here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.ports import Block


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is the escaped sentence that notifications and screen readers get; `blocks` is what eyes see."""

    text: str
    blocks: list[Block]
    metadata: dict[str, Any] | None = None

    def stamped(self, event: str, **payload: str) -> Message:
        """The same message with metadata by which it is found again: opaque ids only, since anybody can read it."""
        return replace(self, metadata={"event_type": event, "event_payload": payload})

    def payload(self) -> dict[str, Any]:
        """The arguments of chat.postMessage and chat.update; both texts always travel together."""
        body: dict[str, Any] = {"text": self.text, "blocks": self.blocks}
        return body if self.metadata is None else {**body, "metadata": self.metadata}
