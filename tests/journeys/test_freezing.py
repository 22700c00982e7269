"""A receipt's "This was not me": one press, and nobody decides in that name until a new sign-in."""

from __future__ import annotations

import pytest
from journeys.driver import APPROVE, Sandbox, Shown
from journeys.walking import walk_from

NOT_ME, PAGE = "pim_not_me", "pim_sign_in_page"
FROZEN = "Your link to Microsoft is frozen"


def receipt(sandbox: Sandbox, user: str) -> Shown:
    """The newest receipt with its button."""

    def look() -> Shown | None:
        found = [message for message in sandbox.directs(user) if NOT_ME in message.buttons]
        return found[-1] if found else None

    return sandbox.until(look, f"a receipt for {user}")


@pytest.fixture
def frozen(own: Sandbox) -> Shown:
    """Ann signs in, gets a receipt, and says that it was not her; the receipt as it reads then."""
    own.signed_in("ann")
    mine = receipt(own, "ann")
    own.press("ann", mine, NOT_ME)
    own.until(lambda: any(m.id == mine.id and FROZEN in m.words for m in own.directs("ann")), "a rewritten receipt")
    return next(message for message in own.directs("ann") if message.id == mine.id)


def test_the_receipt_says_what_was_done_and_has_no_button_left(own: Sandbox, frozen: Shown) -> None:
    assert frozen.buttons == {}
    assert "/pim sign-in brings you back" in frozen.words
    assert FROZEN not in " ".join(message.words for message in own.channel())


def test_the_frozen_open_no_form_and_say_why(own: Sandbox, frozen: Shown) -> None:
    assert frozen
    request = own.ask()
    card = own.posted(request)
    refusal = own.whispered("ann", lambda: own.press("ann", card, APPROVE))
    assert "frozen" in refusal.words
    assert own.sent(request) == []


def test_a_form_that_was_open_decides_nothing(own: Sandbox) -> None:
    own.signed_in("ann")
    request = own.ask()
    form = own.form("ann", own.posted(request))
    own.press("ann", receipt(own, "ann"), NOT_ME)
    own.until(lambda: "frozen" in own.command("ann", "").words, "Ann's link to be frozen")
    own.submit("ann", form, "Go ahead")
    assert "frozen" in own.outcome("ann")
    assert own.sent(request) == []


def test_signing_out_does_not_thaw_and_a_new_sign_in_does(own: Sandbox, frozen: Shown) -> None:
    assert frozen
    assert "nothing to end" in own.command("ann", "sign-out").words
    assert "frozen" in own.command("ann", "").words
    own.signed_in("ann")
    assert "You approved" in own.approve("ann", own.posted(own.ask()))


def test_a_sign_in_that_was_under_way_does_not_thaw(own: Sandbox) -> None:
    own.signed_in("ann")
    address = str(own.command("ann", "sign-in").buttons[PAGE]["url"])

    def freeze(_page: str) -> None:
        own.press("ann", receipt(own, "ann"), NOT_ME)
        own.until(lambda: "frozen" in own.command("ann", "").words, "Ann's link to be frozen")

    walked = walk_from(own, address, "ann", before_finish=freeze)
    assert (walked.outcome, walked.status) == ("failed", 400)
    assert "before the link of your Slack account was frozen" in walked.text
    assert "frozen" in own.command("ann", "").words
