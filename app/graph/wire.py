"""Reading Microsoft's JSON without trusting it: ids, times, text. Pure; it never calls anybody.

Unknown words, any letter case, nulls and missing keys are normal here; a row that lacks an id is not (Malformed).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.domain.errors import Malformed

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)
# PostgreSQL refuses NUL, SQLite and JSON refuse lone surrogates: one such row must never stop a poll.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Json = Mapping[str, Any]


def guid(value: object) -> str:
    """An id that may go into a URL: a GUID in lower case, or Malformed. `../../me/sendMail` is not one."""
    if isinstance(value, str) and _GUID.fullmatch(value):
        return value.lower()
    raise Malformed("Microsoft sent an id that is not a GUID.")


def text(value: object) -> str:
    """A string that can be stored; anything else becomes an empty one."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else ""


def part(value: object) -> Json:
    """A nested object, or an empty one when it is null, missing or of another type."""
    return value if isinstance(value, Mapping) else {}


def flag(value: object) -> bool | None:
    """A truth value; None when it is null, missing or of another type."""
    return value if isinstance(value, bool) else None


def last_segment(value: object) -> str:
    """What stands behind the last slash of a path, as text; the whole text when there is none."""
    return text(value).rstrip("/").rpartition("/")[2]


def items(value: object) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def listed(value: object) -> list[Any]:
    """The rows of an answer whose rows are all it is for; Malformed without them: none shown is not none there."""
    if isinstance(value, list):
        return value
    raise Malformed("Microsoft answered without the list that was asked for.")


def moment(value: object) -> datetime | None:
    """A time in aware UTC, from 0 to 9 fraction digits, with or without `Z`; None when there is none to read."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    whole, fraction, zone = match.groups()
    offset = "+00:00" if zone is None or zone in "zZ" else zone
    try:
        parsed = datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6].ljust(6, '0')}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return parsed if 1 < parsed.year < 9999 else None  # noqa: PLR2004 - the years by which .NET writes "never"
