"""Parts that the rows of every desk share: people, tickets, schedules. Pure; it never calls anybody.

A row becomes a request or is set aside with its id: one that cannot be read never hides the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.durations import parse_duration
from app.domain.errors import Malformed
from app.domain.request import ActivationRequest, Person, Term, Ticket
from app.graph.wire import Json, listed, moment, part, text

Parse = Callable[[Json], ActivationRequest]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one answer: those that were read, and the ids of those that were not, lower case."""

    good: tuple[ActivationRequest, ...] = ()
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a role is to start and for how long; `text` are Microsoft's words where the length cannot be read."""

    start: datetime | None
    length: timedelta | None
    text: str


def parse_rows(rows: Iterable[object], parse: Parse) -> Rows:
    """Every row that can be read. Microsoft names a row by `id`, at ARM by `name`."""
    good: list[ActivationRequest] = []
    broken: list[str] = []
    for row in rows:
        if part(row).get("isValidationOnly") is True:  # a dry run of somebody's form, not a request
            continue
        try:
            good.append(parse(part(row)))
        except Malformed as problem:
            name = (text(part(row).get("name")) or text(part(row).get("id")))[:64].lower()
            broken.append(name)
            log.warning("One row of Microsoft's listing was set aside: %s (id %r)", problem, name)
    return Rows(tuple(good), tuple(broken))


def parse_created(value: object) -> datetime:
    """When it was asked; Malformed without it, since everything is counted from there."""
    created = moment(value)
    if created is None:
        raise Malformed("Microsoft sent a request without a time.")
    return created


def parse_person(raw: Json, oid: str) -> Person:
    """Somebody as Graph describes them; names may be missing."""
    return Person(oid, text(raw.get("displayName")), text(raw.get("userPrincipalName")), text(raw.get("mail")))


def parse_ticket(raw: Json) -> Ticket:
    """A `ticketInfo`."""
    return Ticket(text(raw.get("ticketNumber")), text(raw.get("ticketSystem")))


def parse_schedule(raw: Json, created: datetime) -> Schedule:
    """A `scheduleInfo`: its length as a duration, or up to an end."""
    start = moment(raw.get("startDateTime"))
    expiration = part(raw.get("expiration"))
    words = text(expiration.get("duration"))
    length, until = parse_duration(words), moment(expiration.get("endDateTime"))
    if length is None and until is not None and until > (start or created):
        return Schedule(start, until - (start or created), words)
    return Schedule(start, length, words or text(expiration.get("type")))


def term_among(answer: Json, is_ours: Callable[[Json], bool]) -> Term | None:
    """The term of the instance that is ours in a listing of them; None: there is none now."""
    rows = (part(row) for row in listed(answer.get("value")))
    return next((parse_term(row) for row in rows if is_ours(row)), None)


def schedule_is(row: Json, name: str, request: ActivationRequest) -> bool:
    """Whether an instance came of this request: its schedule, which `name` names, ends in the request's own id."""
    return text(row.get(name)).lower().rpartition("_")[2] == request.key.id


def parse_term(row: Json) -> Term:
    """A schedule instance; Malformed without a start."""
    start = moment(row.get("startDateTime"))
    if start is None:
        raise Malformed("Microsoft sent an active role without its start.")
    return Term(start, moment(row.get("endDateTime")))
