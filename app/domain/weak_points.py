"""What speaks against a request besides its role: one small function a rule, which says it in words or says nothing.

They only ever add: a request with one more weak point is never judged milder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.domain.durations import in_words
from app.domain.justification import vague
from app.domain.levels import Level
from app.domain.pattern import Circumstances
from app.domain.request import ActivationRequest, Person
from app.domain.rules import Item, RiskPolicy
from app.domain.tickets import misshapen

KNOWS_PEOPLE = timedelta(days=30)  # how far back our memory must reach before "never" means anything
ODD_HOURS = 2  # outside the usual ones: summer time alone moves them by one
TIMES_USUAL = 2
MORE_THAN_USUAL = timedelta(hours=1)  # at least: 20 minutes instead of 5 are nobody's worry


@dataclass(frozen=True, slots=True)
class Case:
    """A request with all that its rules look at; `start` is the level of its role."""

    request: ActivationRequest
    start: Level
    policy: RiskPolicy
    circumstances: Circumstances


def weak_points(case: Case) -> tuple[Item, ...]:
    """Every rule that fires, the weightiest first; one that weighs nothing is switched off."""
    found = (Item(rule, look(case), case.policy.weight(rule)) for rule, look in _RULES.items())
    return tuple(sorted((item for item in found if item.words and item.weight), key=lambda item: -item.weight))


def is_guest(person: Person) -> bool:
    """Whether this is somebody from another company: Microsoft marks their sign-in names."""
    return "#ext#" in person.upn.casefold()


def _justification(case: Case) -> str:
    at_critical = case.policy.shortest_at_critical if case.start is Level.CRITICAL else None
    return vague(case.request.justification, case.policy.shortest_justification, case.request.role.name, at_critical)


def _ticket_missing(case: Case) -> str:
    if case.request.ticket.given:
        return ""
    if case.circumstances.policy.ticket_required:
        return "No ticket number, though this role's settings demand one"
    return "No ticket number" if case.policy.ticket_expected else ""


def _ticket_form(case: Case) -> str:
    return misshapen(case.request.ticket, case.policy.tickets) if case.request.ticket.given else ""


def _long(case: Case) -> str:
    length, most = case.request.duration, case.circumstances.policy.longest
    if length is None:
        return f"No end we can read ({case.request.duration_text or 'none given'}): check it in the portal"
    # All of a short maximum is no weak point; half of what counts as long is where it becomes one.
    whole = most is not None and length >= most
    if length < case.policy.long_from and not (whole and length >= case.policy.long_from / 2):
        return ""
    return f"Long: {in_words(length)}{', all that this role allows' if whole else ''}; would 2 h do?"


def _over_usual(case: Case) -> str:
    pattern, length = case.circumstances.pattern, case.request.duration
    usual = pattern.typical if pattern is not None else None
    if usual is None:
        return ""
    if length is None:  # longer than any length
        return f"No end we can read instead of their usual {in_words(usual)}"
    if length <= usual * TIMES_USUAL or length - usual < MORE_THAN_USUAL:
        return ""
    return f"{in_words(length)} instead of their usual {in_words(usual)}"


def _first_use(case: Case) -> str:
    pattern = case.circumstances.pattern
    if pattern is None or pattern.uses or pattern.since is None:
        return ""
    days = (case.request.created - pattern.since).days
    return f"First use of this role in the {days} days we know of" if days >= KNOWS_PEOPLE.days else ""


def _unusual_hour(case: Case) -> str:
    hours = case.circumstances.pattern.hours if case.circumstances.pattern is not None else None
    start = max(case.request.start or case.request.created, case.request.created)
    if hours is None or hours.away(start.hour) <= ODD_HOURS:
        return ""
    return f"Starts {start:%H:%M} UTC; their usual hours are {hours}"


def _denials(case: Case) -> str:
    count = case.circumstances.pattern.counted if case.circumstances.pattern is not None else 0
    if not count:
        return ""
    return f"{'A request' if count == 1 else f'{count} requests'} of theirs denied in the last 7 days"


def _guest(case: Case) -> str:
    return "Guest: somebody from another company" if is_guest(case.request.requestor) else ""


def _disabled(case: Case) -> str:
    disabled = case.circumstances.enabled is False
    return "Their account is disabled in Entra: ask how this request was made" if disabled else ""


_RULES: Mapping[str, Callable[[Case], str]] = {
    "justification": _justification,
    "ticket_missing": _ticket_missing,
    "ticket_form": _ticket_form,
    "long": _long,
    "over_usual": _over_usual,
    "first_use": _first_use,
    "unusual_hour": _unusual_hour,
    "denials": _denials,
    "guest": _guest,
    "disabled": _disabled,
}
