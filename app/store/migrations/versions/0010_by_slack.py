"""History by the Slack account of whoever asked."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("requests_by_slack", "requests", ["match_slack", "requested", "kind", "id"])
