"""Calling people to a waiting request: at once where the risk is grave, once more when nobody answers, and the alarm.

It decides when and whom; what a message says and how it gets there is somebody else's business. Each step is a row, so
that nobody is called twice for the same.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.domain.arrival import Arrival, Escalation, Step
from app.domain.errors import BotError
from app.domain.levels import Level
from app.domain.row import RequestRow
from app.ports import Alarm, Audience, Calls, Clock, Due

BATCH = 20  # requests looked at in one round; as many at once are a burst
MOST_OF_A_BURST = 5
PATIENCE = timedelta(minutes=5)  # how long a call waits for Slack to say who somebody is
MOST_TRIES = 6  # of the alarm, over about a quarter of an hour
FIRST_PAUSE = timedelta(seconds=15)  # before the second try; doubled for each further one
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Arrivals:
    """`tick` calls people, `escalate` sounds the alarm; both do nothing where nothing is due.

    `address`: where a request's card stands, as a web address, or an empty string.
    """

    calls: Calls
    audience: Audience
    clock: Clock
    address: Callable[[RequestRow], Awaitable[str]]
    arrival: Arrival = Arrival()
    escalation: Escalation | None = None
    alarm: Alarm | None = None

    async def tick(self) -> None:
        """Call the approvers of grave requests that are new, and of all that wait too long."""
        now = self.clock()
        grave = await self.calls.due(Step.ARRIVAL, now, now, least=Level.HIGH, limit=BATCH)
        await self._call_each(grave, Step.ARRIVAL)
        if not self.arrival.nudge_after:
            return
        silent = await self.calls.due(Step.NUDGE, now - self.arrival.nudge_after, now, least=Level.LOW, limit=BATCH)
        await self._call_each([due for due in silent if not _attended(due.row)], Step.NUDGE)

    async def escalate(self) -> None:
        """Tell the on-call tool of Critical requests that nobody answered in time."""
        if self.escalation is None or self.alarm is None:
            return
        now = self.clock()
        seen_before = now - self.escalation.after
        for due in await self.calls.due(Step.ESCALATION, seen_before, now, least=Level.CRITICAL, limit=BATCH):
            await self._sound(due, self.alarm)

    async def _call(self, due: Due, step: Step) -> None:
        """Everybody we can reach. While Slack cannot say who that is, it waits a little."""
        reach = await self.audience.reach(due.row)
        if reach.sure or self.clock() - due.seen > PATIENCE:
            await self.calls.call(due.row.key, step, reach.users, self.clock())

    async def _call_each(self, waiting: Sequence[Due], step: Step) -> None:
        """All of them; of a burst the riskiest and oldest, since a message for each of the others would drown them."""
        called = waiting if len(waiting) < BATCH else waiting[:MOST_OF_A_BURST]
        for due in called:
            await self._call(due, step)
        for due in waiting[len(called) :]:
            await self.calls.close(due.row.key, step, "one of many at once: nobody was called", self.clock())

    async def _sound(self, due: Due, alarm: Alarm) -> None:
        row = due.row
        try:
            await alarm.sound(f"{row.key}/{Step.ESCALATION}", await self._facts(due))
        except BotError as failure:
            await self._failed(due, failure)
        else:
            await self.calls.close(row.key, Step.ESCALATION, "delivered", self.clock())
            log.info("The on-call tool was told of %s.", row.key)

    async def _failed(self, due: Due, failure: BotError) -> None:
        if due.tries + 1 >= MOST_TRIES:
            log.error("The on-call tool was not told of %s, and is not tried again: %s", due.row.key, failure)
            await self.calls.close(due.row.key, Step.ESCALATION, f"given up: {failure}", self.clock())
            return
        log.warning("The on-call tool was not told of %s yet: %s", due.row.key, failure)
        pause = FIRST_PAUSE * 2**due.tries
        await self.calls.postpone(due.row.key, Step.ESCALATION, self.clock() + pause)

    async def _facts(self, due: Due) -> dict[str, object]:
        """What the tool is told. No justification and no ticket: they may be secret, and the card shows them."""
        request = due.row.request
        return {
            "event": "request_unanswered",
            "id": request.key.id,
            "kind": request.key.kind.value,
            "level": due.row.risk.level.word,
            "role": request.role.label,
            "scope": request.scope.label,
            "requestor": request.requestor.label,
            "requested": request.created.isoformat(),
            "expires": request.expires.isoformat(),
            "seen": due.seen.isoformat(),
            "card": await self.address(due.row),
        }


def _attended(row: RequestRow) -> bool:
    """Somebody is at it: nobody else needs a nudge."""
    return bool(row.looking) or row.verifying is not None
