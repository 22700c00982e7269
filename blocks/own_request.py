"""What a requestor reads of their own request: one message that follows it, and last calls before time runs out.

It says how things stand for whoever waits. Who is looking stays among the approvers.
"""

from __future__ import annotations

from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock
from slack_sdk.models.blocks import RichTextElement, RichTextPreformattedElement

from app.domain.own_requests import NUDGE_EVERY, nudgeable, withdrawable
from app.domain.request import Status
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT, NO_STEP_OPEN
from blocks import ids, text
from blocks.elements import (
    Button,
    Line,
    actions,
    button,
    clock,
    confirmation,
    date,
    labelled,
    link_button,
    own,
    quote,
    rich,
    said,
    section,
    wire,
)
from blocks.facts import NAME_LIMIT, ends
from blocks.links import GLOBAL, Portal
from blocks.message import Message
from blocks.outcome import ended, ended_text, said_why

WAITS = "Waiting for an approver."
LOOKED_AT = "An approver is looking at it."
BEING_DECIDED = "An approver is deciding it right now."
NOBODY_CAN = "PIM's settings name nobody who can approve this. Tell your administrators; nothing will come of waiting."
OVER = "The 24 hours are over. This message follows as soon as Microsoft says how the request ended."
PORTAL_ONLY = "An administrator decides this in Microsoft's portal."
NOTHING_ACTIVATED = "Nothing was activated. You can ask again."
NOT_FOR_YOU = (
    "I ask for no role in your name, and Microsoft takes no new request for a role while an earlier one waits or is "
    "active. "
)
_COPY_LIMIT = 500  # code points


def following(row: RequestRow, token: str, *, seen: datetime | None, now: datetime) -> Message:
    """The one message about a request, as it is now. `seen`: when we first saw it; `token`: what its buttons carry."""
    title = section((own("Your request for "), said(row.request.what, NAME_LIMIT, bold=True)))
    told = _open(row, seen, now) if row.status.open else _closed(row)
    shown = rich(title, *told, block_id=ids.block("own", row.version))
    nudge = (_nudge(row, token),) if nudgeable(row, now) else ()
    withdraw = (_withdraw(row, token),) if withdrawable(row, now) else ()
    buttons = actions(ids.block("own_actions", row.version), *nudge, *withdraw) if withdraw else None
    return Message(_sentence(row, now), wire(shown, buttons))


def asked_again(row: RequestRow, count: int, again: datetime, now: datetime) -> Message:
    """How many approvers were asked again just now, and when it is possible once more."""
    who = f"{count} approver{'s were' if count > 1 else ' was'} asked again about "
    return _about_asking(row, who, again, now)


def asked_too_soon(row: RequestRow, again: datetime, now: datetime) -> Message:
    """Approvers were asked within the last hour, so nobody was asked now."""
    return _about_asking(row, "Nobody was asked: approvers can be asked again once an hour about ", again, now)


def _about_asking(row: RequestRow, words: str, again: datetime, now: datetime) -> Message:
    what = row.request.what
    line = (own(words), said(what, NAME_LIMIT, bold=True), own(". You can ask again from "), date(again), own("."))
    fallback = f"{words}{text.escaped(what, NAME_LIMIT)}. You can ask again from {text.hour(again, now)}."
    return Message(fallback, wire(rich(section(line))))


def withdraw_row(row: RequestRow, token: str, block_id: str) -> SlackBlock:
    """The button that takes a request back, wherever its requestor sees it. `token` is that of the place."""
    return actions(block_id, _withdraw(row, token))


def _nudge(row: RequestRow, token: str) -> Button:
    return button(ids.NUDGE, "Nudge approvers", token, label=f"Ask the approvers again about {row.request.what}")


def _withdraw(row: RequestRow, token: str) -> Button:
    words = "It ends at Microsoft, in your own name. You can ask again afterwards."
    sure = confirmation("Withdraw this request?", words, "Withdraw", "Keep it")
    label = f"Withdraw {row.request.what}"
    return button(ids.WITHDRAW, "Withdraw", token, style="danger", label=label, confirm=sure)


