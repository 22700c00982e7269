"""`pim-approvals links`: who is signed in, and ending sign-ins from outside. Every act is audited with who did it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.opening import operator, with_store

if TYPE_CHECKING:
    from app.operating import SignIns
    from app.ports import LinkLine

commands = typer.Typer(no_args_is_help=True, help="Who is signed in here, and ending that.")

FAILED, USAGE = 1, 2
T = TypeVar("T")
User = Annotated[str, typer.Argument(help="A Slack user id, an Entra sign-in name or an object id.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail.")]


@commands.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:  # noqa: FBT002 - a flag
    """Everybody who was signed in, and whether they still are."""
    lines = _with_sign_ins(lambda sign_ins: sign_ins.everybody())
    if as_json:
        typer.echo(json.dumps([_facts(line) for line in lines], indent=2))
    elif lines:
        _print_table(lines)
    else:
        typer.echo("Nobody has signed in yet.")


@commands.command()
def revoke(
    user: Annotated[str, typer.Argument(help="A Slack user id, an Entra sign-in name or an object id.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Everybody.")] = False,  # noqa: FBT002 - a flag
    reason: Reason = "",
) -> None:
    """Drop somebody's Microsoft session: they must sign in again, and are told so."""
    if bool(user) == everybody:
        typer.echo("Name one person, or say --all.", err=True)
        raise typer.Exit(USAGE)
    ended = _with_sign_ins(lambda sign_ins: sign_ins.revoke(user, operator(), reason))
    if ended is None:
        _unknown(user)
    for line in ended:
        typer.echo(f"{_named(line)}: session ended, must sign in again.")
    if not ended:
        typer.echo("There was no live session to end. Nothing was changed.")


@commands.command()
def remove(user: User, reason: Reason = "") -> None:
    """Unlink somebody's Slack and Microsoft accounts. This also ends a freeze; they may link anew."""
    line = _with_sign_ins(lambda sign_ins: sign_ins.remove(user, operator(), reason))
    if line is None:
        _unknown(user)
    typer.echo(f"{_named(line)}: unlinked.")


def _with_sign_ins(work: Callable[[SignIns], Awaitable[T]]) -> T:
    from app.operating import SignIns  # noqa: PLC0415 - `--help` needs none of the bot
    from app.store.audit import AuditTrail  # noqa: PLC0415 - the same
    from app.store.link_care import StoredLinkCare  # noqa: PLC0415 - the same

    return with_store(
        lambda _, store, keyring: work(
            SignIns(care=StoredLinkCare(store, AuditTrail(store, keyring.chain_key())), clock=lambda: datetime.now(UTC))
        )
    )


def _unknown(user: str) -> NoReturn:
    typer.echo(f"Nobody here is {user}. Nothing was changed; `pim-approvals links list` shows everybody.", err=True)
    raise typer.Exit(FAILED)


def _named(line: LinkLine) -> str:
    return f"{line.link.person.upn or line.link.person.label} (Slack {line.link.slack_user})"


def _facts(line: LinkLine) -> dict[str, str | None]:
    link = line.link
    return {
        "slack_user": link.slack_user,
        "upn": link.person.upn,
        "oid": link.person.id,
        "state": link.state.value,
        "signed_in_at": link.signed_in_at.isoformat(),
        "last_decision": line.last_decision.isoformat() if line.last_decision is not None else None,
    }


def _print_table(lines: Sequence[LinkLine]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("Slack user", "Entra account", "State", "Signed in", "Last decision"):
        table.add_column(title, no_wrap=True)
    for line in lines:
        link = line.link
        cells = (link.slack_user, link.person.upn or link.person.id, link.state.value, _when(link.signed_in_at))
        table.add_row(*(Text(cell) for cell in (*cells, _when(line.last_decision))))  # Text: names are no markup
    Console(highlight=False, width=200).print(table)


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else "never"
