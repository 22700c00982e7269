"""The off switch, roles for the portal only, admin accounts, the channel check: real processes, a policy file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from journeys.driver import APPROVE, ROOT, SIGN_IN, Sandbox, Shown, environment, only, tail

SETTINGS = {"policy_file": str(Path(__file__).with_name("policy.toml"))}
COMMAND = [sys.executable, "-m", "app"]
PORTAL = "pim_portal"
CLOSED_ROLE = "Guest Inviter"


def operate(sandbox: Sandbox, *words: str) -> str:
    """The operator types a command beside the running bot; what it prints."""
    env = {**environment(), **sandbox.settings["env"], "LOGNAME": "ops"}
    done = subprocess.run([*COMMAND, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def closed(sandbox: Sandbox, request: str, words: str) -> Shown:
    """Its card, with a link to the portal as the only button, saying this."""

    def look() -> Shown | None:
        card = only(sandbox.cards(request))
        return card if card and card.buttons.keys() == {PORTAL} and words in card.words else None

    return sandbox.until(look, f"a card of {request} that says {words!r} and leads to the portal only")


def note(sandbox: Sandbox, words: str) -> Shown:
    def look() -> Shown | None:
        found = [message for message in sandbox.channel() if message.kind == "pim_note"]
        return next((message for message in found if words in message.words), None)

    return sandbox.until(look, f"a note in the channel that says {words!r}")


@pytest.fixture
def going(own: Sandbox) -> Iterator[Sandbox]:
    """Whatever a test paused goes on afterwards, also when it failed."""
    try:
        yield own
    finally:
        operate(own, "resume", "the test is over")


# --- pause and resume ---


def test_a_pause_takes_every_button_away_and_a_resume_brings_them_back(going: Sandbox) -> None:
    request = going.ask()
    before = going.posted(request)
    operate(going, "pause", "a stolen laptop")
    assert closed(going, request, "a stolen laptop").id == before.id
    paused = note(going, "Decisions in Slack are paused: a stolen laptop")
    assert SIGN_IN not in paused.buttons
    assert going.ready()["status"] == "degraded"
    assert any("a stolen laptop" in words for words in going.ready()["notes"])
    operate(going, "resume", "it was found")
    assert going.posted(request).id == before.id
    assert note(going, "Decisions are made in Slack again: it was found").id == paused.id
    going.until_well()
    assert "You approved" in going.approve("ann", going.posted(request))


def test_forms_and_cards_from_before_a_pause_decide_nothing(going: Sandbox) -> None:
    request = going.ask()
    card = going.posted(request)
    form = going.form("ann", card)
    operate(going, "pause", "a drill")
    going.submit("ann", form, "Looks right")
    assert "Decisions in Slack are paused (a drill)" in going.outcome("ann")
    assert going.request(request)["status"] == "PendingApproval"
    assert going.sent(request) == []


def test_a_request_that_arrives_during_a_pause_gets_a_card_without_buttons(going: Sandbox) -> None:
    operate(going, "pause", "a drill")
    closed(going, going.ask(), "a drill")


def test_a_decision_in_the_portal_shows_also_during_a_pause(going: Sandbox) -> None:
    request = going.ask()
    going.posted(request)
    operate(going, "pause", "a drill")
    going.decide_in_portal(request, "ben", "approve")
    going.ended(request, "Approved by Ben Brook in the portal")


# --- roles for the portal only ---


def test_a_portal_only_role_has_no_buttons_and_its_requestor_is_told_as_always(own: Sandbox) -> None:
    request = own.ask("rita", CLOSED_ROLE)
    closed(own, request, "Your company decides this role in the portal only")
    own.decide_in_portal(request, "ben", "deny", "Not today")
    own.ended(request, "Denied by Ben Brook in the portal")
    own.told("rita", CLOSED_ROLE, "Not today")


# --- admin accounts ---


def saying(sandbox: Sandbox, request: str, words: str) -> Shown:
    """Its card once it says this: who the requestor is in Slack may be known a moment after the card is posted."""

    def look() -> Shown | None:
        card = sandbox.posted(request)
        return card if words in card.words else None

    return sandbox.until(look, f"a card that says {words}")


def test_who_asks_with_an_admin_account_is_told_in_their_everyday_slack(own: Sandbox) -> None:
    request = own.ask("adm-rob")
    card = saying(own, request, "admin account of rob@contoso.example, matched by alias")
    own.approve("ann", card, "Checked with Rob")
    own.told("rob", "Approved by Ann Alder", "Checked with Rob")


def test_nobody_approves_what_their_own_admin_account_asks(own: Sandbox) -> None:
    request = own.ask("adm-rob")
    own.signed_in("rob")
    card = own.posted(request)
    whisper = own.whispered("rob", lambda: own.press("rob", card, APPROVE))
    assert "This is your own request, made with adm-rob@contoso.example" in whisper.words
    assert own.sent(request) == []


def test_a_card_says_how_the_requestor_is_known(own: Sandbox) -> None:
    assert saying(own, own.ask("rita"), "matched by mail, not proven")
    own.signed_in("rita")
    assert saying(own, own.ask("rita"), "Slack account: signed in")
    own.command("rita", "sign-out")
    assert saying(own, own.ask("cleo"), "not in Slack: will not be told")


def test_slack_being_unable_to_find_people_delays_no_card(own: Sandbox) -> None:
    own.fault("slack", "users.lookupByEmail", status=500, body={})
    assert "Slack account" not in own.posted(own.ask("rita")).words


# --- sign-ins, from outside ---


def test_a_revoked_sign_in_decides_nothing_until_it_is_renewed(own: Sandbox) -> None:
    own.signed_in("ben")
    listed = {line["upn"]: line["state"] for line in json.loads(operate(own, "links", "list", "--json"))}
    assert listed["ben@contoso.example"] == "active"
    operate(own, "links", "revoke", "ben@contoso.example", "--reason", "lost phone")
    own.told("ben", "Your Microsoft session is over")
    request = own.ask()
    card = own.posted(request)
    assert "ign in" in own.whispered("ben", lambda: own.press("ben", card, APPROVE)).words
    own.signed_in("ben")
    assert "You approved" in own.approve("ben", card)


# --- the channel ---


@pytest.mark.parametrize(
    "channel, words",
    [
        ({"is_private": True, "is_member": True, "is_ext_shared": True}, "shared with another company"),
        ({"is_private": False, "is_member": True}, "is not private"),
    ],
)
def test_the_bot_does_not_start_with_a_channel_that_others_read(
    own: Sandbox, channel: dict[str, bool], words: str
) -> None:
    own.fault("slack", "conversations.info", status=200, body={"ok": True, "channel": channel})
    env = {**environment(), **own.settings["env"], "PIM_PORT": "1"}
    done = subprocess.run([*COMMAND, "serve"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 2, tail(own.log)
    assert "PIM_APPROVERS_CHANNEL" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
