"""INSERT with a conflict clause, which each database spells in its own dialect but with the same words."""

from __future__ import annotations

from sqlalchemy import Table, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that understands `on_conflict_do_nothing` and `on_conflict_do_update` on this database."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The same for a database by its name."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


async def took_place(connection: AsyncConnection, statement: sqlite.Insert | postgresql.Insert) -> bool:
    """Run it for one row; False when the conflict clause left everything as it was.

    What RETURNING gives back is the answer: drivers do not agree on the row count of an INSERT.
    """
    return (await connection.execute(statement.returning(literal(1)))).first() is not None
