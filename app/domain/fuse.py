"""How long an undecided request still lives, in the few words a card shows. Pure.

A card is repainted only when these words change: it never ticks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# How long before its end a card says what: the longest first.
THRESHOLDS = (
    (timedelta(hours=4), "under 4 hours left"),
    (timedelta(hours=1), "under 1 hour left"),
    (timedelta(minutes=15), "under 15 minutes left"),
)
LAST_CALL = timedelta(minutes=15)


def left(expires: datetime, now: datetime) -> str:
    """`under 1 hour left`; empty while there is plenty, and when it is over."""
    if now >= expires:
        return ""
    return next((words for span, words in reversed(THRESHOLDS) if now >= expires - span), "")


def next_burn(expires: datetime, now: datetime) -> datetime | None:
    """The next moment at which a card reads differently, its end included; None once that is over."""
    moments = (*(expires - span for span, _ in THRESHOLDS), expires)
    return next((moment for moment in moments if moment > now), None)
