"""How often somebody may call: a bucket of tokens each, filled at a steady rate. In memory, of one process.

It cannot be emptied by others, and it forgets whoever has not called for long enough to be full again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MOST = 10_000  # buckets before those that are full again are thrown away


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a second in the long run."""

    burst: int
    per_second: float


@dataclass(slots=True)
class Buckets:
    """One bucket for each key. `monotonic`: seconds."""

    rate: Rate
    monotonic: Callable[[], float]
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, key: str) -> float:
        """Take one; 0.0 when there was one, else the seconds until there is."""
        now = self.monotonic()
        level = self._level(key, now)
        if level < 1:
            return (1 - level) / self.rate.per_second
        if len(self._levels) >= MOST:
            self._levels = {
                other: held for other, held in self._levels.items() if self._level(other, now) < self.rate.burst
            }
        self._levels[key] = (level - 1, now)
        return 0.0

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._levels)

    def _level(self, key: str, now: float) -> float:
        level, at = self._levels.get(key, (float(self.rate.burst), now))
        return min(level + (now - at) * self.rate.per_second, float(self.rate.burst))
