"""What requestors do and are told: withdrawals, nudges, buttons in lists of their own, roles by when they end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_PERSON = ("person_oid", "person_name", "person_upn", "person_mail")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "withdrawals",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("kind", "request_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*_PERSON, "slack_user")),
        sa.Column("at", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
    op.add_column("requests", sa.Column("nudged", moment))
    op.add_column("offers", sa.Column("surface", sa.Text(), nullable=False, server_default="home"))
    held = sa.text("active_until IS NOT NULL")
    op.create_index("requests_by_end", "requests", ["active_until"], sqlite_where=held, postgresql_where=held)
