"""Watching as the approvers: while nobody is signed in the bot is blind, says so once, and sees again by itself."""

from __future__ import annotations

import pytest
from journeys.driver import SIGN_IN, Sandbox, Shown, only

SETTINGS = {"watch_as": "approvers"}
SIGNED_IN = ()
BLIND, SEES = "no approver is signed in", "PIM group requests again"


def note(sandbox: Sandbox) -> Shown | None:
    """The one standing note of the channel; two would be a mistake."""
    return only([message for message in sandbox.channel() if message.kind == "pim_note"])


def says(sandbox: Sandbox, words: str) -> Shown:
    def look() -> Shown | None:
        found = note(sandbox)
        return found if found and words in found.words else None

    return sandbox.until(look, f"a note that says {words!r}")


def signed_out(sandbox: Sandbox, *users: str) -> Shown:
    for user in users:
        sandbox.command(user, "sign-out")
    return says(sandbox, BLIND)


@pytest.fixture
def blind(own: Sandbox) -> Shown:
    """Nobody is signed in, and the channel says so."""
    return signed_out(own, "ann", "ben")


def test_blindness_is_said_in_the_channel_and_to_the_operator(own: Sandbox, blind: Shown) -> None:
    assert {SIGN_IN, "pim_portal"} == blind.buttons.keys()
    assert own.ready()["status"] == "degraded"
    assert BLIND in " ".join(own.ready()["notes"])
    assert "http" not in blind.buttons[SIGN_IN]["value"] + blind.text


def test_the_notes_button_gives_each_person_an_address_of_their_own(own: Sandbox, blind: Shown) -> None:
    whispers = [own.whispered(user, lambda user=user: own.press(user, blind, SIGN_IN)) for user in ("ann", "ben")]
    addresses = {whisper.buttons["pim_sign_in_page"]["url"] for whisper in whispers}
    assert len(addresses) == 2
    assert note(own) == blind


def test_with_the_first_sign_in_the_cards_come_and_the_note_is_edited(own: Sandbox, blind: Shown) -> None:
    request = own.ask()
    own.signed_in("ann")
    own.posted(request)
    over = says(own, SEES)
    assert (over.id, SIGN_IN in over.buttons) == (blind.id, False)
    own.until_well()


def test_blind_again_is_said_in_the_same_note(own: Sandbox, blind: Shown) -> None:
    own.signed_in("ann")
    assert says(own, SEES).id == blind.id
    assert signed_out(own, "ann").id == blind.id


def test_cards_stay_while_nobody_can_see(own: Sandbox, blind: Shown) -> None:
    own.signed_in("ann")
    card = own.posted(own.ask())
    signed_out(own, "ann")
    assert own.offers(card)
    assert note(own).id == blind.id


def test_an_outage_is_no_blindness(own: Sandbox, blind: Shown) -> None:
    own.signed_in("ann")
    seeing = says(own, SEES)
    own.fault("graph", "filterByCurrentUser", method="GET", status=503, headers={"Retry-After": "1"})
    own.until_note("Entra role requests cannot be read")
    assert note(own) == seeing
    own.mend()
    own.until_well()
    assert blind.id == seeing.id


def test_who_signs_in_second_brings_at_once_what_only_they_can_see(own: Sandbox, blind: Shown) -> None:
    request = own.ask("ann")
    own.signed_in("ann")
    says(own, SEES)
    own.signed_in("ben")
    assert "You denied" in own.deny("ben", own.posted(request), "Ann, ask Cleo")
    assert note(own).id == blind.id
