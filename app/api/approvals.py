"""Approving and denying over HTTP: once for each idempotency key, and answered in time whatever Microsoft does.

A decision goes on when its caller has gone, or has waited long enough; then 202 says that its fate is not known yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from app.api.bearer_gate import PREFIX, admitted
from app.api.problems import NO_SUCH, SOON, Problem, refusal, sign_in
from app.api.promises import answers
from app.api.requests import plain
from app.api.shapes import Approve, Deny, Item, item_of
from app.decisions.calling import Call, Calls
from app.decisions.sending import Fate
from app.decisions.values import Done, Unproven, Waiting
from app.domain.request import Status, Verdict, Where
from app.domain.row import RequestRow
from app.domain.ruling import already_decided
from app.inbox import Repeats
from app.lookups import CallerLookups
from app.ports import APPROVE

PATIENCE = 25.0  # seconds a caller waits; proxies give up after 30 or 60
ACCEPTED = 202
REUSED = "This Idempotency-Key was used for something else. Nothing was changed; take a new key for a new decision."
UNDER_WAY = "The first call with this Idempotency-Key has not been answered yet. Nothing is sent twice; ask again."
NOT_TAKEN = (
    "The first call with this Idempotency-Key ended without a decision. Nothing was changed; look at the request and "
    "decide again with a new key."
)
log = logging.getLogger(__name__)
KeyHeader = Annotated[
    str | None,
    Header(min_length=1, max_length=255, pattern=r"^[!-~]+$", description="The same key again decides nothing again."),
]
MatchHeader = Annotated[
    str | None,
    Header(max_length=1000, description="The digest that was shown; 412 when it reads differently."),
]


@dataclass(kw_only=True, slots=True)
class Approvals:
    """The two calls that decide. `wake` tells the painter that rows changed; `patience`: seconds.

    `decided` hears where, to what end and within how many seconds.
    """

    lookups: CallerLookups
    calls: Calls
    repeats: Repeats
    wake: Callable[[], None]
    decided: Callable[[Where, str, float], None] = lambda _where, _outcome, _seconds: None
    patience: float = PATIENCE
    _running: set[asyncio.Task[Fate | Unproven]] = field(init=False, default_factory=set)

    def routes(self) -> APIRouter:
        """Their addresses."""
        router = APIRouter()
        responses = answers(401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 503)
        unknown = {"description": "Sent, and Microsoft has not shown yet what became of it", "model": Item}
        for path, endpoint, summary in (
            ("/approvals/{id}/approve", self.approve, "Approve a request, as the caller"),
            ("/approvals/{id}/deny", self.deny, "Deny a request, as the caller"),
        ):
            router.add_api_route(
                path,
                endpoint,
                methods=["POST"],
                response_model=Item,
                responses={ACCEPTED: unknown, **responses},
                summary=summary,
            )
        return router

    async def drain(self, seconds: float) -> None:
        """Wait for what is being decided, at most so long; what is cut off is resumed after the next start."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)

    async def approve(  # noqa: D102 - the summary says it
        self,
        request: Request,
        id: UUID,  # noqa: A002 - the path says so
        body: Approve | None = None,
        if_match: MatchHeader = None,
        idempotency_key: KeyHeader = None,
    ) -> Response:
        comment = (body.comment if body is not None else None) or ""
        return await self._decide(request, _Asked(str(id), Verdict.APPROVE, comment, if_match or "", idempotency_key))

    async def deny(  # noqa: D102 - the summary says it
        self,
        request: Request,
        id: UUID,  # noqa: A002 - the path says so
        body: Deny,
        if_match: MatchHeader = None,
        idempotency_key: KeyHeader = None,
    ) -> Response:
        return await self._decide(request, _Asked(str(id), Verdict.DENY, body.reason, if_match or "", idempotency_key))

    async def _decide(self, request: Request, asked: _Asked) -> Response:
        caller = admitted(request, APPROVE)
        row = await self.lookups.find(caller, asked.id)
        if row is None:
            raise Problem("not_found", NO_SUCH)
        call = Call(caller, asked.verdict, asked.comment, asked.digest(row))
        key = f"api:{caller.tenant}:{caller.person.id}:{_sha256(asked.key)}" if asked.key else ""
        earlier = await self.repeats.begin(key, asked.fingerprint) if key else None
        if earlier is None:
            return await self._answer(call, row, key)
        if earlier.what != asked.fingerprint:
            raise Problem("key_reused", REUSED)
        if not earlier.outcome:
            raise Problem("in_progress", UNDER_WAY)
        return _once_more(call, row)

    async def _answer(self, call: Call, row: RequestRow, key: str) -> Response:
        task = asyncio.create_task(self._carry_out(call, row, key))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({task}, timeout=self.patience)
        if not done:
            task.add_done_callback(_report)
            current = await self.lookups.find(call.caller, row.key.id)
            return _unknown(current or row)
        return _response(task.result())

    async def _carry_out(self, call: Call, row: RequestRow, key: str) -> Fate | Unproven:
        """The decision, and what becomes of its key: what came to nothing may be tried again with it."""
        now = asyncio.get_running_loop().time
        began = now()
        fate = await self.calls.decide(call, row)
        outcome = type(fate).__name__.lower()
        self.decided(Where.API, outcome, now() - began)
        self.wake()
        if key and isinstance(fate, Done | Waiting):
            await self.repeats.done(key, outcome)
        elif key:
            await self.repeats.forget(key)
        return fate


@dataclass(frozen=True, slots=True)
class _Asked:
    """One POST as it came in."""

    id: str
    verdict: Verdict
    comment: str
    if_match: str
    key: str | None

    @property
    def fingerprint(self) -> str:
        """The same for the same decision on the same request."""
        return _sha256(json.dumps([self.id, self.verdict.value, self.comment, self.if_match]))

    def digest(self, row: RequestRow) -> str:
        """What the caller was shown, as far as they say so; the pipeline compares it with Microsoft."""
        shown = [tag.strip().strip('"') for tag in self.if_match.split(",") if tag.strip()]
        known = row.request.digest
        return known if not shown or known in shown or "*" in shown else shown[0]


def _response(fate: Fate | Unproven) -> Response:
    if isinstance(fate, Done):
        return plain(item_of(fate.row))
    if isinstance(fate, Waiting):
        return _unknown(fate.row)
    if isinstance(fate, Unproven):
        raise sign_in(fate.refused.text, fate.claims)
    raise refusal(fate)


def _unknown(row: RequestRow) -> Response:
    where = {"Location": f"{PREFIX}/requests/{row.key.id}", "Retry-After": str(SOON)}
    return plain(item_of(row), ACCEPTED, where)


def _once_more(call: Call, row: RequestRow) -> Response:
    """The answer to a repetition: what became of the first call, as it stands now."""
    if row.status is Status.DECIDING:
        return _unknown(row)
    by = row.decided.by.id if row.decided is not None and row.decided.by is not None else ""
    if row.status is call.verdict.status and by == call.caller.person.id:
        return plain(item_of(row))
    raise Problem("not_taken", NOT_TAKEN) if row.status.open else refusal(already_decided(row))


def _report(task: asyncio.Task[Fate | Unproven]) -> None:
    """Nobody waits for this one any more."""
    if not task.cancelled() and task.exception() is not None:
        log.error("A decision whose caller was answered already failed.", exc_info=task.exception())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
