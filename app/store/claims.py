"""Claiming a request, letting go of it, and writing down how it ended.

Every step is one conditional update whose row count decides; it never reads a status first and then trusts it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, RowMapping, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.calls import call_name
from app.domain.request import Decided, Kind, Person, RequestKey, Status, Verdict, Where
from app.domain.row import RequestRow
from app.ports import PAUSE, Intent, Outcome
from app.store.audit import AuditTrail, Entry
from app.store.columns import storable
from app.store.remember import set_wanted
from app.store.rows import OPEN, is_request, load_by_key, person_of, person_values
from app.store.tables import cards, intents, notices, requests, switches
from app.store.upserts import insert_into

_OPEN_OUTCOMES = (Outcome.SENDING, Outcome.UNKNOWN)
_PAUSED = select(switches.c.name).where(switches.c.name == PAUSE, switches.c.is_on).exists()
_NOBODY = {"intent_id": None, **person_values("deciding", None)}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended, as told by whom: `intent` is the decision of ours that did it, if one did."""

    key: RequestKey
    status: Status
    decided: Decided
    intent: Intent | None
    now: datetime


async def claim(connection: AsyncConnection, trail: AuditTrail, intent: Intent) -> RequestRow | None:
    """From pending to deciding, and the intent with it; None: decided, paused, or it reads differently now."""
    taken = {
        "status": Status.DECIDING,
        "intent_id": intent.id,
        **person_values("deciding", intent.approver),
        "version": requests.c.version + 1,
    }
    pending = and_(is_request(intent.key), requests.c.status == Status.PENDING)
    unchanged = and_(pending, requests.c.digest == intent.digest, ~_PAUSED)
    version = await connection.scalar(update(requests).where(unchanged).values(**taken).returning(requests.c.version))
    if version is None:
        return None
    values = {**_intent_values(intent), "seal": trail.witness(_witnessed(intent))}
    await connection.execute(insert(intents).values(**values))
    await set_wanted(connection, intent.key, version)
    return (await load_by_key(connection, [intent.key]))[intent.key]


async def sending(connection: AsyncConnection, intent: Intent) -> Intent:
    """Count one more send. An intent that was settled meanwhile comes back with its outcome: then send nothing."""
    going = and_(intents.c.id == intent.id, intents.c.outcome.in_(_OPEN_OUTCOMES))
    counted = {"outcome": Outcome.SENDING, "sent": intents.c.sent + 1}
    await connection.execute(update(intents).where(going).values(**counted))
    stored = (await connection.execute(select(intents).where(intents.c.id == intent.id))).mappings().one()
    return replace(intent, outcome=Outcome(stored["outcome"]), sent=stored["sent"])


async def mark(connection: AsyncConnection, intent: Intent, outcome: Outcome) -> None:
    """What is known of an intent, unless its fate was settled meanwhile."""
    still_open = and_(intents.c.id == intent.id, intents.c.outcome.in_(_OPEN_OUTCOMES))
    answer = {"answer": intent.answer} if intent.answer else {}
    await connection.execute(update(intents).where(still_open).values(outcome=outcome, **answer))


async def release(
    connection: AsyncConnection, trail: AuditTrail, intent: Intent, outcome: Outcome, told: tuple[str, datetime]
) -> None:
    """From deciding to pending, if this intent still holds the claim; `told` is the audit row's note, and when."""
    note, now = told
    held = and_(is_request(intent.key), requests.c.status == Status.DECIDING, requests.c.intent_id == intent.id)
    freed = {**_NOBODY, "status": Status.PENDING, "version": requests.c.version + 1}
    version = await connection.scalar(update(requests).where(held).values(**freed).returning(requests.c.version))
    await mark(connection, intent, outcome)
    if version is None:
        return
    await set_wanted(connection, intent.key, version)
    facts = {**_intent_facts(intent), "outcome": outcome.value, "note": note}
    await trail.append(connection, Entry(now, "released", intent.key, intent.approver.id, facts))


