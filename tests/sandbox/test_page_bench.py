"""Beside Slack on the page: fault switches, requests dated back, eligible roles, marks of others, the tour."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from sandbox.page_rig import DATABASES, PROD, REQUESTOR_ASKS, Browser
from sandbox.slack_rig import ANN, DESK, actions, button

from app.sandbox.faults import Fault, take_fault
from app.sandbox.login_scopes import Scopes, resources
from app.sandbox.login_tokens import Grant, Issued
from app.sandbox.page_faults import SWITCHES
from app.sandbox.page_offers import offers

STEP = "/beta/roleManagement/directory/roleAssignmentApprovals/1/steps/1"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    made = Browser()
    async with made.http:
        yield made


async def on(browser: Browser) -> set[str]:
    return {fault["name"] for fault in (await browser.state("rob"))["faults"] if fault["on"]}


async def test_a_switch_is_turned_on_once_and_off_and_leaves_other_faults_alone(browser: Browser) -> None:
    other = Fault("graph", re.compile("mine"), "slow")
    browser.world.faults.append(other)
    for _ in range(2):
        assert (await browser.act("fault", "rob", switch="down", on=True)).status_code == 200
    assert await on(browser) == {"down"}
    assert len(browser.world.faults) == 3
    await browser.act("fault", "rob", switch="down", on=False)
    assert browser.world.faults == [other]


async def test_a_switch_for_one_decision_is_off_again_after_it(browser: Browser) -> None:
    await browser.act("fault", "rob", switch="stronger", on=True)
    assert take_fault(browser.world.faults, "graph", "GET", STEP) is None
    fault = take_fault(browser.world.faults, "graph", "PATCH", STEP)
    assert fault is not None
    assert "claims=" in fault.headers["WWW-Authenticate"]
    assert await on(browser) == set()
    await browser.act("fault", "rob", switch="stronger", on=True)
    assert take_fault(browser.world.faults, "graph", "PATCH", STEP) is not None  # the next one meets it again


@pytest.mark.parametrize("name", SWITCHES)
async def test_every_switch_breaks_something(browser: Browser, name: str) -> None:
    await browser.act("fault", "rob", switch=name, on=True)
    calls = [("graph", "PATCH", STEP), ("arm", "PUT", "/x/stages/1"), ("slack", "POST", "/chat.postMessage")]
    assert any(take_fault(browser.world.faults, *call) for call in calls)


async def test_a_press_on_a_message_that_was_just_repainted_still_counts(browser: Browser) -> None:
    workspace = browser.workspace
    message = workspace.post(workspace.channels[DESK], "card", [actions(button("go", value="1"), block_id="card:1")])
    workspace.edit(message, "card", [actions(button("go", value="2"), block_id="card:2")])
    pressed = {"channel": DESK, "ts": message.ts, "action_id": "go", "block_id": "card:1"}
    assert (await browser.act("click", "ann", **pressed)).status_code == 200
    assert browser.bot.payload["actions"][0]["value"] == "2"
    two = [actions(button("go"), block_id="row:1"), actions(button("go"), block_id="row:2")]
    workspace.edit(message, "list", two)
    assert (await browser.act("click", "ann", **pressed)).status_code == 400  # which of the two nobody can say


async def test_an_unknown_switch_is_refused(browser: Browser) -> None:
    assert (await browser.act("fault", "rob", switch="fire", on=True)).json() == {"error": "There is no such switch."}
    assert browser.world.faults == []


async def test_a_request_may_be_dated_back_to_its_last_ten_minutes(browser: Browser) -> None:
    made = (await browser.act("ask", "rob", **REQUESTOR_ASKS, is_old="yes")).json()["id"]
    request = browser.world.requests[made]
    assert (request.expires - browser.world.now()).total_seconds() == pytest.approx(600, abs=5)
    fresh = (await browser.act("ask", "rob", **REQUESTOR_ASKS)).json()["id"]
    assert browser.world.requests[fresh].asked.age.total_seconds() == 0


def test_what_is_eligible_can_be_asked_for_and_its_demands_are_told() -> None:
    for offer in offers().values():
        assert {f"{role}|{scope}" for role, scope in offer["eligible"]} <= set(offer["demands"])
    demands = {kind: offer["demands"] for kind, offer in offers().items()}
    strict = demands["entra"]["Global Administrator|/"]
    assert (strict["hours"], strict["ticket"], strict["mfa"], strict["approvers"]) == (
        8,
        True,
        True,
        "the group pim-approvers",
    )
    assert demands["azure"][f"User Access Administrator|{PROD}"]["approvers"] == "nobody: its list is empty"
    assert demands["entra"]["Global Secure Access Administrator|/"]["approvers"] == "whoever administers PIM"
    assert demands["entra"]["AI Administrator|/"]["approvers"] == "the requestor's manager"
    assert demands["group"][f"owner|{DATABASES}"]["hours"] == 4
    assert demands["entra"]["Cloud App Security Administrator|/"]["context"] == "c1"


async def test_the_switcher_knows_who_has_something_unread(browser: Browser) -> None:
    assert (await browser.state("rob"))["unread"]["ann"] == 0
    browser.workspace.post(browser.workspace.channels[DESK], "card", [])
    browser.workspace.post(browser.workspace.direct(ANN), "hello", [])
    unread = (await browser.state("rob"))["unread"]
    assert (unread["ann"], unread["ben"], unread["rob"]) == (2, 1, 0)


async def test_the_tour_knows_how_far_its_person_came(browser: Browser) -> None:
    world = browser.world
    fresh = {"invited": False, "signed_in": False, "decided": 0, "requestor": None}
    assert (await browser.state("ann"))["tour"] == fresh
    browser.workspace.whisper(DESK, ANN, "Sign in", [actions(button("pim_sign_in_page"))])
    assert (await browser.state("ann"))["tour"] == fresh | {"invited": True}
    assert (await browser.state("ben"))["tour"] == fresh
    graph = resources(world.settings)["graph"]
    scopes = Scopes(graph, graph.delegated, frozenset(), "")
    world.login.refresh["r"] = Issued(Grant("ann", scopes, "", "", None, "", "", world.now()), world.now())
    assert (await browser.state("ann"))["tour"]["signed_in"] is False  # the bot's own last page is still open
    browser.workspace.post(browser.workspace.direct(ANN), "Linked", [actions(button("pim_not_me"))])
    first = next(iter(world.requests.values()))
    world.decide(first.id, "ann", "approve", "Fine")
    done = {"invited": True, "signed_in": True, "decided": 1, "requestor": "rita"}
    assert (await browser.state("ann"))["tour"] == done
    assert (await browser.state("ben"))["tour"]["signed_in"] is False
