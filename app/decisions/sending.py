"""One claimed intent on its way to Microsoft, and what became of it. Nothing is ever sent blindly a second time.

A lost answer keeps the claim and reads back: Microsoft's replicas may lag up to two minutes. An intent left by a crash
is read back the same way; only while it is young and its step still live is it sent once more, since the first
decision wins there and a 409 or our own name settles it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.decisions.values import NOT_LINKED, UNKNOWN_REQUEST, Done, Unproven, Waiting, not_sent, unproven
from app.domain.calls import call_name
from app.domain.endings import conclude, nameless, reviewed, whose
from app.domain.errors import (
    AlreadyDecided,
    BotError,
    OutcomeUnknown,
    RequestGone,
    SignInRequired,
    Unavailable,
)
from app.domain.request import ActivationRequest, Decided, Kind, Status
from app.domain.ruling import Refused, Step, Why, already_decided
from app.ports import (
    Clock,
    Desk,
    Intent,
    Links,
    LinkState,
    Notice,
    Outbox,
    Outcome,
    Reader,
    RequestBook,
    Tokens,
    TokenSource,
    Vote,
)

SEND_AGAIN_WITHIN = timedelta(minutes=15)
FIRST_LOOK = 0.5  # seconds before the second read-back; doubles up to LONGEST_LOOK
LONGEST_LOOK = 15.0
GRACE = 120.0  # seconds past the settling time before another process's intent counts as left behind
NOT_ARRIVED = Refused(
    Why.UNAVAILABLE,
    "Your decision did not reach Microsoft. Nothing was changed and the buttons are back; decide again.",
)
FORGED = Refused(
    Why.REFUSED,
    "What is stored of this decision is not what the bot wrote down. Nothing was sent and the buttons are back; tell "
    "your administrators.",
)
log = logging.getLogger(__name__)

Fate = Done | Waiting | Refused


@dataclass(kw_only=True, slots=True)
class Courier:
    """Sends intents, reads back doubtful ones, and picks up what a crash left.

    `settle_seconds`: how long to read back before a decision that does not show counts as not taken.
    """

    desks: Mapping[Kind, Desk]
    book: RequestBook
    links: Links
    tokens: Tokens
    outbox: Outbox
    clock: Clock
    settle_seconds: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _in_flight: set[str] = field(init=False, default_factory=set)

    async def send(self, intent: Intent, token: TokenSource | None = None) -> Fate | Unproven:
        """Send a claimed intent and wait for its fate, at most the settling time.

        `token`: the approver's own, where they brought one; else the one of their link.
        """
        self._in_flight.add(intent.id)
        try:
            token = token or await self._token(intent)
            return await self._send(intent, token) if token else await self._release(intent, NOT_LINKED)
        finally:
            self._in_flight.discard(intent.id)

    async def resume(self, *, after_start: bool) -> None:
        """Find the fate of intents nobody is handling: all of them after a start, else those left behind."""
        for intent in await self.book.unsettled():
            age = (self.clock() - intent.at).total_seconds()
            abandoned = after_start or age > self.settle_seconds + GRACE
            if abandoned and intent.id not in self._in_flight:
                await self._resume(intent)

    # --- sending ---

    async def _send(self, intent: Intent, token: TokenSource) -> Fate | Unproven:
        desk = self.desks[intent.key.kind]
        once_more = intent.sent > 0
        try:
            await token()  # a sign-in that is over must show before the intent counts as sent
            intent = await self.book.sending(intent)
            if intent.outcome is not Outcome.SENDING:  # settled meanwhile: nothing must be sent any more
                return await self._ended(intent)
            request = await self._request(intent)
            vote = Vote(intent.step, intent.verdict, intent.justification, call_name(intent.id, intent.sent))
            receipt = await desk.decide(request, vote, token)
        except (OutcomeUnknown, AlreadyDecided) as doubt:
            log.warning("%s: %s Reading back.", intent.key, doubt)
            return await self._read_back(_answered(intent, doubt.request_id), token)
        except BotError as failure:
            intent = _answered(intent, failure.request_id)
            if once_more:  # that this send failed says nothing about the one before it
                return await self._read_back(intent, token)
            refused = await self._release(intent, not_sent(failure), taken=not isinstance(failure, Unavailable))
            return unproven(failure) if isinstance(failure, SignInRequired) else refused
        return await self._mine(_answered(intent, receipt.request_id))

    async def _read_back(self, intent: Intent, token: TokenSource) -> Fate:
        """Look until somebody's verdict shows or the settling time is over."""
        await self.book.mark(intent, Outcome.UNKNOWN)
        pause, waited, began = FIRST_LOOK, 0.0, self.clock()
        while True:
            steps = await self._steps(intent, token)
            fate = await self._shown(intent, steps or ())
            if fate is not None:
                return fate
            if waited >= self.settle_seconds:
                return await self._doubtful(intent, steps)
            pause = min(pause, LONGEST_LOOK, max(self.settle_seconds - waited, 0.0))
            await self.sleep(pause)
            waited = max(waited + pause, (self.clock() - began).total_seconds())  # reads take their time too
            pause *= 2

    async def _steps(self, intent: Intent, token: TokenSource) -> tuple[Step, ...] | None:
        try:
            return await self.desks[intent.key.kind].steps(await self._request(intent), token)
        except BotError as failure:
            log.info("%s: the read-back failed: %s", intent.key, failure)
            return None

    async def _shown(self, intent: Intent, steps: tuple[Step, ...]) -> Fate | None:
        """The fate that the steps show; None while nobody's verdict is visible."""
        mine = whose(steps, intent.step, intent.approver, intent.verdict)
        if mine:
            return await self._mine(intent)
        ending = reviewed(steps, self.clock())
        if mine is None or ending is None:
            return None
        await self.book.settle(intent.key, *ending, intent=None, now=self.clock())
        return await self._ended(intent)

    async def _ended(self, intent: Intent) -> Refused:
        row = await self.book.find(intent.key)
        return already_decided(row) if row is not None else UNKNOWN_REQUEST

    async def _doubtful(self, intent: Intent, steps: tuple[Step, ...] | None) -> Fate:
        """The settling time is over. Still live: it was not taken. Else keep the claim and ask again later."""
        if _live(intent, steps):
            sentence = "Microsoft did not take the decision. Nothing was changed and the buttons are back; try again."
            return await self._release(intent, Refused(Why.UNAVAILABLE, sentence))
        row = await self.book.find(intent.key)
        return Waiting(row) if row is not None else UNKNOWN_REQUEST

    async def _mine(self, intent: Intent) -> Fate:
        now = self.clock()
        decided = Decided(now, intent.where, intent.approver, intent.justification)
        await self.book.settle(intent.key, intent.verdict.status, decided, intent, now)
        row = await self.book.find(intent.key)
        return Done(row) if row is not None else UNKNOWN_REQUEST

    async def _release(self, intent: Intent, refused: Refused, *, taken: bool = False) -> Refused:
        outcome = Outcome.REFUSED if taken else Outcome.NOT_TAKEN
        await self.book.release(intent, outcome, refused.text, self.clock())
        return refused

    async def _token(self, intent: Intent) -> TokenSource | None:
        link = await self.links.by_entra(intent.tenant, intent.approver.id)
        return self.tokens.of(link, self.desks[intent.key.kind].resource) if link is not None else None

    async def _request(self, intent: Intent) -> ActivationRequest:
        row = await self.book.find(intent.key)
        if row is None:  # rows are never deleted: this is somebody else's database
            raise RequestGone(UNKNOWN_REQUEST.text)
        return row.request

    # --- after a crash, or when the fate stayed unknown ---

    async def _resume(self, intent: Intent) -> None:
        token = await self._token(intent)
        steps = await self._steps(intent, token) if token else None
        fate: Fate | Unproven | None = await self._shown(intent, steps or ())
        if fate is None and token and _live(intent, steps):
            fate = await self._live_again(intent, token)
        elif fate is None and token is None and intent.sent == 0:  # whoever called is gone, with their token
            fate = await self._release(intent, NOT_ARRIVED)
        elif fate is None:
            fate = await self._ask_anybody(intent)
        if fate is not None and not isinstance(fate, Waiting):
            await self._tell(intent, fate)

    async def _live_again(self, intent: Intent, token: TokenSource) -> Fate | Unproven:
        """The step is live. That may be lag, so what was sent once is never given up on a single look."""
        if not intent.genuine:
            log.error("%s: a decision that the bot did not write was found; it is not sent.", intent.key)
            return await self._release(intent, FORGED)
        if await self._may_send_again(intent):
            return await self._send(intent, token)
        if intent.sent == 0:
            return await self._release(intent, NOT_ARRIVED)
        return await self._read_back(intent, token)

    async def _may_send_again(self, intent: Intent) -> bool:
        """Only while it is young, and only in the very session it was made in: whoever signed in since did not ask."""
        link = await self.links.by_entra(intent.tenant, intent.approver.id)
        row = await self.book.find(intent.key)
        young = self.clock() - intent.at < SEND_AGAIN_WITHIN and intent.sent <= 1
        same = link is not None and link.slack_user == intent.slack_user and link.signed_in_at <= intent.at
        active = link is not None and link.state is LinkState.ACTIVE
        return young and same and active and row is not None and not row.paused

    async def _ask_anybody(self, intent: Intent) -> Fate | None:
        """The approver's own session cannot tell: believe what any reader is shown. None: ask again later."""
        readers = await self.tokens.readers(self.desks[intent.key.kind].resource)
        steps: tuple[Step, ...] | None = None
        for reader in readers:
            shown = await self._steps(intent, reader.token)
            fate = await self._shown(intent, shown or ())
            if fate is not None:
                return fate
            steps = steps if shown is None else shown
        try:
            native = await self._native(intent, readers)
        except Unavailable as nobody:
            log.info("%s: %s", intent.key, nobody)
            return None
        return await self._concluded(intent, native, steps)

    async def _native(self, intent: Intent, readers: Sequence[Reader]) -> Status | None:
        """How Microsoft says it ended. None: it has not, or is gone; Unavailable: nobody can read it right now."""
        desk, request = self.desks[intent.key.kind], await self._request(intent)
        for reader in readers:
            try:
                return desk.ended(await desk.fetch(request, reader.token))
            except RequestGone:
                return None
            except BotError as failure:
                log.info("%s: one reader could not help: %s", intent.key, failure)
        raise Unavailable("Nobody can read the request right now.")

    async def _concluded(self, intent: Intent, native: Status | None, steps: tuple[Step, ...] | None) -> Fate | None:
        """The end without anybody's visible verdict, or the claim given back; a name may still show for a while."""
        row = await self.book.find(intent.key)
        if row is None:
            return UNKNOWN_REQUEST
        now = self.clock()
        old = now - intent.at >= SEND_AGAIN_WITHIN
        ending = conclude(row.request, native, steps, now)
        if ending is None:
            return await self._release(intent, NOT_ARRIVED) if old else None
        if nameless(ending) and not old:
            return None
        await self.book.settle(intent.key, *ending, intent=None, now=now)
        return await self._ended(intent)

    async def _tell(self, intent: Intent, fate: Fate | Unproven) -> None:
        """The modal is long closed: a direct message says what became of the decision."""
        refused = fate.refused if isinstance(fate, Unproven) else fate
        said = refused.text if isinstance(refused, Refused) else ""
        to_entra = "" if intent.slack_user else intent.approver.id
        notice = Notice(intent.id, "fate", intent.key, intent.slack_user, to_entra, {"refused": said})
        await self.outbox.owe(notice, f"fate:{intent.id}", self.clock())


def _live(intent: Intent, steps: tuple[Step, ...] | None) -> bool:
    return any(step.id == intent.step and step.live for step in steps or ())


def _answered(intent: Intent, request_id: str) -> Intent:
    """With what Microsoft calls its last answer, for the audit trail."""
    return replace(intent, answer=request_id) if request_id else intent
