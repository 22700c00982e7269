"""Why a request was judged as it was: the rules that fired, and what was known of its requestor then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("risk_fired", sa.JSON(), nullable=False, server_default="[]"))
    for name in ("pattern", "earlier"):
        op.add_column("requests", sa.Column(name, sa.JSON()))
