"""Rows of the requests table become RequestRow values, and back. It decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Select, Table, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.lifecycle import Doubt, Holding, HowEnded, Removed
from app.domain.match import How, Match
from app.domain.request import (
    ActivationRequest,
    Decided,
    Kind,
    Person,
    PolicyFacts,
    RequestKey,
    Role,
    Scope,
    Status,
    Ticket,
    Where,
)
from app.domain.risk import Level, Risk
from app.domain.row import Looking, Question, RequestRow
from app.ports import PAUSE, Seen
from app.store.columns import storable
from app.store.patterns import earlier_json, pattern_json, read_earlier, read_pattern
from app.store.tables import cards, looks, questions, requests, sightings, switches, waiting_decisions

T = TypeVar("T")
CHUNK = 500  # keys in one IN list
OPEN = tuple(status for status in Status if status.open)
IS_OPEN: ColumnElement[bool] = requests.c.status.in_(OPEN)


async def load_rows(connection: AsyncConnection, wanted: Select[Any]) -> list[RequestRow]:
    """The requests a SELECT of the requests table finds, in its order, with who sees them and where their cards are.

    The pause and who is verifying are read after the rows: a row that knows of them too early is painted once more,
    never once too little.
    """
    found = (await connection.execute(wanted)).mappings().all()
    keys = [key_of(row) for row in found]
    approvers = await _marks(connection, sightings, sightings.c.oid, keys)
    channels = await _marks(connection, cards, cards.c.channel, keys)
    paused = await _paused(connection) if found else ""
    pending = [key_of(row) for row in found if row["status"] == Status.PENDING]
    verifying = await _verifying(connection, pending)
    looking, asked = await _looking(connection, pending), await _asked(connection, pending)
    rows = [_to_row(row, approvers[key_of(row)], channels[key_of(row)]) for row in found]
    return [
        replace(
            row,
            paused=paused,
            verifying=verifying.get(row.key),
            looking=looking.get(row.key, ()),
            questions=asked.get(row.key, ()),
        )
        for row in rows
    ]


async def load_by_key(connection: AsyncConnection, keys: Collection[RequestKey]) -> dict[RequestKey, RequestRow]:
    """These requests, by key; unknown ones are missing."""
    rows: dict[RequestKey, RequestRow] = {}
    for chunk in chunks(keys):
        found = await load_rows(connection, select(requests).where(among(requests.c.kind, requests.c.id, chunk)))
        rows.update((row.key, row) for row in found)
    return {key: rows[key] for key in keys if key in rows}


def is_request(key: RequestKey) -> ColumnElement[bool]:
    """The row of this request."""
    return and_(requests.c.kind == key.kind, requests.c.id == key.id)


def among(kind: Any, id_: Any, keys: Collection[RequestKey]) -> ColumnElement[bool]:  # noqa: ANN401 - columns
    """Rows of these requests; callers look at the exact key again.

    Two lists instead of a list of pairs: both databases then walk the index.
    """
    return and_(kind.in_({key.kind for key in keys}), id_.in_([key.id for key in keys]))


def chunks(items: Iterable[T]) -> Iterable[list[T]]:
    """Lists of at most CHUNK items."""
    left = iter(items)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def key_of(row: RowMapping) -> RequestKey:
    """Which request a row of the requests table is."""
    return RequestKey(Kind(row["kind"]), row["id"])


def values_of(seen: Seen) -> dict[str, Any]:
    """What a listing says, as columns: everything but the key, the status and our own bookkeeping."""
    request, risk, policy = seen.request, seen.risk, seen.policy
    values: dict[str, Any] = {
        **person_values("requestor", request.requestor),
        "native_status": request.native_status,
        "action": request.action,
        "created_by": request.created_by,
        "role_id": request.role.id,
        "role_name": request.role.name,
        "role_built_in": request.role.built_in,
        "role_privileged": request.role.privileged,
        "role_path": request.role.path,
        "scope_id": request.scope.id,
        "scope_name": request.scope.name,
        "justification": request.justification,
        "ticket_number": request.ticket.number,
        "ticket_system": request.ticket.system,
        "requested": request.created,
        "start": request.start,
        "duration": request.duration,
        "duration_text": request.duration_text,
        "approval_id": request.approval_id,
        "digest": request.digest,
        "risk_level": int(risk.level),
        "risk_reasons": list(risk.reasons),
        "risk_rules": risk.rules,
        "risk_fired": list(risk.fired),
        "pattern": pattern_json(seen.pattern),
        "earlier": earlier_json(seen.earlier),
        "policy_comment": policy.comment_required,
        "policy_ticket": policy.ticket_required,
        "policy_longest": policy.longest,
        "policy_more": policy_json(policy),
        # It is listed, whatever was doubted before.
        "absences": 0,
        "uncheckable": False,
        **({"stale": seen.stale} if seen.stale is not None else {}),
        # An account that could not be read this time reads as it did.
        **({"account_enabled": seen.enabled} if seen.enabled is not None else {}),
    }
    # As the database will give it back: otherwise an unstorable character would look like a change for ever.
    return {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}


def policy_json(policy: PolicyFacts) -> dict[str, Any]:
    """Those of PIM's settings that no query asks for."""
    approvers = policy.approvers
    return {
        "justification": policy.justification_required,
        "context": policy.context,
        "approvers": [[storable(part) for part in _parts(person)] for person in approvers]
        if approvers is not None
        else None,
        "by_default": policy.by_default,
    }


