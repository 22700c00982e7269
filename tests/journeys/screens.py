"""What somebody reads on a screen: a message, a whisper or a modal of `/control/world` as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

APPROVE, DENY, SIGN_IN, OLDER = "pim_approve", "pim_deny", "pim_sign_in", "pim_page"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message, whisper or modal as somebody reads it; `buttons` by action id, each as Slack stores it."""

    id: str
    channel: str
    text: str
    words: str
    buttons: dict[str, Json]
    kind: str = ""
    edits: int = 0

    @property
    def decidable(self) -> bool:
        """Whether it offers a decision."""
        return bool({APPROVE, DENY} & self.buttons.keys())


def shown(raw: Json) -> Shown:
    """A message, ephemeral or modal of `/control/world` as a value."""
    blocks = raw.get("blocks") or []
    metadata = raw.get("metadata") or {}
    return Shown(
        id=str(raw.get("ts") or raw.get("view_id")),
        channel=str(raw.get("channel") or ""),
        text=str(raw.get("text") or ""),
        words="\n".join(_words(block) for block in blocks),
        buttons={e["action_id"]: e for block in blocks for e in block.get("elements", []) if e["type"] == "button"},
        kind=str(metadata.get("event_type") or raw.get("callback_id") or ""),
        edits=int(raw.get("edits") or 0),
    )


def _words(part: object) -> str:
    if isinstance(part, list):
        return "".join(_words(item) for item in part)
    if not isinstance(part, dict):
        return ""
    own = part.get("text", "")
    inner = [value for name, value in part.items() if name != "text"]
    return (own if isinstance(own, str) else _words(own)) + _words(inner)
