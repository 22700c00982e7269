"""`pim-approvals check`: what is wrong, and what is worth knowing, before the bot is started or while it runs.

It changes nothing. A check of the settings is one small function that says what it found; to add one, write it and put
it into the list. What asks Slack and Microsoft stands in the doctor.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.manifest import BOT_SCOPES
from app.domain import roles, rules
from app.domain.errors import BadSettings
from app.domain.findings import Finding, Grade
from app.domain.levels import Level

if TYPE_CHECKING:
    from app.domain.risk import RiskPolicy
    from app.settings import Settings

FAILED = 1
INDENT = " " * 7  # below the words of the line before
_FIXED = {id_: level for table, level in ((roles.CRITICAL, Level.CRITICAL), (roles.HIGH, Level.HIGH)) for id_ in table}

Check = Callable[["Settings"], Iterable[Finding]]


def check(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for programs.")] = False,  # noqa: FBT002 - a flag of the command line
    offline: Annotated[bool, typer.Option("--offline", help="Settings and policy file only; ask nobody.")] = False,  # noqa: FBT002 - the same
) -> None:
    """Check settings, policy file, Slack, Microsoft and who could approve. Exit code 1 when something is wrong."""
    found = list(findings(offline=offline))
    typer.echo(_json(found) if as_json else "\n".join(_lines(found)))
    if any(finding.grade is Grade.WRONG for finding in found):
        raise typer.Exit(FAILED)


def findings(*, offline: bool) -> Iterator[Finding]:
    """Every check in turn; without sound settings there is nothing more to look at."""
    from app.settings import load_settings  # noqa: PLC0415 - `--help` needs none of the bot

    try:
        settings = load_settings()
    except BadSettings as problem:
        yield from (Finding(Grade.WRONG, "settings", line) for line in str(problem).splitlines())
        return
    yield Finding(Grade.OK, "settings", "every PIM_* variable reads as it should")
    for one in CHECKS:
        yield from one(settings)
    if not offline:
        yield from asyncio.run(_asked(settings))


async def _asked(settings: Settings) -> Sequence[Finding]:
    from app.main.doctor import diagnose  # noqa: PLC0415 - see findings

    return [finding async for finding in diagnose(settings, BOT_SCOPES)]


def policy_file(settings: Settings) -> Iterator[Finding]:
    """What the policy file changes. What is wrong in it was told with the settings."""
    if settings.policy_file is None:
        yield Finding(Grade.OK, "policy", "no PIM_POLICY_FILE, so everything has its default")
        return
    risk = settings.policy().risk
    yield Finding(Grade.OK, "policy", f"{settings.policy_file} reads as it should")
    yield from _switched_off(risk)
    yield from _lowered(risk)
    yield from _groups_by_name(risk)


CHECKS: tuple[Check, ...] = (policy_file,)


def _switched_off(risk: RiskPolicy) -> Iterator[Finding]:
    for rule in rules.WEAK_POINTS:
        if not risk.weight(rule):
            yield Finding(Grade.NOTE, "policy", f"{rule} weighs 0 and is switched off")


def _lowered(risk: RiskPolicy) -> Iterator[Finding]:
    for id_, usual in _FIXED.items():
        level = risk.extra_levels.get(id_, usual)
        if level < usual:
            (name, _) = {**roles.CRITICAL, **roles.HIGH}[id_]
            yield Finding(Grade.NOTE, "policy", f"{name} is lowered from {usual.word} to {level.word}")


def _groups_by_name(risk: RiskPolicy) -> Iterator[Finding]:
    from app.settings.policy_file import is_guid  # noqa: PLC0415 - see findings

    for group in risk.groups:
        if not is_guid(group):
            yield Finding(Grade.NOTE, "policy", f"group {group!r} goes by its name, which its owners may change")


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    for finding in found:
        yield f"{finding.grade:<5}  {finding.about}: {finding.words}"
        if finding.fix:
            yield f"{INDENT}mend: {finding.fix}"


def _json(found: Sequence[Finding]) -> str:
    rows = [{"grade": one.grade, "about": one.about, "finding": one.words, "fix": one.fix} for one in found]
    return json.dumps(rows, indent=2, ensure_ascii=False)
