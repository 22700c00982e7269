"""Where a page of history ended, as opaque text. What comes back may be anybody's invention: it is never trusted."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import NamedTuple

from app.domain.request import Kind
from app.domain.row import RequestRow

LONGEST = 400  # characters of a cursor worth reading


class Place(NamedTuple):
    """The last row already shown, by the columns history is ordered by."""

    requested: datetime
    kind: str
    id: str


def write_cursor(row: RequestRow) -> str:
    """The cursor of this row, base64url without padding."""
    told = [row.request.created.astimezone(UTC).isoformat(), row.key.kind.value, row.key.id]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def read_cursor(text: str) -> Place | None:
    """The place it names, or None (the first page) when it is empty or not one of ours."""
    if not text or len(text) > LONGEST or not text.isascii():
        return None
    try:
        told = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        requested, kind, id_ = told
        place = Place(datetime.fromisoformat(requested).astimezone(UTC), Kind(kind).value, str(id_))
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None
    return place if place.id.isprintable() else None
