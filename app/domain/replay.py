"""What history would look like under other rules: requests judged anew beside what was stored, and counted. Pure.

It changes nothing. Who asks where a change comes from gets the rules that fire on one side only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.levels import Level
from app.domain.risk import Judgement
from app.domain.row import RequestRow

Move = tuple[Level, Level]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request of history, judged anew."""

    row: RequestRow
    now: Judgement

    @property
    def move(self) -> Move:
        """The level then, and now."""
        return self.row.risk.level, self.now.level

    @property
    def changed(self) -> bool:
        """Whether they differ."""
        return self.row.risk.level != self.now.level

    @property
    def causes(self) -> frozenset[str]:
        """The rules behind another level: those that fire on one side only.

        Where both sides name the same rules (their weights changed), or the stored judgement is too old to name any,
        every rule of the new judgement may be behind it.
        """
        then, now = frozenset(self.row.risk.fired), frozenset(self.now.risk.fired)
        if not self.changed:
            return frozenset()
        return then ^ now if then and then != now else now


@dataclass(frozen=True, slots=True)
class RuleCount:
    """One rule in history: how often it fired then and now, and how many levels it helped to raise and to lower."""

    then: int = 0
    now: int = 0
    raised: int = 0
    lowered: int = 0


@dataclass(slots=True)
class Tally:
    """What changes, counted one request after the other: history need not fit into memory."""

    requests: int = 0
    moves: Counter[Move] = field(default_factory=Counter)
    _then: Counter[str] = field(default_factory=Counter)
    _now: Counter[str] = field(default_factory=Counter)
    _raised: Counter[str] = field(default_factory=Counter)
    _lowered: Counter[str] = field(default_factory=Counter)

    def add(self, one: Replayed) -> None:
        """Count one request."""
        self.requests += 1
        self._then.update(one.row.risk.fired)
        self._now.update(one.now.risk.fired)
        if one.changed:
            self.moves[one.move] += 1
            (self._raised if one.now.level > one.row.risk.level else self._lowered).update(one.causes)

    @property
    def raised(self) -> int:
        """Requests that are judged more severely now."""
        return sum(count for (then, now), count in self.moves.items() if now > then)

    @property
    def lowered(self) -> int:
        """Requests that are judged milder now."""
        return sum(count for (then, now), count in self.moves.items() if now < then)

    def rules(self) -> Mapping[str, RuleCount]:
        """Each rule's part, by name; those that never fired are missing."""
        names = sorted(self._then.keys() | self._now.keys())
        return {
            name: RuleCount(self._then[name], self._now[name], self._raised[name], self._lowered[name])
            for name in names
        }
