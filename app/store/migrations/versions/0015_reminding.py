"""Reminders: what was told to whom, what people set for themselves, when to look at a request again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for name in ("remind_due", "away_until"):
        op.add_column("requests", sa.Column(name, moment))
    # Due at once: the next round says when each is to be looked at again.
    op.execute("UPDATE requests SET remind_due = requested WHERE status IN ('pending', 'deciding')")
    due = sa.text("remind_due IS NOT NULL")
    op.create_index("requests_remind_due", "requests", ["remind_due"], sqlite_where=due, postgresql_where=due)
    op.create_index("directs_of_person", "directs", ["slack_user", "topic", "owed"])
    op.create_table(
        "reminded",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("kind", "request_id", "slack_user", "until")),
        sa.Column("seconds", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
    op.create_table(
        "preferences",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("team", "slack_user")),
        sa.Column("away_until", moment),
        sa.Column("reminders", sa.Boolean(), nullable=False),
        sa.Column("quiet", sa.Text()),
    )
