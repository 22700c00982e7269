"""Ask first: a question from the card's menu, its answer, and both for everybody to read; the buttons stay."""

from __future__ import annotations

from journeys.driver import APPROVE, Sandbox, Shown

MORE, ANSWER, ASK_FORM, ANSWER_FORM = "pim_more", "pim_answer", "pim_ask", "pim_answer"
QUESTION, REPLY = "Which mailboxes, and until when?", "The Lyon ones, until six tonight"


def form(sandbox: Sandbox, user: str, kind: str) -> Shown:
    def look() -> Shown | None:
        modal = sandbox.modal(user)
        return modal if modal is not None and modal.kind == kind else None

    return sandbox.until(look, f"the form {kind} for {user}")


def test_a_question_and_its_answer_stand_on_the_card_and_reach_both(shared: Sandbox) -> None:
    request, card = shared.waiting()
    choice = f"ask:{card.buttons[APPROVE]['value']}"
    shared.post("click", {"user": "ann", "action_id": MORE, "channel": card.channel, "ts": card.id, "value": choice})
    shared.submit("ann", form(shared, "ann", ASK_FORM), QUESTION, block="words")
    asked = shared.told("rob", "asks about your request", QUESTION)
    shared.press("rob", asked, ANSWER)
    shared.submit("rob", form(shared, "rob", ANSWER_FORM), REPLY, block="words")
    shared.told("ann", "answers about", REPLY)

    def both() -> Shown | None:
        return next((one for one in shared.cards(request) if QUESTION in one.words and REPLY in one.words), None)

    assert shared.offers(shared.until(both, "a card with question and answer"))
