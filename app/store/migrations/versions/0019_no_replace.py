"""SQLite deletes the old row of an INSERT OR REPLACE without asking the trigger that guards the audit trail."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        there = "WHEN EXISTS (SELECT 1 FROM audit WHERE n = NEW.n)"
        refuse = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        op.execute(f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit {there} {refuse}")
