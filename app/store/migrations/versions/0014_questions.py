"""Questions to requestors, and their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ASKER = ("asker_oid", "asker_name", "asker_upn", "asker_mail")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "questions",
        sa.Column("id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "request_id", "team", *_ASKER)),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("asker_slack", "asked_slack", "text", "answer")),
        sa.Column("opened", moment, nullable=False),
        sa.Column("asked_at", moment),
        sa.Column("answered_at", moment),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
    )
    op.create_index("questions_of_request", "questions", ["kind", "request_id"])