def request_of(row: RowMapping) -> ActivationRequest:
    """The request a row of the requests table tells of."""
    return ActivationRequest(
        key=key_of(row),
        native_status=row["native_status"],
        action=row["action"],
        requestor=person_of(row, "requestor") or Person(""),
        created_by=row["created_by"],
        role=Role(row["role_id"], row["role_name"], row["role_built_in"], row["role_privileged"], row["role_path"]),
        scope=Scope(row["scope_id"], row["scope_name"]),
        justification=row["justification"],
        ticket=Ticket(row["ticket_number"], row["ticket_system"]),
        created=row["requested"],
        start=row["start"],
        duration=row["duration"],
        duration_text=row["duration_text"],
        approval_id=row["approval_id"],
    )


def match_values(match: Match) -> dict[str, Any]:
    """Who a requestor is in Slack, as columns."""
    return {"match_how": match.how, "match_slack": match.slack_user, "match_everyday": match.everyday}


def person_values(prefix: str, person: Person | None) -> dict[str, str | None]:
    """A person as four columns; nobody is four NULLs."""
    names = (f"{prefix}_oid", f"{prefix}_name", f"{prefix}_upn", f"{prefix}_mail")
    if person is None:
        return dict.fromkeys(names)
    return dict(zip(names, _parts(person), strict=True))


def _parts(person: Person) -> tuple[str, str, str, str]:
    return person.id, person.name, person.upn, person.mail


def person_of(row: RowMapping, prefix: str) -> Person | None:
    """And back."""
    oid = row[f"{prefix}_oid"]
    if oid is None:
        return None
    return Person(oid, row[f"{prefix}_name"], row[f"{prefix}_upn"], row[f"{prefix}_mail"])


async def _paused(connection: AsyncConnection) -> str:
    """Why nothing is decided here right now, or an empty string."""
    wanted = select(switches.c.reason).where(switches.c.name == PAUSE, switches.c.is_on)
    reason = await connection.scalar(wanted)
    return "" if reason is None else reason or "no reason given"


async def _verifying(connection: AsyncConnection, keys: Sequence[RequestKey]) -> Mapping[RequestKey, Person]:
    """Whose decision waits for a sign-in; of several the one who began last."""
    people: dict[RequestKey, Person] = {}
    for chunk in chunks(keys):
        these = among(waiting_decisions.c.kind, waiting_decisions.c.request_id, chunk)
        wanted = select(waiting_decisions).where(waiting_decisions.c.done_at.is_(None), these)
        for row in (await connection.execute(wanted.order_by(waiting_decisions.c.asked_at))).mappings():
            person = person_of(row, "person")
            if person is not None:
                people[RequestKey(Kind(row["kind"]), row["request_id"])] = person
    return people