def dying(row: RequestRow, *, now: datetime, portal: Portal = GLOBAL) -> Message | None:
    """Its last minutes, while somebody may still decide it: what happens, and how to ask again."""
    if not row.status.open or now >= row.request.expires:
        return None
    what, end = row.request.what, row.request.expires
    title = (own("Your request for "), said(what, NAME_LIMIT, bold=True), own(" dies at "), clock(end), own("."))
    why = own("Nobody has decided it, and Microsoft ends it then.")
    words = f"Your request for {text.escaped(what, NAME_LIMIT)} dies at {text.hour(end, now)}: nobody has decided it."
    return _last_call(row, words, (title, (why,)), "once this one is over or withdrawn", portal)


def ending(row: RequestRow, *, now: datetime, portal: Portal = GLOBAL) -> Message | None:
    """The last minutes of a role that is active; None where it ended, or nobody knows when it will."""
    end = ends(row)
    if row.status is not Status.APPROVED or end is None or now >= end:
        return None
    what = row.request.what
    title = (own("Your role "), said(what, NAME_LIMIT, bold=True), own(" ends at "), clock(end), own("."))
    words = f"Your role {text.escaped(what, NAME_LIMIT)} ends at {text.hour(end, now)}."
    why = own("Finish what needs it, or ask again afterwards.")
    return _last_call(row, words, (title, (why,)), "once the role has ended", portal)


def _last_call(row: RequestRow, words: str, lines: tuple[Line, ...], when: str, portal: Portal) -> Message:
    """With the way to ask again, and the old reason to be copied."""
    reason = row.request.justification.strip()
    how = f"{NOT_FOR_YOU}Ask again {when}"
    copy = (RichTextPreformattedElement(elements=[own(text.inert(reason, _COPY_LIMIT, lines=True))]),) if reason else ()
    then = own(f"{how}; your justification, to copy:" if reason else f"{how}.")
    again = link_button(ids.ASK_AGAIN, "Ask again", portal.ask_again(row.key.kind))
    blocks = wire(rich(section(*lines, (then,)), *copy), actions(ids.block("again", row.version), again))
    return Message(f"{words} {how}.", blocks)


def _open(row: RequestRow, seen: datetime | None, now: datetime) -> tuple[RichTextElement, ...]:
    lines = [labelled("Status", own(_status(row, now)))]
    lines += [labelled("Sent to", own(_sent_to(row)))] if not row.stale else []  # that has no card
    lines += [labelled("Seen", date(seen))] if seen is not None else []
    lines += [_nudged(row.nudged_at)] if row.nudged_at is not None else []
    dies = labelled("Dies", date(row.request.expires), own(", unless somebody decides"))
    return (section(*lines, *([dies] if row.request.mortal else [])),)


def _nudged(at: datetime) -> Line:
    return labelled("Asked again", date(at), own("; possible once more from "), date(at + NUDGE_EVERY))


def _closed(row: RequestRow) -> tuple[RichTextElement, ...]:
    why = said_why(row)
    activated = row.status in (Status.APPROVED, Status.UNKNOWN)
    return (
        section(ended(row)),
        *((quote(why, COMMENT_LIMIT),) if why else ()),
        *(() if activated else (section((own(NOTHING_ACTIVATED),)),)),
    )


def _status(row: RequestRow, now: datetime) -> str:
    if row.status is Status.DECIDING:
        return BEING_DECIDED
    if not row.request.mortal:
        return PORTAL_ONLY
    if now >= row.request.expires:
        return OVER
    if row.nobody_approves:
        return NOBODY_CAN
    if row.stale:
        return NO_STEP_OPEN
    return LOOKED_AT if row.looking or row.verifying is not None else WAITS


def _sent_to(row: RequestRow) -> str:
    """How many are known to be able to approve it. Nobody known is not the same as nobody."""
    count = len(row.known_approvers - {row.request.requestor.id})
    return f"{count} approver{'s' * (count > 1)}" if count else "the approvers' channel"


def _sentence(row: RequestRow, now: datetime) -> str:
    status = _status(row, now) if row.status.open else ended_text(row, now)
    return f"Your request for {text.escaped(row.request.what, NAME_LIMIT)}: {status}"
