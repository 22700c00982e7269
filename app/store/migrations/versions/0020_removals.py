"""Roles taken away after a mis-click."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_PERSON = ("person_oid", "person_name", "person_upn", "person_mail")
_TEXTS = ("kind", "request_id", "team", *_PERSON, "slack_user", "reason", "fate")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "removals",
        sa.Column("id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("opened", moment, nullable=False),
        sa.Column("sent_at", moment),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
    op.create_index("removals_of_request", "removals", ["kind", "request_id"])
    for name in ("removed_oid", "removed_name", "removed_upn", "removed_mail"):
        op.add_column("requests", sa.Column(name, sa.Text()))
    op.add_column("requests", sa.Column("removed_at", moment))
