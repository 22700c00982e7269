"""Direct messages, whispers and the channel's standing notes: what happened, what was not changed, what next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.domain.request import Kind, Person, Status
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT
from blocks import ids, text
from blocks.elements import (
    TEXT_LIMIT,
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
from blocks.facts import DESK_NAMES, NAME_LIMIT, ends, length, risk_words, who
from blocks.links import GLOBAL, Portal
from blocks.message import Message
from blocks.modal import ONE_TIME_WORDS, SIGN_IN_WORDS
from blocks.outcome import ended, ended_text, said_why

TEXT_MESSAGE_LIMIT = 3000  # code points; chat.update takes 4,000


def outcome_notice(row: RequestRow, *, now: datetime, portal: Portal = GLOBAL) -> Message | None:
    """What the requestor is told when their request ends; None when they ended it themselves or it is still open."""
    if row.status not in _TOLD:
        return None
    what = row.request.what
    title = (own("Your request for "), said(what, NAME_LIMIT, bold=True))
    why = said_why(row)
    comment = (quote(why, COMMENT_LIMIT),) if why else ()
    again = link_button(ids.ASK_AGAIN, "Ask again", portal.ask_again(row.key.kind))
    blocks = wire(
        rich(section(title, ended(row)), *comment, section(_next_step(row, now))),
        None if row.status is Status.APPROVED else actions(ids.block("again", row.version), again),
    )
    return Message(f"Your request for {text.escaped(what, NAME_LIMIT)}: {ended_text(row, now)}", blocks)


def result_message(row: RequestRow, headline: str, body: str) -> Message:
    """What became of a decision, for the approver who closed the modal before Microsoft answered."""
    request = row.request
    subject = section(
        (said(headline, NAME_LIMIT, bold=True),),
        (said(body, TEXT_MESSAGE_LIMIT),),
        labelled("Role", said(request.what, NAME_LIMIT)),
        labelled("Requestor", *who(request.requestor)),
    )
    return Message(
        f"{text.escaped(headline, NAME_LIMIT)}. {text.escaped(body, TEXT_MESSAGE_LIMIT)}", wire(rich(subject))
    )


def linked_receipt(person: Person, *, now: datetime, receipt: str = "") -> Message:
    """A receipt after signing in, so that nobody is linked without knowing.

    `receipt`: what its "This was not me" button carries; without one there is no button.
    """
    name = (own("You are signed in to Microsoft as "), *who(person), own(" since "), date(now), own("."))
    after = "You can decide right away. If this was not you, press the button: it ends the sign-in at once."
    fallback = f"You are signed in to Microsoft as {text.escaped(person.label, NAME_LIMIT)}. {after}"
    not_me = button(ids.NOT_ME, "This was not me", receipt, style="danger")
    buttons = actions(ids.block("receipt"), not_me) if receipt else None
    return Message(fallback, wire(rich(section(name, (own(after),))), buttons))


def unlinked(person: Person, *, by_operator: bool) -> Message:
    """After a sign-out, or after an operator removed the link: so that nobody is unlinked without knowing."""
    who_did_it = "an administrator removed the link" if by_operator else "you signed out"
    name = (own("Your Slack account is not linked to the Microsoft account "), *who(person), own(" any more: "))
    after = (
        "Nothing can be decided here in your name until you type /pim sign-in again. If you did not expect this, tell "
        "your administrators."
    )
    words = f"Your Slack account is not linked to Microsoft any more: {who_did_it}. {after}"
    return Message(words, wire(rich(section((*name, own(f"{who_did_it}.")), (own(after),)))))


def moved(person: Person) -> Message:
    """For a Slack account that a Microsoft account was linked to before, when that is linked to another one."""
    name = (own("The Microsoft account "), *who(person), own(", once linked to your Slack account, is now linked to "))
    after = "If that is not right, tell your administrators at once: whoever has it decides requests under that name."
    fallback = f"A Microsoft account once linked to your Slack account is now linked to another one. {after}"
    return Message(fallback, wire(rich(section((*name, own("another Slack account.")), (own(after),)))))


def frozen() -> Message:
    """In place of the receipt, once its owner said that it was not them."""
    return _plain_message(FROZEN_WORDS)


def restarted() -> Message:
    """For people whose click was under way when the bot stopped."""
    return _plain_message("I was restarted while you pressed a button. Nothing was changed; please press again.")


def not_linked(url: str, why: str = "") -> Message:
    """An invitation with this person's own one-time address; only ever whispered to that person.

    `why`: in place of the words for the first time.
    """
    words = f"{why} {ONE_TIME_WORDS}" if why else SIGN_IN_WORDS
    blocks = wire(
        rich(section((own(words),))),
        actions(ids.block("sign_in"), link_button(ids.SIGN_IN_PAGE, "Sign in", url)),
    )
    return Message(words, blocks)


def refusal(words: str) -> Message:
    """An expected no, and why; only the person who acted sees it."""
    return _plain_message(words)


def channel_note(words: str, *, button_shown: bool, version: int, portal: Portal = GLOBAL) -> Message:
    """A standing note of the approvers channel. Its Sign in button carries no address: each person gets their own."""
    open_portal = link_button(ids.PORTAL, "Open portal", portal.decide(Kind.ENTRA))
    sign_in = button(ids.SIGN_IN, "Sign in", "sign_in", style="primary")
    blocks = wire(
        rich(section((said(words, TEXT_LIMIT),)), block_id=ids.block("note", version)),
        actions(ids.block("note_actions", version), *([sign_in] if button_shown else []), open_portal),
    )
    return Message(text.escaped(words, TEXT_MESSAGE_LIMIT), blocks)


def digest_note(words: str, rows: Sequence[RequestRow], *, now: datetime, version: int, portal: Portal) -> Message:
    """A burst: the requests whose cards come first, each with the way to the portal, and no buttons."""
    entries = [_entry(row, portal) for row in rows]
    lines = [f"{_urgent(row)}; decide by {text.hour(row.request.expires, now)}" for row in rows]
    blocks = wire(
        rich(section((said(words, TEXT_LIMIT),)), block_id=ids.block("note", version)),
        rich(section(*entries), block_id=ids.block("digest", version)) if entries else None,
    )
    return Message("\n".join((text.escaped(words, TEXT_MESSAGE_LIMIT), *lines)), blocks)


def digest_words(count: int) -> str:
    """A burst in a channel. `count`: how many cards wait at least."""
    return (
        f"{count} or more requests wait for their cards, which come one a second, the riskiest and oldest first. "
        "The first of them, in that order:"
    )


DIGEST_OVER = "Every request has its card again."
_ENTRY_LIMIT = 50


def _entry(row: RequestRow, portal: Portal) -> Line:
    request = row.request
    return (
        own(f"{risk_words(row.risk.level)} · "),
        said(request.role.label, _ENTRY_LIMIT, bold=True),
        own(" · "),
        said(request.requestor.label, _ENTRY_LIMIT),
        own(" · decide by "),
        date(request.expires),
        own(" · "),
        link(portal.decide(request.key.kind), "portal"),
    )


def _urgent(row: RequestRow) -> str:
    request = row.request
    role, who_asks = (text.escaped(name, _ENTRY_LIMIT) for name in (request.role.label, request.requestor.label))
    return f"{row.risk.level.word}: {role} for {who_asks}"


def blind_words(kinds: Iterable[Kind]) -> str:
    """Nobody's live token can list these desks."""
    return (
        f"I cannot see {_named(kinds)} requests: no approver is signed in. No card will appear until one of you "
        "signs in; Microsoft's own mails and the portal work as always."
    )


