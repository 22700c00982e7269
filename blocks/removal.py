"""Taking a role away after a mis-click: the form, what became of it, and who is told. It decides nothing."""

from __future__ import annotations

from slack_sdk.models.views import View as SlackView

from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT
from app.ports import View
from blocks import ids, text
from blocks.elements import (
    actions,
    date,
    labelled,
    link_button,
    own,
    plain,
    quote,
    rich,
    said,
    section,
    text_input,
    wire,
)
from blocks.facts import NAME_LIMIT, who
from blocks.links import Portal
from blocks.message import Message

TITLE = "Remove access"
TAKEN = "Microsoft takes the role away now. The card shows when it is gone, and whoever held it is told why."
NOT_KNOWN_YET = (
    "It was sent to Microsoft, and what became of it is not known yet. Nothing is sent twice. In about five minutes a "
    "message tells you whether the role is gone; the card will show it too."
)
_HINT = "Microsoft keeps it, and whoever holds the role is told."
_TITLE_LIMIT = 24


def remove_form(row: RequestRow, token: str) -> View:
    """What is taken away from whom, and an input for why."""
    request = row.request
    about = section(
        labelled("From", *who(request.requestor)),
        labelled("Role", said(request.what, NAME_LIMIT, bold=True)),
        labelled("Held until", date(row.holding.until)),
        (own("It is sent in your own name and with your own rights in Microsoft, and ends the role at once."),),
    )
    view = SlackView(
        type="modal",
        callback_id=ids.REMOVE_MODAL,
        private_metadata=token,
        title=plain(TITLE, _TITLE_LIMIT),
        submit=plain("Remove", _TITLE_LIMIT),
        close=plain("Cancel", _TITLE_LIMIT),
        blocks=[
            rich(about),
            text_input("Reason", ids.WORDS_BLOCK, ids.INPUTS[ids.WORDS_BLOCK], _HINT, COMMENT_LIMIT),
        ],
    )
    return view.to_dict()


def taken_away(row: RequestRow, by: str, reason: str) -> Message:
    """For whoever held the role."""
    what = row.request.what
    words = (said(by, NAME_LIMIT, bold=True), own(" took away your role "), said(what, NAME_LIMIT, bold=True))
    fallback = f"{text.escaped(by, NAME_LIMIT)} took away your role {text.escaped(what, NAME_LIMIT)}: "
    blocks = wire(rich(section((*words, own(", and says why:"))), quote(reason, COMMENT_LIMIT, lines=True)))
    return Message(fallback + text.escaped(reason, COMMENT_LIMIT), blocks)


def revoke_wanted(row: RequestRow, by: str, reason: str, refused: str, portal: Portal) -> Message:
    """For those who can take it away, where somebody wanted to and may not."""
    request = row.request
    first = (said(by, NAME_LIMIT, bold=True), own(" wants this role taken away and may not do it:"))
    facts = section(
        first,
        labelled("Role", said(request.what, NAME_LIMIT, bold=True)),
        labelled("Held by", *who(request.requestor)),
        labelled("Until", date(row.holding.until)),
        labelled("Microsoft", said(refused, COMMENT_LIMIT)),
    )
    open_portal = link_button(ids.PORTAL, "Open portal", portal.decide(request.key.kind))
    blocks = wire(rich(facts, quote(reason, COMMENT_LIMIT, lines=True)), actions(ids.block("revoke"), open_portal))
    fallback = (
        f"{text.escaped(by, NAME_LIMIT)} wants {text.escaped(request.what, NAME_LIMIT)} taken away from "
        f"{text.escaped(request.requestor.label, NAME_LIMIT)}: "
    )
    return Message(fallback + text.escaped(reason, COMMENT_LIMIT), blocks)
