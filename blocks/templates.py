"""Ready-made reasons to deny, so that a tap says what the requestor can do better. Pure; they decide nothing."""

from __future__ import annotations

from datetime import timedelta

from app.domain.durations import in_words
from app.domain.row import RequestRow

ENOUGH, LITTLE = timedelta(hours=2), timedelta(hours=1)
MISSING_TICKET = "The ticket is missing: ask again with its number."
OTHER_TICKET = "The ticket is not about this: ask again with the right one."
SAY_MORE = "Say more about why: which task, on what, for whom?"


def deny_templates(row: RequestRow) -> tuple[str, ...]:
    """At most three sentences, each short enough for a choice in Slack (75 characters)."""
    ticket = OTHER_TICKET if row.request.ticket.given else MISSING_TICKET
    shorter = _shorter(row)
    return (ticket, *([f"Shorter please: {in_words(shorter)} should do."] if shorter is not None else []), SAY_MORE)


def _shorter(row: RequestRow) -> timedelta | None:
    """What to suggest instead: two hours, or what they usually take if that is less; None where it is short already."""
    asked = row.request.duration
    usual = row.pattern.typical if row.pattern is not None else None
    enough = min(ENOUGH, usual) if usual is not None else ENOUGH
    if asked is None or asked > enough:
        return enough
    return LITTLE if asked > LITTLE else None
