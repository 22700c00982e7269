"""Direct messages: each owed one is sent once, to the right account, or given up on with a note that says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from build import a_link, a_notice, a_request, decided
from notifier.rig import Rig

from app.domain.request import ActivationRequest, Person, Status
from app.ports import Notice
from app.sandbox.people import CAST
from blocks import ids

ANN, BEN, ROB = "U0ANNALDER", "U0BENBROOK", "U0ROBREED1"
POST, OPEN, LOOKUP = "chat.postMessage", "conversations.open", "users.lookupByEmail"


def entra(name: str, **over: str) -> Person:
    """Somebody of the emulated world, as Microsoft describes them."""
    person = CAST[name]
    facts = {"id": person.oid, "name": person.name, "upn": person.upn, "mail": person.mail or "", **over}
    return Person(**facts)


async def ended(rig: Rig, requestor: Person, status: Status = Status.DENIED) -> ActivationRequest:
    """A request of theirs ended; its requestor is owed a message."""
    request = await rig.appear(a_request(requestor=requestor))
    await rig.book.settle(request.key, status, decided(comment="No change is planned"), None, rig.clock())
    return request


async def owe(rig: Rig, notice: Notice) -> None:
    await rig.outbox.owe(notice, notice.id, rig.clock())


async def notes(rig: Rig) -> list[str | None]:
    return [row["note"] for row in await rig.rows("SELECT note FROM notices ORDER BY owed, id")]


async def ticks(rig: Rig, times: int, seconds: float = 5.0) -> None:
    for _ in range(times):
        rig.clock.forward(seconds)
        await rig.messenger.tick()


# To whom


async def test_the_requestor_is_found_by_mail_address(rig: Rig) -> None:
    await ended(rig, entra("rob"))
    await ticks(rig, 3)
    (message,) = rig.slack.said_to(ROB)
    assert "No change is planned" in str(message.blocks)
    assert await notes(rig) == ["delivered"]


async def test_without_a_mail_address_the_user_name_is_tried(rig: Rig) -> None:
    await ended(rig, entra("rob", mail=""))
    await ticks(rig, 1)
    assert len(rig.slack.said_to(ROB)) == 1


async def test_a_linked_account_comes_before_a_matching_address(rig: Rig) -> None:
    rob = entra("rob")
    await rig.links.save(replace(a_link(), person=rob, slack_user=BEN), "sealed", 1, rig.clock())
    await ended(rig, rob)
    await ticks(rig, 1)
    receipt, outcome = rig.slack.said_to(BEN)
    assert "You are signed in" in receipt.text
    assert "No change is planned" in str(outcome.blocks)
    assert (len(rig.slack.said_to(ROB)), rig.slack.calls(LOOKUP)) == (0, [])


@pytest.mark.parametrize(
    "topic,facts,words",
    [
        ("unlinked", {"how": "signed_out"}, "you signed out"),
        ("unlinked", {"how": "removed"}, "an administrator removed the link"),
        ("moved", {}, "once linked to your Slack account, is now linked to another Slack account"),
    ],
)
async def test_whoever_is_unlinked_hears_of_it_and_what_to_do(
    rig: Rig, topic: str, facts: dict[str, str], words: str
) -> None:
    await owe(rig, a_notice(topic, to_slack=ANN, facts={"name": "Ann <b>", "upn": "ann@acme.example", **facts}))
    await ticks(rig, 1)
    (message,) = rig.slack.said_to(ANN)
    said = "".join(piece["text"] for line in message.blocks[0]["elements"] for piece in line["elements"])
    assert words in said
    assert "Ann <b>" in said
    assert "tell your administrators" in message.text
    assert "<b>" not in message.text


async def test_an_account_that_is_named_comes_before_everything(rig: Rig) -> None:
    rob = entra("rob")
    await rig.links.save(replace(a_link(), person=rob, slack_user=BEN), "sealed", 1, rig.clock())
    await owe(rig, a_notice("restarted", to_slack=ANN, to_entra=rob.id))
    await ticks(rig, 1)
    assert len(rig.slack.said_to(ANN)) == 1


@pytest.mark.parametrize("nobody", [entra("adm-rob"), entra("cleo"), entra("rob", mail="", upn="")], ids=str)
async def test_somebody_without_slack_is_noted_and_not_tried_again(rig: Rig, nobody: Person) -> None:
    await ended(rig, nobody)
    await ticks(rig, 3)
    assert (rig.slack.calls(POST), await notes(rig)) == ([], ["not in Slack: was not told"])
    assert len(rig.slack.calls(LOOKUP)) <= 1


async def test_a_deactivated_account_is_no_account(rig: Rig) -> None:
    rig.slack.world.workspace.deleted.add(ROB)
    await ended(rig, entra("rob"))
    await ticks(rig, 2)
    assert (rig.slack.calls(POST), await notes(rig)) == ([], ["not in Slack: was not told"])


async def test_a_notice_about_a_request_goes_to_nobody_elses_address(rig: Rig) -> None:
    request = await rig.appear(a_request(requestor=entra("rob")))
    await owe(rig, a_notice("fate", to_slack="", to_entra=entra("ann").id, key=request.key))
    await ticks(rig, 1)
    assert (rig.slack.calls(LOOKUP), rig.slack.said_to(ROB)) == ([], [])


# What


@pytest.mark.parametrize("status", [Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.FAILED])
async def test_the_requestor_hears_how_it_ended(rig: Rig, status: Status) -> None:
    await ended(rig, entra("rob"), status)
    await ticks(rig, 1)
    (message,) = rig.slack.said_to(ROB)
    assert message.text.startswith("Your request for Exchange Administrator")


async def test_who_withdrew_their_own_request_hears_nothing(rig: Rig) -> None:
    await ended(rig, entra("rob"), Status.CANCELED)
    await ticks(rig, 2)
    assert rig.slack.calls() == []
    assert not any(note is None for note in await notes(rig))


@pytest.mark.parametrize(
    "topic, facts, words",
    [
        ("linked", {"name": "Ann Alder", "upn": "ann@contoso.example", "at": "2026-11-23T09:30:00+00:00"}, "Ann Alder"),
        ("linked", {"name": "Ann Alder", "at": "yesterday"}, "Ann Alder"),
        ("link_refused", {"starter": ANN, "other": BEN}, "Nothing was linked"),
        ("restarted", {}, "press again"),
        ("suspended", {}, "/pim sign-in"),
    ],
)
async def test_what_needs_no_request_is_said_without_one(
    rig: Rig, topic: str, facts: dict[str, str], words: str
) -> None:
    await owe(rig, a_notice(topic, to_slack=ANN, facts=facts))
    await ticks(rig, 1)
    (message,) = rig.slack.said_to(ANN)
    assert words in message.text


@pytest.mark.parametrize(
    "status, refused, words",
    [
        (Status.APPROVED, "", "You approved this request"),
        (Status.DENIED, "", "You denied this request"),
        (Status.APPROVED, "Ben was first.", "Ben was first."),
    ],
)
async def test_who_closed_the_modal_hears_what_became_of_the_decision(
    rig: Rig, status: Status, refused: str, words: str
) -> None:
    request = await ended(rig, entra("adm-rob"), status)
    await owe(rig, a_notice("fate", to_slack=ANN, key=request.key, facts={"refused": refused}))
    await ticks(rig, 1)
    assert words in rig.slack.said_to(ANN)[0].text


@pytest.mark.parametrize("topic", ["fate", "outcome", "a topic of tomorrow"])
async def test_a_notice_that_says_nothing_is_closed_without_a_message(rig: Rig, topic: str) -> None:
    await owe(rig, a_notice(topic, to_slack=ANN))
    await ticks(rig, 2)
    assert (rig.slack.calls(), await notes(rig)) == ([], ["nothing to say"])


# Once


async def test_a_notice_is_sent_once_however_often_it_ticks(rig: Rig) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    await ticks(rig, 4)
    (message,) = rig.slack.said_to(ANN)
    assert message.metadata is not None
    assert message.metadata["event_type"] == ids.NOTICE_EVENT


async def test_one_message_though_the_answer_was_lost(rig: Rig) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    rig.slack.disturb(POST, "drop_after")
    await ticks(rig, 4)
    assert (len(rig.slack.said_to(ANN)), len(rig.slack.calls(POST)), await notes(rig)) == (1, 1, ["delivered"])


async def test_one_message_though_the_first_never_arrived(rig: Rig) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    rig.slack.disturb(POST, "drop_before")
    await ticks(rig, 4)
    assert (len(rig.slack.said_to(ANN)), len(rig.slack.calls(POST)), await notes(rig)) == (1, 2, ["delivered"])


async def test_another_notice_is_not_mistaken_for_a_lost_one(rig: Rig) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    await ticks(rig, 1)
    await owe(rig, a_notice("suspended", to_slack=ANN))
    rig.slack.disturb(POST, "drop_before")
    await ticks(rig, 3)
    assert len(rig.slack.said_to(ANN)) == 2


async def test_all_is_sent_in_one_tick_by_a_clock_that_never_stands_still(rig: Rig) -> None:
    rig.clock.step = timedelta(milliseconds=7)
    for topic in ("restarted", "suspended", "link_refused"):
        await owe(rig, a_notice(topic, to_slack=ANN))
    await rig.messenger.tick()
    assert len(rig.slack.said_to(ANN)) == 3


# When Slack says no


@pytest.mark.parametrize(
    "method, code",
    [
        (POST, "messages_tab_disabled"),
        (POST, "channel_not_found"),
        (POST, "cannot_dm_bot"),
        (OPEN, "user_disabled"),
        (OPEN, "user_not_found"),
        (OPEN, "user_not_visible"),
    ],
)
async def test_a_closed_door_is_noted_once_and_the_others_hear(rig: Rig, method: str, code: str) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    rig.clock.forward(1)
    await owe(rig, a_notice("restarted", to_slack=BEN))
    rig.slack.disturb(method, error=code)
    await ticks(rig, 3)
    assert await notes(rig) == [f"not delivered: {code}", "delivered"]
    assert (len(rig.slack.said_to(ANN)), len(rig.slack.said_to(BEN))) == (0, 1)


@pytest.mark.parametrize(
    "code", ["token_revoked", "account_inactive", "invalid_auth", "missing_scope", "token_expired"]
)
async def test_nothing_is_given_up_because_of_our_own_trouble(rig: Rig, code: str) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    rig.slack.disturb(POST, error=code)
    await ticks(rig, 10)
    assert (len(rig.slack.calls(POST)), await notes(rig)) == (1, [None])
    await ticks(rig, 5)
    assert (len(rig.slack.said_to(ANN)), await notes(rig)) == (1, ["delivered"])


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
async def test_a_message_whose_drawing_slack_refuses_is_said_in_words(rig: Rig, code: str) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    rig.slack.disturb(POST, error=code)
    await ticks(rig, 2)
    (message,) = rig.slack.said_to(ANN)
    assert (bool(message.text), message.blocks, await notes(rig)) == (True, [], ["delivered"])


async def test_an_outage_lets_every_row_wait(rig: Rig) -> None:
    for user in (ANN, BEN):
        await owe(rig, a_notice("restarted", to_slack=user))
    rig.slack.disturb(OPEN, status=503, body="", times=3)
    await ticks(rig, 3)
    assert (rig.slack.calls(POST), await notes(rig)) == ([], [None, None])
    await ticks(rig, 1)
    assert await notes(rig) == ["delivered", "delivered"]


async def test_slack_is_left_alone_as_long_as_it_says(rig: Rig) -> None:
    await owe(rig, a_notice("restarted", to_slack=ANN))
    rig.slack.disturb(POST, status=429, headers={"Retry-After": "60"}, body={"ok": False, "error": "ratelimited"})
    await ticks(rig, 11)
    assert len(rig.slack.calls()) == 2
    await ticks(rig, 3)
    assert len(rig.slack.said_to(ANN)) == 1


async def test_a_notice_that_is_owed_later_waits(rig: Rig) -> None:
    notice = a_notice("restarted", to_slack=ANN)
    await rig.outbox.owe(notice, notice.id, rig.clock() + timedelta(minutes=1))
    await ticks(rig, 2)
    assert rig.slack.calls() == []
    await ticks(rig, 12)
    assert len(rig.slack.said_to(ANN)) == 1


# Below the card


async def painted(rig: Rig) -> ActivationRequest:
    request = await rig.appear()
    await rig.painter.tick()
    return request


async def noted(rig: Rig, request: ActivationRequest, why: str = "away") -> None:
    notice = a_notice("unreachable", to_slack="", key=request.key, facts={"why": why})
    await owe(rig, notice)


@pytest.mark.parametrize(
    "why, words",
    [
        ("unknown", "nobody here knows who may approve it"),
        ("not_in_slack", "known in Slack"),
        ("away", "are away"),
        ("crowd", "too many people"),
        ("a reason of tomorrow", "nobody here knows"),
    ],
)
async def test_that_nobody_could_be_told_is_said_in_the_cards_thread(rig: Rig, why: str, words: str) -> None:
    request = await painted(rig)
    await noted(rig, request, why)
    await ticks(rig, 3)
    card, note = rig.slack.messages()
    assert (note.thread_ts, words in note.text) == (card.ts, True)
    assert await notes(rig) == ["delivered"]


@pytest.mark.parametrize("lost, posts", [("drop_after", 2), ("drop_before", 3)])
async def test_such_a_note_is_posted_once_though_the_answer_was_lost(rig: Rig, lost: str, posts: int) -> None:
    request = await painted(rig)
    await noted(rig, request)
    rig.slack.disturb(POST, lost)
    await ticks(rig, 4)
    assert (len(rig.slack.messages()), len(rig.slack.calls(POST)), await notes(rig)) == (2, posts, ["delivered"])


async def test_without_a_card_or_after_the_end_nothing_is_said(rig: Rig) -> None:
    await noted(rig, await rig.appear())
    await ticks(rig, 1)
    ended_one = await painted(rig)
    await rig.book.settle(ended_one.key, Status.DENIED, decided(), None, rig.clock())
    await rig.change("DELETE FROM notices WHERE topic = 'outcome'")
    await noted(rig, ended_one)
    await ticks(rig, 1)
    assert sorted(str(note) for note in await notes(rig)) == ["nothing to say", "there is no card"]
