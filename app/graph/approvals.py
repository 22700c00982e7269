"""Approval objects of Graph: their steps as one caller sees them, and the decision. It never judges who may."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.domain.calls import Receipt
from app.domain.errors import AlreadyDecided, BotError
from app.domain.ruling import Step
from app.graph.client import Change, Gate
from app.graph.shapes import parse_person
from app.graph.wire import Json, guid, listed, moment, part, text
from app.ports import TokenSource, Vote

Look = Callable[[], Awaitable[tuple[Step, ...]]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Approvals:
    """A collection of approvals. `parts` is what this edition of Graph calls their steps: `steps` or `stages`."""

    gate: Gate
    path: str
    parts: str

    async def steps(self, approval: str, token: TokenSource) -> tuple[Step, ...]:
        """Every step (`assignedToMe` is about the caller); Malformed when the answer does not show them."""
        answer = await self.gate.get(f"{self.path}/{guid(approval)}", token, {"$expand": self.parts})
        return tuple(parse_step(part(step)) for step in listed(answer.get(self.parts)))

    async def decide(self, approval: str, vote: Vote, token: TokenSource) -> Receipt:
        """Send one decision, once (204). 409: another approver was first; OutcomeUnknown: read back."""
        path = f"{self.path}/{guid(approval)}/{self.parts}/{guid(vote.step)}"
        return self.gate.receipt(await self.gate.send(Change("PATCH", path, review(vote), name=vote.call), token))


def review(vote: Vote) -> dict[str, str]:
    """A decision as every desk of Microsoft writes it."""
    return {"reviewResult": vote.verdict.value, "justification": text(vote.justification)}


def parse_step(row: Json) -> Step:
    """An `approvalStep` or `approvalStage`. The all-zero reviewer that stands for "nobody yet" becomes None."""
    reviewer = part(row.get("reviewedBy"))
    reviewer_id = text(reviewer.get("id")).lower()
    nobody = not reviewer_id.strip("0-")
    return Step(
        id=guid(row.get("id")),
        status=text(row.get("status")),
        result=text(row.get("reviewResult")),
        assigned_to_me=row.get("assignedToMe") is True,
        reviewed_by=None if nobody else parse_person(reviewer, reviewer_id),
        reviewed_at=moment(row.get("reviewedDateTime")),
        justification=text(row.get("justification")),
    )


async def still_live(step: str, look: Look) -> bool:
    """Whether the caller can still decide it after a refusal, by a new look at its steps.

    One that cannot be looked at is not live; one that is decided by now is AlreadyDecided.
    """
    try:
        steps = await look()
    except BotError as failure:
        log.info("The step cannot be read again, so nothing more is sent: %s", failure)
        return False
    if any(each.id == step and each.verdict is not None for each in steps):
        raise AlreadyDecided("Microsoft shows a decision already.")
    return any(each.id == step and each.live for each in steps)
