"""One request as one line of an export: what an auditor asks of it, as text. Pure; it reads and writes no file.

Spreadsheets run what begins like a formula, and people and Microsoft wrote these texts: in CSV no cell begins so, also
where the reader's settings part cells at another sign than the comma.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from app.domain.durations import iso
from app.domain.request import Person
from app.domain.row import RequestRow

COLUMNS = (
    *("asked", "decided", "active", "ended", "desk", "role", "scope", "requestor", "duration", "ticket"),
    *(
        "justification",
        "verdict",
        "approver",
        "comment",
        "where_decided",
        "risk_then",
        "request",
        "microsoft_request_id",
    ),
    *("requestor_id", "approver_id", "role_id", "scope_id"),
)
# The full-width twins count too: some spreadsheets take them for the signs they look like.
# A reader with another separator does not heed our quotes either: they may be lost at the start of a cell.
_FORMULA = re.compile(r"""(^|[;,|])(?=["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")
_CONTROLS = re.compile("\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Facts = Mapping[str, str | None]


class Form(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


def facts_of(row: RequestRow, microsoft: str = "") -> dict[str, str | None]:
    """Every column; None is what nobody knows. `microsoft`: what Microsoft called its answer to the decision.

    Times are UTC to the second, `duration` is ISO 8601 as Microsoft writes it.
    """
    request, decided, holding = row.request, row.decided, row.holding
    by = decided.by if decided is not None else None
    return {
        "asked": moment(request.created),
        "decided": moment(decided.at) if decided is not None else None,
        "active": moment(holding.activated),
        "ended": moment(holding.deactivated),
        "desk": request.key.kind.value,
        "role": request.role.label,
        "scope": request.scope.label,
        "requestor": _person(request.requestor),
        "duration": iso(request.duration) if request.duration is not None else request.duration_text or None,
        "ticket": " ".join(part for part in (request.ticket.system, request.ticket.number) if part) or None,
        "justification": request.justification,
        "verdict": row.status.value,
        "approver": _person(by),
        "comment": decided.comment if decided is not None else None,
        "where_decided": decided.where.value if decided is not None else None,
        "risk_then": ": ".join(part for part in (row.risk.level.word, "; ".join(row.risk.reasons)) if part),
        "request": request.key.id,
        "microsoft_request_id": microsoft or None,
        "requestor_id": request.requestor.id or None,
        "approver_id": by.id if by is not None else None,
        "role_id": request.role.id,
        "scope_id": request.scope.id,
    }


def csv_lines(rows: Sequence[Facts]) -> str:
    """The rows in the order of COLUMNS, every cell quoted, lines ended as RFC 4180 has them."""
    return _csv([[cell(row[name] or "") for name in COLUMNS] for row in rows])


def csv_head() -> str:
    """The names of the columns."""
    return _csv([COLUMNS])


def json_lines(objects: Sequence[Mapping[str, object]]) -> str:
    """One object a line, ASCII only: no line separator hides in it, and no terminal obeys it."""
    return "".join(json.dumps(one) + "\n" for one in objects)


def cell(text: str) -> str:
    """The text with blanks for line breaks, tabs and other controls; apostrophes stand before what could be run."""
    return _FORMULA.sub(r"\1'", _CONTROLS.sub(" ", text))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    drawn = io.StringIO()
    csv.writer(drawn, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return drawn.getvalue()


def moment(at: datetime | None) -> str | None:
    """UTC to the second, as every time in an export is written."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at is not None else None


def _person(person: Person | None) -> str | None:
    """`Rob Requestor <rob@example.com>`, or what there is of it."""
    if person is None:
        return None
    known = person.upn or person.mail
    return f"{person.name} <{known}>" if person.name and known else person.label or None
