"""Routed channels: each card in its own, in the default one while that is dead or unfit; said once."""

from __future__ import annotations

import pytest
from build import a_request, seen
from notifier.painting import PAUSE, POST, buttons, end, ticks
from notifier.rig import Rig

from app.domain.request import ActivationRequest
from app.domain.risk import Level, Risk
from app.domain.routes import Route
from app.notifier.channel import LOOK_AGAIN, LOOK_SOON, ChannelGuard, Channels
from app.notifier.painter import Painter
from app.notifier.people import SlackPeople
from app.sandbox.slack_records import Channel
from app.store.remember import Posting, remember

CRITICAL = "C0CRITICAL"
INFO = "conversations.info"
ANN = "U0ANNALDER"


@pytest.fixture
def channel(rig: Rig) -> Channel:
    """A second private channel of the approvers, with the bot in it."""
    members = {ANN, rig.slack.settings.bot_user}
    found = rig.slack.world.workspace.channels[CRITICAL] = Channel(CRITICAL, "pim-critical", "channel", members)
    return found


@pytest.fixture
def channels(rig: Rig, channel: Channel) -> Channels:
    def guard(name: str, *, routed: bool) -> ChannelGuard:
        return ChannelGuard(gateway=rig.gateway, channel=name, clock=rig.clock, routed=routed)

    return Channels(
        home=guard(rig.slack.settings.channel, routed=False),
        routed=(guard(channel.id, routed=True),),
        outbox=rig.outbox,
        new_text=rig.new_token,
    )


@pytest.fixture(autouse=True)
def painter(rig: Rig, channels: Channels) -> Painter:
    rig.painter.channels = channels
    return rig.painter


async def critical(rig: Rig, level: Level = Level.CRITICAL) -> ActivationRequest:
    """A poll saw a request of this level, where Critical ones are routed."""
    routes = (Route(CRITICAL, levels=frozenset({Level.CRITICAL})),)
    posting = Posting(rig.slack.settings.channel, rig.new_token, rig.new_token, routes)
    request = a_request()
    one = seen(request, risk=Risk(level, ("why",)))
    await rig.store.write(lambda connection: remember(connection, [one], rig.clock(), posting))
    return request


def cards(rig: Rig, channel: str = "") -> list[bool]:
    """The cards of a channel in order: whether each can be decided."""
    found = [m for m in rig.slack.messages(channel) if m.metadata and m.metadata["event_type"] == "pim_card"]
    return ["pim_approve" in buttons(message) for message in found]


def lose(rig: Rig) -> None:
    """Somebody takes the bot out of the routed channel: Slack shows it no more."""
    rig.slack.world.workspace.channels[CRITICAL].members.discard(rig.slack.settings.bot_user)


def restore(rig: Rig) -> None:
    """... and invites it again."""
    rig.slack.world.workspace.channels[CRITICAL].members.add(rig.slack.settings.bot_user)


async def test_a_routed_card_goes_to_its_own_channel(rig: Rig) -> None:
    await critical(rig)
    await critical(rig, Level.LOW)
    await ticks(rig, 1)
    assert (cards(rig, CRITICAL), cards(rig)) == ([True], [True])


async def test_channels_keep_their_own_pace(rig: Rig) -> None:
    for level in (Level.CRITICAL, Level.LOW) * 3:
        await critical(rig, level)
    await ticks(rig, 3)
    assert (len(cards(rig, CRITICAL)), len(cards(rig)), len(rig.slack.calls(POST))) == (3, 3, 6)


async def test_every_channel_is_looked_at_hourly(rig: Rig) -> None:
    await ticks(rig, 2, LOOK_AGAIN.total_seconds())
    assert len(rig.slack.calls(INFO)) == 4


async def test_new_cards_of_a_dead_channel_come_to_the_default_one_and_it_is_said_once(rig: Rig) -> None:
    lose(rig)
    await critical(rig)
    await ticks(rig, 5)
    assert (cards(rig, CRITICAL), cards(rig)) == ([], [True])
    said = [message.text for message in rig.slack.messages() if CRITICAL in message.text]
    assert len(said) == 1
    assert said[0].startswith("Cards of a route come to the approvers channel: C0CRITICAL is not a channel the bot can")


async def test_readiness_names_the_dead_channel(rig: Rig, channels: Channels) -> None:
    assert channels.troubles() == []
    lose(rig)
    await ticks(rig, 1)
    (trouble,) = channels.troubles()
    assert CRITICAL in trouble


async def test_open_requests_of_a_channel_that_dies_are_shown_in_the_default_one_too(rig: Rig) -> None:
    request = await critical(rig)
    done = await critical(rig)
    await ticks(rig, 2)
    await end(rig, done)
    await ticks(rig, 1)
    lose(rig)
    await ticks(rig, 3, LOOK_AGAIN.total_seconds())
    assert cards(rig) == [True]
    await end(rig, request)
    await ticks(rig, 2)
    assert cards(rig) == [False]


async def test_a_refused_post_makes_us_look_at_once(rig: Rig) -> None:
    await ticks(rig, 1)
    lose(rig)
    await critical(rig)
    await ticks(rig, 4)
    assert cards(rig) == [True]


async def test_when_it_is_back_its_old_cards_lose_their_buttons_and_new_ones_go_there(rig: Rig) -> None:
    request = await critical(rig)
    await ticks(rig, 1)
    lose(rig)
    await ticks(rig, 2, LOOK_AGAIN.total_seconds())
    await end(rig, request)
    await ticks(rig, 2)
    restore(rig)
    await ticks(rig, 3, max(LOOK_SOON.total_seconds(), PAUSE) + 1)
    await critical(rig)
    await ticks(rig, 2)
    assert (cards(rig, CRITICAL), cards(rig)) == ([False, True], [False])
    notes = [message.text for message in rig.slack.messages() if "C0CRITICAL" in message.text]
    assert notes == ["C0CRITICAL is as it should be again: its cards go there."]


async def test_a_shared_channel_gets_no_new_card_and_keeps_the_old_ones(rig: Rig, channel: Channel) -> None:
    request = await critical(rig)
    await ticks(rig, 1)
    channel.is_private = False
    await ticks(rig, 1, LOOK_AGAIN.total_seconds())
    await critical(rig)
    await end(rig, request)
    await ticks(rig, 3)
    assert (cards(rig, CRITICAL), cards(rig)) == ([False], [True])


async def test_a_dead_channel_keeps_no_other_waiting(rig: Rig) -> None:
    """Whatever piles up for a channel that Slack refuses, the others are painted."""
    stranded = [await critical(rig) for _ in range(25)]
    await ticks(rig, 25)
    lose(rig)
    for request in stranded:
        await end(rig, request)
    quick = await critical(rig, Level.LOW)
    await ticks(rig, 2)
    await end(rig, quick)
    await ticks(rig, 1)
    assert cards(rig) == [False]


async def test_members_of_a_routed_channel_may_see_its_cards(rig: Rig) -> None:
    people = SlackPeople(gateway=rig.gateway, clock=rig.clock, channels=(rig.slack.settings.channel, CRITICAL))
    assert CRITICAL in await people.channels_of(ANN)
    assert CRITICAL not in await people.channels_of("U0BENBROOK")
