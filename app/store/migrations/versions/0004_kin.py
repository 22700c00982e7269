"""Accounts of one human are looked for from both sides."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("link_history_by_entra", "link_history", ["oid"])
