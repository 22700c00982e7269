"""Decisions on their way are sealed: what somebody else writes into the database is never sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intents", sa.Column("seal", sa.Text(), nullable=False, server_default=""))
