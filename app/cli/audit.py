"""`pim-approvals audit`: whether the trail is as it was written, and its rows as JSON lines for whoever collects them.

It reads, a page at a time, and changes nothing; the bot may run meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.opening import with_store
from app.domain.anchors import Anchor, read_anchors
from app.domain.errors import BadSettings, Unavailable

if TYPE_CHECKING:
    from app.identity.keyring import Keyring
    from app.settings import Settings
    from app.store.audit import AuditTrail
    from app.store.chain import AuditRow, Break
    from app.store.writer import Store

commands = typer.Typer(no_args_is_help=True, help="The audit trail.")

BROKEN = 1
PAGE = 1000  # rows read at a time
LOOK_EVERY = 2.0  # seconds
log = logging.getLogger(__name__)


@commands.command("verify")
def verify(
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", help="A file with audit_anchor lines, such as a log, or one as text. Repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Name the first row that was edited, deleted, moved, replaced or cut off. Exit code 1 when there is one.

    Rows cut off at the end, together with what the database says of its end, show only against an --anchor.
    """
    anchors = [one for word in anchor or () for one in _anchors(word)]
    found, end = with_store(lambda _, store, keyring: _verified(_trail(store, keyring), anchors))
    typer.echo(_told_json(found, end, anchors) if as_json else _told(found, end, anchors))
    if found is not None:
        raise typer.Exit(BROKEN)


@commands.command("export")
def export(
    after: Annotated[int, typer.Option(min=0, help="Begin behind the row with this number.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with every row added, until stopped.")] = False,  # noqa: FBT002 - the same
) -> None:
    """Print every event as one JSON line, oldest first. `n` counts them: the last one seen is where to go on."""
    with_store(lambda settings, store, keyring: _exported(_trail(store, keyring), settings, after, follow=follow))


def _trail(store: Store, keyring: Keyring) -> AuditTrail:
    from app.store.audit import AuditTrail  # noqa: PLC0415 - `--help` needs none of the bot

    return AuditTrail(store, keyring.chain_key())


def _anchors(word: str) -> Sequence[Anchor]:
    """Those of a file, else of the text itself. BadSettings for none at all: nothing would be checked against it."""
    path = Path(word)
    try:
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as lines:
                found = list(dict.fromkeys(read_anchors(lines)))
        else:
            found = list(read_anchors([word]))
    except OSError as problem:
        raise BadSettings(f"--anchor: {word} cannot be read: {problem.strerror}.") from None
    if not found:
        raise BadSettings(f"--anchor: {word[:80]!r} is no file with, and no text like, `audit_anchor 12 3f5c...`.")
    return found


async def _verified(trail: AuditTrail, anchors: Sequence[Anchor]) -> tuple[Break | None, Anchor]:
    with _progress("Verifying") as tell:
        found = await trail.verify(anchors, tell)
    return found, await trail.head()


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _told(found: Break | None, end: Anchor, anchors: Sequence[Anchor]) -> str:
    if found is not None:
        return f"Row {found.n} {found.why}."
    against = f", and against {len(anchors)} anchors" if anchors else ""
    return f"{end.n} rows, unbroken{against}.\n{end}" if end.n else "There is no row yet."


def _told_json(found: Break | None, end: Anchor, anchors: Sequence[Anchor]) -> str:
    first_bad = {"n": found.n, "why": found.why} if found is not None else None
    told = {"unbroken": found is None, "first_bad": first_bad, "head": asdict(end), "anchors": len(anchors)}
    return json.dumps(told, indent=2)


async def _exported(trail: AuditTrail, settings: Settings, after: int, *, follow: bool) -> None:
    if follow:
        from app.main.logs import configure  # noqa: PLC0415 - `--help` needs none of the bot

        configure(settings)  # it runs for months beside the bot, and what it says goes through the same filter
    async for rows in _pages(trail, after, follow=follow):
        typer.echo("\n".join(json.dumps(_event(row), ensure_ascii=False) for row in rows))


async def _pages(trail: AuditTrail, after: int, *, follow: bool) -> AsyncIterator[Sequence[AuditRow]]:
    """Rows appear in the order of their numbers, so that nothing is ever added before what was read."""
    while True:
        rows = await _next(trail, after, patient=follow)
        if rows:
            after = rows[-1].n
            yield rows
        elif not follow:
            return
        else:
            await asyncio.sleep(LOOK_EVERY)


async def _next(trail: AuditTrail, after: int, *, patient: bool) -> Sequence[AuditRow]:
    try:
        return await trail.rows(after, PAGE)
    except Unavailable as failure:
        if not patient:
            raise
        log.warning("%s Row %d was the last one; it goes on from there.", failure, after)
        return ()


def _event(row: AuditRow) -> dict[str, Any]:
    """The row with its facts as an object, unless somebody garbled them."""
    try:
        facts = json.loads(row.facts)
    except ValueError:
        facts = row.facts
    return {**asdict(row), "facts": facts}
