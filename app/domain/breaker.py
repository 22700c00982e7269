"""Whether an upstream that does not answer may be asked again. Pure rules, and one small keeper of what they say.

After a few failures in a row the rounds stop asking. Then one of them looks now and then, after a pause that doubles up
to half a minute, with full jitter, and one answer of any kind ends it. Who is waited for is never held up: a person's
own call is the best look there is, and each is one human act, so that they make no storm. What the upstream itself asks
for (Retry-After) is somebody else's matter and holds up everybody.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from app.domain.errors import BotError, OutcomeUnknown, Unavailable

FAILURES = 5  # in a row, until the rounds stop asking
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds, before jitter
LOOK_LASTS = 30.0  # seconds; a look that told nothing for so long was lost
_in_a_round: ContextVar[bool] = ContextVar("in a round", default=False)


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of an upstream; times in seconds.

    `failures` in a row; `pauses` since it is given up; until `shut_until` no round asks, and until `look_until` one is
    at it already.
    """

    failures: int = 0
    pauses: int = 0
    shut_until: float = 0.0
    look_until: float = 0.0


def wait(health: Health, now: float) -> float:
    """Seconds until a round may ask; 0: now. A clock that jumped back holds nobody up."""
    left = max(health.shut_until - now, health.look_until - now, 0.0)
    return left if left <= LONGEST_PAUSE else 0.0


def asked(health: Health, now: float) -> Health:
    """Somebody asks. Once the pause is over this is the one look, and the others wait for what it tells."""
    looks = health.pauses > 0 and now >= health.shut_until
    return replace(health, look_until=now + LOOK_LASTS) if looks else health


def failed(health: Health, now: float, jitter: float) -> Health:
    """No answer. `jitter`: 0 to 1. What was asked before the pause began, or by a person in it, makes it no longer."""
    failures = health.failures + 1
    if failures < FAILURES or now < health.shut_until:
        return replace(health, failures=failures)
    pause = min(FIRST_PAUSE * 2.0 ** min(health.pauses, 9), LONGEST_PAUSE)
    return Health(failures, health.pauses + 1, shut_until=now + jitter * pause)


def cut_off(health: Health) -> Health:
    """Whoever asked was stopped: that says nothing, and the next one may look."""
    return replace(health, look_until=0.0)


@contextmanager
def in_a_round() -> Iterator[None]:
    """Inside, and in every task that is begun inside, nobody is waited for: the next round comes anyway."""
    before = _in_a_round.set(True)
    try:
        yield
    finally:
        _in_a_round.reset(before)


@dataclass(slots=True)
class Breaker:
    """Keeps the health of one upstream, called `name` in sentences. Safe to share between threads.

    `seconds`: a clock; `jitter`: 0 to 1, anew at each call.
    """

    name: str
    seconds: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    _health: Health = field(init=False, default=Health())
    _turn: threading.Lock = field(init=False, default_factory=threading.Lock)

    def check(self) -> None:
        """Unavailable while a round must not ask; nothing is taken by it."""
        pause = wait(self._health, self.seconds()) if _in_a_round.get() else 0.0
        if pause > 0:
            words = f"{self.name} did not answer; it is asked again in {max(pause, 1.0):.0f} seconds."
            raise Unavailable(words, retry_after=pause)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """One call on the upstream is made inside, and leaves as it ended. Raises what `check` does."""
        with self._turn:
            self.check()
            self._health = asked(self._health, self.seconds())
        try:
            yield
        except BotError as failure:
            self._heard(failure)
            raise
        except BaseException:
            self._health = cut_off(self._health)
            raise
        else:
            self._health = Health()

    def _heard(self, failure: BotError) -> None:
        with self._turn:
            down = _silent(failure)
            self._health = failed(self._health, self.seconds(), self.jitter()) if down else Health()


def _silent(failure: BotError) -> bool:
    """Whether nobody sensible answered. A refusal is an answer, and so is being asked to wait."""
    if isinstance(failure, Unavailable):
        return failure.retry_after is None
    return failure.retryable or isinstance(failure, OutcomeUnknown)
