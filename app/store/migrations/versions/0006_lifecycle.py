"""The course of approved roles, doubts about open requests, more of PIM's settings, and what history covers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXTS = ("role_path", "approval_id")
_NUMBERS = ("missed", "absences")
_TIMES = ("active_until", "look_due")
_FLAGS = ("uncheckable", "stale")


def upgrade() -> None:
    for name in _TEXTS:
        op.add_column("requests", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name in _NUMBERS:
        op.add_column("requests", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in _TIMES:
        op.add_column("requests", sa.Column(name, sa.DateTime(timezone=True)))
    for name in _FLAGS:
        op.add_column("requests", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("requests", sa.Column("policy_more", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("requests", sa.Column("role_privileged", sa.Boolean()))
    op.add_column("requests", sa.Column("ended_how", sa.Text()))
    due = sa.text("look_due IS NOT NULL")
    op.create_index("requests_look_due", "requests", ["look_due"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "sights",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_good", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "gaps",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "began"),
    )
