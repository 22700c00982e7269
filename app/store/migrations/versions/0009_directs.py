"""Direct messages about requests, edited like cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("slack_user", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("tried", sa.Boolean(), nullable=False),
        sa.Column("owed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True)),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("directs_once", "directs", ["dedupe"], unique=True)
    op.create_table(
        "direct_copies",
        sa.Column("direct_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("painted", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["direct_id"], ["directs.id"]),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
        sa.PrimaryKeyConstraint("direct_id", "kind", "request_id"),
    )
    op.create_index("direct_copies_of_request", "direct_copies", ["kind", "request_id"])
    op.create_index("direct_copies_by_token", "direct_copies", ["token"], unique=True)
    behind = sa.text("painted < wanted")
    op.create_index(
        "direct_copies_unpainted", "direct_copies", ["direct_id"], sqlite_where=behind, postgresql_where=behind
    )
