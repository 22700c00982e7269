"""Bringing a database to this version's shape, and asking which shape it has. It never goes back a version."""

from __future__ import annotations

from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.domain.errors import BadSettings
from app.store.engine import open_engine
from app.store.writer import Store

PATIENCE = 60.0  # seconds to wait for another process that is migrating
State = Literal["current", "behind", "newer", "empty"]


async def upgrade(url: str) -> None:
    """Apply every missing migration as one transaction. BadSettings when the database is from a newer version.

    Several processes may call this at once: the first one migrates, the others find nothing left to do.
    """
    store = Store(open_engine(url, patience=PATIENCE))
    try:
        await store.write(lambda connection: connection.run_sync(_upgrade))
    finally:
        await store.aclose()


async def state(url: str) -> State:
    """How the database compares with this version."""
    store = Store(open_engine(url))
    try:
        return await store.read(lambda connection: connection.run_sync(_state))
    finally:
        await store.aclose()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Any number will do as long as it stays the same; the lock ends with the transaction.
        connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE:.0f}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(7450174)"))
    if _state(connection) == "newer":
        raise BadSettings(
            "The database was written by a newer version of PIM Approvals. Nothing was changed; start that version."
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _state(connection: Connection) -> State:
    steps = ScriptDirectory.from_config(_config())
    applied = MigrationContext.configure(connection).get_current_revision()
    if applied is None:
        return "empty"
    if applied == steps.get_current_head():
        return "current"
    return "behind" if applied in {step.revision for step in steps.walk_revisions()} else "newer"


def _config() -> Config:
    """Found by package, so that it works from a checkout and from an installed wheel alike."""
    config = Config()
    config.set_main_option("script_location", "app.store:migrations")
    return config
