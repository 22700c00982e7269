"""What goes out and comes in over HTTP, as JSON shapes. Names and types are promised; it decides nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from app.domain.durations import iso
from app.domain.levels import Level
from app.domain.request import Kind, Person, Status, Where
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT
from app.ports import Counters, Page, Query

MOST_ROWS = 200
COUNTED_DAYS = 7


def _written(value: object) -> object:
    """Only what looks like a date: a bare number would pass for seconds since 1970."""
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("no time such as 2026-11-23T09:30:00Z, and no date")
    return value


def _moment(value: datetime) -> datetime:
    """In UTC; without a zone it is UTC already."""
    try:
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("no such time in UTC") from None


_DATE = re.compile(r"\d{4}-\d\d-\d\d(?!\d)", re.ASCII)
Moment = Annotated[
    datetime,
    BeforeValidator(_written),
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
]


class Somebody(BaseModel):
    """A person in Entra; `id` is the object id, the rest may be empty."""

    id: str
    name: str
    upn: str
    mail: str


class Named(BaseModel):
    """A role or a scope: what Microsoft calls it, and its name."""

    id: str
    name: str


class TicketNumber(BaseModel):
    """A reference into somebody's ticket system. Nobody has checked it."""

    number: str
    system: str


class RiskShape(BaseModel):
    """How risky it is, and why, the weightiest reason first."""

    level: str = Field(json_schema_extra={"enum": [level.word for level in Level]})
    reasons: list[str]


class DecidedShape(BaseModel):
    """How it ended: by whom (null: Microsoft does not say, or nobody), when, in whose words, and where."""

    by: Somebody | None
    at: datetime
    comment: str
    where: Where


class Item(BaseModel):
    """One activation request. `digest` changes with whatever an approver judges by; `duration` is ISO 8601."""

    id: str
    kind: Kind
    status: Status
    requestor: Somebody
    role: Named
    scope: Named
    duration: str | None
    justification: str
    ticket: TicketNumber | None
    requested: datetime
    expires: datetime | None
    risk: RiskShape
    decided: DecidedShape | None
    activated: datetime | None
    deactivated: datetime | None
    digest: str


class ItemList(BaseModel):
    """A page; `next` is the cursor of the one after it, or null."""

    items: list[Item]
    next: str | None


class OverviewShape(BaseModel):
    """Over what the caller may see: what waits now, and what ended within so many days."""

    pending: int
    approved: int
    denied: int
    expired: int
    days: int = COUNTED_DAYS


class Filters(BaseModel):
    """What narrows a list. Several values of `status` or `kind` mean any of them."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MOST_ROWS)
    cursor: str = Field(default="", max_length=400, description="`next` of the page before.")
    status: list[Status] = Field(default=[], max_length=20)
    kind: list[Kind] = Field(default=[], max_length=20)
    role: str = Field(default="", max_length=200, description="A role's id, or its exact name.")
    requestor: UUID | None = Field(default=None, description="Object id of who asked.")
    approver: UUID | None = Field(default=None, description="Object id of who decided.")
    from_: Moment | None = Field(default=None, alias="from", description="Asked at this time or later.")
    to: Moment | None = Field(default=None, description="Asked before this time.")

    def query(self) -> Query:
        """The same for our memory."""
        return Query(
            statuses=frozenset(self.status),
            kinds=frozenset(self.kind),
            requestor=str(self.requestor or ""),
            decided_by=str(self.approver or ""),
            role=self.role,
            since=self.from_,
            until=self.to,
            limit=self.limit,
            after=self.cursor,
        )


class Approve(BaseModel):
    """An approval. The comment is sent to Microsoft; some roles demand one."""

    model_config = ConfigDict(extra="forbid")

    comment: str | None = Field(default=None, max_length=COMMENT_LIMIT)


class Deny(BaseModel):
    """A denial, and the reason, which the requestor is told."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=COMMENT_LIMIT, pattern=r"\S")


class ProblemShape(BaseModel):
    """RFC 9457 problem details. `code` says in one word what `title` says in some."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def item_of(row: RequestRow) -> Item:
    """A request as it goes out."""
    request = row.request
    return Item(
        id=request.key.id,
        kind=request.key.kind,
        status=row.status,
        requestor=_somebody(request.requestor),
        role=Named(id=request.role.id, name=request.role.label),
        scope=Named(id=request.scope.id, name=request.scope.label),
        duration=iso(request.duration) if request.duration is not None else request.duration_text or None,
        justification=request.justification,
        ticket=_ticket(row),
        requested=request.created,
        expires=request.expires if request.mortal else None,
        risk=RiskShape(level=row.risk.level.word, reasons=list(row.risk.reasons)),
        decided=_decided(row),
        activated=row.holding.activated,
        deactivated=row.holding.deactivated,
        digest=request.digest,
    )


def list_of(page: Page) -> ItemList:
    """A page as it goes out."""
    return ItemList(items=[item_of(row) for row in page.rows], next=page.next or None)


def overview_of(counters: Counters) -> OverviewShape:
    """The counters as they go out."""
    return OverviewShape(
        pending=counters.pending, approved=counters.approved, denied=counters.denied, expired=counters.expired
    )


def _somebody(person: Person) -> Somebody:
    return Somebody(id=person.id, name=person.name, upn=person.upn, mail=person.mail)


def _ticket(row: RequestRow) -> TicketNumber | None:
    ticket = row.request.ticket
    return TicketNumber(number=ticket.number, system=ticket.system) if ticket.number or ticket.system else None


def _decided(row: RequestRow) -> DecidedShape | None:
    decided = row.decided
    if decided is None:
        return None
    by = _somebody(decided.by) if decided.by is not None else None
    return DecidedShape(by=by, at=decided.at, comment=decided.comment, where=decided.where)
