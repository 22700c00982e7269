"""A requestor's habits and their earlier attempt, as JSON in the row of the request that was judged by them.

The row keeps them as they were at that moment, because its card must not change by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.domain.pattern import Held, Hours, Pattern, Resubmission, Use
from app.domain.request import Kind, RequestKey, Status
from app.store.columns import storable

Json = Mapping[str, Any]


def pattern_json(pattern: Pattern | None) -> Json | None:
    """The habits as JSON; moments are ISO 8601, lengths seconds."""
    if pattern is None:
        return None
    return {
        "uses": pattern.uses,
        "last": [[use.at.isoformat(), _seconds(use.length)] for use in pattern.last],
        "typical": _seconds(pattern.typical),
        "hours": [pattern.hours.first, pattern.hours.last] if pattern.hours is not None else None,
        "denials": pattern.denials,
        "counted": pattern.counted,
        "active": [[storable(one.role), storable(one.scope), one.until.isoformat()] for one in pattern.active],
        "since": pattern.since.isoformat() if pattern.since is not None else None,
    }


def read_pattern(stored: Json | None) -> Pattern | None:
    """And back."""
    if stored is None:
        return None
    return Pattern(
        uses=stored["uses"],
        last=tuple(Use(_moment(at), _length(seconds)) for at, seconds in stored["last"]),
        typical=_length(stored["typical"]),
        hours=Hours(*stored["hours"]) if stored["hours"] is not None else None,
        denials=stored["denials"],
        counted=stored["counted"],
        active=tuple(Held(role, scope, _moment(until)) for role, scope, until in stored["active"]),
        since=_moment(stored["since"]) if stored["since"] is not None else None,
    )


def earlier_json(earlier: Resubmission | None) -> Json | None:
    """The earlier attempt as JSON."""
    if earlier is None:
        return None
    return {
        "kind": earlier.key.kind.value,
        "id": earlier.key.id,
        "status": earlier.status.value,
        "at": earlier.at.isoformat(),
        "by": storable(earlier.by),
        "reason": storable(earlier.reason),
        "changed": [storable(change) for change in earlier.changed],
    }


def read_earlier(stored: Json | None) -> Resubmission | None:
    """And back."""
    if stored is None:
        return None
    return Resubmission(
        RequestKey(Kind(stored["kind"]), stored["id"]),
        Status(stored["status"]),
        _moment(stored["at"]),
        stored["by"],
        stored["reason"],
        tuple(stored["changed"]),
    )


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length is not None else None


def _length(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds is not None else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
