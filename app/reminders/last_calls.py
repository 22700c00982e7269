"""The round of last calls: a requestor hears once that their request is about to die, or their role about to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.last_calls import last_call
from app.domain.row import RequestRow
from app.ports import Clock, Notice, Outbox, Reminding

BATCH = 200  # requests in one round; the rest is for the next one


@dataclass(kw_only=True, slots=True)
class LastCalls:
    """Tells requestors before it is too late to do something about it."""

    rows: Reminding
    outbox: Outbox
    clock: Clock

    async def tick(self) -> bool:
        """Owe what is due, each once; whether anybody is to be told of anything."""
        now = self.clock()
        told = [await self._tell(row, now) for row in await self.rows.running_out(now, BATCH)]
        return any(told)

    async def _tell(self, row: RequestRow, now: datetime) -> bool:
        call = last_call(row, now)
        if call is None:
            return False
        dedupe = f"{call}:{row.key}"
        return await self.outbox.owe(Notice(dedupe, call, row.key, to_entra=row.request.requestor.id), dedupe, now)
