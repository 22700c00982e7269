"""The place check: our app, our workspace, people of our workspace; on every kind of delivery, before any listener."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from bolt_rig import APP, BoltRig
from people import TEAM, ann
from slack_bolt import BoltResponse

from handlers.place import MOST_NOTES

Json = dict[str, Any]
KINDS = ["press", "submission", "command", "event"]
OTHERS: dict[str, Json] = {
    "another app": {"api_app_id": "A0OTHER001"},
    "no app": {"api_app_id": None},
    "an app in a list": {"api_app_id": ["A0PIM00001"]},
    "another workspace": {"team": {"id": "T0OTHER001"}, "team_id": "T0OTHER001"},
    "no workspace": {"team": None, "team_id": ""},
    "a workspace without id": {"team": {}, "team_id": ""},
    "a workspace in words": {"team": "T0ACME0001", "team_id": "t0acme0001"},
}
STRANGERS: dict[str, object] = {
    "another workspace": {"id": "U0STRANGER", "team_id": "T0OTHER001"},
    "no workspace": {"id": "U0STRANGER"},
    "a workspace in a list": {"id": "U0STRANGER", "team_id": [TEAM]},
    "a bare id": "U0ANN00001",
    "nobody": None,
    "an empty list": [],
}


async def deliver(rig: BoltRig, kind: str, other: Json) -> BoltResponse:
    """One delivery of each kind that would have an effect if it were ours."""
    request = await rig.house.ask()
    await rig.house.link(ann)
    if kind == "press":
        answer = await rig.deliver(await rig.press_card(ann, request) | other)
    elif kind == "submission":
        form = await rig.house.form(ann, request)
        answer = await rig.deliver(rig.submission(ann, form.modal, comment="Fine") | other)
    elif kind == "command":
        answer = await rig.deliver_form({**rig.typed(ann), **{name: str(other[name] or "") for name in other}})
    else:
        answer = await rig.deliver_event(rig.home_opened(ann) | other)
    await rig.settled()
    return answer


async def nothing_happened(rig: BoltRig) -> bool:
    seen = rig.screens
    shown = (seen.opened, seen.updated, seen.homes)
    return not any(shown) and not rig.house.desk.sent and await rig.outcomes() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_a_delivery_for_others_has_no_effect(
    rig: BoltRig, kind: str, other: Json, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await deliver(rig, kind, other)
    assert answer.status == 403
    assert await nothing_happened(rig)
    assert rig.screens.whispers == []
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


async def test_what_was_signed_for_others_is_audited_once_an_hour(rig: BoltRig) -> None:
    """Only a leaked secret, or a mistake of Slack's, brings such a thing: somebody must be able to find it."""
    for _ in range(3):
        await deliver(rig, "press", OTHERS["another app"])
    await deliver(rig, "press", OTHERS["another workspace"])
    rig.house.clock.now += timedelta(hours=1)
    await deliver(rig, "event", OTHERS["another app"])
    rows = [row for row in await rig.house.trail.rows(0, 100) if row.what == "delivery_refused"]
    another_app = {"app": "A0OTHER001", "team": TEAM}
    assert [json.loads(row.facts) for row in rows] == [another_app, {"app": APP, "team": "T0OTHER001"}, another_app]


async def test_a_flood_from_many_places_fills_no_audit_trail(rig: BoltRig) -> None:
    body = await rig.press_card(ann, await rig.house.ask())
    for number in range(MOST_NOTES + 20):
        await rig.deliver(body | {"api_app_id": f"A{number}" + "x" * 500})
    rows = [row for row in await rig.house.trail.rows(0, 1000) if row.what == "delivery_refused"]
    assert len(rows) == MOST_NOTES
    assert all(len(row.facts) < 200 for row in rows)


async def test_what_cannot_be_written_down_is_refused_all_the_same(
    rig: BoltRig, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.house.store.aclose()
    answer = await rig.deliver({"api_app_id": "A0OTHER001", "team": {"id": TEAM}, "type": "block_actions"})
    assert answer.status == 403
    assert "could not be written down" in caplog.text


@pytest.mark.parametrize("kind", ["press", "submission"])
@pytest.mark.parametrize("user", STRANGERS.values(), ids=STRANGERS.keys())
async def test_a_stranger_in_a_shared_channel_is_refused(rig: BoltRig, kind: str, user: object) -> None:
    answer = await deliver(rig, kind, {"user": user})
    assert answer.status == 200
    assert await nothing_happened(rig)


async def test_a_stranger_who_presses_is_told_why(rig: BoltRig) -> None:
    await deliver(rig, "press", {"user": STRANGERS["another workspace"]})
    (whisper,) = rig.screens.whispers
    assert "members of this workspace" in whisper.text


@pytest.mark.parametrize("kind", KINDS)
async def test_a_delivery_for_us_has_its_effect(rig: BoltRig, kind: str) -> None:
    answer = await deliver(rig, kind, {})
    assert answer.status == 200
    assert len(await rig.outcomes()) == 1


async def test_slack_may_verify_the_address_when_the_app_is_set_up(rig: BoltRig) -> None:
    answer = await rig.deliver_event({"type": "url_verification", "token": "legacy", "challenge": "3eZbrw1aB"})
    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "3eZbrw1aB"})


async def test_a_certificate_check_is_answered_and_reaches_no_listener(rig: BoltRig) -> None:
    answer = await rig.deliver_form({"ssl_check": "1", "token": "legacy"})
    await rig.settled()
    assert answer.status == 200
    assert await nothing_happened(rig)
