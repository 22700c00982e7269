"""Tables of a bot that runs: who leads, what operators turned, what was seen when. They run no query."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, Table

from app.store.columns import UtcTime
from app.store.table_parts import metadata, text_column, time_column

# `expires` is seconds since 1970 by the database's own clock: replicas' clocks do not agree.
leases = Table(
    "leases",
    metadata,
    text_column("name", key=True),
    text_column("holder"),
    Column("expires", Float, nullable=False),
    Column("epoch", Integer, nullable=False),
)

# Since when we have seen everything a desk lists, when we last did, and the times between that nobody looked.
sights = Table(
    "sights",
    metadata,
    text_column("kind", key=True),
    time_column("since"),
    time_column("last_good"),
)
gaps = Table(
    "gaps",
    metadata,
    text_column("kind", key=True),
    Column("began", UtcTime, primary_key=True),
    time_column("ended"),
)

# Desks that do not answer, and since when.
outages = Table(
    "outages",
    metadata,
    text_column("kind", key=True),
    time_column("since"),
)

# What an operator turned on or off, and why. A switch without a row is off.
switches = Table(
    "switches",
    metadata,
    text_column("name", key=True),
    Column("is_on", Boolean, nullable=False),
    text_column("reason"),
    text_column("by_whom"),
    time_column("at"),
)
