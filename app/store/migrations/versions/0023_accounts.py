"""Whether the requestor's account was enabled when their request was judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("account_enabled", sa.Boolean()))
