"""The first shape. Written once, never changed after a release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_requests()
    _create_what_hangs_on_requests()
    _create_deliveries()
    _create_intents()
    _create_audit()
    _create_outbox()
    _create_sign_in()
    _create_leases()


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _flag(name: str, *, null: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=null)


def _person(prefix: str, *, null: bool = False) -> list[sa.Column[str]]:
    return [_text(f"{prefix}_{part}", null=null) for part in ("oid", "name", "upn", "mail")]


def _of_request() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"])


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    clause = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=clause, postgresql_where=clause)


def _create_requests() -> None:
    op.create_table(
        "requests",
        _text("kind"),
        _text("id"),
        _text("native_status"),
        _text("action"),
        *_person("requestor"),
        _text("created_by"),
        _text("role_id"),
        _text("role_name"),
        _flag("role_built_in", null=True),
        _text("scope_id"),
        _text("scope_name"),
        _text("justification"),
        _text("ticket_number"),
        _text("ticket_system"),
        _time("requested"),
        _time("start", null=True),
        sa.Column("duration", sa.Float()),
        _text("duration_text"),
        _text("digest"),
        _number("risk_level"),
        sa.Column("risk_reasons", sa.JSON(), nullable=False),
        _number("risk_rules"),
        _flag("policy_comment", null=True),
        _flag("policy_ticket", null=True),
        sa.Column("policy_longest", sa.Float()),
        _text("status"),
        _number("version"),
        _time("first_seen"),
        _text("intent_id", null=True),
        *_person("deciding", null=True),
        _time("decided_at", null=True),
        _text("decided_where", null=True),
        *_person("decided", null=True),
        _text("decided_comment", null=True),
        _time("activated", null=True),
        _time("deactivated", null=True),
        sa.PrimaryKeyConstraint("kind", "id"),
    )
    newest = ["requested", "kind", "id"]
    op.create_index("requests_newest", "requests", newest)
    op.create_index("requests_by_status", "requests", ["status", *newest])
    op.create_index("requests_by_requestor", "requests", ["requestor_oid", *newest])
    op.create_index("requests_by_creator", "requests", ["created_by", *newest])
    op.create_index("requests_by_decider", "requests", ["decided_oid", *newest])
    op.create_index("requests_ended", "requests", ["status", "decided_at", "kind", "id"])


def _create_what_hangs_on_requests() -> None:
    op.create_table(
        "sightings",
        _text("kind"),
        _text("request_id"),
        _text("oid"),
        _time("requested"),
        sa.PrimaryKeyConstraint("kind", "request_id", "oid"),
        _of_request(),
    )
    op.create_index("sightings_by_person", "sightings", ["oid", "requested", "kind", "request_id"])
    op.create_table(
        "cards",
        _text("id"),
        _text("kind"),
        _text("request_id"),
        _text("channel"),
        _text("ts"),
        _text("token"),
        _text("digest"),
        _number("painted"),
        _number("wanted"),
        _flag("tried"),
        _time("requested"),
        sa.PrimaryKeyConstraint("id"),
        _of_request(),
    )
    op.create_index("cards_by_channel", "cards", ["channel", "requested", "kind", "request_id"])
    op.create_index("cards_of_request", "cards", ["kind", "request_id", "channel"])
    op.create_index("cards_by_token", "cards", ["token"], unique=True)
    _partial("cards_by_place", "cards", ["channel", "ts"], "ts <> ''", unique=True)
    _partial("cards_unpainted", "cards", ["id"], "painted < wanted")
    op.create_table(
        "modals",
        _text("token"),
        _text("kind"),
        _text("request_id"),
        _text("digest"),
        _text("verdict"),
        _text("team"),
        _text("slack_user"),
        _text("channel"),
        _text("ts"),
        _time("opened"),
        sa.PrimaryKeyConstraint("token"),
        _of_request(),
    )


def _create_deliveries() -> None:
    op.create_table(
        "inbox",
        _text("key"),
        _text("what"),
        _text("slack_user"),
        _time("taken"),
        _text("outcome", null=True),
        _time("closed", null=True),
        sa.PrimaryKeyConstraint("key"),
    )
    _partial("inbox_open", "inbox", ["taken"], "closed IS NULL")


def _create_intents() -> None:
    op.create_table(
        "intents",
        _text("id"),
        _text("kind"),
        _text("request_id"),
        _text("step"),
        _text("verdict"),
        _text("justification"),
        _text("digest"),
        *_person("approver"),
        _text("tenant"),
        _text("slack_user"),
        _text("place"),
        _time("at"),
        _text("outcome"),
        _number("sent"),
        _text("view_id"),
        sa.PrimaryKeyConstraint("id"),
        _of_request(),
    )
    op.create_index("intents_of_request", "intents", ["kind", "request_id"])
    op.create_index("intents_by_outcome", "intents", ["outcome", "at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        _text("at"),
        _text("what"),
        _text("kind"),
        _text("request_id"),
        _text("who"),
        _text("facts"),
        _text("prev_mac"),
        _text("mac"),
        sa.PrimaryKeyConstraint("n"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        _text("mac"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(head, [{"id": 1, "n": 0, "mac": ""}])
    if op.get_context().dialect.name == "sqlite":
        _refuse_changes_on_sqlite()
    else:
        _refuse_changes_on_postgresql()


# Whoever may change the schema can drop these triggers: they stop mistakes. The HMAC chain is what shows intent.


def _refuse_changes_on_sqlite() -> None:
    for what in ("UPDATE", "DELETE"):
        refuse = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        op.execute(f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit {refuse}")


def _refuse_changes_on_postgresql() -> None:
    refuse = "RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation'"
    op.execute(f"CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse}; END $$")
    for what, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = "audit_no_" + what.split()[0].lower()
        op.execute(f"CREATE TRIGGER {name} BEFORE {what} ON audit FOR EACH {each} EXECUTE FUNCTION audit_refuse()")


def _create_outbox() -> None:
    op.create_table(
        "notices",
        _text("id"),
        _text("dedupe"),
        _text("topic"),
        _text("kind", null=True),
        _text("request_id", null=True),
        _text("to_slack"),
        _text("to_entra"),
        sa.Column("facts", sa.JSON(), nullable=False),
        _flag("tried"),
        _time("owed"),
        _time("closed", null=True),
        _text("note", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notices_once", "notices", ["dedupe"], unique=True)
    _partial("notices_due", "notices", ["owed", "id"], "closed IS NULL")
    op.create_table(
        "channel_notes",
        _text("topic"),
        _text("text"),
        _flag("button"),
        _flag("standing"),
        _text("channel"),
        _text("ts"),
        _number("version"),
        _number("painted"),
        _flag("tried"),
        sa.PrimaryKeyConstraint("topic"),
    )


def _create_sign_in() -> None:
    op.create_table(
        "links",
        _text("id"),
        _text("team"),
        _text("slack_user"),
        _text("tenant"),
        *_person("person"),
        _text("state"),
        _time("signed_in_at"),
        _number("generation"),
        _text("sealed", null=True),
        _number("cache_version"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("links_by_slack", "links", ["team", "slack_user"], unique=True)
    op.create_index("links_by_entra", "links", ["tenant", "person_oid"], unique=True)
    op.create_table(
        "sign_in_flows",
        _text("token_hash"),
        _text("sealed"),
        _time("expires"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("sign_in_flows_by_end", "sign_in_flows", ["expires"])


def _create_leases() -> None:
    op.create_table(
        "leases",
        _text("name"),
        _text("holder"),
        sa.Column("expires", sa.Float(), nullable=False),
        _number("epoch"),
        sa.PrimaryKeyConstraint("name"),
    )
