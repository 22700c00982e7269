"""How a new request reaches those who can approve it: whom the card mentions, who is called, when once more. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.domain.routes import NOBODY, Route

MOST_MENTIONED = 5  # a card that wakes more people than that is noise
MOST_CALLED = 25  # known approvers; a role with more has a crowd, and a crowd is not called one by one


_STEPS = (1, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


class Step(StrEnum):
    """What is done about a waiting request, each once."""

    ARRIVAL = "arrival"
    NUDGE = "nudge"
    ESCALATION = "escalation"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a request that nobody answered is brought up once more (zero: never), and what counts as a burst.

    Cards come one a second; once more than `digest_from` of them wait in a channel, it gets a list of the first ones.
    """

    nudge_after: timedelta = timedelta(minutes=30)
    digest_from: int = 20


@dataclass(frozen=True, slots=True)
class Escalation:
    """Where an on-call tool is told of a Critical request that nobody answered in time.

    `secret_env` names the environment variable that holds the key of the signature.
    """

    url: str
    secret_env: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Reach:
    """Known approvers as Slack accounts. `crowd`: there are too many; `sure`: Slack told of everybody asked for."""

    users: tuple[str, ...] = ()
    crowd: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Accounts:
    """The same by person: object ids of those found, and their Slack accounts."""

    users: Mapping[str, str] = field(default_factory=dict)
    crowd: bool = False
    sure: bool = True


def about(count: int) -> int:
    """A number of waiting cards as a list says it, so that it is not edited with every card: 20, 50, 100, 200 ..."""
    return max((step for step in _STEPS if step <= count), default=0)


def mentioned(reach: Reach, route: Route | None) -> tuple[str, ...]:
    """Whom a new card mentions: what its route says, else up to five known approvers, else nobody."""
    if route is not None and route.mention:
        return () if route.mention == NOBODY else (route.mention,)
    return () if reach.crowd else few(reach.users)


def few(users: Sequence[str]) -> tuple[str, ...]:
    """All of them, or nobody when they are more than a card should wake."""
    return tuple(users) if len(users) <= MOST_MENTIONED else ()
