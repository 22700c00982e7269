"""`/pim` and what may follow it, the App Home: everybody sees what they may see, and no more."""

from __future__ import annotations

import pytest
from journeys.driver import Sandbox

INVITATION = "Sign in to Microsoft first"
COMMANDS = ("/pim pending", "/pim history", "/pim sign-in", "/pim help")


@pytest.mark.parametrize("typed", ["histroy", "approve everything", "<!channel>"])
def test_an_unknown_word_is_answered_with_the_help(shared: Sandbox, typed: str) -> None:
    answer = shared.command("rita", typed)
    assert answer.words.startswith("There is no /pim ")
    assert all(command in answer.words for command in COMMANDS)
    assert "<!channel>" not in answer.text


def test_help_names_the_licence_and_where_approval_is_set(shared: Sandbox) -> None:
    answer = shared.command("olga", "help")
    assert "Entra ID P2 licence" in answer.words
    assert "PIM's role settings" in answer.words


def test_pim_alone_shows_counters_what_waits_and_the_sign_in(shared: Sandbox) -> None:
    shared.posted(shared.ask("rita", "Global Administrator", age="PT23H"))
    answer = shared.command("ann", "")
    assert answer.text.startswith("Pending now: ")
    assert "Global Administrator · Rita Rowe" in answer.words
    assert "Signed in to Microsoft as Ann Alder" in answer.words
    assert all(command in answer.words for command in COMMANDS)


def test_the_shortcut_shows_what_waits(shared: Sandbox) -> None:
    shared.posted(shared.ask("rita", "Global Administrator"))
    answer = shared.post("shortcut", {"user": "ann", "callback_id": "pim_waiting"})
    assert (answer["status"], answer["body"]) == (200, "")

    def shown() -> bool:
        modal = shared.modal("ann")
        return modal is not None and "Global Administrator · Rita Rowe" in modal.words

    shared.until(shown, "a modal with what waits")


def test_pending_shows_the_soonest_to_expire_first(shared: Sandbox) -> None:
    old = shared.ask("rita", "Guest Inviter", age="PT23H30M")
    shared.posted(old)
    lines = shared.command("ben", "pending").text.splitlines()
    assert "Guest Inviter for Rita Rowe" in lines[1]


def test_what_waits_leads_to_its_card(shared: Sandbox) -> None:
    request = shared.ask("rita", "License Administrator", age="PT21H")
    card = shared.posted(request)
    answer = shared.command("ann", "pending")
    raw = next(note for note in shared.world()["ephemerals"] if note["ts"] == answer.id)
    assert f"/archives/{card.channel}/p{card.id.replace('.', '')}" in str(raw["blocks"])


@pytest.mark.parametrize("typed", ["", "pending", "history", "mine", "approved"])
def test_an_outsider_sees_an_invitation_and_no_rows(shared: Sandbox, typed: str) -> None:
    shared.command("olga", "sign-out")
    answer = shared.command("olga", typed)
    assert INVITATION in answer.words
    assert "Administrator" not in answer.words + answer.text


def test_an_outsider_who_signs_in_sees_nothing_of_others(shared: Sandbox) -> None:
    shared.signed_in("olga")
    assert "none that you may see" in shared.command("olga", "history").words
    assert shared.command("olga", "").text.startswith("Pending now: 0, Approved, last 7 days: 0")


def test_a_requestor_sees_their_own_and_nobody_elses(shared: Sandbox) -> None:
    shared.posted(shared.ask("rob"))
    shared.signed_in("rob")
    lines = shared.command("rob", "history").text.splitlines()[1:]
    assert lines
    assert all(" for Rob Reed" in line for line in lines)


def test_the_home_shows_the_same_to_its_owner_alone(shared: Sandbox) -> None:
    shared.posted(shared.ask("rita", "Exchange Administrator"))
    for user in ("ann", "gus"):
        shared.post("home", {"user": user})
    shared.until(lambda: {"ann", "gus"} <= shared.world()["homes"].keys(), "two homes")
    homes = shared.world()["homes"]
    assert "Pending now" in str(homes["ann"])
    assert "Exchange Administrator" in str(homes["ann"])
    assert "Exchange Administrator" not in str(homes["gus"])


def test_signing_out_ends_it(shared: Sandbox) -> None:
    shared.signed_in("rita")
    assert "You are signed out" in shared.command("rita", "sign-out").words
    assert INVITATION in shared.command("rita", "history").words
