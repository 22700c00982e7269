"""How a request ended, or who is deciding it, in words: for cards, lists, notices and screen readers alike."""

from __future__ import annotations

from datetime import datetime

from slack_sdk.models.blocks import RichTextElement

from app.domain.request import Decided, Status, Where
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT, DEFAULT_COMMENTS
from blocks import text
from blocks.elements import Line, date, own, quote, said, section
from blocks.facts import NAME_LIMIT, taken_away_by, term

_WHERE = {Where.SLACK: "in Slack", Where.API: "through the API", Where.OUTSIDE: "in the portal"}
_WITHOUT_PERSON = {
    Status.CANCELED: "withdrawn by the requestor",
    Status.EXPIRED: "nobody decided in time",
    Status.FAILED: "Microsoft did not activate the role",
    Status.UNKNOWN: "nobody who is signed in may read how",
}


def status_word(status: Status) -> str:
    """`Approved`, as product and portal call it."""
    return "Ended" if status is Status.UNKNOWN else status.value.capitalize()


def outcome(row: RequestRow, now: datetime) -> tuple[RichTextElement, ...]:
    """Who, when, where and why, for every state but pending; nothing for that."""
    if row.status is Status.PENDING:
        return ()
    if row.status is Status.DECIDING:
        return (section(_deciding(row)),)
    course = [term(row, now), taken_away_by(row, now)] if row.status is Status.APPROVED else []
    lines = [ended(row), *course]
    told = section(*(line for line in lines if line))
    return (told, quote(said_why(row), COMMENT_LIMIT)) if said_why(row) else (told,)


def ended(row: RequestRow, name_limit: int = NAME_LIMIT) -> Line:
    """`Approved by Ann Ames in Slack, today 14:02`."""
    word = own(status_word(row.status), bold=True)
    at = (own(", "), date(row.decided.at)) if row.decided is not None else ()
    if row.status in _WITHOUT_PERSON:
        return (word, own(f": {_WITHOUT_PERSON[row.status]}"), *at)
    return (word, *_by(row.decided, name_limit), *at)


def said_why(row: RequestRow) -> str:
    """The decider's comment, untrusted; empty when there is none or we wrote it for them."""
    comment = row.decided.comment.strip() if row.decided is not None else ""
    return "" if comment in DEFAULT_COMMENTS.values() else comment


def ended_text(row: RequestRow, now: datetime, limit: int = COMMENT_LIMIT) -> str:
    """The same in one escaped string for fallback texts: `approved 14:02 UTC by Ann Ames in Slack: comment`."""
    decided = row.decided
    words = row.status.value if decided is None else f"{row.status.value} {text.hour(decided.at, now)}"
    if row.status in _WITHOUT_PERSON:
        words += f" ({_WITHOUT_PERSON[row.status]})"
    elif decided is not None:
        name = text.escaped(decided.by.label, NAME_LIMIT) if decided.by is not None else ""
        words += f" by {name} {_WHERE[decided.where]}" if name else f" {_WHERE[decided.where]}"
    why = text.escaped(said_why(row), limit)
    return f"{words}: {why}" if why else words


def _deciding(row: RequestRow) -> Line:
    person = row.deciding
    name = said(person.label, NAME_LIMIT, bold=True) if person is not None else own("Somebody", bold=True)
    return (name, own(" is deciding this right now. The decision is on its way to Microsoft."))


def _by(decided: Decided | None, name_limit: int) -> Line:
    if decided is None:
        return ()
    where = _WHERE[decided.where]
    if decided.by is None:
        return (own(f" {where} (Microsoft does not show us by whom)"),)
    return (own(" by "), said(decided.by.label, name_limit, bold=True), own(f" {where}"))
