"""`pim-approvals history export`: history to standard output, page by page, as fast as whoever reads takes it.

It writes no more to memory than who took what, into the audit trail, and needs neither Slack nor Microsoft. What
history covers is said on standard error.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.opening import book_of, operator, with_store
from app.domain.export import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.exports import Exports
    from app.identity.keyring import Keyring
    from app.ports import Query
    from app.settings import Settings
    from app.store.writer import Store

_DAY = "%Y-%m-%d"
_FORMATS = (_DAY, "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ")


def export(
    form: Annotated[Form, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")] = Form.CSV,
    since: Annotated[
        str, typer.Option(metavar="DAY|TIME", help="Requests asked since then: 2026-11-01, or 2026-11-01T09:00Z.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="DAY|TIME", help="Asked before then; a day belongs as a whole.")] = "",
) -> None:
    """Write history to standard output, newest first: who asked what, who decided, when it was held, and why.

    Times are UTC. Since when history is complete, and its gaps, are said on standard error, and in the first line of
    jsonl.
    """
    from app.ports import Query  # noqa: PLC0415 - `--help` needs none of the bot

    query = Query(since=_moment(since, "--since"), until=_end(until))
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise typer.BadParameter("That time ends before it begins.", param_hint="--until")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("requests", total=None)

        def tell(rows: int, of: int) -> None:
            progress.update(task, advance=rows, total=of)

        lines = with_store(
            lambda settings, store, keyring: _written(_exports(settings, store, keyring), query, form, tell)
        )
    for line in lines:
        typer.echo(line, err=True)


async def _written(exports: Exports, query: Query, form: Form, tell: Callable[[int, int], None]) -> Sequence[str]:
    from app.domain.ruling import Viewer  # noqa: PLC0415 - `--help` needs none of the bot
    from app.exports import coverage_lines  # noqa: PLC0415 - the same

    of = await exports.ledger.count(query)
    await exports.write_down(operator(), query, of, form, "standard output")
    async for piece in exports.pieces(Viewer(auditor=True), query, form):
        # bytes, since a text stream may write line ends of its own
        sys.stdout.buffer.write(piece.text.encode())
        tell(piece.rows, of)
    sys.stdout.buffer.flush()
    return coverage_lines(await exports.coverage())


def _exports(settings: Settings, store: Store, keyring: Keyring) -> Exports:
    from app.exports import Exports  # noqa: PLC0415 - `--help` needs none of the bot
    from app.main.rooms import utc_now  # noqa: PLC0415 - the same
    from app.store.audit import AuditTrail  # noqa: PLC0415 - the same
    from app.store.ledger import StoredLedger  # noqa: PLC0415 - the same
    from app.store.sights import StoredSights  # noqa: PLC0415 - the same

    book = book_of(settings, store, keyring)
    ledger = StoredLedger(store, AuditTrail(store, keyring.chain_key()))
    return Exports(book=book, ledger=ledger, sights=StoredSights(store), clock=utc_now)


def _moment(text: str, option: str) -> datetime | None:
    if not text:
        return None
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise typer.BadParameter(f"{text!r} is no day and no time in UTC, such as 2026-11-01T09:00Z.", param_hint=option)


def _end(text: str) -> datetime | None:
    moment = _moment(text, "--until")
    whole_day = moment is not None and "T" not in text
    return moment + timedelta(days=1) if moment is not None and whole_day else moment
