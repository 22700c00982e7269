"""The modal in which a decision is made, and what it turns into afterwards. It carries one opaque token, no facts.

Facts stand above the input: nobody reaches the button without passing them.
"""

from __future__ import annotations

from datetime import datetime

from slack_sdk.models import blocks as slack
from slack_sdk.models.views import View as SlackView

from app.domain.request import Verdict
from app.domain.row import RequestRow
from app.domain.ruling import COMMENT_LIMIT
from app.domain.ticket_pages import UNCHECKED, TicketFacts
from app.ports import View
from blocks import ids
from blocks.checks import checks
from blocks.elements import (
    HEADER_LIMIT,
    TEXT_LIMIT,
    actions,
    choice,
    header,
    labelled,
    link,
    link_button,
    own,
    plain,
    rich,
    said,
    section,
)
from blocks.facts import NAME_LIMIT, dates, demands, headline, length, reasons, who
from blocks.links import GLOBAL, Portal
from blocks.message import Message
from blocks.questions import asked_and_answered
from blocks.templates import deny_templates

_ALL_REASONS = 20


def decide_modal(
    row: RequestRow,
    verdict: Verdict,
    modal_token: str,
    *,
    now: datetime,
    portal: Portal = GLOBAL,
    ticket: TicketFacts = UNCHECKED,
) -> View:
    """Everything an approver judges by, then one input: a comment to approve, a reason to deny."""
    view = SlackView(
        type="modal",
        callback_id=ids.DECIDE_MODAL,
        private_metadata=modal_token,
        title=plain(f"{verdict.value} request", _TITLE_LIMIT),
        submit=plain(verdict.value, _TITLE_LIMIT),
        close=plain("Cancel", _TITLE_LIMIT),
        blocks=[
            *_facts(row, now, portal, ticket),
            *([_comment(row)] if verdict is Verdict.APPROVE else _reason(row)),
        ],
    )
    return view.to_dict()


def details_modal(row: RequestRow, *, now: datetime, portal: Portal = GLOBAL, ticket: TicketFacts = UNCHECKED) -> View:
    """The same facts to read, without anything to decide."""
    return _shown("Request", *_facts(row, now, portal, ticket))


def sending_modal(row: RequestRow, verdict: Verdict) -> View:
    """Between submit and Microsoft's answer."""
    notice = section(
        (own("Sending to Microsoft…", bold=True),),
        (own("You may close this window: the card shows what becomes of it."),),
    )
    return _shown(f"{verdict.value} request", rich(notice), rich(_subject(row)))


def removing_modal(row: RequestRow) -> View:
    """Between the submit of a removal and Microsoft's answer."""
    return _shown("Remove access", rich(section((own("Sending to Microsoft…", bold=True),))), rich(_subject(row)))


def asking_modal() -> View:
    """Between a press on App Home, where nothing can be whispered, and Microsoft's answer."""
    return _shown("Withdraw", rich(section((own("Asking Microsoft…", bold=True),), (own("You may close this."),))))


def looking_modal() -> View:
    """While an answer is looked up that a modal was opened for."""
    return _shown(_WAITING, rich(section((own("One moment…"),))))


def list_modal(message: Message) -> View:
    """A list that a command would whisper, in a modal."""
    return {**looking_modal(), "blocks": message.blocks}


def outcome_modal(row: RequestRow, headline: str, body: str) -> View:
    """What became of the decision, in words for the person who made it."""
    return _shown("PIM request", header(headline), rich(section((said(body, TEXT_LIMIT),))), rich(_subject(row)))


def refused_modal(text: str, *, portal_url: str = "") -> View:
    """An expected no, and why; with a way to the portal where that helps."""
    portal = (actions(ids.block("portal"), link_button(ids.PORTAL, "Open portal", portal_url)),) if portal_url else ()
    return _shown("Not done", rich(section((said(text, TEXT_LIMIT),))), *portal)


def sign_in_modal(url: str, why: str = "") -> View:
    """An invitation with this person's own one-time address. `why`: in place of the words for the first time."""
    return _shown(
        "Sign in",
        rich(section((own(f"{why} {ONE_TIME_WORDS}" if why else SIGN_IN_WORDS),))),
        actions(ids.block("sign_in"), link_button(ids.SIGN_IN_PAGE, "Sign in", url)),
    )


