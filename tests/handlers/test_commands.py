"""`/pim`: the answer comes with the ack, or through the response_url when it takes long; strangers see no rows."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import pytest
from bolt_rig import COMMAND_HOOK, SOON, BoltRig, BrokenInbox, addresses, body_of, texts
from build import a_request, decided
from people import CHANNEL, ann, ben, olga, rita, rob, slack_of

from app.domain.errors import Unavailable
from app.domain.match import How, Match
from app.domain.request import Status
from app.domain.ruling import Viewer
from app.ports import Counters
from blocks.lists import COMMANDS
from handlers import commands


async def signed_in(rig: BoltRig) -> None:
    """Ann is linked, and one request waits that she may decide."""
    await rig.house.ask()
    await rig.house.link(ann)


async def test_the_answer_comes_with_the_ack_for_this_person_only(rig: BoltRig) -> None:
    await signed_in(rig)
    answer = await rig.type(ann, "pending")
    assert "Exchange Administrator" in texts(answer["blocks"])
    assert answer["text"]
    assert answer.get("response_type", "ephemeral") == "ephemeral"
    assert rig.screens.whispers == []


async def test_alone_it_gives_counters_what_waits_the_sign_in_and_help(rig: BoltRig) -> None:
    await signed_in(rig)
    said = texts((await rig.type(ann))["blocks"])
    assert all(part in said for part in ("Exchange Administrator", "/pim history", "Ann Archer", "P2"))


async def test_history_is_newest_first(rig: BoltRig) -> None:
    await rig.house.link(ann)
    old = await rig.house.ask(a_request(justification="the older one"))
    await rig.house.book.settle(old.key, Status.DENIED, decided(comment="not this way"), None, rig.house.clock())
    await rig.house.ask(a_request(created=rig.house.clock(), requestor=rita))
    rows = [texts(block) for block in (await rig.type(ann, "history"))["blocks"]]
    names = [next(name for name in ("Rita", "Rob") if name in row) for row in rows if "Exchange" in row]
    assert names == ["Rita", "Rob"]
    assert "not this way" in " ".join(rows)


@pytest.mark.parametrize("text", ["help", "HELP", "  help  ", "help me"])
async def test_help_needs_no_sign_in(rig: BoltRig, text: str) -> None:
    assert "/pim pending" in (await rig.type(olga, text))["text"]


@pytest.mark.parametrize("text", ["penidng", "<!channel>", "<@U0BEN00001|ben>", "*bold*", "x" * 3000, "☃"])
async def test_an_unknown_word_gets_the_help(rig: BoltRig, text: str) -> None:
    answer = await rig.type(olga, text)
    assert answer["text"].startswith("There is no /pim ")
    assert "/pim pending" in answer["text"]
    assert "There is no" in texts(answer["blocks"])
    assert "<!channel>" not in answer["text"]
    assert "<@U0BEN00001" not in answer["text"]


async def test_every_command_of_the_help_has_an_answer_of_its_own(rig: BoltRig) -> None:
    await signed_in(rig)
    for command, _ in COMMANDS:
        answer = await rig.type(ann, command.removeprefix("/pim").strip())
        assert "There is no" not in answer.get("text", ""), command


async def test_pending_lists_only_what_waits(rig: BoltRig) -> None:
    await rig.house.link(ann)
    ended = await rig.house.ask(a_request(requestor=rita))
    await rig.house.book.settle(ended.key, Status.DENIED, decided(), None, rig.house.clock())
    await rig.house.ask()
    said = texts((await rig.type(ann, "pending"))["blocks"])
    assert ("Rob" in said, "Rita" in said) == (True, False)


async def test_mine_and_approved_are_about_oneself(rig: BoltRig) -> None:
    await rig.house.link(ann, rob)
    request = await rig.house.ask()
    await rig.house.book.settle(request.key, Status.APPROVED, decided(ann), None, rig.house.clock())
    seen = {
        (person.name, word): "Exchange" in texts((await rig.type(person, word))["blocks"])
        for person in (ann, rob)
        for word in ("mine", "approved")
    }
    assert seen == {
        (ann.name, "mine"): False,
        (ann.name, "approved"): True,
        (rob.name, "mine"): True,
        (rob.name, "approved"): False,
    }


async def test_history_is_narrowed_by_what_is_typed(rig: BoltRig) -> None:
    await rig.house.link(ann)
    denied = await rig.house.ask(a_request(requestor=rita))
    await rig.house.book.settle(denied.key, Status.DENIED, decided(), None, rig.house.clock())
    await rig.house.ask()

    async def seen(words: str) -> tuple[bool, bool]:
        said = texts((await rig.type(ann, f"history {words}"))["blocks"])
        return "Rob Reyes" in said, "Rita Roth" in said

    assert await seen("status:denied") == (False, True)
    assert await seen('role:"exchange administrator" 7d') == (True, True)
    assert await seen("desk:group") == (False, False)
    assert await seen("2020-01-01..2020-02-01") == (False, False)


@pytest.mark.parametrize("how", ["signed in", "matched"])
async def test_history_of_one_person(rig: BoltRig, how: str) -> None:
    await rig.house.link(ann)
    request = await rig.house.ask()
    await rig.house.ask(a_request(requestor=rita))
    if how == "signed in":
        await rig.house.link(rob)
    else:
        match = Match(How.BY_MAIL, slack_of(rob))
        await rig.house.book.matched(request.key, match, rig.house.clock())
    said = texts((await rig.type(ann, f"history <@{slack_of(rob)}|rob>"))["blocks"])
    assert ("Rob Reyes" in said, "Rita Roth" in said) == (True, False)


async def test_what_is_not_understood_is_answered_with_an_example(rig: BoltRig) -> None:
    answer = await rig.type(ann, "history status:<!channel>")
    assert "For example: /pim history" in answer["text"]
    assert "<!channel>" not in answer["text"]


# Who sees what


@pytest.mark.parametrize("text", ["", "pending", "history", "mine", "approved"])
async def test_a_stranger_gets_an_invitation_and_no_rows(rig: BoltRig, text: str) -> None:
    await rig.house.ask()
    answer = await rig.type(rita, text)
    assert "Exchange" not in texts(answer["blocks"])
    assert len(addresses(answer["blocks"])) == 1


@pytest.mark.parametrize("text", ["", "pending", "history"])
async def test_a_member_of_the_channel_sees_what_its_cards_say(rig: BoltRig, text: str) -> None:
    await rig.house.ask()
    rig.house.people.channels[slack_of(rita)] = frozenset({CHANNEL})
    assert "Exchange Administrator" in texts((await rig.type(rita, text))["blocks"])


async def test_somebody_who_may_see_nothing_of_it_does_not(rig: BoltRig) -> None:
    await rig.house.ask()
    await rig.house.link(rita)
    assert "Exchange" not in texts((await rig.type(rita, "history"))["blocks"])


# Signing in and out


async def test_each_sign_in_is_an_address_of_its_own(rig: BoltRig) -> None:
    found = [addresses((await rig.type(person, "sign-in"))["blocks"])[0] for person in (ann, ben, ann)]
    assert len(set(found)) == 3


async def test_signing_out_ends_the_link_and_says_so_once(rig: BoltRig) -> None:
    await rig.house.link(ann)
    said = [(await rig.type(ann, "sign-out"))["text"] for _ in range(2)]
    assert said == [commands.SIGNED_OUT, commands.NOT_SIGNED_IN]
    assert await rig.house.links.active() == []


async def test_signing_out_is_about_oneself(rig: BoltRig) -> None:
    await rig.house.link(ann)
    await rig.type(ben, "sign-out")
    assert len(await rig.house.links.active()) == 1


# Once


async def test_a_replayed_command_is_acknowledged_and_answered_no_second_time(rig: BoltRig) -> None:
    await signed_in(rig)
    form = rig.typed(ann, "sign-out")
    answers = [await rig.deliver_form(form) for _ in range(3)]
    await rig.settled()
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [bool(answer.body) for answer in answers] == [True, False, False]
    assert await rig.outcomes() == ["answered"]


# Slowness and faults


@pytest.fixture
def slow(rig: BoltRig, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Reading waits for this event, longer than the ack may take."""
    done = asyncio.Event()
    read = rig.house.book.counters

    async def counters(viewer: Viewer, now: datetime) -> Counters:
        await done.wait()
        return await read(viewer, now)

    monkeypatch.setattr(rig.house.book, "counters", counters)
    monkeypatch.setattr(commands, "PATIENCE", 0.01)
    return done