async def settle(connection: AsyncConnection, trail: AuditTrail, ending: Ending, new_id: Callable[[], str]) -> bool:
    """The request is final: row, cards, intents, the requestor's notice and the audit row. False: it was so before."""
    ending = await _as_ours(connection, ending)
    was_open = and_(is_request(ending.key), requests.c.status.in_(_before(ending.status)))
    ended = {**_NOBODY, **_ending_values(ending), "version": requests.c.version + 1}
    final = update(requests).where(was_open).values(**ended)
    row = (await connection.execute(final.returning(requests))).mappings().one_or_none()
    if row is None:
        return False
    await _repaint(connection, ending.key, row["version"])
    beaten = await _close_intents(connection, ending)
    if ending.status is not Status.UNKNOWN:  # nothing to tell yet
        await _owe_outcome(connection, ending, row["requestor_oid"], new_id())
    await trail.append(connection, _ending_entry(ending, row, beaten))
    return True


def _before(status: Status) -> tuple[Status, ...]:
    """From which statuses it may end so: how a request ended that nobody could read may be learned later."""
    return OPEN if status is Status.UNKNOWN else (*OPEN, Status.UNKNOWN)


async def _as_ours(connection: AsyncConnection, ending: Ending) -> Ending:
    """Whoever reads first tells: an ending that an intent of ours brought about was made where that intent was."""
    if ending.intent is not None:
        return ending
    wanted = select(intents).where(_open_intents(ending.key)).order_by(intents.c.at, intents.c.id)
    for row in (await connection.execute(wanted)).mappings().all():
        intent = _to_intent(row)
        if _fate(intent, ending) is Outcome.MINE:
            return replace(ending, intent=intent, decided=replace(ending.decided, where=intent.where))
    return ending


async def unsettled(connection: AsyncConnection, trail: AuditTrail) -> Sequence[Intent]:
    """Intents whose fate is not known, oldest first; each says whether it is the bot's own."""
    wanted = select(intents).where(intents.c.outcome.in_(_OPEN_OUTCOMES)).order_by(intents.c.at, intents.c.id)
    found: list[Intent] = []
    for row in (await connection.execute(wanted)).mappings():
        intent = _to_intent(row)
        genuine = hmac.compare_digest(trail.witness(_witnessed(intent)), row["seal"])
        found.append(replace(intent, genuine=genuine))
    return found


async def _repaint(connection: AsyncConnection, key: RequestKey, version: int) -> None:
    await set_wanted(connection, key, version)
    # A card that nobody ever tried to post stays unposted: no new message about a dead request. One that was tried may
    # stand in Slack without our knowing; it stays behind, so that somebody looks for it.
    unposted = and_(cards.c.kind == key.kind, cards.c.request_id == key.id, cards.c.ts == "", cards.c.tried.is_(False))
    await connection.execute(update(cards).where(unposted).values(painted=version))


async def _close_intents(connection: AsyncConnection, ending: Ending) -> Sequence[Intent]:
    """Those that were sent, and came too late."""
    beaten: list[Intent] = []
    for row in (await connection.execute(select(intents).where(_open_intents(ending.key)))).mappings().all():
        told = ending.intent is not None and ending.intent.id == row["id"]
        intent = ending.intent if ending.intent is not None and told else _to_intent(row)
        fate = _fate(intent, ending)
        await mark(connection, intent, fate)
        if fate is Outcome.THEIRS and intent.sent:
            beaten.append(intent)
    return beaten


def _open_intents(key: RequestKey) -> ColumnElement[bool]:
    of_request = and_(intents.c.kind == key.kind, intents.c.request_id == key.id)
    return and_(of_request, intents.c.outcome.in_(_OPEN_OUTCOMES))


def _fate(intent: Intent, ending: Ending) -> Outcome:
    """Mine when Microsoft names this approver with this verdict.

    A decision without a name is mine only if it is the one the caller speaks of.
    """
    if intent.verdict.status is not ending.status:
        return Outcome.THEIRS
    if ending.decided.by is None:
        told = ending.intent is not None and ending.intent.id == intent.id
        return Outcome.MINE if told else Outcome.THEIRS
    same = ending.decided.by.id.casefold() == intent.approver.id.casefold()
    return Outcome.MINE if same else Outcome.THEIRS


