"""Migrations expand: what an older process that still runs reads and writes is there after each of them.

What nobody needs any more goes a version later, when no process that uses it can be left.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from app.store.engine import open_engine
from app.store.writer import Store

Shape = dict[str, dict[str, Any]]  # columns by name, by table


def revisions() -> list[str]:
    steps = ScriptDirectory.from_config(config()).walk_revisions()
    return [step.revision for step in steps][::-1]


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", "app.store:migrations")
    return made


def migrated(connection: Connection, revision: str) -> Shape:
    """The tables as this revision leaves them."""
    step = config()
    step.attributes["connection"] = connection
    command.upgrade(step, revision)
    look = inspect(connection)
    return {name: {column["name"]: column for column in look.get_columns(name)} for name in look.get_table_names()}


def broken(before: Shape, after: Shape) -> list[str]:
    """What an older process would stumble over."""
    gone = [f"{table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        gone += [f"{table}.{name} is gone" for name in old.keys() - new.keys()]
        both = old.keys() & new.keys()
        gone += [f"{table}.{name} is another type" for name in both if str(old[name]["type"]) != str(new[name]["type"])]
        gone += [f"{table}.{name} must be given now" for name in both if old[name]["nullable"] > new[name]["nullable"]]
        added = [new[name] for name in new.keys() - old.keys()]
        gone += [f"{table}.{each['name']} must be given" for each in added if not (each["nullable"] or each["default"])]
    return gone


async def test_every_migration_leaves_an_older_process_what_it_uses(empty_database_url: str) -> None:
    store = Store(open_engine(empty_database_url))
    shapes = [
        await store.write(lambda connection, name=name: connection.run_sync(migrated, name)) for name in revisions()
    ]
    await store.aclose()
    assert len(shapes) > 1
    for before, after in pairwise(shapes):
        assert broken(before, after) == []


def test_a_step_that_contracts_would_be_seen() -> None:
    column = {"name": "a", "type": "TEXT", "nullable": True, "default": None}
    before = {"kept": {"a": column, "b": {**column, "name": "b"}}, "gone": {}}
    after = {"kept": {"a": {**column, "nullable": False}, "c": {**column, "name": "c", "nullable": False}}}
    assert sorted(broken(before, {**after})) == [
        "gone is gone",
        "kept.a must be given now",
        "kept.b is gone",
        "kept.c must be given",
    ]
