"""`pim-approvals pause` and `resume`: the off switch. A running bot obeys within a second; both are audited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import operator, with_store

if TYPE_CHECKING:
    from app.operating import OffSwitch

USAGE = 2
Reason = Annotated[str, typer.Argument(help="Why. Everybody in the approvers channel reads it.")]


def pause(reason: Reason) -> None:
    """Stop all decisions in Slack: every button becomes a link to the portal until you resume."""
    _demand(reason)
    if _turn(lambda switch: switch.pause(operator(), reason.strip())):
        typer.echo("Paused. Decisions are made in the portal only until `pim-approvals resume`.")
    else:
        typer.echo("It was paused already, for the same reason. Nothing was changed.")


def resume(reason: Reason) -> None:
    """Let people decide in Slack again."""
    _demand(reason)
    if _turn(lambda switch: switch.resume(operator(), reason.strip())):
        typer.echo("Resumed. The buttons are back.")
    else:
        typer.echo("It was not paused. Nothing was changed.")


def _demand(reason: str) -> None:
    if not reason.strip():
        typer.echo("Say why: everybody in the approvers channel reads it.", err=True)
        raise typer.Exit(USAGE)


def _turn(work: Callable[[OffSwitch], Awaitable[bool]]) -> bool:
    from app.operating import OffSwitch  # noqa: PLC0415 - `--help` needs none of the bot
    from app.store.audit import AuditTrail  # noqa: PLC0415 - the same
    from app.store.switches import StoredSwitches  # noqa: PLC0415 - the same

    return with_store(
        lambda settings, store, keyring: work(
            OffSwitch(
                switches=StoredSwitches(store, AuditTrail(store, keyring.chain_key())),
                clock=lambda: datetime.now(UTC),
                channel=settings.approvers_channel,
            )
        )
    )
