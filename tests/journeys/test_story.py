"""The whole story over real processes: asked, shown, signed in, decided, told. On both databases, in both modes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from journeys.driver import APPROVE, Json, Sandbox, Shown, tail
from journeys.scenes import Scene, Scenes

COMMENT = "Rob showed me the alert"
ASKED = {
    "role": "Global Administrator",
    "duration": "PT4H",
    "justification": "Restore federation, the certificate <!channel> *expired*",
    "ticket": {"number": "INC-31", "system": "ServiceNow"},
}


@dataclass(frozen=True, slots=True)
class Story:
    """What each of them saw, in the order of the story."""

    sandbox: Sandbox
    request: str
    card: Shown
    invitation: Shown
    outcome: str
    final: Shown
    rob: Shown
    history: Shown

    def request_now(self) -> Json:
        return self.sandbox.request(self.request)


def play(sandbox: Sandbox) -> Story:
    """Rob asks, Ann clicks, signs in, approves."""
    request = sandbox.ask("rob", **ASKED)
    card = sandbox.posted(request)
    invitation = sandbox.whispered("ann", lambda: sandbox.press("ann", card, APPROVE))
    sandbox.signed_in("ann")
    outcome = sandbox.approve("ann", card, COMMENT)
    final = sandbox.ended(request, "Approved")
    rob = sandbox.told("rob", "Approved")
    return Story(sandbox, request, card, invitation, outcome, final, rob, sandbox.command("ann", "history"))


SCENES: dict[str, Scene] = {
    "sqlite-application": lambda stage: play(stage.sandbox(watch_as="application")),
    "postgresql-application": lambda stage: play(
        stage.sandbox(watch_as="application", database_url=stage.postgresql())
    ),
    # Somebody must be signed in for the bot to see anything.
    "sqlite-approvers": lambda stage: play(stage.sandbox("ben", watch_as="approvers")),
    "postgresql-approvers": lambda stage: play(
        stage.sandbox("ben", watch_as="approvers", database_url=stage.postgresql())
    ),
}


@pytest.fixture(scope="module", params=SCENES)
def story(request: pytest.FixtureRequest, scenes: Scenes) -> Iterator[Story]:
    yield from scenes.watch(request.module, request.param)


def test_the_card_shows_what_an_approver_judges_by(story: Story) -> None:
    for words in ("Critical", "Rob Reed", "Global Administrator", "4 h", ASKED["justification"], "INC-31"):
        assert words in story.card.words
    assert {"pim_approve", "pim_deny"} == story.card.buttons.keys()


def test_the_notification_says_what_matters_and_pings_nobody(story: Story) -> None:
    assert story.card.text[:100].startswith("Critical: Rob Reed asks for Global Administrator for 4")
    assert "decide by" in story.card.text[:100]
    assert "<!channel>" not in story.card.text


def test_a_click_without_a_link_is_answered_with_the_clickers_own_address(story: Story) -> None:
    url = story.invitation.buttons["pim_sign_in_page"]["url"]
    assert url.startswith(f"{story.sandbox.settings['bot_url']}/sign-in/start/")
    assert "Nothing was changed" in story.invitation.words
    assert httpx.get(url, trust_env=False).status_code == 200


def test_microsoft_activates_the_role_by_the_approver_who_clicked(story: Story) -> None:
    now = story.request_now()
    assert (now["status"], now["reviewed_by"], now["comment"]) == ("Provisioned", "ann", COMMENT)
    assert now["active"] is not None


def test_exactly_one_decision_was_sent_as_that_approver(story: Story) -> None:
    assert [(call["who"], call["status"]) for call in story.sandbox.sent(story.request)] == [("ann", 204)]


def test_the_form_itself_says_how_it_ended(story: Story) -> None:
    assert "You approved this request" in story.outcome


def test_the_final_card_says_who_where_and_why_and_has_no_buttons(story: Story) -> None:
    assert "Approved by Ann Alder in Slack" in story.final.words
    assert COMMENT in story.final.words
    assert not {"pim_approve", "pim_deny"} & story.final.buttons.keys()
    assert story.final.id == story.card.id


def test_the_final_card_says_when(story: Story) -> None:
    blocks = [m for c in story.sandbox.world()["channels"] for m in c["messages"] if m["ts"] == story.final.id]
    assert '"type": "date"' in str(blocks).replace("'", '"')


def test_the_requestor_is_told_once(story: Story) -> None:
    assert story.rob.text.startswith("Your request for Global Administrator: approved")
    assert COMMENT in story.rob.words
    assert len(story.sandbox.notices("rob")) == 1


def test_history_shows_it_first(story: Story) -> None:
    newest = story.history.text.splitlines()[1]
    assert newest.startswith("Global Administrator for Rob Reed: approved")
    assert f"by Ann Alder in Slack: {COMMENT}" in newest


def test_nothing_went_wrong_on_the_way(story: Story) -> None:
    log = story.sandbox.log
    assert "WARNING" not in log.read_text(encoding="utf-8"), tail(log)
    assert story.sandbox.ready() == {"status": "ok", "notes": []}
