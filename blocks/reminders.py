"""Direct messages in which an approver decides: one request in full, or several with a button each, as they are now.

They are edited until every request in them has ended, so that no button outlives its request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock
from slack_sdk.models.blocks import RichTextElement

from app.domain.request import Status
from app.domain.row import RequestRow
from blocks import ids
from blocks.card import decide_buttons
from blocks.elements import (
    Line,
    actions,
    button,
    date,
    labelled,
    link,
    link_button,
    own,
    quote,
    rich,
    said,
    section,
    wire,
)
from blocks.facts import NAME_LIMIT, asked, justification, length, papers, reasons, risk_words
from blocks.links import GLOBAL, Portal
from blocks.message import Message
from blocks.outcome import ended, outcome
from blocks.rows import history_text
from blocks.sentence import head, sentence
from blocks.text import when

NOTHING_LEFT = "There is nothing left to decide here."
ASKED_AGAIN = "The requestor asks you to look at this request."
STILL_WAITS = "This request still waits for a decision."

# Slack refuses a message whose blocks hold some 13,000 characters in all, hence so few, and short names among several.
MOST_WITH_BUTTONS = 5
MOST_LINES = 8
_NAME_LIMIT = 40
_CLOSED_LIMIT = 200
_REASON_LIMIT = 90
_ALONE_REASON_LIMIT = 200
_ALONE_REASONS = 3


@dataclass(frozen=True, slots=True)
class Item:
    """One request in such a message.

    `token` is what its buttons carry; `card_url` is empty while its card stands nowhere, `ticket_url` where no address
    is known; `closed` says why it is decided in the portal only, or nothing.
    """

    row: RequestRow
    token: str
    card_url: str = ""
    closed: str = ""
    ticket_url: str = ""

    def open(self, now: datetime) -> bool:
        """Whether somebody may still decide it, as far as we know."""
        return self.row.status.open and (not self.row.request.mortal or now < self.row.request.expires)


def deciding_message(headline: str, items: Sequence[Item], *, now: datetime, portal: Portal = GLOBAL) -> Message:
    """What waits for this person, in the order given. `headline`: why they get it; it goes when nothing is left."""
    words = headline if any(item.open(now) for item in items) else NOTHING_LEFT
    why = rich(section((own(words, bold=True),)), block_id=ids.block("told", sum(item.row.version for item in items)))
    shown = _alone(items[0], now, portal) if len(items) == 1 else _among(items, now, portal)
    return Message(_listed(words, items, now), wire(why, *shown))


def plain_message(items: Sequence[Item], *, now: datetime, portal: Portal = GLOBAL) -> Message:
    """The same in words, for the day Slack refuses the blocks; it has rich text too, since edits must keep that."""
    kinds = dict.fromkeys(item.row.key.kind for item in items)
    ways = [link_button(ids.PORTAL, "Open portal", portal.decide(kind)) for kind in kinds]
    blocks = wire(
        rich(section((own(_TOO_LONG),))),
        *(actions(ids.block(f"portal{number}"), way) for number, way in enumerate(ways)),
    )
    return Message(_listed(_TOO_LONG, items, now), blocks)


def unreachable_note(row: RequestRow, why: str) -> Message:
    """Below a card: nobody could be reminded in person, and why."""
    words = f"Nobody could be reminded of this request in person: {_WHY_NOBODY.get(why, _WHY_NOBODY['unknown'])}."
    request = row.request
    until = (own(" "), *labelled("Decide by", date(request.expires))) if request.mortal else ()
    said_when = f" Decide by {when(request.expires)}." if request.mortal else ""
    return Message(f"{words}{said_when}", wire(rich(section((own(words), *until)))))


def many_wait(count: int) -> str:
    """The headline of a reminder."""
    return STILL_WAITS if count == 1 else f"{count} requests still wait for a decision."


def _alone(item: Item, now: datetime, portal: Portal) -> Iterable[SlackBlock | None]:
    row = item.row
    way = (section((link(item.card_url, "Open the card"),)),) if item.card_url else ()
    if not _waits(item, now):
        told = outcome(row, now) or (section((own(_OVER),)),)
        return [rich(_role(row), asked(row, now), *told, *way)]
    return [
        rich(_role(row), asked(row, now)),
        rich(*justification(row, _ALONE_REASON_LIMIT)),
        rich(papers(row, now, deadline=True, ticket_url=item.ticket_url), *reasons(row, _ALONE_REASONS), *way),
        _remark(item, 0),
        _buttons(item, 0, portal, alone=True),
    ]


def _role(row: RequestRow) -> RichTextElement:
    return section((own(f"{risk_words(row.risk.level)} · "), said(row.request.what, NAME_LIMIT, bold=True)))


def _among(items: Sequence[Item], now: datetime, portal: Portal) -> Iterable[SlackBlock | None]:
    """In order; the first few that wait have buttons, the others a line each, and what has no room is counted."""
    buttons = [number for number, item in enumerate(items) if _waits(item, now)][:MOST_WITH_BUTTONS]
    lines = [number for number in range(len(items)) if number not in buttons][:MOST_LINES]
    for number, item in enumerate(items):
        if number in buttons:
            yield rich(section(*_facts(item)), quote(item.row.request.justification, _REASON_LIMIT))
            yield _remark(item, number)
            yield _buttons(item, number, portal, alone=False)
        elif number in lines:
            yield rich(section(_line(item, now)))
    more = len(items) - len(buttons) - len(lines)
    if more:
        yield rich(section((own(f"… and {more} more: see /pim pending."),)))


def _waits(item: Item, now: datetime) -> bool:
    return item.row.status is Status.PENDING and item.open(now)


def _facts(item: Item) -> list[Line]:
    row, request = item.row, item.row.request
    duration = said(length(request.duration, request.duration_text), _NAME_LIMIT)
    ticket = said(request.ticket.number, _NAME_LIMIT) if request.ticket.given else own("no ticket")
    return [
        (own(f"{risk_words(row.risk.level)} · "), said(request.what, _NAME_LIMIT, bold=True)),
        (said(request.requestor.label, _NAME_LIMIT), own(" · "), duration, own(" · "), ticket),
        labelled("Scope", said(request.scope.label, _NAME_LIMIT)),
        *([labelled("Decide by", date(request.expires))] if request.mortal else []),
        *([(link(item.card_url, "Open the card"),)] if item.card_url else []),
    ]


def _line(item: Item, now: datetime) -> Line:
    """What it is, and how it stands or the way to it."""
    row, request = item.row, item.row.request
    named = (said(request.what, _NAME_LIMIT, bold=True), own(" · "), said(request.requestor.label, _NAME_LIMIT))
    if not row.status.open:
        return (*named, own(" · "), *ended(row, _NAME_LIMIT))
    if row.status is Status.DECIDING:
        name = row.deciding.label if row.deciding is not None else "Somebody"
        return (*named, own(" · "), said(name, _NAME_LIMIT), own(" is deciding it right now"))
    if not item.open(now):
        return (*named, own(" · the 24 hours are over"))
    return (*named, *((own(" · "), link(item.card_url, "Open the card")) if item.card_url else ()))


def _remark(item: Item, number: int) -> SlackBlock | None:
    if not item.closed:
        return None
    return rich(section((said(item.closed, _CLOSED_LIMIT),)), block_id=ids.block(f"remark{number}", item.row.version))


def _buttons(item: Item, number: int, portal: Portal, *, alone: bool) -> SlackBlock:
    """Alone the same as on its card; among others there is room for the two that decide."""
    row, portal_url = item.row, portal.decide(item.row.key.kind)
    block_id = ids.block(f"decide{number}", row.version)
    if item.closed or not row.request.decidable:
        return actions(block_id, link_button(ids.PORTAL, "Open portal", portal_url))
    if alone:
        return decide_buttons(row, item.token, portal_url, block_id)
    what = f"{row.request.what} for {row.request.requestor.label}"
    return actions(
        block_id,
        button(ids.APPROVE, "Approve…", item.token, label=f"Approve {what}"),
        button(ids.DENY, "Deny…", item.token, label=f"Deny {what}"),
    )


def _listed(words: str, items: Sequence[Item], now: datetime) -> str:
    if len(items) == 1:
        return f"{words}\n{sentence(items[0].row, now)}"
    return "\n".join((words, *(_text(item.row, now) for item in items[: MOST_WITH_BUTTONS + MOST_LINES])))


def _text(row: RequestRow, now: datetime) -> str:
    return head(row, now) if row.status is Status.PENDING else history_text(row, now)


_TOO_LONG = "This message about requests could not be shown in full; their cards and the portal show them."
_WHY_NOBODY = {
    "unknown": "nobody here knows who may approve it",
    "not_in_slack": "none of those who may approve it is known in Slack",
    "away": "those who may approve it are away, or take no reminders",
    "crowd": "too many people may approve it to tell each of them",
}
_OVER = "The 24 hours are over. This message follows as soon as Microsoft says how the request ended."
