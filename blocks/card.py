"""A request's card in every state. It is a picture of the row: it knows no clicks, and nothing on it is believed.

It fits one screen of a phone: what is long stands behind Details, what is rare in the menu beside the buttons.

One rich_text block stands in every version, because Slack refuses an edit that takes the last one away
(`block_mismatch`). The button that approves is never green at High or Critical: nothing should invite a quick tap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock

from app.domain.lifecycle import Phase
from app.domain.request import Status
from app.domain.row import RequestRow
from app.domain.ruling import EXTENSION
from blocks import ids
from blocks.elements import (
    TEXT_LIMIT,
    Element,
    actions,
    button,
    choice,
    context,
    date,
    header,
    link_button,
    mention,
    overflow,
    own,
    rich,
    said,
    section,
    wire,
)
from blocks.facts import NAME_LIMIT, asked, headline, justification, papers, reasons
from blocks.habits import habits
from blocks.links import GLOBAL, Portal
from blocks.message import Message
from blocks.outcome import outcome
from blocks.questions import asked_and_answered
from blocks.sentence import head, sentence
from blocks.text import when

JUSTIFICATION_LIMIT = 300  # code points: one phone screen holds the card; the modal shows the whole
_MOST_REASONS = 3
# Why somebody gets the card as a message of their own.
OCCASIONS = {
    "arrival": "You can decide this.",
    "nudge": "Nobody has answered this yet, and you can decide it.",
}


@dataclass(frozen=True, slots=True)
class Call:
    """Whom a first post is for: ids of people, or of one user group; or the occasion of somebody's own message."""

    mention: tuple[str, ...] = ()
    occasion: str = ""


NO_CALL = Call()


def card(  # noqa: PLR0913 - each fact by its own name
    row: RequestRow,
    token: str,
    *,
    card_id: str,
    now: datetime,
    portal: Portal = GLOBAL,
    closed: str = "",
    ticket_url: str = "",
    call: Call = NO_CALL,
) -> Message:
    """The card for this version of the row, with metadata that names this copy.

    `token` is what its buttons carry; `now` (UTC) decides whether they are still there and whether a start is ahead;
    `closed` says why the request is decided in the portal only: then the portal is the only button. `call` is for a
    first post only: an edit calls nobody.
    """
    version = row.version
    ended = outcome(row, now)
    blocks = wire(
        header(headline(row), ids.block("title", version)),
        _called(call, version),
        rich(*ended, block_id=ids.block("outcome", version)) if ended else None,
        rich(asked(row, now), block_id=ids.block("asked", version)),
        rich(*justification(row, JUSTIFICATION_LIMIT), block_id=ids.block("words", version)),
        rich(
            papers(row, now, deadline=row.status.open, ticket_url=ticket_url, brief=True),
            block_id=ids.block("papers", version),
        ),
        _habits(row, now),
        _reasons(row),
        _remark(row, now, closed),
        _away(row),
        _asked(row),
        _looking(row),
        _verifying(row),
        _buttons(row, "" if closed else token, now, portal.decide(row.key.kind)),
        context(f"ID {row.key.id[:NAME_LIMIT]}", ids.block("id", version)),
    )
    said_first = f"{OCCASIONS[call.occasion]} " if call.occasion else ""
    return Message(f"{said_first}{sentence(row, now)}", blocks).stamped(ids.CARD_EVENT, card=card_id)


def fallback_card(row: RequestRow, *, card_id: str, now: datetime, portal: Portal = GLOBAL) -> Message:
    """Text only, for the day Slack refuses the blocks: the facts, and where to decide instead."""
    if row.status is not Status.PENDING:
        return Message(sentence(row, now), []).stamped(ids.CARD_EVENT, card=card_id)
    url = portal.decide(row.key.kind)
    text = (
        f"{head(row, now)} (your time: {when(row.request.expires)}). "
        f"The full card could not be shown: <{url}|read and decide it in the portal>."
    )
    return Message(text, []).stamped(ids.CARD_EVENT, card=card_id)


def _called(call: Call, version: int) -> SlackBlock | None:
    """Whom this is for: they are notified, and nobody else is."""
    if call.occasion:
        return rich(section((own(OCCASIONS[call.occasion], bold=True),)), block_id=ids.block("call", version))
    if not call.mention:
        return None
    people = [part for id_ in call.mention for part in (own(" "), mention(id_))]
    return rich(section((own("For"), *people)), block_id=ids.block("call", version))


def _over(row: RequestRow, now: datetime) -> bool:
    return row.request.mortal and now >= row.request.expires


