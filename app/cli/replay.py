"""`pim-approvals history replay`: what other rules would make of history, before they are used. It writes nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.lines import moment, print_table, shown
from app.cli.opening import book_of, with_store

if TYPE_CHECKING:
    from app.domain.replay import Replayed, Tally
    from app.domain.risk import RiskPolicy
    from app.store.request_book import StoredRequests

MOST_DAYS = 36_500
EXAMPLES = 10  # changed requests that are told one by one


def replay(
    since: Annotated[int, typer.Option(min=1, max=MOST_DAYS, metavar="DAYS", help="How far back.")] = 30,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The policy file to try, in place of the configured one.")
    ] = None,
) -> None:
    """Judge the requests of history anew: which levels would change, and by which rules. Nothing is written."""
    from app.settings.policy_file import read_policy  # noqa: PLC0415 - `--help` needs none of the bot

    tried = read_policy(policy).risk if policy is not None else None
    begin = datetime.now(UTC) - timedelta(days=since)
    tally, changed = with_store(
        lambda settings, store, keyring: _replayed(
            book_of(settings, store, keyring), tried or settings.policy().risk, begin
        )
    )
    typer.echo(_title(tally, since))
    print_table(("Level then", "Level now", "Requests"), _moves(tally))
    print_table(("Rule", "Fired then", "Fires now", "Helped raise", "Helped lower"), _rules(tally))
    print_table(("Changed, newest first", "Level then", "Level now", "Asked", "Role", "Requestor"), _examples(changed))


async def _replayed(book: StoredRequests, policy: RiskPolicy, since: datetime) -> tuple[Tally, Sequence[Replayed]]:
    from app.cli.judging import replayed  # noqa: PLC0415 - `--help` needs none of the bot
    from app.domain.replay import Tally  # noqa: PLC0415 - the same

    tally = Tally()
    changed: deque[Replayed] = deque(maxlen=EXAMPLES)
    async for one in replayed(book, policy, since):
        tally.add(one)
        if one.changed:
            changed.appendleft(one)
    return tally, changed


def _title(tally: Tally, days: int) -> str:
    kept = tally.requests - tally.raised - tally.lowered
    return (
        f"{tally.requests} requests of the last {days} days judged anew: "
        f"{kept} keep their level, {tally.raised} raised, {tally.lowered} lowered."
    )


def _moves(tally: Tally) -> Iterator[Sequence[str]]:
    for (then, now), count in sorted(tally.moves.items()):
        yield then.word, now.word, str(count)


def _rules(tally: Tally) -> Iterator[Sequence[str]]:
    for name, count in tally.rules().items():
        yield name, str(count.then), str(count.now), str(count.raised), str(count.lowered)


def _examples(changed: Sequence[Replayed]) -> Iterator[Sequence[str]]:
    for one in changed:
        request, (then, now) = one.row.request, one.move
        names = shown(request.role.label), shown(request.requestor.label)
        yield shown(str(request.key)), then.word, now.word, moment(request.created), *names
