"""Whether a justification says enough to be judged. It looks at words only: whether they are true is for the approver.

Examples of both kinds stand in docs/policy.md; a test holds them to these rules.
"""

from __future__ import annotations

import re

SHORTEST = 12  # characters
SHORTEST_AT_CRITICAL = 24
_TELLING = 3  # words that say something: together they name a task without any number or name in it
_WORD = re.compile(r"\w+")
# A name for something: with a digit or a mark inside (INC-20391, srv.lyon, a@b).
_NAME = re.compile(r"\d|\w[.@/_-]\w")


def vague(justification: str, shortest: int = SHORTEST, role: str = "", at_critical: int | None = None) -> str:
    """Why a justification says too little ("need admin access"), as a sentence; empty when it says enough.

    The words of `role` say nothing by themselves. `shortest` is in characters, and so is `at_critical`: how many it
    takes for a Critical role, where it must also name what it is about. None: this is no such role.
    """
    words = _WORD.findall(justification.casefold())
    if not words:
        return "No justification"
    length = len(justification.strip())
    if length < shortest:
        return f"Justification is only {length} characters long"
    silent = _SAYS_NOTHING | frozenset(_WORD.findall(role.casefold()))
    telling = {word for word in words if word not in silent and not _one_letter(word)}
    if not telling:
        return "Justification names no task: ask what it is for"
    if at_critical is None:
        return ""
    if length < at_critical:
        return f"Justification is only {length} characters long; at Critical it takes {at_critical}"
    if len(telling) < _TELLING and not _names(justification, silent):
        return "Justification names no ticket, system or person: at Critical it must say what it is about"
    return ""


def _one_letter(word: str) -> bool:
    return len(word) > 1 and len(set(word)) == 1


def _names(justification: str, silent: frozenset[str]) -> bool:
    """Whether it names anything: a number, an address, an abbreviation, or a capital inside the sentence."""
    parts = [part for part in justification.split() if not silent.issuperset(_WORD.findall(part.casefold()))]
    if any(_NAME.search(part) for part in parts):
        return True
    first = justification.split(maxsplit=1)[0]
    capitals = [part for part in parts if part[0].isupper() and len(part) > 1 and (part != first or part.isupper())]
    return bool(capitals) and not justification.isupper()


# Words that, alone, name no task. Lower case, as spoken by people in a hurry.
_SAYS_NOTHING = frozenset(
    "a about access activate activation add admin administration administrator after again all also am an and any "
    "approval approve approved are as asap assigned at be because been before but by can could daily do doing done "
    "elevate elevated elevation etc fix for from get give global go got has have help here hi i if in is issue it job "
    "just kindly let like make me must my need needed needs new no not now of on one or our out permission permissions "
    "pim please pls privilege privileges problem quick quickly request required right rights role routine should so "
    "some soon stuff support task tasks temporary test testing thanks that the their them then there these they thing "
    "things this those ticket to today troubleshooting up urgent urgently us use usual very want was we will with work "
    "working would you your".split()
)
