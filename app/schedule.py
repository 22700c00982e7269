"""Which use case ticks when. Deadlines are rows that a tick scans; no job here is ever persisted or awaited.

Only the replica that holds the lease ticks, and what it writes after it lost the lease is void. A tick that fails is
logged and the next one comes: nothing else may stop the loops.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.domain.breaker import in_a_round
from app.domain.errors import BotError, Superseded
from app.ports import Leases, correlated

LEASE = "rounds"
LEASE_SECONDS = 15.0
RENEW_EVERY = 5.0  # seconds

Tick = Callable[[], Awaitable[None]]
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Schedule:
    """Runs the rounds of this process.

    `holder`: this process's name in the lease table; `monotonic`: seconds that never jump.
    """

    leases: Leases
    holder: str
    monotonic: Callable[[], float]
    scheduler: AsyncIOScheduler = field(default_factory=lambda: AsyncIOScheduler(timezone=UTC))
    _epoch: int = field(init=False, default=0)
    _asked_at: float | None = field(init=False, default=None)
    _failing: set[str] = field(init=False, default_factory=set)
    _running: set[str] = field(init=False, default_factory=set)
    _again: set[str] = field(init=False, default_factory=set)

    def every(self, seconds: float, name: str, tick: Tick, *, jitter: float | None = None) -> None:
        """Run this round every so many seconds, give or take `jitter` seconds; never twice at once."""
        self.scheduler.add_job(
            self._round,
            "interval",
            args=(name, tick),
            seconds=seconds,
            jitter=jitter,
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(UTC),
        )

    @property
    def leading(self) -> bool:
        """Whether this process does the rounds, as far as it knows."""
        return self._epoch > 0

    def wake(self, name: str) -> None:
        """Run this round as soon as possible: somebody just changed what it looks at."""
        if name in self._running:
            self._again.add(name)  # APScheduler would drop a run that overlaps, and the change might have been missed
            return
        job = self.scheduler.get_job(name)
        if job is not None:
            job.modify(next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Begin, inside the running event loop."""
        self.scheduler.start()

    async def stop(self) -> None:
        """No new rounds, and the lease goes to whoever wants it. What is cut off is repaired by rows."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        if self._epoch:
            self._epoch = 0
            try:
                await self.leases.hold(LEASE, self.holder, 0)
            except BotError as failure:  # it runs out by itself, and a stop must not fail
                log.warning("The lease was not handed over: %s", failure)

    async def _round(self, name: str, tick: Tick) -> None:
        self._running.add(name)
        try:
            await self._once(name, tick)
            while name in self._again and self.scheduler.running:
                self._again.discard(name)
                await self._once(name, tick)
        finally:
            self._running.discard(name)

    async def _once(self, name: str, tick: Tick) -> None:
        try:
            epoch = await self._lead()
            if epoch:
                with in_a_round(), self.leases.fence(LEASE, epoch), correlated(f"{name} round"):
                    await tick()
        except Superseded:  # we were stopped for longer than the lease lasts
            log.warning("Another process does the rounds now; this one's %s round was void.", name)
            self._epoch = 0
        except Exception:  # the edge of every loop: the next tick must come, whatever this one met
            if name not in self._failing:
                log.exception("The %s round failed; it goes on with the next one.", name)
            self._failing.add(name)
        else:
            self._failing.discard(name)

    async def _lead(self) -> int:
        """The epoch of our lease; 0 while another process holds it."""
        now = self.monotonic()
        if not self._epoch or self._asked_at is None or now - self._asked_at >= RENEW_EVERY:
            self._epoch = await self.leases.hold(LEASE, self.holder, LEASE_SECONDS)
            self._asked_at = now
        return self._epoch
