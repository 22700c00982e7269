"""Who is looking at a request, and when its card reads differently by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("requests", sa.Column("fuse_due", moment))
    # Due at once: the next round says when each reads differently.
    op.execute("UPDATE requests SET fuse_due = requested WHERE status IN ('pending', 'deciding')")
    where = sa.text("fuse_due IS NOT NULL")
    op.create_index("requests_fuse_due", "requests", ["fuse_due"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "looks",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("kind", "request_id", "person_oid")),
        *(sa.Column(f"person_{part}", sa.Text(), nullable=False) for part in ("name", "upn", "mail")),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
    op.create_index("looks_by_end", "looks", ["until"])