async def test_a_slow_answer_is_acknowledged_first_and_comes_by_the_response_url(
    rig: BoltRig, slow: asyncio.Event
) -> None:
    await signed_in(rig)
    async with asyncio.timeout(SOON):
        answer = await rig.deliver_form(rig.typed(ann))
    assert (answer.status, answer.body, rig.screens.whispers) == (200, "", [])
    slow.set()
    await rig.settled()
    (whisper,) = rig.screens.whispers
    assert (whisper.address, "Exchange Administrator" in texts(whisper.blocks)) == (COMMAND_HOOK, True)


async def test_a_slow_failure_is_a_sentence_too(
    rig: BoltRig, slow: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        await slow.wait()
        raise RuntimeError("a bug")

    await signed_in(rig)
    monkeypatch.setattr(rig.house.book, "counters", fail)
    await rig.deliver_form(rig.typed(ann))
    slow.set()
    await rig.settled()
    (whisper,) = rig.screens.whispers
    assert "went wrong" in whisper.text


@pytest.mark.parametrize("problem", [RuntimeError("a bug"), Unavailable("Slack is having trouble.")])
async def test_a_quick_failure_is_a_sentence_and_a_line_in_the_log(
    rig: BoltRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    async def fail(*_: object) -> None:
        raise problem

    await signed_in(rig)
    monkeypatch.setattr(rig.house.book, "counters", fail)
    answer = await rig.deliver_form(rig.typed(ann))
    await rig.settled()
    (whisper,) = rig.screens.whispers
    assert (answer.status, answer.body, "went wrong" in whisper.text) == (200, "", True)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_without_a_database_the_ack_says_so(rig: BoltRig) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable("The database is gone."))
    answer = await rig.deliver_form(rig.typed(ann, "sign-out"))
    assert answer.status == 200
    assert answer.body.startswith("The database is gone. Nothing was changed")


async def test_a_bug_before_the_ack_is_a_sentence_with_it(rig: BoltRig, caplog: pytest.LogCaptureFixture) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(RuntimeError("a bug"))
    answer = await rig.deliver_form(rig.typed(ann))
    assert (answer.status, "went wrong" in answer.body) == (200, True)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_an_answer_counts_though_its_row_cannot_be_closed(rig: BoltRig) -> None:
    rig.reception.deliveries.inbox = BrokenInbox(Unavailable(), takes=True)
    answer = await rig.deliver_form(rig.typed(ann, "help"))
    await rig.settled()
    assert "/pim pending" in body_of(answer)["text"]
    assert rig.screens.whispers == []
