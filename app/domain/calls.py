"""Names of a call that changes something at Microsoft, ours and Microsoft's, for whoever asks about it later."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

_OURS = UUID("6d0c52a1-9a0e-5f53-8f57-6b7a2d1f3c11")  # a namespace of our own


@dataclass(frozen=True, slots=True)
class Receipt:
    """Microsoft's own id of its answer, which its support asks for; empty when it gave none."""

    request_id: str = ""


def call_name(intent_id: str, number: int) -> str:
    """Our name for the `number`th send of a decision, a GUID. It needs no memory, so a crash does not lose it."""
    return str(uuid5(_OURS, f"{intent_id}/{number}"))