async def _owe_outcome(connection: AsyncConnection, ending: Ending, requestor: str, notice_id: str) -> None:
    key = ending.key
    notice = {
        "id": notice_id,
        "dedupe": f"outcome:{key.kind}:{key.id}",
        "topic": "outcome",
        "kind": key.kind,
        "request_id": key.id,
        "to_slack": "",
        "to_entra": requestor,
        "facts": {"status": ending.status.value},
        "tried": False,
        "owed": ending.now,
    }
    once = insert_into(connection, notices).on_conflict_do_nothing(index_elements=["dedupe"])
    await connection.execute(once.values(**notice))


def _ending_values(ending: Ending) -> dict[str, object]:
    return {
        "status": ending.status,
        "decided_at": ending.decided.at,
        "decided_where": ending.decided.where,
        **person_values("decided", ending.decided.by),
        "decided_comment": ending.decided.comment,
        "remind_due": None,
        "look_due": ending.now if ending.status in (Status.APPROVED, Status.UNKNOWN) else None,
    }


def _ending_entry(ending: Ending, row: RowMapping, beaten: Sequence[Intent]) -> Entry:
    by = ending.decided.by
    facts = {
        "by": by.label if by is not None else "",
        "where": ending.decided.where.value,
        "decided_at": ending.decided.at.isoformat(),
        "comment": ending.decided.comment,
        "requestor": row["requestor_oid"],
        "role": row["role_id"],
        "scope": row["scope_id"],
        "digest": row["digest"],
        "version": str(row["version"]),
        **(_intent_facts(ending.intent) if ending.intent is not None else {}),
        **({"too_late": json.dumps([_intent_facts(one) for one in beaten])} if beaten else {}),
    }
    return Entry(ending.now, ending.status.value, ending.key, by.id if by is not None else "", facts)


def _intent_facts(intent: Intent) -> dict[str, str]:
    """A decision of ours, with how its last call can be found again at Microsoft."""
    names = {"client_request_id": call_name(intent.id, intent.sent)} if intent.sent else {}
    return {**_decision_facts(intent), **names, **({"request_id": intent.answer} if intent.answer else {})}


def _decision_facts(intent: Intent) -> dict[str, str]:
    return {
        "intent": intent.id,
        "verdict": intent.verdict.value,
        "step": intent.step,
        "tenant": intent.tenant,
        "slack_user": intent.slack_user,
        "shown_digest": intent.digest,
        "form": intent.view_id,
        "asked_at": intent.at.isoformat(),
    }


def _intent_values(intent: Intent) -> dict[str, object]:
    return {
        "id": intent.id,
        "kind": intent.key.kind,
        "request_id": intent.key.id,
        "step": intent.step,
        "verdict": intent.verdict,
        "justification": intent.justification,
        "digest": intent.digest,
        **person_values("approver", intent.approver),
        "tenant": intent.tenant,
        "slack_user": intent.slack_user,
        "place": intent.where,
        "at": intent.at,
        "outcome": intent.outcome,
        "sent": intent.sent,
        "view_id": intent.view_id,
        "answer": intent.answer,
    }


def _witnessed(intent: Intent) -> dict[str, str]:
    """What makes an intent a decision, as it is stored: who, what, when, on which request as shown."""
    facts = {
        **_decision_facts(intent),
        "kind": intent.key.kind.value,
        "request_id": intent.key.id,
        "justification": intent.justification,
        "approver": intent.approver.id,
        "place": intent.where.value,
        "asked_at": intent.at.astimezone(UTC).isoformat(),
    }
    return {name: storable(value) for name, value in facts.items()}


def _to_intent(row: RowMapping) -> Intent:
    return Intent(
        id=row["id"],
        key=RequestKey(Kind(row["kind"]), row["request_id"]),
        step=row["step"],
        verdict=Verdict(row["verdict"]),
        justification=row["justification"],
        digest=row["digest"],
        approver=person_of(row, "approver") or Person(""),
        tenant=row["tenant"],
        slack_user=row["slack_user"],
        where=Where(row["place"]),
        at=row["at"],
        outcome=Outcome(row["outcome"]),
        sent=row["sent"],
        view_id=row["view_id"],
        answer=row["answer"],
    )
