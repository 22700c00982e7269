"""The requestor's side over real processes: one message that follows a request, nudge, withdraw, and last calls."""

from __future__ import annotations

from journeys.driver import Sandbox, Shown, only

SIGNED_IN = ("ann", "ben", "rob")
WITHDRAW, NUDGE, ASK_AGAIN, SIGN_IN_PAGE = "pim_withdraw", "pim_nudge", "pim_ask_again", "pim_sign_in_page"
LONG_ENOUGH = 60.0  # seconds: Microsoft shows an approved role within a quarter of a minute


def following(sandbox: Sandbox, user: str, role: str) -> Shown | None:
    """The one message in which somebody follows their request for this role."""
    return only([m for m in sandbox.directs(user) if m.kind == "pim_direct" and role in m.words])


def followed(sandbox: Sandbox, user: str, role: str, *words: str) -> Shown:
    """The same, once it says all this."""

    def look() -> Shown | None:
        message = following(sandbox, user, role)
        return message if message and all(word in message.words for word in words) else None

    return sandbox.until(look, f"a message of {user} about {role} that says {words}")


def test_a_requestor_sees_nudges_and_withdraws_in_one_message(own: Sandbox) -> None:
    role = "Global Administrator"  # Critical: its approvers may be asked at any hour
    request = own.ask("rita", role)
    own.posted(request)
    message = followed(own, "rita", role, "Waiting for an approver", "approvers", "Dies")
    said = own.whispered("rita", lambda: own.press("rita", message, WITHDRAW))
    assert SIGN_IN_PAGE in said.buttons
    assert own.request(request)["status"] == "PendingApproval"
    own.signed_in("rita")

    said = own.whispered("rita", lambda: own.press("rita", message, NUDGE))
    assert "asked again" in said.words
    nudged = own.until(
        lambda: next((m for m in own.directs("ann") if "asks you to look" in m.words and m.decidable), None), "a nudge"
    )
    followed(own, "rita", role, "Asked again")
    assert "Nobody was asked" in own.whispered("rita", lambda: own.press("rita", message, NUDGE)).words

    said = own.whispered("rita", lambda: own.press("rita", message, WITHDRAW))
    assert "Your request is withdrawn" in said.words
    own.ended(request, "withdrawn by the requestor")
    (call,) = [one for one in own.calls("graph", "POST", f"{request}/cancel") if one["status"] == 204]
    assert call["who"] == "rita"
    final = followed(own, "rita", role, "withdrawn by the requestor")
    assert (final.id, final.buttons) == (message.id, {})
    own.until(
        lambda: not any(m.decidable for m in own.directs("ann") if m.id == nudged.id), "the nudge without buttons"
    )


def test_what_waits_is_withdrawn_from_the_list_of_ones_own(own: Sandbox) -> None:
    request = own.ask("ben", "Guest Inviter")
    own.posted(request)
    mine = own.command("ben", "mine")
    assert WITHDRAW in mine.buttons
    assert "is withdrawn" in own.whispered("ben", lambda: own.press("ben", mine, WITHDRAW)).words
    own.ended(request, "withdrawn by the requestor")
    assert own.request(request)["status"] == "Canceled"


def test_a_request_about_to_die_is_told_once_with_the_reason_to_copy(own: Sandbox) -> None:
    role, reason = "Directory Readers", "Read the directory for the yearly audit"
    request = own.ask("rob", role, age="PT23H50M", justification=reason)
    told = own.told("rob", role, "dies at")
    assert reason in told.words
    assert told.buttons[ASK_AGAIN]["url"].startswith("https://")
    own.deny("ann", own.posted(request), "Ask again tomorrow, please")
    own.told("rob", role, "Ask again tomorrow, please")
    assert len([m for m in own.notices("rob") if "dies at" in m.words and role in m.words]) == 1


def test_whoever_holds_a_role_is_told_before_it_ends(own: Sandbox) -> None:
    role = "License Administrator"
    request = own.ask("rob", role, duration="PT15M5S")
    own.approve("ann", own.posted(request), "For a quarter of an hour")

    def ending() -> list[Shown]:
        return [m for m in own.notices("rob") if role in m.words and "ends at" in m.words]

    own.until(ending, "a last call", LONG_ENOUGH)
    assert ASK_AGAIN in ending()[0].buttons
    followed(own, "rob", role, "Approved by Ann Alder")
    assert len(ending()) == 1
