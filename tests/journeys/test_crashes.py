"""kill -9 while much is under way: after the next start everything converges, with one decision and one card each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from journeys.driver import Sandbox, Shown
from journeys.scenes import Scene, Scenes

ROLES = (
    "License Administrator",
    "Fabric Administrator",
    "Teams Administrator",
    "Groups Administrator",
    "Reports Reader",
)
PATIENCE = 40.0  # seconds: a dead process still holds the rounds for 15


@dataclass(frozen=True, slots=True)
class Crash:
    """What was under way when the process died, by request id."""

    sandbox: Sandbox
    sent: str  # Ann's decision had left, its answer had not come
    unsent: str  # Ben's decision was claimed and never arrived
    unseen: str  # posted, but Slack's answer was lost
    asked: str  # asked while nobody watched
    portal: str  # decided in the portal while nobody watched
    withdrawn: str
    form: Shown  # Ann's form for `asked_before`, still open
    asked_before: str


def play(own: Sandbox) -> Crash:
    sent, unsent, portal, withdrawn, before = (own.ask(role=role) for role in ROLES)
    cards = {request: own.posted(request) for request in (sent, unsent, portal, withdrawn, before)}
    own.fault("graph", sent, "slow", method="PATCH", seconds=6, times=1)
    own.fault("graph", unsent, "drop_before", method="PATCH", times=1, seconds=30)
    own.submit("ann", own.form("ann", cards[sent]), "Then it died")
    own.submit("ben", own.form("ben", cards[unsent]), "Then it died too")
    own.until(lambda: not any(own.cards(r)[0].decidable for r in (sent, unsent)), "two claims")
    form = own.form("ann", cards[before])
    own.fault("slack", "chat.postMessage", "drop_after", seconds=0.5, times=1)
    unseen = own.ask(role="Guest Inviter")
    own.until(lambda: own.cards(unseen), "a card whose answer is lost")
    own.bot("kill")
    own.mend()
    own.decide_in_portal(portal, "ben", "deny", "While it was dead")
    own.withdraw(withdrawn)
    asked = own.ask("rita", "Directory Readers")
    own.bot("start")
    own.until(lambda: own.cards(asked), "the first poll", PATIENCE)
    return Crash(own, sent, unsent, unseen, asked, portal, withdrawn, form, before)


SCENES: dict[str, Scene] = {"crash": lambda stage: play(stage.sandbox("ann", "ben"))}


@pytest.fixture(scope="module")
def crash(request: pytest.FixtureRequest, scenes: Scenes) -> Iterator[Crash]:
    yield from scenes.watch(request.module, "crash")


def test_a_form_that_was_open_all_along_still_decides(crash: Crash) -> None:
    own = crash.sandbox
    own.submit("ann", crash.form, "I waited")
    assert "You approved" in own.outcome("ann")


def test_a_decision_that_had_left_counts_once_and_as_its_makers(crash: Crash) -> None:
    own = crash.sandbox
    assert "Then it died" in own.ended(crash.sent, "Approved by Ann Alder in Slack").words
    own.told("ann", "You approved this request", "License Administrator")
    assert [call["status"] for call in own.sent(crash.sent)].count(204) == 1


def test_a_decision_that_never_arrived_is_sent_once_more(crash: Crash) -> None:
    own = crash.sandbox
    own.ended(crash.unsent, "Approved by Ben Brook in Slack")
    own.told("ben", "You approved this request", "Fabric Administrator")
    assert own.request(crash.unsent)["reviewed_by"] == "ben"


def test_a_card_whose_post_was_never_confirmed_is_found_again(crash: Crash) -> None:
    own = crash.sandbox
    own.until(lambda: own.cards(crash.unseen)[0].edits > 0, "the card that was found, repainted")
    assert "You approved" in own.approve("ben", own.posted(crash.unseen))


def test_what_was_asked_meanwhile_gets_its_card(crash: Crash) -> None:
    crash.sandbox.posted(crash.asked)


def test_what_ended_meanwhile_is_shown_as_it_ended(crash: Crash) -> None:
    crash.sandbox.ended(crash.portal, "Denied by Ben Brook in the portal")
    crash.sandbox.ended(crash.withdrawn, "withdrawn by the requestor")
    crash.sandbox.told("rob", "Teams Administrator", "While it was dead")


def test_every_requestor_was_told_once(crash: Crash) -> None:
    own = crash.sandbox
    own.ended(crash.asked_before, "Approved")
    own.told("rob", "Reports Reader")
    for role in ROLES[:3]:
        assert len([m for m in own.notices("rob") if role in m.words]) == 1
