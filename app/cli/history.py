"""`pim-approvals history`: filling it from what Microsoft still keeps. It posts nothing and decides nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.watcher.backfilling import Report

MOST_DAYS = 365
INCOMPLETE = 1
commands = typer.Typer(no_args_is_help=True, help="What became of requests.")


@commands.command("backfill")
def backfill(
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How far back. Microsoft keeps about 30 days.")] = 30,
) -> None:
    """Read requests that ended without this bot into history, with who decided and when where Microsoft tells.

    Safe to run again, and beside a running bot: it adds, fills in what is missing, and changes nothing else.
    """
    from app.main.history import backfill as read  # noqa: PLC0415 - `--help` needs none of the bot
    from app.settings import load_settings  # noqa: PLC0415 - the same

    settings = load_settings()
    since = datetime.now(UTC) - timedelta(days=days)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        reports = asyncio.run(read(settings, since, _teller(progress)))
    for line in _lines(reports):
        typer.echo(line)
    if any(report.trouble for report in reports):
        raise typer.Exit(INCOMPLETE)


def _teller(progress: Progress) -> Callable[[str, int, int], None]:
    tasks = {}

    def tell(what: str, done: int, of: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what)
        progress.update(tasks[what], completed=done, total=of)

    return tell


def _lines(reports: Sequence[Report]) -> list[str]:
    lines = [
        f"{report.kind}: {report.read} ended requests read, {report.added} added or completed."
        + (f" {report.trouble}" if report.trouble else "")
        for report in reports
    ]
    return [*lines, "Microsoft keeps ended requests for about 30 days; what is older cannot be read any more."]
