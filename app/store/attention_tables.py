"""The tables of attention: what people do around a request without deciding it."""

from __future__ import annotations

from sqlalchemy import Index, Table

from app.store.table_parts import metadata, of_request, person_columns, text_column, time_column

# "I'm looking at it". Rows that lapsed are deleted: nothing is proven by them.
looks = Table(
    "looks",
    metadata,
    text_column("kind", key=True),
    text_column("request_id", key=True),
    text_column("person_oid", key=True),
    *person_columns("person")[1:],
    time_column("since"),
    time_column("until"),
    of_request(),
)
Index("looks_by_end", looks.c.until)
