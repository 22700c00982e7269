"""How long a service asks us to wait: seconds, milliseconds, or a date against the service's own clock. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0  # seconds; a longer wait is clamped
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")  # Azure's own; they are the finer ones where both stand


def asked_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from 0 to an hour, or None where the headers ask for nothing that can be read.

    `headers`: names in any case; `now`: aware, only for a date in an answer that does not tell its own.
    """
    told = {name.lower(): value.strip() for name, value in headers.items()}
    for name in _MILLISECONDS:
        if re.fullmatch(r"\d{1,12}", told.get(name, ""), re.ASCII):
            return min(float(told[name]) / 1000, LONGEST_WAIT)
    value = told.get("retry-after", "")
    if re.fullmatch(r"\d{1,12}", value, re.ASCII):
        return min(float(value), LONGEST_WAIT)
    until, server = _date(value), _date(told.get("date", ""))
    return min(max((until - (server or now)).total_seconds(), 0.0), LONGEST_WAIT) if until is not None else None


def _date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