def incomplete_words(kind: Kind) -> str:
    """A listing may hide rows: 50 of them, or somebody's listing failed."""
    return (
        f"My list of {DESK_NAMES[kind]} requests may be incomplete: Microsoft shows at most 50 to a person, or one "
        "listing failed. Cards here are right, but some may be missing; the portal shows all."
    )


def sighted_words(kinds: Iterable[Kind], appeared: int) -> str:
    """Sight is back; `appeared`: how many requests were found that nobody saw here before."""
    found = "Nothing was missed" if not appeared else f"{appeared} new request{'s' * (appeared > 1)} found"
    return f"I can see {_named(kinds)} requests again. {found}."


def refused_words(kinds: Iterable[Kind]) -> str:
    """The application itself may not list these desks."""
    return (
        f"I cannot see {_named(kinds)} requests: Microsoft refuses my own permission to list them, and an "
        "administrator must look at it. No card will appear until then; Microsoft's own mails and the portal work as "
        "always."
    )


def outage_words(kind: Kind) -> str:
    """Microsoft has given no usable answer for this desk for a while."""
    return (
        f"I have not been able to read {DESK_NAMES[kind]} requests for more than 5 minutes: Microsoft gives no usable "
        "answer. What is asked meanwhile gets its card as soon as I can read them again; until then look into the "
        "portal and Microsoft's own mails."
    )


