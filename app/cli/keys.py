"""`pim-approvals keys`: make a key, see what each key is needed for, put everything under the first one.

It prints names of keys and people, never a key.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import with_store

if TYPE_CHECKING:
    from app.main.keys import Census, Rotation

commands = typer.Typer(no_args_is_help=True, help="The keys that encrypt sign-ins at rest.")

FAILED = 1


@commands.command()
def new(name: Annotated[str, typer.Argument(help="The new key's name.")] = "k1") -> None:
    """Print a new key for PIM_KEYS. Put it in front of the others: the first one writes."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    typer.echo(f"{name}:{key}")


@commands.command()
def status() -> None:
    """Say what is encrypted with which key. Exit code 1 when something does not open."""
    from app.main.keys import census  # noqa: PLC0415 - `keys new` and `--help` need none of the bot

    found = with_store(lambda _, store, keyring: census(store, keyring, datetime.now(UTC)))
    _say([*_ring(found), *_strangers(found), _chain(found), *_lost(found)])
    if found.missing or found.lost:
        raise typer.Exit(FAILED)


@commands.command()
def rotate() -> None:
    """Encrypt every stored sign-in with the first key of PIM_KEYS. Safe while the bot runs, and to run again."""
    from app.main.keys import Move  # noqa: PLC0415 - see status
    from app.main.keys import rotate as move_all  # noqa: PLC0415 - see status

    done = with_store(lambda _, store, keyring: move_all(store, keyring))
    _say(_moves(done))
    if done.moves[Move.LOST] or done.moves[Move.BUSY]:
        raise typer.Exit(FAILED)


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(line)


def _ring(found: Census) -> list[str]:
    return [f"{name}: {_role(found, name)}; {_holds(found, name)}." for name in found.ring]


def _role(found: Census, name: str) -> str:
    if name == found.ring[0]:
        return "writes"
    needed = found.sessions.get(name) or found.pages.get(name) or name == found.ring[-1]
    return "reads" if needed else "reads, and may be removed"


def _holds(found: Census, name: str) -> str:
    pages = found.pages.get(name, 0)
    under_way = f", and {pages} under way for ten minutes at most" if pages else ""
    return f"{_sign_ins(found.sessions.get(name, 0))}{under_way}"


def _strangers(found: Census) -> list[str]:
    lines = [f"{name}: NOT in PIM_KEYS; {_holds(found, name)}." for name in found.missing if name]
    if "" in found.missing:
        lines.append(f"Without a key's name: {_holds(found, '')}; somebody changed the database.")
    return lines


def _chain(found: Census) -> str:
    return f"The audit chain's key is made from {found.ring[-1]}, the last one: keep it in PIM_KEYS, and keep it last."


def _lost(found: Census) -> list[str]:
    if not found.lost:
        return []
    lacking = [name for name in found.missing if name]
    unless = f", unless {_and(lacking)} is put back into PIM_KEYS" if lacking else ""
    return [f"What is stored for {_and(found.lost)} does not open: they must sign in again{unless}."]


def _moves(done: Rotation) -> list[str]:
    from app.main.keys import Move  # noqa: PLC0415 - see status

    lines = [f"{_sign_ins(done.moves[Move.DONE])} encrypted anew, {done.moves[Move.RIGHT]} already right."]
    if done.moves[Move.BUSY]:
        busy = _sign_ins(done.moves[Move.BUSY])
        lines.append(f"{busy} left: a bot with another first key saves them. Restart every bot, then rotate again.")
    if done.lost:
        lines.append(
            f"What is stored for {_and(done.lost)} does not open and was left as it is: they must sign in again."
        )
    return lines


def _sign_ins(count: int) -> str:
    return "1 sign-in" if count == 1 else f"{count} sign-ins"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
