"""Who opened their App Home lately, and the tokens of the buttons on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "homes",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("team", "slack_user")),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
    )
    op.create_index("homes_by_time", "homes", ["opened"])
    op.create_table(
        "offers",
        sa.Column("token", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("team", "slack_user")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "request_id", "digest")),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
    op.create_index("offers_by_person", "offers", ["team", "slack_user"])
