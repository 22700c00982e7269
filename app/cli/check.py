"""`pim-approvals check`: what is wrong, and what is worth knowing, before the bot is started. It changes nothing.

A check is one small function of the settings that says what it found; to add one, write it and put it into the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from app.domain import roles, rules
from app.domain.errors import BadSettings
from app.domain.levels import Level

if TYPE_CHECKING:
    from app.domain.risk import RiskPolicy
    from app.settings import Settings

FAILED = 1
_FIXED = {id_: level for table, level in ((roles.CRITICAL, Level.CRITICAL), (roles.HIGH, Level.HIGH)) for id_ in table}


class Grade(StrEnum):
    """How a finding is to be taken. Only WRONG ends with exit code 1."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer."""

    grade: Grade
    words: str


Check = Callable[["Settings"], Iterable[Finding]]


def check() -> None:
    """Check settings and policy file. One line a finding; exit code 1 when something is wrong."""
    found = list(findings())
    for finding in found:
        typer.echo(f"{finding.grade:<5}  {finding.words}")
    if any(finding.grade is Grade.WRONG for finding in found):
        raise typer.Exit(FAILED)


def findings() -> Iterator[Finding]:
    """Every check in turn; without sound settings there is nothing more to look at."""
    from app.settings import load_settings  # noqa: PLC0415 - `--help` needs none of the bot

    try:
        settings = load_settings()
    except BadSettings as problem:
        yield from (Finding(Grade.WRONG, line) for line in str(problem).splitlines())
        return
    yield Finding(Grade.OK, "settings: every PIM_* variable reads as it should")
    for one in CHECKS:
        yield from one(settings)


def policy_file(settings: Settings) -> Iterator[Finding]:
    """What the policy file changes. What is wrong in it was told with the settings."""
    if settings.policy_file is None:
        yield Finding(Grade.OK, "policy: no PIM_POLICY_FILE, so everything has its default")
        return
    risk = settings.policy().risk
    yield Finding(Grade.OK, f"policy: {settings.policy_file} reads as it should")
    yield from _switched_off(risk)
    yield from _lowered(risk)
    yield from _groups_by_name(risk)


CHECKS: tuple[Check, ...] = (policy_file,)


def _switched_off(risk: RiskPolicy) -> Iterator[Finding]:
    for rule in rules.WEAK_POINTS:
        if not risk.weight(rule):
            yield Finding(Grade.NOTE, f"policy: {rule} weighs 0 and is switched off")


def _lowered(risk: RiskPolicy) -> Iterator[Finding]:
    for id_, usual in _FIXED.items():
        level = risk.extra_levels.get(id_, usual)
        if level < usual:
            (name, _) = {**roles.CRITICAL, **roles.HIGH}[id_]
            yield Finding(Grade.NOTE, f"policy: {name} is lowered from {usual.word} to {level.word}")


def _groups_by_name(risk: RiskPolicy) -> Iterator[Finding]:
    from app.settings.policy_file import is_guid  # noqa: PLC0415 - see findings

    for group in risk.groups:
        if not is_guid(group):
            yield Finding(Grade.NOTE, f"policy: group {group!r} goes by its name, which its owners may change")
