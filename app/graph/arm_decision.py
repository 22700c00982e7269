"""How a decision reaches Azure Resource Manager: four shapes, one after the other, at most one of which is accepted.

Sources disagree on the shape that the service takes. The next one goes out only after a 4xx and a re-read that shows
the stage still live for this very caller, so a decision that was taken is never sent again. 409 (somebody was first),
429, a challenge and a lost answer end it. Of a batch only the inner status is believed, and no success that shows the
stage undecided.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from app.domain.calls import Receipt
from app.domain.errors import (
    AlreadyDecided,
    BotError,
    ClaimsChallenge,
    GraphRefused,
    OutcomeUnknown,
    SignInRequired,
)
from app.domain.request import Verdict
from app.domain.ruling import Step
from app.graph.approvals import Look, review, still_live
from app.graph.arm_wire import PROVIDER
from app.graph.client import Change, Gate
from app.graph.wire import Json, guid, items, part, text
from app.ports import TokenSource, Vote

APPROVALS = f"/{PROVIDER}/roleAssignmentApprovals"
VERSION = {"api-version": "2021-01-01-preview"}
BATCH = {"api-version": "2020-06-01"}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ballot:
    """One decision on its way: which stage of which approval, and what is said."""

    approval: str
    vote: Vote

    @property
    def path(self) -> str:
        """The stage's address."""
        return f"{APPROVALS}/{guid(self.approval)}/stages/{guid(self.vote.step)}"

    @property
    def bare(self) -> Json:
        """The decision by itself."""
        return review(self.vote)

    @property
    def wrapped(self) -> Json:
        """The decision as the properties of a resource."""
        return {"properties": self.bare}


@dataclass(slots=True)
class Shapes:
    """Sends decisions, and remembers the shape that worked: one desk serves one tenant."""

    gate: Gate
    new_name: Callable[[], UUID]
    _works: int = field(init=False, default=0)

    async def decide(self, ballot: Ballot, token: TokenSource, look: Look) -> Receipt:
        """Send it, accepted at most once. `look` reads the stages again, as the same caller.

        Raises AlreadyDecided, OutcomeUnknown, Unavailable, ClaimsChallenge, or how the last shape was refused.
        """
        ways = (self._put, self._patch_wrapped, self._patch_bare, self._batch)
        for number in sorted(range(len(ways)), key=lambda number: (number != self._works, number)):
            try:
                answer = await ways[number](ballot, token)
            except (AlreadyDecided, ClaimsChallenge):
                raise
            except (GraphRefused, SignInRequired) as refused:
                refusal: BotError = refused
                if not await still_live(ballot.vote.step, look):
                    raise
                log.info("Azure did not take shape %d of the decision; its stage is live, trying another.", number + 1)
                continue
            if not _believable(answer, ballot.vote.verdict):
                raise _unknown(self.gate.receipt(answer))  # it may show late, and the read-back will tell
            self._works = number
            return self.gate.receipt(answer)
        raise refusal

    async def _put(self, ballot: Ballot, token: TokenSource) -> httpx.Response:
        return await self.gate.send(_change("PUT", ballot, ballot.wrapped), token)

    async def _patch_wrapped(self, ballot: Ballot, token: TokenSource) -> httpx.Response:
        return await self.gate.send(_change("PATCH", ballot, ballot.wrapped), token)

    async def _patch_bare(self, ballot: Ballot, token: TokenSource) -> httpx.Response:
        return await self.gate.send(_change("PATCH", ballot, ballot.bare), token)

    async def _batch(self, ballot: Ballot, token: TokenSource) -> httpx.Response:
        """What Microsoft's portal sends."""
        name = str(self.new_name())
        url = f"{ballot.path}?api-version={VERSION['api-version']}"
        inner = {"name": name, "httpMethod": "PUT", "url": url, "content": ballot.wrapped}
        batch = Change("POST", "/batch", {"requests": [inner]}, BATCH, name=ballot.vote.call)
        answer = await self.gate.send(batch, token)
        inside = inner_answer(answer, name)
        inside.headers.setdefault("x-ms-request-id", answer.headers.get("x-ms-request-id", ""))
        self.gate.judge(inside)
        return inside


def _change(method: str, ballot: Ballot, body: Json) -> Change:
    return Change(method, ballot.path, body, VERSION, name=ballot.vote.call)


def inner_answer(outer: httpx.Response, name: str) -> httpx.Response:
    """The one answer within a batch's; OutcomeUnknown when it cannot be read, whatever the outer status says."""
    try:
        body = outer.json()
    except (ValueError, RecursionError):
        raise OutcomeUnknown from None
    found = [part(each) for each in items(part(body).get("responses"))]
    if len(found) != 1 or text(found[0].get("name")) not in ("", name):
        raise OutcomeUnknown
    status = found[0].get("httpStatusCode")
    if not isinstance(status, int) or not 100 <= status <= 599:  # noqa: PLR2004 - HTTP's own numbers
        raise OutcomeUnknown
    return httpx.Response(status, headers=_headers(part(found[0].get("headers"))), content=_content(found[0]))


def _unknown(receipt: Receipt) -> OutcomeUnknown:
    error = OutcomeUnknown()
    error.request_id = receipt.request_id
    return error


def _believable(answer: httpx.Response, verdict: Verdict) -> bool:
    """Whether a success says nothing of the stage, or shows it decided as it was sent."""
    try:
        body = part(answer.json())
    except (ValueError, RecursionError):
        return True
    shown = text((part(body.get("properties")) or body).get("reviewResult"))
    return not shown or Step("", "", shown, assigned_to_me=False).verdict is verdict


def _headers(raw: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in raw.items() if isinstance(value, str) and value.isascii()}


def _content(inner: Json) -> bytes:
    return json.dumps(inner.get("content")).encode()
