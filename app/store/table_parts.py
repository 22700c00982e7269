"""What every table is made of: one metadata, and columns that mean the same everywhere."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, text

from app.store.columns import PlainText, UtcTime

metadata = MetaData()


def text_column(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    """Text, NOT NULL unless told otherwise."""
    return Column(name, PlainText, primary_key=key, nullable=null)


def time_column(name: str, *, null: bool = False) -> Column[object]:
    """A moment in UTC."""
    return Column(name, UtcTime, nullable=null)


def person_columns(prefix: str, *, null: bool = False) -> list[Column[str]]:
    """Somebody in Entra, as they were called then."""
    return [text_column(f"{prefix}_{part}", null=null) for part in ("oid", "name", "upn", "mail")]


def of_request() -> ForeignKeyConstraint:
    """The row belongs to a request."""
    return ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"])


def index_of_known(name: str, column: Column[Any]) -> None:
    """An index over the rows that have a value there: those without one are never asked for by it."""
    known = text(f"{column.name} IS NOT NULL")
    Index(name, column, sqlite_where=known, postgresql_where=known)
