"""App Home: drawn for whoever opens it, with what they may see; a failure there costs nobody anything else."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from bolt_rig import BoltRig, BrokenInbox, slack_no, texts
from build import a_request, decided
from people import CHANNEL, TEAM, ann, ben, rita, slack_of

from app.domain.errors import Unavailable
from app.domain.request import Status
from blocks import ids
from handlers.home import LOOKED_AT


async def open_home(rig: BoltRig, **event: object) -> int:
    answer = await rig.deliver_event(rig.home_opened(ann) | event)
    await rig.settled()
    return answer.status


async def test_home_shows_a_signed_in_person_what_waits_for_them(rig: BoltRig) -> None:
    await rig.house.ask()
    await rig.house.link(ann)
    assert await open_home(rig) == 200
    said = texts(rig.screens.homes[slack_of(ann)])
    assert "Exchange Administrator" in said
    assert "Ann Archer" in said
    assert await rig.outcomes() == ["home drawn"]


async def test_home_shows_a_stranger_no_rows_and_no_counts(rig: BoltRig) -> None:
    await rig.house.ask()
    await open_home(rig)
    assert "Exchange" not in texts(rig.screens.homes[slack_of(ann)])
    assert await rig.outcomes() == ["home drawn, not signed in"]


async def test_home_shows_a_member_of_the_channel_its_cards(rig: BoltRig) -> None:
    await rig.house.ask()
    rig.house.people.channels[slack_of(rita)] = frozenset({CHANNEL})
    await rig.deliver_event(rig.home_opened(rita))
    await rig.settled()
    assert "Exchange Administrator" in texts(rig.screens.homes[slack_of(rita)])


async def test_the_messages_tab_needs_nothing(rig: BoltRig) -> None:
    answer = await rig.deliver_event(rig.home_opened(ann, tab="messages"))
    assert (answer.status, rig.screens.homes, await rig.outcomes()) == (200, {}, [])


async def test_an_event_that_is_delivered_again_is_drawn_once(rig: BoltRig, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    async def publish(user: str, _: object) -> None:
        drawn.append(user)

    monkeypatch.setattr(rig.screens, "publish_home", publish)
    event = rig.home_opened(ann)
    statuses = [(await rig.deliver_event(event)).status for _ in range(3)]
    await rig.settled()
    assert (statuses, drawn) == ([200, 200, 200], [slack_of(ann)])


async def test_of_an_event_the_repetition_alone_is_enough(rig: BoltRig) -> None:
    repeated = {"x-slack-retry-num": ["1"], "x-slack-retry-reason": ["http_timeout"]}
    assert (await rig.deliver_event(rig.home_opened(ann), **repeated)).status == 200
    await rig.settled()
    assert slack_of(ann) in rig.screens.homes


async def test_a_home_that_cannot_be_drawn_is_logged_and_acknowledged(
    rig: BoltRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.screens.failures["publish_home"] = slack_no("not_enabled")
    assert await open_home(rig) == 200
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.ERROR]


@pytest.mark.parametrize("problem", [Unavailable(), RuntimeError("a bug")])
async def test_without_a_database_the_event_is_acknowledged(rig: BoltRig, problem: Exception) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(problem)
    assert (await open_home(rig), rig.screens.homes) == (200, {})


# Live buttons, and drawing anew


def tokens(view: dict[str, Any]) -> list[str]:
    buttons = [element for block in view["blocks"] for element in block.get("elements", ())]
    return [button["value"] for button in buttons if button.get("action_id") == ids.APPROVE]


async def test_buttons_on_home_open_the_form(rig: BoltRig) -> None:
    await rig.house.ask()
    await rig.house.link(ann)
    await open_home(rig)
    (token,) = tokens(rig.screens.homes[slack_of(ann)])
    await rig.act(rig.press_home(ann, ids.APPROVE, token))
    ((_, view),) = rig.screens.opened
    assert view["callback_id"] == ids.DECIDE_MODAL


async def test_a_decision_from_home_is_sent_like_any_other(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    await open_home(rig)
    await rig.act(rig.press_home(ann, ids.APPROVE, tokens(rig.screens.homes[slack_of(ann)])[0]))
    form = str(rig.screens.opened[0][1]["private_metadata"])
    await rig.act(rig.submission(ann, form, comment="It is in the change calendar"))
    assert (await rig.house.row(request)).status is Status.APPROVED


@pytest.mark.parametrize("whose", ["another person", "nobody"])
async def test_a_token_of_somebody_else_opens_nothing(rig: BoltRig, whose: str) -> None:
    await rig.house.ask()
    await rig.house.link(ann, ben)
    await open_home(rig)
    (token,) = tokens(rig.screens.homes[slack_of(ann)])
    await rig.act(rig.press_home(ben, ids.APPROVE, token if whose == "another person" else ""))
    ((_, view),) = rig.screens.opened
    assert "out of date" in texts(view)


async def test_what_one_may_not_decide_has_no_buttons(rig: BoltRig) -> None:
    await rig.house.ask(a_request(action="selfExtend"))
    await rig.house.ask(a_request(requestor=ann))
    await rig.house.link(ann)
    await open_home(rig)
    view = rig.screens.homes[slack_of(ann)]
    assert "Exchange Administrator" in texts(view)
    assert tokens(view) == []


async def test_home_holds_ones_own_requests_and_those_one_decided(rig: BoltRig) -> None:
    await rig.house.link(ann)
    own = await rig.house.ask(a_request(requestor=ann, justification="mine"))
    decided_ = await rig.house.ask(a_request(requestor=rita))
    for request, status in ((own, Status.DENIED), (decided_, Status.APPROVED)):
        by = ben if request is own else ann
        await rig.house.book.settle(request.key, status, decided(by), None, rig.house.clock())
    await open_home(rig)
    said = texts(rig.screens.homes[slack_of(ann)])
    assert said.index("Your requests") < said.index("Ben Bauer") < said.index("Requests you decided")
    assert said.index("Requests you decided") < said.index("Rita Roth")


async def test_home_is_drawn_anew_when_something_changed_and_only_then(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    await open_home(rig)
    first = rig.screens.homes.pop(slack_of(ann))
    await rig.home.refresh()
    assert rig.screens.homes == {}
    await rig.house.book.settle(request.key, Status.DENIED, decided(ben), None, rig.house.clock())
    await rig.home.refresh()
    assert tokens(rig.screens.homes[slack_of(ann)]) == []
    await rig.act(rig.press_home(ann, ids.APPROVE, tokens(first)[0]))
    assert "out of date" in texts(rig.screens.opened[0][1])


async def test_who_opened_theirs_long_ago_is_left_alone(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann)
    await open_home(rig)
    rig.screens.homes.clear()
    rig.house.clock.advance(LOOKED_AT + timedelta(seconds=1))
    await rig.house.book.settle(request.key, Status.DENIED, decided(ben), None, rig.house.clock())
    await rig.home.refresh()
    assert rig.screens.homes == {}


async def test_one_home_that_cannot_be_drawn_costs_no_other(rig: BoltRig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.house.link(ann, ben)
    for person in (ann, ben):
        await rig.house.homes.opened(TEAM, slack_of(person), rig.house.clock())
        rig.house.clock.advance(timedelta(seconds=1))
    drawn: list[str] = []

    async def publish(user: str, _: object) -> None:
        if user == slack_of(ben):
            raise slack_no("user_not_found")
        drawn.append(user)

    monkeypatch.setattr(rig.screens, "publish_home", publish)
    await rig.home.refresh()
    assert drawn == [slack_of(ann)]
