"""How risky a request is, and why, item by item. Pure: the same request and policy always give the same answer.

The level starts at that of the role and its scope. Weak points of the request lift it: a Low one becomes Medium by the
first point and High by the fourth, a Medium one High by the second. Only a role and its scope can be Critical: a sloppy
request for a small role never outshouts a Global Administrator.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain import rules
from app.domain.justification import vague
from app.domain.levels import Level
from app.domain.pattern import Circumstances
from app.domain.request import ActivationRequest
from app.domain.rules import Item, RiskPolicy
from app.domain.tiers import tier
from app.domain.weak_points import Case, weak_points

__all__ = ["Circumstances", "Item", "Judgement", "Level", "Risk", "RiskPolicy", "assess", "judge", "vague"]

# Points that a level stands for, and those from which a lift reaches the next.
_POINTS = {Level.LOW: 0, Level.MEDIUM: 2}
_MEDIUM_FROM, _HIGH_FROM = 1, 4


@dataclass(frozen=True, slots=True)
class Risk:
    """A level and the reasons for it, the weightiest first, as they are stored and shown.

    `rules` is the version of the rules that judged; `fired` names the rule of each reason, empty for judgements older
    than that.
    """

    level: Level
    reasons: tuple[str, ...] = ()
    rules: int = rules.VERSION
    fired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The level, the one it started from, and every item that counted: the role's own first."""

    level: Level
    start: Level
    items: tuple[Item, ...]

    @property
    def risk(self) -> Risk:
        """As it is stored."""
        return Risk(self.level, tuple(item.words for item in self.items), fired=tuple(item.rule for item in self.items))


def assess(
    request: ActivationRequest, policy: RiskPolicy = RiskPolicy(), circumstances: Circumstances = Circumstances()
) -> Risk:
    """The level with its reasons, for one request."""
    return judge(request, policy, circumstances).risk


def judge(
    request: ActivationRequest, policy: RiskPolicy = RiskPolicy(), circumstances: Circumstances = Circumstances()
) -> Judgement:
    """The same with every item's weight, and the level before any lift."""
    start, why = tier(request, policy)
    weak = weak_points(Case(request, start, policy, circumstances))
    return Judgement(_lifted(start, sum(item.weight for item in weak)), start, (why, *weak))


def _lifted(start: Level, points: int) -> Level:
    if start >= Level.HIGH:
        return start
    total = _POINTS[start] + points
    if total >= _HIGH_FROM:
        return Level.HIGH
    return Level.MEDIUM if total >= _MEDIUM_FROM else start
