"""Every table, as data. It runs no query. Migrations do not import it: they are frozen, and a test compares the two.

Names of people, roles and scopes are copied into the row: history must read as it was, without asking anybody.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    text,
)

from app.store.columns import PlainText, Seconds, UtcTime

metadata = MetaData()


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, PlainText, primary_key=key, nullable=null)


def _time(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, UtcTime, nullable=null)


def _person(prefix: str, *, null: bool = False) -> list[Column[str]]:
    return [_text(f"{prefix}_{part}", null=null) for part in ("oid", "name", "upn", "mail")]


def _of_request() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["kind", "request_id"], ["requests.kind", "requests.id"])


# Never deleted: this is what history reads. `intent_id` and `deciding_*` name the claim while one is held.
requests = Table(
    "requests",
    metadata,
    _text("kind", key=True),
    _text("id", key=True),
    _text("native_status"),
    _text("action"),
    *_person("requestor"),
    _text("created_by"),
    _text("role_id"),
    _text("role_name"),
    Column("role_built_in", Boolean),
    _text("scope_id"),
    _text("scope_name"),
    _text("justification"),
    _text("ticket_number"),
    _text("ticket_system"),
    _time("requested"),
    _time("start", null=True),
    Column("duration", Seconds),
    _text("duration_text"),
    _text("digest"),
    Column("risk_level", Integer, nullable=False),
    Column("risk_reasons", JSON, nullable=False),
    Column("risk_rules", Integer, nullable=False),
    Column("policy_comment", Boolean),
    Column("policy_ticket", Boolean),
    Column("policy_longest", Seconds),
    _text("status"),
    Column("version", Integer, nullable=False),
    _time("first_seen"),
    _text("intent_id", null=True),
    *_person("deciding", null=True),
    _time("decided_at", null=True),
    _text("decided_where", null=True),
    *_person("decided", null=True),
    _text("decided_comment", null=True),
    _time("activated", null=True),
    _time("deactivated", null=True),
)
# Each is read backwards for "newest first"; kind and id make the order total, so that a page cursor is exact.
Index("requests_newest", requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_status", requests.c.status, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_requestor", requests.c.requestor_oid, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_creator", requests.c.created_by, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_decider", requests.c.decided_oid, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_ended", requests.c.status, requests.c.decided_at, requests.c.kind, requests.c.id)

# Whose own listing held the request. `requested` is a copy, so that one person's history is one index walk.
sightings = Table(
    "sightings",
    metadata,
    _text("kind", key=True),
    _text("request_id", key=True),
    _text("oid", key=True),
    _time("requested"),
    _of_request(),
)
Index("sightings_by_person", sightings.c.oid, sightings.c.requested, sightings.c.kind, sightings.c.request_id)

# `wanted` and `requested` are copies from the row, so that "behind" and "newest in this channel" are index walks too.
cards = Table(
    "cards",
    metadata,
    _text("id", key=True),
    _text("kind"),
    _text("request_id"),
    _text("channel"),
    _text("ts"),
    _text("token"),
    _text("digest"),
    Column("painted", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("tried", Boolean, nullable=False),
    _time("requested"),
    _of_request(),
)
Index("cards_by_channel", cards.c.channel, cards.c.requested, cards.c.kind, cards.c.request_id)
Index("cards_of_request", cards.c.kind, cards.c.request_id, cards.c.channel)
Index("cards_by_token", cards.c.token, unique=True)
Index(
    "cards_by_place",
    cards.c.channel,
    cards.c.ts,
    unique=True,
    sqlite_where=text("ts <> ''"),
    postgresql_where=text("ts <> ''"),
)
Index(
    "cards_unpainted",
    cards.c.id,
    sqlite_where=text("painted < wanted"),
    postgresql_where=text("painted < wanted"),
)

modals = Table(
    "modals",
    metadata,
    _text("token", key=True),
    _text("kind"),
    _text("request_id"),
    _text("digest"),
    _text("verdict"),
    _text("team"),
    _text("slack_user"),
    _text("channel"),
    _text("ts"),
    _time("opened"),
    _of_request(),
)

inbox = Table(
    "inbox",
    metadata,
    _text("key", key=True),
    _text("what"),
    _text("slack_user"),
    _time("taken"),
    _text("outcome", null=True),
    _time("closed", null=True),
)
Index(
    "inbox_open",
    inbox.c.taken,
    sqlite_where=text("closed IS NULL"),
    postgresql_where=text("closed IS NULL"),
)

intents = Table(
    "intents",
    metadata,
    _text("id", key=True),
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
    Column("sent", Integer, nullable=False),
    _text("view_id"),
    _of_request(),
)
Index("intents_of_request", intents.c.kind, intents.c.request_id)
Index("intents_by_outcome", intents.c.outcome, intents.c.at)

# Append-only: triggers refuse updates and deletes. Time and facts are text, sealed and verified letter by letter, so
# that a row somebody garbled still reads. `audit_head` has one row, and locking it makes appends a queue.
audit = Table(
    "audit",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    _text("at"),
    _text("what"),
    _text("kind"),
    _text("request_id"),
    _text("who"),
    _text("facts"),
    _text("prev_mac"),
    _text("mac"),
)
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    _text("mac"),
)

notices = Table(
    "notices",
    metadata,
    _text("id", key=True),
    _text("dedupe"),
    _text("topic"),
    _text("kind", null=True),
    _text("request_id", null=True),
    _text("to_slack"),
    _text("to_entra"),
    Column("facts", JSON, nullable=False),
    Column("tried", Boolean, nullable=False),
    _time("owed"),
    _time("closed", null=True),
    _text("note", null=True),
)
Index("notices_once", notices.c.dedupe, unique=True)
Index(
    "notices_due",
    notices.c.owed,
    notices.c.id,
    sqlite_where=text("closed IS NULL"),
    postgresql_where=text("closed IS NULL"),
)

channel_notes = Table(
    "channel_notes",
    metadata,
    _text("topic", key=True),
    _text("text"),
    Column("button", Boolean, nullable=False),
    Column("standing", Boolean, nullable=False),
    _text("channel"),
    _text("ts"),
    Column("version", Integer, nullable=False),
    Column("painted", Integer, nullable=False),
    Column("tried", Boolean, nullable=False),
)

# `sealed` is the encrypted token cache, empty once the session is over.
links = Table(
    "links",
    metadata,
    _text("id", key=True),
    _text("team"),
    _text("slack_user"),
    _text("tenant"),
    *_person("person"),
    _text("state"),
    _time("signed_in_at"),
    Column("generation", Integer, nullable=False),
    _text("sealed", null=True),
    Column("cache_version", Integer, nullable=False),
)
Index("links_by_slack", links.c.team, links.c.slack_user, unique=True)
Index("links_by_entra", links.c.tenant, links.c.person_oid, unique=True)

sign_in_flows = Table(
    "sign_in_flows",
    metadata,
    _text("token_hash", key=True),
    _text("sealed"),
    _time("expires"),
)
Index("sign_in_flows_by_end", sign_in_flows.c.expires)

# `expires` is seconds since 1970 by the database's own clock: replicas' clocks do not agree.
leases = Table(
    "leases",
    metadata,
    _text("name", key=True),
    _text("holder"),
    Column("expires", Float, nullable=False),
    Column("epoch", Integer, nullable=False),
)
