"""The command `pim-approvals`. Mistakes in the settings end it with one sentence each and exit code 2."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from app.cli import audit, check, entra_script, export, history, keys, links, manifest, policy, replay, switch
from app.domain.errors import BadSettings, BotError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Decide Microsoft PIM requests in Slack.",
    pretty_exceptions_enable=False,  # it prints local variables, and those may hold secrets
)
database = typer.Typer(no_args_is_help=True, help="The database's schema.")
app.add_typer(audit.commands, name="audit")
app.add_typer(history.commands, name="history")
app.add_typer(keys.commands, name="keys")
app.add_typer(links.commands, name="links")
app.add_typer(policy.commands, name="policy")
history.commands.command()(replay.replay)
history.commands.command()(export.export)
app.command()(check.check)
app.command()(manifest.manifest)
app.command()(entra_script.entra_script)
app.command()(switch.pause)
app.command()(switch.resume)
app.add_typer(database, name="db")

SETTINGS_WRONG, FAILED = 2, 1


def main() -> None:
    """Run the command line; what went wrong is said in sentences."""
    try:
        app()
    except BadSettings as problem:
        _end("PIM Approvals does not start:", problem, SETTINGS_WRONG)
    except BotError as problem:
        _end("PIM Approvals stopped:", problem, FAILED)


@app.command()
def serve() -> None:
    """Run the bot, configured by PIM_* environment variables."""
    from app.main import run  # noqa: PLC0415 - `keys new` and `--help` need none of the bot
    from app.settings import load_settings  # noqa: PLC0415 - the same

    asyncio.run(run(load_settings()))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Where the emulated world listens.")] = 8765,
    bot_port: Annotated[int, typer.Option(help="Where the bot listens.")] = 8766,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,  # noqa: FBT002 - a flag of the command line
    data: Annotated[Path | None, typer.Option(help="Keep everything in this folder for the next time.")] = None,
) -> None:
    """Show the whole thing on this machine: an emulated Slack and Microsoft, and the real bot."""
    from app.sandbox.server import run  # noqa: PLC0415 - production never imports the sandbox

    run(port=port, bot_port=bot_port, open_browser=browser, data=data)


@database.command("upgrade")
def db_upgrade() -> None:
    """Bring the database's schema up to date. Safe to run again."""
    from app.settings import load_settings  # noqa: PLC0415 - see serve
    from app.store.migrate import upgrade  # noqa: PLC0415 - see serve

    asyncio.run(upgrade(load_settings().database_url))
    typer.echo("The database is up to date.")


@database.command("state")
def db_state() -> None:
    """Say whether the database's schema is current."""
    from app.settings import load_settings  # noqa: PLC0415 - see serve
    from app.store.migrate import state  # noqa: PLC0415 - see serve

    typer.echo(asyncio.run(state(load_settings().database_url)))


def _end(title: str, problem: BotError, code: int) -> NoReturn:
    console = Console(stderr=True, highlight=False, markup=False)
    console.print(title)
    for line in str(problem).splitlines():
        console.print(f"  - {line}", soft_wrap=True)  # one sentence stays one line, also in a log
    raise SystemExit(code)