def unconsented_words(kind: Kind) -> str:
    """The permission for this desk has no admin consent."""
    return (
        f"I cannot read {DESK_NAMES[kind]} requests: an administrator must consent in Entra to the permission they "
        "need, and it can take an hour to work. Until then they get no card here; Microsoft's own mails and the portal "
        "work as always."
    )


def answering_words(kind: Kind) -> str:
    """An outage is over, and yet this desk is not seen."""
    return f"Microsoft answers about {DESK_NAMES[kind]} requests again."


def complete_words(kind: Kind) -> str:
    """A full list is short again."""
    return f"My list of {DESK_NAMES[kind]} requests is complete again."


def anchor_note(words: str) -> Message:
    """Where the audit trail ends, as `pim-approvals audit verify --anchor` reads it."""
    return Message(words, wire(rich(section((own(words),)))))


def paused_words(reason: str) -> str:
    """An operator turned decisions off."""
    return (
        f"Decisions in Slack are paused: {_clause(reason)}. Every card shows a link to the portal instead of its "
        "buttons; decide there until this note says otherwise."
    )


def resumed_words(reason: str) -> str:
    """... and on again."""
    return f"Decisions are made in Slack again: {_clause(reason)}."


def desk_name(kind: Kind) -> str:
    """What a desk is called in the middle of a sentence."""
    return DESK_NAMES[kind]


FROZEN_WORDS = (
    "You said that this sign-in was not you. Your link to Microsoft is frozen: its session and every decision that "
    "waited for it are gone, and nobody decides in your name here. Tell your administrators, and sign out of Slack on "
    "devices you do not know. Once that is settled, /pim sign-in brings you back."
)
_TOLD = frozenset({Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.FAILED})


def _named(kinds: Iterable[Kind]) -> str:
    """`Entra role, Azure resource role and PIM group`."""
    *others, last = (DESK_NAMES[kind] for kind in kinds)
    return f"{', '.join(others)} and {last}" if others else last


def _clause(reason: str) -> str:
    return reason.strip().rstrip(".") or "no reason was given"


def _next_step(row: RequestRow, now: datetime) -> Line:
    request = row.request
    if row.status is not Status.APPROVED:
        return (own("Nothing was activated. You can ask again."),)
    if request.start is not None and request.start > now:
        return labelled("Starts", date(request.start))
    end = ends(row)
    if end is not None:
        return labelled("Active until", date(end))
    return labelled("Duration", said(length(request.duration, request.duration_text), NAME_LIMIT))


def _plain_message(words: str) -> Message:
    return Message(text.escaped(words, TEXT_MESSAGE_LIMIT), wire(rich(section((said(words, TEXT_LIMIT),)))))
