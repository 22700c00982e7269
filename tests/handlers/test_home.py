"""App Home: drawn for whoever opens it, with what they may see; a failure there costs nobody anything else."""

from __future__ import annotations

import logging

import pytest
from bolt_rig import BoltRig, BrokenInbox, slack_no, texts
from people import CHANNEL, ann, rita, slack_of

from app.domain.errors import Unavailable


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
