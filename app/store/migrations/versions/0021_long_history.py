"""What a million requests need: filters that hardly anything fits, and an overview that reads no row."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ENDED = ["status", "decided_at", "kind", "id", "requestor_oid", "created_by", "decided_oid"]


def upgrade() -> None:
    op.drop_index("requests_ended", "requests")
    op.create_index("requests_ended", "requests", ENDED)
    op.create_index("requests_by_decider_status", "requests", ["decided_oid", "status", "requested", "kind", "id"])
    op.create_index("cards_by_channel_kind", "cards", ["channel", "kind", "requested", "request_id"])
    op.create_index("sightings_by_person_kind", "sightings", ["oid", "kind", "requested", "request_id"])
