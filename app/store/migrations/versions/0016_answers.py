"""What Microsoft called its answer to a decision, for the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intents", sa.Column("answer", sa.Text(), nullable=False, server_default=""))
