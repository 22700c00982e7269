"""Cards: one for each request, painted until Slack shows what the row says, at the pace Slack allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from notifier.painting import POST, UPDATE, buttons, change, end, ticks
from notifier.rig import Rig

from blocks import ids

# Posting


async def test_a_new_request_gets_one_card_however_often_it_ticks(rig: Rig) -> None:
    await rig.appear()
    await ticks(rig, 4)
    assert len(rig.slack.messages()) == 1
    assert (len(rig.slack.calls()), await rig.behind()) == (1, 0)


async def test_a_card_names_its_copy_and_carries_the_copys_token(rig: Rig) -> None:
    await rig.appear()
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    card = await rig.cards.by_place(message.channel, message.ts)
    assert card is not None
    assert message.metadata == {"event_type": ids.CARD_EVENT, "event_payload": {"card": card.id}}
    assert (buttons(message)[ids.APPROVE], buttons(message)[ids.DENY]) == (card.token, card.token)


async def test_it_tells_how_long_a_request_waited_for_its_card_and_tells_no_edit(rig: Rig) -> None:
    waited: list[float] = []
    rig.painter.posted = waited.append
    request = await rig.appear(created=rig.clock() - timedelta(seconds=7))
    await rig.painter.tick()
    await change(rig, request)
    await ticks(rig, 2)
    assert waited == [7.0]


async def test_a_card_unfurls_nothing(rig: Rig) -> None:
    await rig.appear()
    await rig.painter.tick()
    body: Any = rig.slack.calls(POST)[0].body
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


async def test_a_changed_row_edits_its_card_and_posts_none(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await change(rig, request)
    await ticks(rig, 2)
    (message,) = rig.slack.messages()
    assert (message.edits, await rig.behind()) == (1, 0)


async def test_a_card_loses_its_buttons_when_its_request_ends(rig: Rig) -> None:
    request = await rig.appear()
    await rig.painter.tick()
    await end(rig, request)
    await rig.painter.tick()
    (message,) = rig.slack.messages()
    assert buttons(message) == {}
    assert message.metadata is not None


async def test_edits_go_before_posts(rig: Rig) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    await end(rig, first)
    await ticks(rig, 1)
    assert [call.path for call in rig.slack.calls()] == [f"/{POST}", f"/{UPDATE}", f"/{POST}"]


async def test_all_is_painted_by_a_clock_that_never_stands_still(rig: Rig) -> None:
    rig.clock.step = timedelta(milliseconds=7)
    for _ in range(3):
        await rig.appear()
    await rig.outbox.put_note("blind:entra", "I cannot see.", over="", button=True, channel=rig.slack.settings.channel)
    await ticks(rig, 4)
    assert (len(rig.slack.messages()), await rig.behind(), rig.painter.trouble) == (4, 0, "")


async def test_by_such_a_clock_a_pause_ends_too(rig: Rig) -> None:
    rig.clock.step = timedelta(milliseconds=100)
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "2"}, body={"ok": False, "error": "ratelimited"})
    for _ in range(40):
        await rig.painter.tick()
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST))) == (1, 2)


# Slack's pace


async def test_posts_that_come_too_fast_wait_as_long_as_slack_says(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "30"}, body={"ok": False, "error": "ratelimited"})
    await ticks(rig, 30)
    assert len(rig.slack.calls(POST)) == 1
    await ticks(rig, 2)
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST))) == (1, 2)


async def test_a_channel_gets_one_post_a_second_however_often_it_ticks(rig: Rig) -> None:
    for _ in range(8):
        await rig.appear()
    started = rig.clock.now
    while await rig.behind():
        await ticks(rig, 1, 0.15)
    posted = [(call.at - started).total_seconds() for call in rig.slack.calls(POST)]
    assert len(posted) == 8
    assert all(at >= number - 0.11 for number, at in enumerate(posted))
    assert posted[-1] < 8.5


async def test_edits_of_a_channel_wait_for_no_turn(rig: Rig) -> None:
    made = [await rig.appear() for _ in range(5)]
    await ticks(rig, 5)
    for request in made:
        await end(rig, request)
    await rig.painter.tick()
    assert len(rig.slack.calls(UPDATE)) == 5


async def test_a_burst_of_requests_gets_every_card_once(rig: Rig) -> None:
    for _ in range(9):
        await rig.appear()
    await ticks(rig, 12)
    cards = [message.metadata["event_payload"]["card"] for message in rig.slack.messages() if message.metadata]
    assert (len(cards), len(set(cards)), await rig.behind()) == (9, 9, 0)


async def test_while_posts_wait_buttons_are_still_taken_away(rig: Rig) -> None:
    first = await rig.appear()
    await rig.painter.tick()
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "600"}, body={"ok": False, "error": "ratelimited"})
    await rig.painter.tick()
    await end(rig, first)
    await ticks(rig, 3)
    (message,) = rig.slack.messages()
    assert (buttons(message), len(rig.slack.calls(POST))) == ({}, 2)


async def test_an_endless_pause_is_an_hour(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "99999999"}, body={"ok": False, "error": "ratelimited"})
    await rig.painter.tick()
    await ticks(rig, 2, 1801)
    assert len(rig.slack.messages()) == 1


async def test_an_outage_is_waited_out(rig: Rig) -> None:
    await rig.appear()
    rig.slack.disturb(POST, times=3, status=503, body="<html>Sorry</html>", headers={"content-type": "text/html"})
    await ticks(rig, 8)
    assert (len(rig.slack.messages()), await rig.behind(), rig.painter.trouble) == (1, 0, "")
