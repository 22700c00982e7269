"""Verify and finish, freeze and renew, as Slack shows them: whose address, which words, which button."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bolt_rig import BoltRig, addresses, texts
from build import a_notice
from people import TEAM, TENANT, ann, ben, slack_of

from app.domain.errors import ClaimsChallenge, DeviceDemanded, SignInRequired
from app.domain.policy import Freshness
from app.domain.request import ActivationRequest, Status
from app.ports import LinkState
from blocks import ids

CLAIMS = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
HOME = {"type": "view", "view_id": "V0HOME0001"}


async def submit(rig: BoltRig) -> ActivationRequest:
    """Ann submits an approval."""
    request = await rig.house.ask()
    await rig.house.link(ann)
    token = await rig.open_form(ann, request, ids.APPROVE)
    await rig.act(rig.submission(ann, token, comment="Ticket checked"))
    return request


# --- the modal ---


@pytest.mark.parametrize("failure", [SignInRequired(), ClaimsChallenge(claims=CLAIMS)], ids=["over", "challenge"])
async def test_the_modal_becomes_verify_and_finish(rig: BoltRig, failure: SignInRequired) -> None:
    rig.house.desk.fail("fetch", failure)
    request = await submit(rig)
    ((_, view),) = rig.screens.updated
    assert view["title"]["text"] == "Verify and finish"
    assert all(part in texts(view) for part in ("Nothing was sent yet", "Rob Reyes", "stays open"))
    assert len(addresses(view["blocks"])) == 1
    row = await rig.house.row(request)
    assert (row.status, row.verifying, rig.house.desk.sent) == (Status.PENDING, ann, [])


async def test_the_address_in_it_is_the_submitters_own(rig: BoltRig) -> None:
    rig.house.step_up.freshness = Freshness(window=timedelta(0))
    await submit(rig)
    (address,) = addresses(rig.screens.updated[0][1]["blocks"])
    assert CLAIMS not in address
    await rig.linking.start(address.rsplit("/", 1)[1])


async def test_a_closed_modal_is_answered_by_a_message_without_an_address(rig: BoltRig) -> None:
    rig.house.desk.fail("fetch", SignInRequired())
    rig.screens.closed.add("V0000001")
    await submit(rig)
    (notice,) = await rig.house.notices()
    assert (notice.topic, notice.to_slack) == ("fate", slack_of(ann))
    assert "Nothing was sent" in notice.facts["refused"]
    assert "http" not in notice.facts["refused"]


async def test_a_managed_device_comes_with_the_portal(rig: BoltRig) -> None:
    rig.house.desk.fail("fetch", DeviceDemanded())
    await submit(rig)
    ((_, view),) = rig.screens.updated
    assert "managed device" in texts(view)
    buttons = [element for block in view["blocks"] for element in block["elements"] if block["type"] == "actions"]
    assert [button["action_id"] for button in buttons] == [ids.PORTAL]


async def test_somebody_frozen_reads_why(rig: BoltRig) -> None:
    request = await rig.house.ask()
    link = await rig.house.link(ann)
    await rig.house.freezes.freeze(link, rig.house.clock())
    await rig.act(await rig.press_card(ann, request))
    (whisper,) = rig.screens.whispers
    assert "frozen" in whisper.text
    assert rig.screens.opened == []


async def test_somebody_suspended_reads_why(rig: BoltRig) -> None:
    request = await rig.house.ask()
    await rig.house.link(ann, state=LinkState.SUSPENDED)
    await rig.act(await rig.press_card(ann, request))
    (whisper,) = rig.screens.whispers
    assert "Your Microsoft session is over" in whisper.text


# --- the receipt ---


async def test_not_me_freezes_and_rewrites_the_receipt(rig: BoltRig) -> None:
    await rig.house.link(ann)
    await rig.house.outbox.owe(a_notice(id="receipt"), "receipt", rig.house.clock())
    await rig.act(rig.press(ann, ids.NOT_ME, "receipt"))
    link = await rig.house.links.by_entra(TENANT, ann.id)
    assert link is not None
    assert link.state is LinkState.FROZEN
    (whisper,) = rig.screens.whispers
    assert (whisper.replace, "frozen" in whisper.text) == (True, True)
    assert not any(block["type"] == "actions" for block in whisper.blocks)
    assert rig.wakes


@pytest.mark.parametrize("who,value", [(ben, "receipt"), (ann, "made up"), (ann, "")])
async def test_nobody_else_and_nothing_else_freezes(rig: BoltRig, who: object, value: str) -> None:
    await rig.house.link(ann)
    await rig.house.outbox.owe(a_notice(id="receipt"), "receipt", rig.house.clock())
    await rig.act(rig.press(who, ids.NOT_ME, value))  # type: ignore[arg-type]  # one of the cast
    link = await rig.house.links.by_slack(TEAM, slack_of(ann))
    assert link is not None
    assert link.state is LinkState.ACTIVE
    assert [whisper.replace for whisper in rig.screens.whispers] == [False]


# --- App Home ---


async def test_renewing_from_home_opens_a_form_with_an_address(rig: BoltRig) -> None:
    await rig.act(rig.press(ann, ids.SIGN_IN, "sign_in", container=HOME, response_url=""))
    ((trigger, view),) = rig.screens.opened
    assert trigger
    assert len(addresses(view["blocks"])) == 1
    assert rig.screens.whispers == []
