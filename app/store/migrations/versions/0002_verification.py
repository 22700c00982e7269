"""What verification remembers: decisions that wait for a sign-in, and every pair of accounts that was ever linked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_link_history()
    _create_waiting_decisions()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _create_link_history() -> None:
    names = ("team", "slack_user", "tenant", "oid")
    op.create_table(
        "link_history",
        *(_text(name) for name in names),
        _time("first_at"),
        _time("last_at"),
        sa.PrimaryKeyConstraint(*names),
    )
    # Whoever is linked now was linked since their last sign-in at least.
    op.execute(
        "INSERT INTO link_history (team, slack_user, tenant, oid, first_at, last_at)"
        " SELECT team, slack_user, tenant, person_oid, signed_in_at, signed_in_at FROM links"
    )


def _create_waiting_decisions() -> None:
    names = ("id", "kind", "request_id", "verdict", "comment", "digest", "team", "slack_user", "tenant")
    person = ("person_oid", "person_name", "person_upn", "person_mail")
    op.create_table(
        "waiting_decisions",
        *(_text(name) for name in (*names, *person)),
        _time("asked_at"),
        _time("expires"),
        _time("done_at", null=True),
        sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    live = sa.text("done_at IS NULL")
    for name, columns in (("waiting_of_request", ["kind", "request_id"]), ("waiting_by_end", ["expires"])):
        op.create_index(name, "waiting_decisions", columns, sqlite_where=live, postgresql_where=live)
