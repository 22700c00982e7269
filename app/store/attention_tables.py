"""The tables of attention: what people do around a request without deciding it, before and after."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

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

# Who opened their App Home lately, and a fingerprint of what it shows.
homes = Table(
    "homes",
    metadata,
    text_column("team", key=True),
    text_column("slack_user", key=True),
    time_column("opened"),
    text_column("shown"),
)
Index("homes_by_time", homes.c.opened)

# What the buttons on somebody's App Home carry, or in their last list. Drawing that surface anew makes new ones.
offers = Table(
    "offers",
    metadata,
    text_column("token", key=True),
    text_column("team"),
    text_column("slack_user"),
    text_column("surface"),
    text_column("kind"),
    text_column("request_id"),
    text_column("digest"),
    of_request(),
)
Index("offers_by_person", offers.c.team, offers.c.slack_user)

# What was done about a waiting request to bring it to people: one row a step. A step that failed has a time to come.
calls = Table(
    "calls",
    metadata,
    text_column("kind", key=True),
    text_column("request_id", key=True),
    text_column("step", key=True),
    Column("tries", Integer, nullable=False),
    time_column("due"),
    time_column("done", null=True),
    text_column("note"),
    of_request(),
)

# Who withdraws a request of theirs right now; another call may go out once `until` is past.
withdrawals = Table(
    "withdrawals",
    metadata,
    text_column("kind", key=True),
    text_column("request_id", key=True),
    *person_columns("person"),
    text_column("slack_user"),
    time_column("at"),
    time_column("until"),
    of_request(),
)

# Questions to requestors: drafts have no text yet. Kept for ever, like what they are about.
questions = Table(
    "questions",
    metadata,
    text_column("id", key=True),
    text_column("kind"),
    text_column("request_id"),
    text_column("team"),
    *person_columns("asker"),
    text_column("asker_slack"),
    text_column("asked_slack"),
    text_column("text"),
    text_column("answer"),
    time_column("opened"),
    time_column("asked_at", null=True),
    time_column("answered_at", null=True),
    of_request(),
)
Index("questions_of_request", questions.c.kind, questions.c.request_id)

# Roles taken away after a mis-click: drafts have no reason yet. Kept for ever, like what they are about.
removals = Table(
    "removals",
    metadata,
    text_column("id", key=True),
    text_column("kind"),
    text_column("request_id"),
    text_column("team"),
    *person_columns("person"),
    text_column("slack_user"),
    text_column("reason"),
    text_column("fate"),
    time_column("opened"),
    time_column("sent_at", null=True),
    of_request(),
)
Index("removals_of_request", removals.c.kind, removals.c.request_id)
