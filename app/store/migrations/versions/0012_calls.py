"""Who was called to which request, and which cards are messages of one's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("cards", sa.Column("occasion", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "calls",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("kind", "request_id", "step")),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", moment, nullable=False),
        sa.Column("done", moment),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
