"""Who a requestor is in Slack, and the switches an operator turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, default in (("match_how", "unknown"), ("match_slack", ""), ("match_everyday", "")):
        op.add_column("requests", sa.Column(name, sa.Text(), nullable=False, server_default=default))
    op.add_column("requests", sa.Column("matched_at", sa.DateTime(timezone=True)))
    op.create_table(
        "switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
