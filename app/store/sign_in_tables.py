"""The tables of sign-in: links and their history, what waits between two pages, decisions that wait for a sign-in."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, text

from app.store.table_parts import metadata, of_request, person_columns, text_column, time_column

# `sealed` is the encrypted token cache, empty once the session is over.
links = Table(
    "links",
    metadata,
    text_column("id", key=True),
    text_column("team"),
    text_column("slack_user"),
    text_column("tenant"),
    *person_columns("person"),
    text_column("state"),
    time_column("signed_in_at"),
    Column("generation", Integer, nullable=False),
    text_column("sealed", null=True),
    Column("cache_version", Integer, nullable=False),
)
Index("links_by_slack", links.c.team, links.c.slack_user, unique=True)
Index("links_by_entra", links.c.tenant, links.c.person_oid, unique=True)

sign_in_flows = Table(
    "sign_in_flows",
    metadata,
    text_column("token_hash", key=True),
    text_column("sealed"),
    time_column("expires"),
)
Index("sign_in_flows_by_end", sign_in_flows.c.expires)

# Every pair of accounts that was ever linked: never deleted, since a human stays the same after a sign-out.
link_history = Table(
    "link_history",
    metadata,
    text_column("team", key=True),
    text_column("slack_user", key=True),
    text_column("tenant", key=True),
    text_column("oid", key=True),
    time_column("first_at"),
    time_column("last_at"),
)
Index("link_history_by_entra", link_history.c.oid)

# A decision that waits until its approver has signed in again. It holds no claim; `done_at` is when it was taken up,
# replaced or given up.
waiting_decisions = Table(
    "waiting_decisions",
    metadata,
    text_column("id", key=True),
    text_column("kind"),
    text_column("request_id"),
    text_column("verdict"),
    text_column("comment"),
    text_column("digest"),
    text_column("team"),
    text_column("slack_user"),
    text_column("tenant"),
    *person_columns("person"),
    time_column("asked_at"),
    time_column("expires"),
    time_column("done_at", null=True),
    of_request(),
)
_LIVE = text("done_at IS NULL")
Index(
    "waiting_of_request",
    waiting_decisions.c.kind,
    waiting_decisions.c.request_id,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
Index("waiting_by_end", waiting_decisions.c.expires, sqlite_where=_LIVE, postgresql_where=_LIVE)