def verify_modal(row: RequestRow, verdict: Verdict, url: str, why: str) -> View:
    """A newer sign-in first: the way to it, and that the decision waits there. `why`: a sentence of ours."""
    waits = (
        f"Sign in again and finish there: the page names this decision, and its button sends it. {ONE_TIME_WORDS} "
        "Nothing was sent yet; until you finish, the card stays open to the other approvers."
    )
    return _shown(
        "Verify and finish",
        rich(section((own(why, bold=True),), (own(waits),))),
        rich(_subject(row)),
        actions(ids.block("verify"), link_button(ids.SIGN_IN_PAGE, f"Verify and {verdict.value.lower()}", url)),
    )


ONE_TIME_WORDS = "The link is for you alone and works once, for ten minutes."
SIGN_IN_WORDS = (
    f"Sign in to Microsoft first: decisions are sent in your own name. {ONE_TIME_WORDS} Nothing was changed; if you "
    "wanted to decide something, press its button again afterwards."
)

_TITLE_LIMIT = 24
_WAITING = "What waits for you"


def _facts(row: RequestRow, now: datetime, portal: Portal, ticket: TicketFacts) -> list[slack.Block]:
    """The level and why, the five checks, the dates."""
    elsewhere, told = (link(portal.decide(row.key.kind), "Open in the portal"),), asked_and_answered(row, COMMENT_LIMIT)
    rest = section(*dates(row, now, deadline=row.status.open), *demands(row), elsewhere)
    return [
        rich(section((said(headline(row), HEADER_LIMIT, bold=True),)), *reasons(row, _ALL_REASONS)),
        *(rich(*pieces) for pieces in checks(row, now, portal, ticket)),
        *([rich(*told)] if told else []),
        rich(rest),
    ]


def _subject(row: RequestRow) -> slack.RichTextElement:
    request = row.request
    return section(
        labelled("Role", said(request.what, NAME_LIMIT)),
        labelled("Requestor", *who(request.requestor)),
        labelled("Duration", said(length(request.duration, request.duration_text), NAME_LIMIT)),
    )


def _comment(row: RequestRow) -> slack.Block:
    return _input("Comment", ids.COMMENT_BLOCK, hint=_comment_hint(row), least=row.shortest_comment)


def _comment_hint(row: RequestRow) -> str:
    kept = "Microsoft keeps it with the request, and the requestor is told."
    if row.risk.level.grave:
        least = f", in {row.shortest_comment} characters or more" if row.shortest_comment > 1 else ""
        return f"Required at {row.risk.level.word} risk{least}: say why this is right. {kept}"
    if row.policy.comment_required:
        return f"Required by this role's settings in PIM. {kept}"
    if row.policy.comment_required is None:
        return f"Required, because this role's settings in PIM could not be read. {kept}"
    return f"Optional. {kept}"


def _reason(row: RequestRow) -> list[slack.Block]:
    """Ready-made reasons and one's own: either will do, and both are sent together."""
    hint = "Choose one above, write your own, or both. The requestor is told, and can ask again with what was missing."
    choices = [choice(words, words) for words in deny_templates(row)]
    ready = slack.InputBlock(
        block_id=ids.TEMPLATE_BLOCK,
        label=plain("Reason", TEXT_LIMIT),
        optional=True,
        element=slack.RadioButtonsElement(action_id=ids.TEMPLATE_INPUT, options=choices),
    )
    return [ready, _input("In your own words", ids.REASON_BLOCK, hint=hint, least=0)]


def _input(label: str, block_id: str, *, hint: str, least: int) -> slack.Block:
    """`least`: how many characters it takes; none for an optional one."""
    least_length = least if least > 1 else None
    return slack.InputBlock(
        block_id=block_id,
        label=plain(label, TEXT_LIMIT),
        hint=plain(hint, TEXT_LIMIT),
        optional=not least,
        element=slack.PlainTextInputElement(
            action_id=ids.INPUTS[block_id], multiline=True, min_length=least_length, max_length=COMMENT_LIMIT
        ),
    )


def _shown(title: str, *blocks: slack.Block) -> View:
    view = SlackView(
        type="modal",
        callback_id=ids.RESULT_MODAL,
        title=plain(title, _TITLE_LIMIT),
        close=plain("Close", _TITLE_LIMIT),
        blocks=blocks,
    )
    return view.to_dict()
