from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from app.domain.errors import BadSettings
from app.store.engine import open_engine
from app.store.migrate import state, upgrade
from app.store.tables import metadata
from app.store.writer import Store


async def execute(url: str, statement: str) -> None:
    store = Store(open_engine(url))
    await store.write(lambda connection: connection.execute(text(statement)))
    await store.aclose()


async def test_an_empty_database_becomes_current(empty_database_url: str) -> None:
    assert await state(empty_database_url) == "empty"
    await upgrade(empty_database_url)
    assert await state(empty_database_url) == "current"


async def test_upgrading_twice_changes_nothing(empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    await upgrade(empty_database_url)
    assert await state(empty_database_url) == "current"


async def test_two_processes_upgrading_at_once_agree(empty_database_url: str) -> None:
    await asyncio.gather(upgrade(empty_database_url), upgrade(empty_database_url))
    assert await state(empty_database_url) == "current"


async def test_migrations_make_exactly_the_tables_the_code_expects(store: Store) -> None:
    def compare(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    assert await store.read(lambda connection: connection.run_sync(compare)) == []


async def test_a_database_of_a_newer_version_is_recognised_and_left_alone(empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    await execute(empty_database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert await state(empty_database_url) == "newer"
    with pytest.raises(BadSettings, match="newer version"):
        await upgrade(empty_database_url)
    assert await state(empty_database_url) == "newer"


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    await execute(empty_database_url, "CREATE TABLE leases (name TEXT)")  # the last table a migration makes
    with pytest.raises(Exception, match="leases"):
        await upgrade(empty_database_url)
    assert await state(empty_database_url) == "empty"
    await execute(empty_database_url, "DROP TABLE leases")
    await upgrade(empty_database_url)
    assert await state(empty_database_url) == "current"
