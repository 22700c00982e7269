"""What the tests of the painter share: how requests end or change, and what a card's buttons carry."""

from __future__ import annotations

from dataclasses import replace

from build import decided, seen
from notifier.rig import Rig

from app.domain.request import ActivationRequest, Status
from app.domain.risk import Level, Risk
from app.notifier.lanes import PAUSE_AFTER_REFUSAL
from app.sandbox.slack_records import Message

PAUSE = PAUSE_AFTER_REFUSAL.total_seconds()
POST, UPDATE, DELETE, HISTORY = "chat.postMessage", "chat.update", "chat.delete", "conversations.history"


async def end(rig: Rig, request: ActivationRequest, status: Status = Status.APPROVED) -> None:
    await rig.book.settle(request.key, status, decided(), None, rig.clock())


async def change(rig: Rig, request: ActivationRequest) -> ActivationRequest:
    """The request reads differently, so that every old button is void."""
    return await rig.appear(replace(request, justification=f"{request.justification}, now"))


async def redraw(rig: Rig, request: ActivationRequest) -> None:
    """The card has to look different, though what people decide on is the same."""
    await rig.book.remember([seen(request, risk=Risk(Level.MEDIUM, ("Another reason",)))], rig.clock())


def buttons(message: Message) -> dict[str, str]:
    """Action ids and values of a message."""
    found = [element for block in message.blocks for element in block.get("elements", ())]
    return {element["action_id"]: element.get("value", "") for element in found if element.get("type") == "button"}


async def ticks(rig: Rig, times: int, seconds: float = 1.0) -> None:
    for _ in range(times):
        rig.clock.forward(seconds)
        await rig.painter.tick()
