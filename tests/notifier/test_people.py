"""Who people are in Slack: asked fresh, and an unclear answer is never a yes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from notifier.rig import Rig

from app.domain.errors import SlackFailed, Unavailable
from app.notifier.people import MEMBERS_LAST

ANN, BEN, ROB, GUS = "U0ANNALDER", "U0BENBROOK", "U0ROBREED1", "U0GUSGROVE"
INFO, LOOKUP, MEMBERS = "users.info", "users.lookupByEmail", "conversations.members"


async def test_a_full_member_is_one(rig: Rig) -> None:
    ann = await rig.people.person(ANN)
    assert ann is not None
    assert (ann.id, ann.team, ann.member, ann.mail) == (ANN, rig.slack.settings.team, True, "ann@contoso.example")
    assert ann.zone == "Europe/Amsterdam"


async def test_a_guest_is_no_member(rig: Rig) -> None:
    gus = await rig.people.person(GUS)
    assert gus is not None
    assert not gus.member


@pytest.mark.parametrize(
    "flag",
    ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user", "is_workflow_bot"],
)
async def test_each_of_slacks_flags_makes_somebody_no_member(rig: Rig, flag: str) -> None:
    raw = {"id": ANN, "team_id": rig.slack.settings.team, "profile": {}, flag: True}
    rig.slack.disturb(INFO, status=200, body={"ok": True, "user": raw})
    ann = await rig.people.person(ANN)
    assert ann is not None
    assert not ann.member


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
async def test_an_account_slack_does_not_show_is_nobody(rig: Rig, code: str) -> None:
    rig.slack.disturb(INFO, error=code)
    assert await rig.people.person(ANN) is None


@pytest.mark.parametrize("user", [None, {}, {"name": "ann"}])
async def test_an_answer_without_an_account_is_nobody(rig: Rig, user: object) -> None:
    rig.slack.disturb(INFO, status=200, body={"ok": True, "user": user})
    assert await rig.people.person(ANN) is None


async def test_a_refusal_or_an_outage_is_no_answer_at_all(rig: Rig) -> None:
    rig.slack.disturb(INFO, error="missing_scope")
    with pytest.raises(SlackFailed):
        await rig.people.person(ANN)
    rig.slack.disturb(INFO, status=503, body="")
    with pytest.raises(Unavailable):
        await rig.people.person(ANN)


async def test_people_are_asked_for_anew_every_time(rig: Rig) -> None:
    for _ in range(3):
        await rig.people.person(ANN)
    assert len(rig.slack.calls(INFO)) == 3


async def test_an_address_leads_to_its_account_and_an_unknown_one_to_nobody(rig: Rig) -> None:
    assert await rig.people.by_mail("rob@contoso.example") == ROB
    assert await rig.people.by_mail("nobody@contoso.example") is None


async def test_the_address_of_a_deactivated_account_leads_to_nobody(rig: Rig) -> None:
    raw = {"id": ROB, "team_id": rig.slack.settings.team, "profile": {}, "deleted": True}
    rig.slack.disturb(LOOKUP, status=200, body={"ok": True, "user": raw})
    assert await rig.people.by_mail("rob@contoso.example") is None


# Who is in the approvers channel


async def test_members_of_the_channel_are_in_it_and_others_are_not(rig: Rig) -> None:
    channel = rig.slack.settings.channel
    assert await rig.people.channels_of(ANN) == frozenset({channel})
    assert await rig.people.channels_of(ROB) == frozenset()


async def test_the_list_of_members_is_believed_for_a_minute_and_no_longer(rig: Rig) -> None:
    await rig.people.channels_of(ANN)
    rig.slack.world.workspace.channels[rig.slack.settings.channel].members.discard(ANN)
    rig.clock.now += MEMBERS_LAST
    assert await rig.people.channels_of(ANN)
    rig.clock.forward(1)
    assert not await rig.people.channels_of(ANN)
    assert len(rig.slack.calls(MEMBERS)) == 2


async def test_members_on_a_later_page_count(rig: Rig) -> None:
    members = rig.slack.world.workspace.channels[rig.slack.settings.channel].members
    members.update(f"A{number:08}" for number in range(450))
    members.add("ZLAST00001")
    assert await rig.people.channels_of("ZLAST00001")
    assert len(rig.slack.calls(MEMBERS)) == 3


async def test_a_list_that_cannot_be_read_is_not_an_empty_list(rig: Rig) -> None:
    rig.slack.disturb(MEMBERS, status=503, body="")
    with pytest.raises(Unavailable):
        await rig.people.channels_of(ANN)
    assert await rig.people.channels_of(ANN)


async def test_no_channel_is_asked_for_when_there_is_none(rig: Rig) -> None:
    nowhere = replace(rig.people, channels=())
    assert (await nowhere.channels_of(ANN), rig.slack.calls()) == (frozenset(), [])
