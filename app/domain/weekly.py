"""What the approvers' channel is told once a week, from counts and lengths of time. Pure; it asks nobody."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

from app.domain.request import PolicyFacts, Status

A_WEEK = timedelta(days=7)
LATEST = timedelta(days=1)  # after that it is no news any more, and the next one comes soon enough
MOST_ROLES = 5
_ALMOST_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Weekly:
    """When it comes: a day (0 is Monday) and an hour, in UTC."""

    weekday: int
    hour: int


@dataclass(frozen=True, slots=True)
class Week:
    """The seven days a digest is about, up to the moment it was due."""

    begin: datetime
    end: datetime

    @property
    def name(self) -> str:
        """`2026-W48`: one digest for each week of the calendar, whatever becomes of the policy in the middle of it."""
        return f"{self.end:%G-W%V}"


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """What memory holds of a week.

    `ended`: how many requests ended how; `waits`: from being asked to being decided; `busiest`: roles by how often they
    were asked for; `settings`: every role asked for lately, with what PIM says of it.
    """

    asked: int = 0
    ended: Mapping[Status, int] = field(default_factory=dict)
    waits: Sequence[timedelta] = ()
    busiest: Sequence[tuple[str, int]] = ()
    settings: Sequence[tuple[str, PolicyFacts]] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """The digest as figures. Seconds; None where nothing was decided. `alone`: roles that only one person approves."""

    begin: str
    end: str
    asked: int = 0
    approved: int = 0
    denied: int = 0
    expired: int = 0
    median: int | None = None
    almost_all: int | None = None
    busiest: tuple[tuple[str, int], ...] = ()
    alone: tuple[str, ...] = ()
    alone_more: int = 0


def due_week(weekly: Weekly | None, now: datetime) -> Week | None:
    """The week whose digest is due now; None before the first moment, or when it is too late for it."""
    if weekly is None:
        return None
    today = now.astimezone(UTC).replace(hour=weekly.hour, minute=0, second=0, microsecond=0)
    end = today - timedelta(days=(today.weekday() - weekly.weekday) % 7)
    end = end if end <= now else end - A_WEEK
    return Week(end - A_WEEK, end) if now - end < LATEST else None


def tallied(week: Week, facts: WeekFacts) -> Tally:
    """The figures of a week."""
    alone = sorted({title for title, policy in facts.settings if _alone(policy)})
    waits = sorted(int(wait.total_seconds()) for wait in facts.waits)
    return Tally(
        begin=week.begin.isoformat(),
        end=week.end.isoformat(),
        asked=facts.asked,
        approved=facts.ended.get(Status.APPROVED, 0),
        denied=facts.ended.get(Status.DENIED, 0),
        expired=facts.ended.get(Status.EXPIRED, 0),
        median=round(median(waits)) if waits else None,
        almost_all=nearest_rank(waits, _ALMOST_ALL) if waits else None,
        busiest=tuple(facts.busiest[:MOST_ROLES]),
        alone=tuple(alone[:MOST_ROLES]),
        alone_more=max(len(alone) - MOST_ROLES, 0),
    )


def nearest_rank(ordered: Sequence[int], share: float) -> int:
    """The smallest value that this share of all does not exceed; at least one must be there, the smallest first."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def write_tally(tally: Tally) -> str:
    """As a text, kept so that the digest reads the same whenever it is drawn."""
    return json.dumps({name: getattr(tally, name) for name in Tally.__slots__})


def read_tally(text: str) -> Tally:
    """And back."""
    told = json.loads(text)
    busiest = tuple((title, count) for title, count in told.pop("busiest"))
    return Tally(**told | {"busiest": busiest, "alone": tuple(told["alone"])})


def _alone(policy: PolicyFacts) -> bool:
    return policy.approvers is not None and len(policy.approvers) == 1 and not policy.by_default
