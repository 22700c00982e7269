"""The menu of a card: looking, details, and the portal's own address."""

from __future__ import annotations

from datetime import timedelta

from bolt_rig import BoltRig, slack_no, texts
from build import a_request
from people import ann, ben, rob

from app.decisions.opening import LOOKING_LASTS
from app.domain.request import ActivationRequest
from blocks import ids


async def asked(rig: BoltRig, **over: object) -> ActivationRequest:
    return await rig.house.ask(a_request(**over))


async def test_looking_stands_on_the_card_and_lapses_after_ten_minutes(rig: BoltRig) -> None:
    await rig.house.link(ann)
    request = await asked(rig)
    await rig.choose(ann, request, ids.LOOKING)
    row = await rig.house.row(request)
    assert [look.person for look in row.looking] == [ann]
    assert rig.wakes
    assert not rig.screens.whispers
    rig.house.clock.advance(LOOKING_LASTS - timedelta(seconds=1))
    assert not await rig.house.upkeep.tick()
    rig.house.clock.advance(timedelta(seconds=1))
    assert await rig.house.upkeep.tick()
    assert not (await rig.house.row(request)).looking


async def test_looking_needs_somebody_with_a_name(rig: BoltRig) -> None:
    request = await asked(rig)
    await rig.choose(ben, request, ids.LOOKING)
    assert "Sign in to Microsoft first" in rig.screens.whispers[0].text
    assert not (await rig.house.row(request)).looking


async def test_nobody_looks_at_their_own_request(rig: BoltRig) -> None:
    await rig.house.link(rob)
    request = await asked(rig)
    await rig.choose(rob, request, ids.LOOKING)
    assert "your own request" in rig.screens.whispers[0].text


async def test_details_show_the_whole_justification(rig: BoltRig) -> None:
    request = await asked(rig, justification="word " * 400 + "the end")
    await rig.choose(ben, request, ids.DETAILS)
    ((_, view),) = rig.screens.opened
    assert "the end" in texts(view)
    assert "submit" not in view


async def test_an_old_card_is_out_of_date(rig: BoltRig) -> None:
    request = await asked(rig)
    payload = await rig.press_card(ann, request, ids.MORE)
    payload["actions"][0] |= {"selected_option": {"value": f"{ids.DETAILS}:another token"}}
    await rig.act(payload)
    assert not rig.screens.opened
    assert "out of date" in rig.screens.whispers[0].text


async def test_the_portal_opens_by_itself(rig: BoltRig) -> None:
    request = await asked(rig)
    await rig.choose(ann, request, ids.PORTAL_CHOICE)
    assert not rig.screens.opened
    assert not rig.screens.whispers


async def test_a_modal_that_comes_too_late_is_said(rig: BoltRig) -> None:
    request = await asked(rig)
    rig.screens.failures["open_modal"] = slack_no()
    await rig.choose(ann, request, ids.DETAILS)
    assert "did not open" in rig.screens.whispers[0].text
