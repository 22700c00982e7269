"""How risky a request is, and why, item by item. Pure: the same request and policy always give the same answer.

The level starts at the role's own level. Weak points of the request (long, no ticket, vague) lift it by one: a single
one lifts Low to Medium, two or more lift one level up to High. Only a role can be Critical: a sloppy request for a
small role never outshouts a Global Administrator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum

from app.domain import roles
from app.domain.durations import in_words
from app.domain.request import ActivationRequest


class Level(IntEnum):
    """Ordered, so that levels compare."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """`Low` ... `Critical`."""
        return self.name.capitalize()

    @property
    def grave(self) -> bool:
        """High or Critical: a comment is demanded and the approve button is not green."""
        return self >= Level.HIGH


@dataclass(frozen=True, slots=True)
class Risk:
    """A level and the reasons for it, the weightiest first. `rules` is the version of the rules that judged."""

    level: Level
    reasons: tuple[str, ...] = ()
    rules: int = 1


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """What a company may tune. Times are durations."""

    long_from: timedelta = timedelta(hours=8)
    ticket_expected: bool = True
    shortest_justification: int = 12  # characters
    extra_levels: dict[str, Level] = field(default_factory=dict)  # by role template id, lower case


def assess(request: ActivationRequest, policy: RiskPolicy = RiskPolicy()) -> Risk:
    """The level with its reasons, for one request."""
    level, why_role = _role_level(request, policy)
    weak = [reason for reason in _weak_points(request, policy) if reason]
    return Risk(_lift(level, len(weak)), (why_role, *weak))


def vague(justification: str, shortest: int = RiskPolicy().shortest_justification) -> str:
    """Why a justification says too little ("need admin access"), or an empty string when it says enough."""
    words = re.findall(r"\w+", justification.casefold())
    if not words:
        return "No justification"
    if len(justification.strip()) < shortest:
        return f"Justification is only {len(justification.strip())} characters long"
    if all(word in _SAYS_NOTHING for word in words):
        return "Justification names no task: ask what it is for"
    return ""


def _role_level(request: ActivationRequest, policy: RiskPolicy) -> tuple[Level, str]:
    role = request.role
    template = role.id.casefold()
    if template in policy.extra_levels:
        return policy.extra_levels[template], f"{role.label}: level set by your policy"
    if template in roles.CRITICAL:
        return Level.CRITICAL, f"{role.label}: {roles.CRITICAL[template]}"
    if template in roles.HIGH:
        return Level.HIGH, f"{role.label}: {roles.HIGH[template]}"
    if template in roles.PRIVILEGED:
        return Level.MEDIUM, f"{role.label} is a role Microsoft labels privileged"
    if template in roles.ELEVATED:
        return Level.MEDIUM, f"{role.label} reaches far, though Microsoft does not label it privileged"
    if role.built_in is True or template in roles.LOW:
        return Level.LOW, f"{role.label} is not a privileged role"
    return Level.MEDIUM, f"{role.label} is not a role we know: look up what it can do"


def _weak_points(request: ActivationRequest, policy: RiskPolicy) -> tuple[str, str, str]:
    return (
        vague(request.justification, policy.shortest_justification),
        "No ticket number" if policy.ticket_expected and not request.ticket.given else "",
        _long(request, policy.long_from),
    )


def _long(request: ActivationRequest, long_from: timedelta) -> str:
    if request.duration is None:
        return f"No end we can read ({request.duration_text or 'none given'}): check it in the portal"
    if request.duration >= long_from:
        return f"Long: {in_words(request.duration)}; would 2 h do?"
    return ""


def _lift(level: Level, weak_points: int) -> Level:
    if level >= Level.HIGH or not weak_points:
        return level
    return Level(level + 1) if weak_points > 1 else max(level, Level.MEDIUM)


# Words that, alone, name no task. Lower case, as spoken by people in a hurry.
_SAYS_NOTHING = frozenset(
    "a access activate activation add admin administration administrator again am an and approval approve approved "
    "as asap assigned because daily do elevate elevated elevation fix for give global go have help i in is issue it "
    "job just kindly me my need needed needs of on one permission permissions pim please pls privilege privileges "
    "problem quick quickly request required rights role routine some stuff support task tasks temporary test "
    "testing thanks that the thing things this ticket to today troubleshooting urgent urgently use usual want with "
    "work working you".split()
)
