"""The tables of reminding: which threshold was told to whom, and what people set for themselves."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, Table

from app.store.table_parts import metadata, of_request, text_column, time_column

# The key is the promise: once for each threshold (`seconds` before the deadline `until`) and person.
reminded = Table(
    "reminded",
    metadata,
    text_column("kind", key=True),
    text_column("request_id", key=True),
    text_column("slack_user", key=True),
    text_column("until", key=True),
    Column("seconds", Integer, primary_key=True, autoincrement=False),
    time_column("at"),
    of_request(),
)

# `back_on`: a day, as ISO 8601 writes it; `quiet`: hours as a text, empty for none; NULL: the company's.
preferences = Table(
    "preferences",
    metadata,
    text_column("team", key=True),
    text_column("slack_user", key=True),
    time_column("away_until", null=True),
    text_column("back_on", null=True),
    Column("reminders", Boolean, nullable=False),
    text_column("quiet", null=True),
)