async def _asked(connection: AsyncConnection, keys: Sequence[RequestKey]) -> Mapping[RequestKey, tuple[Question, ...]]:
    """What their requestors were asked, the latest last."""
    found: defaultdict[RequestKey, tuple[Question, ...]] = defaultdict(tuple)
    for chunk in chunks(keys):
        these = and_(among(questions.c.kind, questions.c.request_id, chunk), questions.c.text != "")
        for row in (await connection.execute(select(questions).where(these).order_by(questions.c.asked_at))).mappings():
            asker = person_of(row, "asker") or Person("")
            key = RequestKey(Kind(row["kind"]), row["request_id"])
            found[key] += (Question(asker.label, row["text"], row["answer"]),)
    return found


async def _looking(connection: AsyncConnection, keys: Sequence[RequestKey]) -> Mapping[RequestKey, tuple[Looking, ...]]:
    """Who said that they are looking, the latest last."""
    people: defaultdict[RequestKey, tuple[Looking, ...]] = defaultdict(tuple)
    for chunk in chunks(keys):
        wanted = select(looks).where(among(looks.c.kind, looks.c.request_id, chunk)).order_by(looks.c.since)
        for row in (await connection.execute(wanted)).mappings():
            person = person_of(row, "person") or Person("")
            people[RequestKey(Kind(row["kind"]), row["request_id"])] += (Looking(person, row["since"]),)
    return people


async def _marks(
    connection: AsyncConnection, table: Table, mark: ColumnElement[str], keys: Sequence[RequestKey]
) -> Mapping[RequestKey, frozenset[str]]:
    marks: defaultdict[RequestKey, frozenset[str]] = defaultdict(frozenset)
    for chunk in chunks(keys):
        wanted = select(table.c.kind, table.c.request_id, mark)
        found = await connection.execute(wanted.where(among(table.c.kind, table.c.request_id, chunk)))
        for kind, id_, value in found:
            marks[RequestKey(Kind(kind), id_)] |= {value}
    return marks


def _to_row(row: RowMapping, approvers: frozenset[str], channels: frozenset[str]) -> RequestRow:
    return RequestRow(
        request_of(row),
        Status(row["status"]),
        Risk(Level(row["risk_level"]), tuple(row["risk_reasons"]), row["risk_rules"], tuple(row["risk_fired"])),
        row["version"],
        policy=policy_of(row),
        approvers=approvers,
        channels=channels,
        deciding=person_of(row, "deciding"),
        decided=_decided(row),
        holding=holding_of(row),
        match=Match(How(row["match_how"]), row["match_slack"], row["match_everyday"]),
        doubt=Doubt(row["absences"], row["uncheckable"]),
        stale=row["stale"],
        pattern=read_pattern(row["pattern"]),
        earlier=read_earlier(row["earlier"]),
        away_until=row["away_until"],
        removed=_removed(row),
        nudged_at=row["nudged"],
        enabled=row["account_enabled"],
    )


def _removed(row: RowMapping) -> Removed | None:
    by, at = person_of(row, "removed"), row["removed_at"]
    return Removed(by, at) if by is not None and at is not None else None


def policy_of(row: RowMapping) -> PolicyFacts:
    """What PIM's settings said when the request was last listed."""
    more = row["policy_more"]
    approvers = more.get("approvers")
    return PolicyFacts(
        row["policy_comment"],
        row["policy_ticket"],
        row["policy_longest"],
        justification_required=more.get("justification"),
        context=more.get("context"),
        approvers=tuple(Person(*person) for person in approvers) if approvers is not None else None,
        by_default=more.get("by_default", False),
    )


def holding_of(row: RowMapping) -> Holding:
    """How long an approved role is held, as far as Microsoft has shown."""
    how = HowEnded(row["ended_how"]) if row["ended_how"] is not None else None
    return Holding(row["activated"], row["active_until"], row["deactivated"], how, row["missed"])


def holding_values(holding: Holding) -> dict[str, Any]:
    """How long a role is held, as columns."""
    return {
        "activated": holding.activated,
        "active_until": holding.until,
        "deactivated": holding.deactivated,
        "ended_how": holding.how,
        "missed": holding.missed,
    }


def _decided(row: RowMapping) -> Decided | None:
    if row["decided_at"] is None:
        return None
    return Decided(
        row["decided_at"], Where(row["decided_where"]), person_of(row, "decided"), row["decided_comment"] or ""
    )
