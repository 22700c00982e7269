"""`/pim settings` and the button on App Home: a form of one's own, kept by one's own clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bolt_rig import BoltRig, BrokenInbox, Json, body_of, slack_no, texts
from build import NOW
from people import TEAM, ann, ben, slack_of

from app.domain.errors import Unavailable
from app.domain.preferences import HALF_HOURS, Preference
from app.inbox import Deliveries
from blocks import ids
from handlers.answers import TOO_SLOW
from handlers.settings import NOT_SAVED

EMPTY: Json = {"type": "datepicker", "selected_date": None}
FIELDS = {
    ids.REMINDERS_BLOCK: lambda value: {"type": "radio_buttons", "selected_option": {"value": value}},
    ids.AWAY_BLOCK: lambda value: {"type": "datepicker", "selected_date": value},
    ids.SINCE_BLOCK: lambda value: {"type": "timepicker", "selected_time": value},
    ids.UNTIL_BLOCK: lambda value: {"type": "timepicker", "selected_time": value},
}


def submission(rig: BoltRig, values: Mapping[str, str | None]) -> Json:
    entered = {
        block: {ids.SETTINGS_INPUTS[block]: FIELDS[block](values.get(block))}
        for block in ids.SETTINGS_INPUTS
        if block != ids.REMINDERS_BLOCK or block in values
    }
    view = {"id": "V0000001", "team_id": TEAM, "type": "modal", "callback_id": ids.SETTINGS_MODAL}
    trigger = f"{next(rig.numbers)}.6.settings"
    return rig.common(ann) | {
        "type": "view_submission",
        "trigger_id": trigger,
        "view": {**view, "private_metadata": "", "state": {"values": entered}},
    }


async def kept(rig: BoltRig) -> Preference:
    return await rig.own_settings.of(TEAM, slack_of(ann))


def initial(view: Json, block_id: str) -> object:
    """What an input of the form shows before anybody touches it."""
    (element,) = [block["element"] for block in view["blocks"] if block.get("block_id") == block_id]
    values = [value for name, value in element.items() if name.startswith("initial_")]
    return values[0] if values else None


async def test_the_command_opens_the_form_and_says_nothing_beside_it(rig: BoltRig) -> None:
    assert await rig.type(ann, "settings") == {}
    ((trigger, view),) = rig.screens.opened
    assert trigger.endswith("command")
    assert view["callback_id"] == ids.SETTINGS_MODAL
    assert "22:00-07:00" in texts(view)
    assert rig.screens.whispers == []


async def test_the_button_on_app_home_opens_it_too(rig: BoltRig) -> None:
    await rig.act(rig.press(ann, ids.SETTINGS, "settings"))
    assert [view["callback_id"] for _, view in rig.screens.opened] == [ids.SETTINGS_MODAL]


async def test_a_form_that_did_not_open_is_said(rig: BoltRig) -> None:
    rig.screens.failures["open_modal"] = slack_no()
    assert (await rig.type(ann, "settings"))["text"] == TOO_SLOW


async def test_what_is_chosen_is_kept_by_the_persons_own_clock(rig: BoltRig) -> None:
    people = rig.house.people.persons
    people[slack_of(ann)] = replace(people[slack_of(ann)], zone="Asia/Tokyo")
    chosen = {
        ids.REMINDERS_BLOCK: "off",
        ids.AWAY_BLOCK: "2026-12-01",
        ids.SINCE_BLOCK: "21:00",
        ids.UNTIL_BLOCK: "08:00",
    }
    await rig.act(submission(rig, chosen))
    back = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert await kept(rig) == Preference(back, date(2026, 12, 1), reminders=False, quiet="21:00-08:00")
    assert "Saved." in texts(rig.screens.updated[-1][1])
    assert await rig.outcomes() == ["settings saved"]


async def test_the_form_shows_what_was_kept(rig: BoltRig) -> None:
    hours = {ids.SINCE_BLOCK: "21:00", ids.UNTIL_BLOCK: "08:00"}
    await rig.act(submission(rig, {ids.REMINDERS_BLOCK: "off", ids.AWAY_BLOCK: "2026-12-01", **hours}))
    await rig.type(ann, "settings")
    view = rig.screens.opened[-1][1]
    reminders = initial(view, ids.REMINDERS_BLOCK)
    assert isinstance(reminders, dict)
    assert reminders["value"] == "off"
    shown = [initial(view, block) for block in (ids.AWAY_BLOCK, ids.SINCE_BLOCK, ids.UNTIL_BLOCK)]
    assert shown == ["2026-12-01", "21:00", "08:00"]
    await rig.type(ben, "settings")
    assert initial(rig.screens.opened[-1][1], ids.AWAY_BLOCK) is None


async def test_an_absence_that_is_over_is_shown_no_more(rig: BoltRig) -> None:
    await rig.act(submission(rig, {ids.AWAY_BLOCK: "2026-12-01", ids.REMINDERS_BLOCK: "on"}))
    rig.house.clock.advance(timedelta(days=20))
    await rig.type(ann, "settings")
    assert initial(rig.screens.opened[-1][1], ids.AWAY_BLOCK) is None


async def test_no_quiet_hours_at_all_is_the_same_time_twice(rig: BoltRig) -> None:
    await rig.act(submission(rig, {ids.SINCE_BLOCK: "09:00", ids.UNTIL_BLOCK: "09:00"}))
    assert (await kept(rig)).quiet == ""
    await rig.type(ann, "settings")
    view = rig.screens.opened[-1][1]
    assert initial(view, ids.SINCE_BLOCK) == initial(view, ids.UNTIL_BLOCK) == "00:00"


@pytest.mark.parametrize("only", [ids.SINCE_BLOCK, ids.UNTIL_BLOCK])
async def test_one_time_alone_is_said_in_the_form(rig: BoltRig, only: str) -> None:
    answer = await rig.act(submission(rig, {only: "09:00"}))
    assert body_of(answer) == {"response_action": "errors", "errors": {ids.UNTIL_BLOCK: HALF_HOURS}}
    assert await kept(rig) == Preference()


@pytest.mark.parametrize("odd", ["tomorrow", "2026-13-01", ""])
async def test_what_is_no_day_or_time_counts_as_empty(rig: BoltRig, odd: str) -> None:
    await rig.act(submission(rig, dict.fromkeys((ids.AWAY_BLOCK, ids.SINCE_BLOCK, ids.UNTIL_BLOCK), odd)))
    assert await kept(rig) == Preference()


async def test_while_slack_does_not_know_their_clock_nothing_is_kept(rig: BoltRig) -> None:
    rig.house.people.failure = Unavailable()
    await rig.act(submission(rig, {ids.REMINDERS_BLOCK: "off"}))
    rig.house.people.failure = None
    assert await kept(rig) == Preference()
    assert NOT_SAVED in texts(rig.screens.updated[-1][1])


async def test_without_the_database_nothing_is_kept_and_that_is_said(rig: BoltRig) -> None:
    rig.reception.deliveries = Deliveries(
        inbox=BrokenInbox(Unavailable()), outbox=rig.house.outbox, clock=rig.house.clock
    )
    answer = await rig.act(submission(rig, {ids.REMINDERS_BLOCK: "off"}))
    assert NOT_SAVED in texts(body_of(answer))
    assert await kept(rig) == Preference()


async def test_the_same_form_sent_twice_is_kept_once(rig: BoltRig) -> None:
    payload = submission(rig, {ids.REMINDERS_BLOCK: "off"})
    await rig.act(payload)
    await rig.own_settings.preferences.put(TEAM, slack_of(ann), Preference())
    await rig.act(payload)
    assert await kept(rig) == Preference()
    assert rig.house.clock() == NOW
