"""Asking the requestor: the form of the question, the message with it, the form of the answer, and both on the card."""

from __future__ import annotations

from slack_sdk.models.blocks import RichTextElement
from slack_sdk.models.views import View as SlackView

from app.domain.row import RequestRow
from app.ports import View
from blocks import ids, text
from blocks.elements import actions, button, labelled, own, plain, quote, rich, said, section, text_input, wire
from blocks.facts import NAME_LIMIT, who
from blocks.message import Message

WORDS_LIMIT = 150  # code points of a question or an answer on the card; Details shows the whole
WHOLE_LIMIT = 500
_TITLE_LIMIT = 24


def question_form(row: RequestRow, token: str, most: int) -> View:
    """What an approver writes to the requestor; `most`: characters."""
    about = section(labelled("To", *who(row.request.requestor)), (own("The request stays open meanwhile."),))
    hint = "It goes to the requestor as a direct message, and both question and answer stand on the card."
    return _form(ids.ASK_MODAL, "Ask the requestor", token, (about,), ("Question", hint, most))


def answer_form(row: RequestRow, token: str, question: str, most: int) -> View:
    """What the requestor writes back."""
    about = section(labelled("Your request", said(row.request.what, NAME_LIMIT)), (own("You were asked:"),))
    hint = "It is shown to the approvers on the card of your request."
    pieces = (about, quote(question, WHOLE_LIMIT, lines=True))
    return _form(ids.ANSWER_MODAL, "Answer", token, pieces, ("Answer", hint, most))


def question_message(row: RequestRow, by: str, question: str, token: str) -> Message:
    """The question as its requestor gets it."""
    what = row.request.what
    asks = (said(by, NAME_LIMIT, bold=True), own(" asks about your request for "), said(what, NAME_LIMIT), own(":"))
    answer = button(ids.ANSWER, "Answer…", token, style="primary", label="Answer the question about your request")
    fallback = f"{text.escaped(by, NAME_LIMIT)} asks about your request for {text.escaped(what, NAME_LIMIT)}: "
    blocks = wire(rich(section(asks), quote(question, WHOLE_LIMIT, lines=True)), actions(ids.block("question"), answer))
    return Message(fallback + text.escaped(question, WHOLE_LIMIT), blocks)


def answer_message(row: RequestRow, question: str, answer: str) -> Message:
    """The answer as whoever asked gets it; the card holds the buttons."""
    request = row.request
    head = (
        said(request.requestor.label, NAME_LIMIT, bold=True),
        own(" answers about "),
        said(request.what, NAME_LIMIT),
    )
    fallback = f"{text.escaped(request.requestor.label, NAME_LIMIT)} answers: {text.escaped(answer, WHOLE_LIMIT)}"
    pieces = (section(head, (own("You asked:"),)), quote(question, WHOLE_LIMIT, lines=True))
    blocks = wire(
        rich(*pieces, section((own("They say:"),)), quote(answer, WHOLE_LIMIT, lines=True)),
        rich(section((own("The card shows both; decide there or in your Home tab."),))),
    )
    return Message(fallback, blocks)


def asked_and_answered(row: RequestRow, limit: int = WORDS_LIMIT) -> tuple[RichTextElement, ...]:
    """The last question with its answer; nothing while nobody asked."""
    if not row.questions:
        return ()
    last = row.questions[-1]
    asked = section((said(last.by, NAME_LIMIT, bold=True), own(" asked the requestor:")))
    if not last.answer:
        return asked, quote(last.text, limit), section((own("No answer yet."),))
    return asked, quote(last.text, limit), section((own("Their answer:"),)), quote(last.answer, limit)


def _form(
    callback_id: str, title: str, token: str, pieces: tuple[RichTextElement, ...], entry: tuple[str, str, int]
) -> View:
    label, hint, most = entry
    view = SlackView(
        type="modal",
        callback_id=callback_id,
        private_metadata=token,
        title=plain(title, _TITLE_LIMIT),
        submit=plain("Send", _TITLE_LIMIT),
        close=plain("Cancel", _TITLE_LIMIT),
        blocks=[rich(*pieces), text_input(label, ids.WORDS_BLOCK, ids.INPUTS[ids.WORDS_BLOCK], hint, most)],
    )
    return view.to_dict()