_UNCHECKABLE = (
    "This cannot be checked right now: Microsoft does not list it any more, and nobody who is signed in may read it. "
    "If it still waits, deciding works as always."
)


def _habits(row: RequestRow, now: datetime) -> SlackBlock | None:
    known = habits(row, now) if row.status.open else []
    return rich(section(*known), block_id=ids.block("habits", row.version)) if known else None


def _reasons(row: RequestRow) -> SlackBlock | None:
    why = reasons(row, _MOST_REASONS) if row.status.open else ()
    return rich(*why, block_id=ids.block("why", row.version)) if why else None


def _remark(row: RequestRow, now: datetime, closed: str) -> SlackBlock | None:
    if row.status is not Status.PENDING:
        return None
    if _over(row, now):
        words = "The 24 hours are over. This card follows as soon as Microsoft says how the request ended."
    elif not row.request.mortal:
        words = EXTENSION
    elif row.doubt.uncheckable:
        words = f"{_UNCHECKABLE} {closed}".strip()
    else:
        words = closed
    return rich(section((said(words, TEXT_LIMIT),)), block_id=ids.block("remark", row.version)) if words else None


def _away(row: RequestRow) -> SlackBlock | None:
    """Everybody who may approve is away, as far as we know them: somebody else has to find one."""
    if row.status is not Status.PENDING or row.away_until is None:
        return None
    words = own("Everybody known to approve this is away.", bold=True)
    back = (own(" The first is back "), date(row.away_until), own("."))
    return rich(section((words, *back)), block_id=ids.block("away", row.version))


def _asked(row: RequestRow) -> SlackBlock | None:
    told = asked_and_answered(row) if row.status is Status.PENDING else ()
    return rich(*told, block_id=ids.block("asked_back", row.version)) if told else None


def _looking(row: RequestRow) -> SlackBlock | None:
    """Whoever said last that they are looking; nobody is held up by it."""
    if row.status is not Status.PENDING or not row.looking:
        return None
    last, others = row.looking[-1], len(row.looking) - 1
    more = (own(f" ({others} more)"),) if others else ()
    words = (said(last.person.label, NAME_LIMIT, bold=True), own(" is looking at this since "), date(last.since), *more)
    return rich(section((*words, own("."))), block_id=ids.block("looking", row.version))


def _verifying(row: RequestRow) -> SlackBlock | None:
    """Whose decision waits for a sign-in: no claim, so the buttons stay."""
    if row.verifying is None or row.status is not Status.PENDING:
        return None
    name = said(row.verifying.label, NAME_LIMIT, bold=True)
    words = own(" wants to decide this and is signing in again first. It stays open to everybody until then.")
    return rich(section((name, words)), block_id=ids.block("verifying", row.version))


def _buttons(row: RequestRow, token: str, now: datetime, portal_url: str) -> SlackBlock | None:
    """The decision buttons carry the token; without one there is the way to the portal only."""
    if row.status is Status.APPROVED:
        return _mis_click(row, token, now)
    if row.status is not Status.PENDING or _over(row, now):
        return None
    open_portal = link_button(ids.PORTAL, "Open portal", portal_url)
    block_id = ids.block("decide", row.version)
    if not row.request.decidable or not token:
        return actions(block_id, open_portal)
    return decide_buttons(row, token, portal_url, block_id)


def _mis_click(row: RequestRow, token: str, now: datetime) -> SlackBlock | None:
    """On an active role there is a way back, until it is taken."""
    if not token or row.removed is not None or row.phase(now) is not Phase.ACTIVE:
        return None
    label = f"Remove {row.request.what} from {row.request.requestor.label}"
    return actions(ids.block("remove", row.version), button(ids.REMOVE, "Remove access…", token, label=label))


def decide_buttons(row: RequestRow, token: str, portal_url: str, block_id: str) -> SlackBlock:
    """What one may do with a pending request, wherever it is shown; all of it carries the token of that place."""
    what = f"{row.request.what} for {row.request.requestor.label}"
    green = None if row.risk.level.grave else "primary"
    return actions(
        block_id,
        button(ids.APPROVE, "Approve…", token, style=green, label=f"Approve {what}"),
        button(ids.DENY, "Deny…", token, style="danger", label=f"Deny {what}"),
        _more(token, portal_url),
    )


def _more(token: str, portal_url: str) -> Element:
    return overflow(
        ids.MORE,
        choice("I'm looking at it", f"{ids.LOOKING}:{token}"),
        choice("Ask the requestor…", f"{ids.ASK}:{token}"),
        choice("Details", f"{ids.DETAILS}:{token}"),
        choice("Open portal", ids.PORTAL_CHOICE, url=portal_url),
    )
