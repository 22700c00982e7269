"""The rules by which a request is judged, by name, and what a company may tune about them. Nothing is judged here.

A change of what any rule says or weighs is a new `VERSION`: it is stored with every judgement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain import justification
from app.domain.levels import Level

VERSION = 3
MOST_WEIGHT = 3

# What each weak point is about. Its weight is 1 unless the policy file says otherwise; 0 switches it off.
WEAK_POINTS = {
    "justification": "the justification is missing, short, names no task or, at Critical, nothing it is about",
    "ticket_missing": "there is no ticket number",
    "ticket_form": "the ticket number is no number, or not of the form that its system uses",
    "long": "the duration has no end, is long, or is all that the role allows",
    "over_usual": "the duration is more than twice what the requestor usually asks for with this role",
    "first_use": "the requestor has not held this role here as far back as we know, 30 days at least",
    "unusual_hour": "it starts more than two hours outside the requestor's usual hours",
    "denials": "another request of the requestor was denied in the last 7 days",
    "guest": "the requestor is a guest",
    "disabled": "the requestor's account is disabled in Entra",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that counted: the rule, what is said to people, and the points it adds.

    The item of a role adds none: it says where the level starts.
    """

    rule: str
    words: str
    weight: int = 0


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """What a company may tune.

    Lengths of justifications are in characters. `extra_levels` are levels of roles, by template id or Azure role
    definition GUID; `groups` those of PIM groups, by object id or name; all lower case. `tickets` is how numbers look,
    by system, lower case. `weights` are points, by weak point.
    """

    long_from: timedelta = timedelta(hours=8)
    ticket_expected: bool = True
    shortest_justification: int = justification.SHORTEST
    shortest_at_critical: int = justification.SHORTEST_AT_CRITICAL
    extra_levels: Mapping[str, Level] = field(default_factory=dict)
    groups: Mapping[str, Level] = field(default_factory=dict)
    tickets: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)

    def weight(self, rule: str) -> int:
        """How many points a weak point adds."""
        return self.weights.get(rule, 1)
