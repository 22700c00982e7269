"""The bot in Socket Mode: no address of it is known to Slack, and everything works all the same."""

from __future__ import annotations

import subprocess
import sys

import httpx
from journeys.driver import APPROVE, ROOT, Sandbox, environment

SETTINGS = {"slack_app_token": "xapp-1-A0SANDBOX1-1234567890-of-a-test"}


def test_asked_shown_pressed_submitted_provisioned(own: Sandbox) -> None:
    request = own.ask("rob", "Global Administrator", duration="PT4H")
    card = own.posted(request)
    form = own.form("ann", card)
    answer = own.submit("ann", form, "Rob showed me the alert")
    assert answer["status"] == httpx.codes.OK
    assert answer["body"]["response_action"] == "update"
    assert "You approved this request" in own.outcome("ann")
    now = own.request(request)
    assert (now["status"], now["reviewed_by"]) == ("Provisioned", "ann")
    assert own.ended(request, "Approved by Ann Alder in Slack").id == card.id
    own.told("rob", "Approved")


def test_a_form_says_what_is_missing(own: Sandbox) -> None:
    form = own.form("ann", own.posted(own.ask("rob", "Global Administrator")))
    assert own.submit("ann", form, " " * 20)["body"]["response_action"] == "errors"


def test_commands_and_home_are_answered(own: Sandbox) -> None:
    assert "Signed in to Microsoft as" in own.command("ann", "").words
    own.post("home", {"user": "ann"})
    own.until(lambda: "ann" in own.world()["homes"], "the home of Ann")


def test_slacks_http_door_does_not_exist(own: Sandbox) -> None:
    assert "PIM_SLACK_SIGNING_SECRET" not in own.settings["env"]
    answer = httpx.post(f"{own.settings['bot_url']}/slack/events", content=b"payload={}", trust_env=False)
    assert answer.status_code == 404


def test_a_lost_connection_comes_back_by_itself(own: Sandbox) -> None:
    _, card = own.waiting()
    own.fault("slack", "/socket", "drop_before", times=1)
    where = {"channel": card.channel, "ts": card.id}
    assert own.post("click", {"user": "ann", "action_id": APPROVE, **where})["body"] == "dispatch_failed"
    own.until(lambda: own.post("command", {"user": "ann", "text": "help"})["status"] == httpx.codes.OK, "a connection")
    assert own.form("ann", card)


def test_a_press_whose_acknowledgement_was_lost_is_answered_all_the_same(own: Sandbox) -> None:
    _, card = own.waiting()
    before = own.modal("ben")
    own.fault("slack", "/socket", "drop_after", times=1)
    own.post("click", {"user": "ben", "action_id": APPROVE, "channel": card.channel, "ts": card.id})
    own.until(lambda: own.modal("ben") != before, "a form")


def test_while_slack_gives_no_address_readiness_says_so(own: Sandbox) -> None:
    own.fault("slack", "apps.connections.open", status=500)
    own.fault("slack", "/socket", "drop_before", times=1)
    own.post("command", {"user": "ann", "text": "help"})
    own.until_note("Clicks do not arrive")
    own.mend()
    own.until_well()
    assert "/pim history" in own.command("ann", "help").words


def test_a_restarted_bot_listens_at_once(own: Sandbox) -> None:
    own.bot("kill")
    own.bot("start")
    assert own.post("command", {"user": "ann", "text": "help"})["status"] == httpx.codes.OK


def test_a_token_that_slack_refuses_ends_the_start_with_a_sentence(own: Sandbox) -> None:
    env = {**environment(), **own.settings["env"], "PIM_SLACK_APP_TOKEN": "xapp-1-somebody-elses"}
    serve = [sys.executable, "-m", "app", "serve"]
    done = subprocess.run(serve, cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 2
    assert "PIM_SLACK_APP_TOKEN is not accepted: Slack refused: invalid_auth." in done.stderr
