"""The tables of direct messages about requests. As with cards, each copy has a token and a version."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, Table, text

from app.store.columns import PlainText
from app.store.table_parts import metadata, of_request, text_column, time_column

# `closed`: given up on.
directs = Table(
    "directs",
    metadata,
    text_column("id", key=True),
    text_column("dedupe"),
    text_column("topic"),
    text_column("slack_user"),
    Column("facts", JSON, nullable=False),
    text_column("channel"),
    text_column("ts"),
    Column("tried", Boolean, nullable=False),
    time_column("owed"),
    time_column("closed", null=True),
    text_column("note", null=True),
)
Index("directs_once", directs.c.dedupe, unique=True)
Index("directs_of_person", directs.c.slack_user, directs.c.topic, directs.c.owed)

# `over`: painted as it ended, and not to be painted again.
direct_copies = Table(
    "direct_copies",
    metadata,
    Column("direct_id", PlainText, ForeignKey("directs.id"), primary_key=True),
    text_column("kind", key=True),
    text_column("request_id", key=True),
    text_column("token"),
    text_column("digest"),
    Column("painted", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("over", Boolean, nullable=False),
    of_request(),
)
_BEHIND = text("painted < wanted")
Index("direct_copies_of_request", direct_copies.c.kind, direct_copies.c.request_id)
Index("direct_copies_by_token", direct_copies.c.token, unique=True)
Index("direct_copies_unpainted", direct_copies.c.direct_id, sqlite_where=_BEHIND, postgresql_where=_BEHIND)
