"""Answers to commands, and App Home."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.domain.policy import Windows
from app.domain.request import Kind, Status
from app.ports import Counters, Coverage, Gap, LinkState
from blocks import home, ids, lists
from blocks.lists import Sheet
from blocks.message import Message
from blocks.rows import Waiting
from tests.blocks import samples


def waiting(count: int) -> list[Waiting]:
    return [Waiting(samples.row(), f"https://team.slack.com/p{number}") for number in range(count)]


def words(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def history(older: str = "", newer: str = "", which: str = "history") -> Message:
    rows = (samples.row(), samples.row(Status.DENIED, decided=samples.decided("no")))
    return lists.history_page(rows, Sheet(which, older=older, newer=newer), now=samples.NOW)


def turning(message: Message) -> dict[str, str]:
    """What the page buttons carry, by their words."""
    buttons = [e for block in message.blocks if block["type"] == "actions" for e in block["elements"]]
    return {button["text"]["text"]: button["value"] for button in buttons}


def test_page_buttons_carry_where_they_lead() -> None:
    assert turning(history("on", "back")) == {"Newer": "back", "Older": "on"}
    assert turning(history("on")) == {"Older": "on"}
    assert turning(history()) == {}


def test_what_waits_is_turned_onwards_and_back() -> None:
    sheet = Sheet("pending", older="on", newer="back")
    assert turning(lists.pending_list(waiting(2), sheet, now=samples.NOW)) == {"Back": "back", "Next": "on"}


def test_what_a_list_was_narrowed_to_is_said() -> None:
    sheet = Sheet(about="status:denied")
    assert "Only status:denied" in words(lists.history_page((samples.row(),), sheet, now=samples.NOW))
    assert "No request fits that" in lists.history_page((), sheet, now=samples.NOW).text


def test_ones_own_requests_say_when_the_role_was_active() -> None:
    row = samples.every_state()["approved_ended"]
    for which, said in (("mine", True), ("history", False)):
        shown = words(lists.history_page((row,), Sheet(which), now=samples.NOW))
        assert ("Active from " in shown, "ended " in shown) == (said, said)
    assert "Answer until" in words(history(which="mine"))


def test_history_says_status_who_decided_and_why() -> None:
    shown = words(history())
    assert shown.index("Pending") < shown.index("Denied") < shown.index("Ann Ames") < shown.index('"no"')
    assert history().text.endswith("Exchange Administrator for Bob Berg: denied 09:05 UTC by Ann Ames in Slack: no")


def test_pending_list_links_to_the_cards() -> None:
    shown = words(lists.pending_list(waiting(2), Sheet("pending"), now=samples.NOW))
    assert "https://team.slack.com/p0" in shown
    assert "https://team.slack.com/p1" in shown
    assert "more" not in shown


@pytest.mark.parametrize("passed,more,said", [(12, 0, "… and 2 more"), (10, 5, "… and 5 more"), (3, 1, "… and 1 more")])
def test_pending_list_counts_what_it_does_not_show(passed: int, more: int, said: str) -> None:
    message = lists.pending_list(waiting(passed), Sheet("pending"), now=samples.NOW, total=passed + more)
    assert said in words(message)
    assert message.text.startswith(f"Waiting for a decision: {passed + more}.")


def test_card_that_is_not_posted_yet_has_no_link() -> None:
    assert "Open the card" not in words(lists.pending_list([Waiting(samples.row())], Sheet("pending"), now=samples.NOW))


def test_overview_holds_counters_work_sign_in_and_help() -> None:
    message = lists.overview(Counters(4, 3, 2, 1), waiting(1), samples.link(), now=samples.NOW)
    shown = words(message)
    parts = ("Pending now: 4", "Approved, last 7 days: 3", "Denied, last 7 days: 2", "Expired, last 7 days: 1")
    assert all(part in shown for part in (*parts, "Exchange Administrator", "Ann Ames", "/pim help"))
    assert message.text.startswith("Pending now: 4, Approved")


@pytest.mark.parametrize(
    "state,word",
    [(None, "Sign in"), (LinkState.SUSPENDED, "Sign in"), (LinkState.FROZEN, "Sign in"), (LinkState.ACTIVE, "Renew")],
)
def test_everybody_can_sign_in_or_renew_ahead(state: LinkState | None, word: str) -> None:
    session = samples.link(state=state) if state else None
    blocks = lists.overview(Counters(), [], session, now=samples.NOW).blocks
    found = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    assert [(button["action_id"], button["text"]["text"]) for button in found] == [("pim_sign_in", word)]


@pytest.mark.parametrize(
    "windows,said",
    [
        (Windows(samples.NOW, samples.NOW), ("Recent enough to decide until", "For Critical roles until")),
        (Windows(samples.NOW, None), ("Recent enough to decide until", "For Critical roles you will be asked")),
        (Windows(None, None), ("To decide, you will be asked to sign in again",)),
    ],
)
def test_it_says_until_when_one_can_decide(windows: Windows, said: tuple[str, ...]) -> None:
    message = lists.overview(Counters(), [], samples.link(), now=samples.NOW, windows=windows)
    assert all(part in words(message) for part in said)


def test_help_names_every_command() -> None:
    message = lists.help_text()
    assert all(command in words(message) and command in message.text for command, _does in lists.COMMANDS)


def test_unknown_command_is_repeated_and_gets_the_help() -> None:
    message = lists.help_text("<!channel> histroy")
    assert message.text.startswith("There is no /pim &lt;!channel&gt; histroy.")
    assert "There is no " in words(message)
    assert "/pim history" in words(message)


def test_home_shows_work_first_and_at_most_ten() -> None:
    view = home.home(home.Contents(Counters(23), tuple(waiting(20))), now=samples.NOW)
    shown = json.dumps(view, ensure_ascii=False)
    assert view["blocks"][0]["text"]["text"] == "Waiting for you"
    assert shown.count("Open the card") == 10
    assert "… and 13 more" in shown


def test_home_never_holds_a_one_time_address() -> None:
    view = home.home(home.Contents(), now=samples.NOW)
    buttons = [element for block in view["blocks"] if block["type"] == "actions" for element in block["elements"]]
    addressed = {button["action_id"]: "url" in button for button in buttons}
    assert addressed == {ids.SIGN_IN: False, ids.SETTINGS: False, ids.PORTAL: True}


def test_history_says_since_when_it_is_complete_and_what_nobody_saw() -> None:
    gap = Gap(samples.NOW - timedelta(hours=2), samples.NOW - timedelta(hours=1))
    coverage = (Coverage(Kind.ENTRA, samples.NOW - timedelta(days=3)), Coverage(Kind.GROUP, samples.NOW, (gap, gap)))
    for rows in ((), (samples.row(),)):
        shown = words(lists.history_page(rows, Sheet(coverage=coverage), now=samples.NOW))
        assert "Entra roles since " in shown
        assert "PIM groups since " in shown
        assert ", but for 2 gaps, the last from " in shown
    assert "Complete" not in words(history())
