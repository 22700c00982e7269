"""Every table, as data. It runs no query. Migrations do not import it: they are frozen, and a test compares the two.

Those of sign-in, direct messages, reminders and of running stand in modules of their own. Names of people, roles and
scopes are copied into the row: history must read as it was, without asking anybody.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, text

from app.store.attention_tables import calls, homes, looks, offers, questions, removals, withdrawals
from app.store.columns import Seconds
from app.store.direct_tables import direct_copies, directs
from app.store.reminder_tables import preferences, reminded
from app.store.running_tables import gaps, leases, outages, sights, switches
from app.store.sign_in_tables import link_history, links, sign_in_flows, waiting_decisions
from app.store.table_parts import index_of_known, metadata, of_request, person_columns, text_column, time_column

__all__ = [
    "audit",
    "audit_head",
    "calls",
    "cards",
    "channel_notes",
    "direct_copies",
    "directs",
    "gaps",
    "homes",
    "inbox",
    "intents",
    "leases",
    "link_history",
    "links",
    "looks",
    "metadata",
    "modals",
    "notices",
    "offers",
    "outages",
    "preferences",
    "questions",
    "reminded",
    "removals",
    "requests",
    "sightings",
    "sights",
    "sign_in_flows",
    "switches",
    "waiting_decisions",
    "withdrawals",
]

# Never deleted: this is what history reads. `intent_id` and `deciding_*` name the claim while one is held.
requests = Table(
    "requests",
    metadata,
    text_column("kind", key=True),
    text_column("id", key=True),
    text_column("native_status"),
    text_column("action"),
    *person_columns("requestor"),
    text_column("created_by"),
    text_column("role_id"),
    text_column("role_name"),
    Column("role_built_in", Boolean),
    Column("role_privileged", Boolean),
    text_column("role_path"),
    text_column("scope_id"),
    text_column("scope_name"),
    text_column("justification"),
    text_column("ticket_number"),
    text_column("ticket_system"),
    time_column("requested"),
    time_column("start", null=True),
    Column("duration", Seconds),
    text_column("duration_text"),
    text_column("approval_id"),
    text_column("digest"),
    Column("risk_level", Integer, nullable=False),
    Column("risk_reasons", JSON, nullable=False),
    Column("risk_rules", Integer, nullable=False),
    Column("risk_fired", JSON, nullable=False),
    # What was known of the requestor when the request was judged.
    Column("pattern", JSON(none_as_null=True)),
    Column("earlier", JSON(none_as_null=True)),
    Column("account_enabled", Boolean),
    Column("policy_comment", Boolean),
    Column("policy_ticket", Boolean),
    Column("policy_longest", Seconds),
    Column("policy_more", JSON, nullable=False),
    text_column("status"),
    Column("version", Integer, nullable=False),
    time_column("first_seen"),
    text_column("intent_id", null=True),
    *person_columns("deciding", null=True),
    time_column("decided_at", null=True),
    text_column("decided_where", null=True),
    *person_columns("decided", null=True),
    text_column("decided_comment", null=True),
    # How long an approved role is held, and when to look at it again; NULL: never.
    time_column("activated", null=True),
    time_column("active_until", null=True),
    time_column("deactivated", null=True),
    text_column("ended_how", null=True),
    Column("missed", Integer, nullable=False),
    time_column("look_due", null=True),
    # When its card reads differently by itself; NULL: never again.
    time_column("fuse_due", null=True),
    # Who took the approved role away again, here, and when Microsoft took it from them.
    *person_columns("removed", null=True),
    time_column("removed_at", null=True),
    # When to see whether somebody is to be reminded; when the first of its approvers is back, while all are away.
    time_column("remind_due", null=True),
    time_column("away_until", null=True),
    # When its requestor last had the approvers asked again.
    time_column("nudged", null=True),
    # What could not be confirmed of an open request.
    Column("absences", Integer, nullable=False),
    Column("uncheckable", Boolean, nullable=False),
    Column("stale", Boolean, nullable=False),
    # Who the requestor is in Slack, and when that was last asked; NULL: not yet.
    text_column("match_how"),
    text_column("match_slack"),
    text_column("match_everyday"),
    time_column("matched_at", null=True),
)
# Each is read backwards for "newest first"; kind and id make the order total, so that a page cursor is exact.
Index("requests_newest", requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_status", requests.c.status, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_requestor", requests.c.requestor_oid, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_slack", requests.c.match_slack, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_creator", requests.c.created_by, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_decider", requests.c.decided_oid, requests.c.requested, requests.c.kind, requests.c.id)
# Most people ever only approved or denied, so that other words find nothing in a long list of decisions.
Index(
    "requests_by_decider_status",
    requests.c.decided_oid,
    requests.c.status,
    requests.c.requested,
    requests.c.kind,
    requests.c.id,
)
Index("requests_by_kind", requests.c.kind, requests.c.requested, requests.c.id)
Index("requests_by_role", requests.c.role_id, requests.c.requested, requests.c.kind, requests.c.id)
Index("requests_by_role_name", requests.c.role_name, requests.c.requested, requests.c.kind, requests.c.id)
index_of_known("requests_look_due", requests.c.look_due)
index_of_known("requests_fuse_due", requests.c.fuse_due)
index_of_known("requests_remind_due", requests.c.remind_due)
index_of_known("requests_by_end", requests.c.active_until)
# With everything that the overview asks of a row, so that a week is counted without reading a row.
Index(
    "requests_ended",
    requests.c.status,
    requests.c.decided_at,
    requests.c.kind,
    requests.c.id,
    requests.c.requestor_oid,
    requests.c.created_by,
    requests.c.decided_oid,
)

# Whose own listing held the request. `requested` is a copy, so that one person's history is one index walk.
sightings = Table(
    "sightings",
    metadata,
    text_column("kind", key=True),
    text_column("request_id", key=True),
    text_column("oid", key=True),
    time_column("requested"),
    of_request(),
)
Index("sightings_by_person", sightings.c.oid, sightings.c.requested, sightings.c.kind, sightings.c.request_id)
Index("sightings_by_person_kind", sightings.c.oid, sightings.c.kind, sightings.c.requested, sightings.c.request_id)

# `wanted` and `requested` are copies from the row, so that "behind" and "newest in this channel" are index walks too.
# `occasion` is why a copy is one person's own message; it is empty for a channel's card.
cards = Table(
    "cards",
    metadata,
    text_column("id", key=True),
    text_column("kind"),
    text_column("request_id"),
    text_column("channel"),
    text_column("ts"),
    text_column("token"),
    text_column("digest"),
    Column("painted", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("tried", Boolean, nullable=False),
    time_column("requested"),
    text_column("occasion"),
    of_request(),
)
Index("cards_by_channel", cards.c.channel, cards.c.requested, cards.c.kind, cards.c.request_id)
Index("cards_by_channel_kind", cards.c.channel, cards.c.kind, cards.c.requested, cards.c.request_id)
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
    text_column("token", key=True),
    text_column("kind"),
    text_column("request_id"),
    text_column("digest"),
    text_column("verdict"),
    text_column("team"),
    text_column("slack_user"),
    text_column("channel"),
    text_column("ts"),
    time_column("opened"),
    of_request(),
)

inbox = Table(
    "inbox",
    metadata,
    text_column("key", key=True),
    text_column("what"),
    text_column("slack_user"),
    time_column("taken"),
    text_column("outcome", null=True),
    time_column("closed", null=True),
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
    text_column("id", key=True),
    text_column("kind"),
    text_column("request_id"),
    text_column("step"),
    text_column("verdict"),
    text_column("justification"),
    text_column("digest"),
    *person_columns("approver"),
    text_column("tenant"),
    text_column("slack_user"),
    text_column("place"),
    time_column("at"),
    text_column("seal"),
    text_column("answer"),
    text_column("outcome"),
    Column("sent", Integer, nullable=False),
    text_column("view_id"),
    of_request(),
)
Index("intents_of_request", intents.c.kind, intents.c.request_id)
Index("intents_by_outcome", intents.c.outcome, intents.c.at)

# Append-only: triggers refuse updates and deletes. Time and facts are text, sealed and verified letter by letter, so
# that a row somebody garbled still reads. `audit_head` has one row, and locking it makes appends a queue.
audit = Table(
    "audit",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    text_column("at"),
    text_column("what"),
    text_column("kind"),
    text_column("request_id"),
    text_column("who"),
    text_column("facts"),
    text_column("prev_mac"),
    text_column("mac"),
)
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    text_column("mac"),
)

notices = Table(
    "notices",
    metadata,
    text_column("id", key=True),
    text_column("dedupe"),
    text_column("topic"),
    text_column("kind", null=True),
    text_column("request_id", null=True),
    text_column("to_slack"),
    text_column("to_entra"),
    Column("facts", JSON, nullable=False),
    Column("tried", Boolean, nullable=False),
    time_column("owed"),
    time_column("closed", null=True),
    text_column("note", null=True),
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
    text_column("topic", key=True),
    text_column("text"),
    Column("button", Boolean, nullable=False),
    Column("standing", Boolean, nullable=False),
    text_column("channel"),
    text_column("ts"),
    Column("version", Integer, nullable=False),
    Column("painted", Integer, nullable=False),
    Column("tried", Boolean, nullable=False),
)
