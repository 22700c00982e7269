"""History by role and by desk."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("requests_by_kind", "requests", ["kind", "requested", "id"])
    op.create_index("requests_by_role", "requests", ["role_id", "requested", "kind", "id"])
    op.create_index("requests_by_role_name", "requests", ["role_name", "requested", "kind", "id"])
