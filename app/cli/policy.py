"""`pim-approvals policy`: why a request was judged as it was, and how today's policy would judge it. It only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.lines import moment, print_table, shown
from app.cli.opening import book_of, with_store

if TYPE_CHECKING:
    from app.domain.risk import Judgement
    from app.domain.row import RequestRow
    from app.settings import Settings
    from app.store.request_book import StoredRequests

FAILED = 1
UNNAMED = "?"  # judged before judgements named their rules
_WORDS_LIMIT = 300
commands = typer.Typer(no_args_is_help=True, help="The company's policy, and what it makes of requests.")


@commands.callback()
def group() -> None:
    """The company's policy, and what it makes of requests."""  # a callback keeps `explain` a word of its own


@commands.command()
def explain(
    request: Annotated[str, typer.Argument(help="Microsoft's id of a request; its card ends with it.")],
) -> None:
    """Name the rules that fired for a stored request, beside what today's policy says of it."""
    found = with_store(lambda settings, store, keyring: _judged(settings, book_of(settings, store, keyring), request))
    if found is None:
        typer.echo(f"No request {request} is remembered here. A card ends with the id of its request.", err=True)
        raise typer.Exit(FAILED)
    row, today = found
    for line in _heading(row, today):
        typer.echo(line)
    print_table(("Rule", "Then", "Today", "What it says"), _rules(row, today))


async def _judged(settings: Settings, book: StoredRequests, asked: str) -> tuple[RequestRow, Judgement] | None:
    """The row, and the same request with what was known around it, judged by today's rules and policy."""
    from app.cli.judging import judged_anew  # noqa: PLC0415 - `--help` needs none of the bot

    row = await book.find_id(asked.rsplit("/", 1)[-1].strip().lower())
    return (row, await judged_anew(book, row, settings.policy().risk)) if row is not None else None


def _heading(row: RequestRow, today: Judgement) -> Iterator[str]:
    request = row.request
    what = f"{shown(request.role.label)} on {shown(request.scope.label)} for {shown(request.requestor.label)}"
    yield f"{what}, asked {moment(request.created)}, {row.status.value}."
    yield f"Then: {row.risk.level.word}, by version {row.risk.rules} of the rules."
    yield f"Today: {today.level.word}, by version {today.risk.rules}; the role starts at {today.start.word}."


def _rules(row: RequestRow, today: Judgement) -> Iterator[Sequence[str]]:
    """Today's rules, the weightiest first, then what counted only then."""
    then = dict(zip(row.risk.fired, row.risk.reasons, strict=False))
    before = dict.fromkeys(then, "fired")
    unsure = "" if then else UNNAMED
    for item in today.items:
        points = f"+{item.weight}" if item.weight else "start"
        yield item.rule, before.get(item.rule, unsure), points, shown(item.words, _WORDS_LIMIT)
    gone = then.keys() - {item.rule for item in today.items}
    for rule, words in [(rule, words) for rule, words in then.items() if rule in gone]:
        yield rule, "fired", "", shown(words, _WORDS_LIMIT)
    for words in () if then else row.risk.reasons:
        yield UNNAMED, "fired", "", shown(words, _WORDS_LIMIT)
