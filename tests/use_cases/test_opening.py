"""A click on a card: from our own memory it becomes a modal, or a sentence that says why not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request, an_intent, decided
from people import TEAM, adm_rob, ann, ben, rob, slack_of
from use_cases.house import House

from app.decisions.values import Click, Opening
from app.domain.request import ActivationRequest, Status, Verdict
from app.domain.ruling import Refused, Why
from app.ports import Direct, Letter, LinkState, Topic
from app.store.directs import StoredDirects

DAY = timedelta(hours=24)


@pytest.fixture
async def activation(house: House) -> ActivationRequest:
    """Rob asks; Ann is signed in."""
    await house.link(ann)
    return await house.ask()


async def refused(house: House, said: Opening | Refused, why: Why, words: str) -> None:
    """A no that changes nothing: no modal, no claim, no message, and Microsoft was not asked."""
    assert isinstance(said, Refused)
    assert said.why is why
    assert words in said.text
    assert "Nothing was changed" in said.text
    assert await house.sql("SELECT * FROM modals") == []
    assert (await house.outcomes(), await house.notices(), house.desk.calls) == ([], [], [])


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_a_click_opens_a_modal_that_belongs_to_the_person_and_the_card(
    house: House, activation: ActivationRequest, verdict: Verdict
) -> None:
    said = await house.press(ann, activation, verdict)
    assert isinstance(said, Opening)
    assert (said.row, said.verdict) == (await house.row(activation), verdict)
    modal, card = await house.cards.modal(said.modal), await house.card(activation)
    assert modal is not None
    assert (modal.key, modal.digest, modal.verdict) == (activation.key, card.digest, verdict)
    assert (modal.user, modal.channel, modal.ts) == ("U0ANN00001", card.channel, card.ts)


@pytest.mark.parametrize(
    "change", ["justification = 'Routine work'", "role_id = 'x'", "ticket_number = '1'", "duration = 60"]
)
async def test_no_form_shows_facts_that_somebody_wrote_into_the_database(
    house: House, activation: ActivationRequest, change: str
) -> None:
    """The digest beside them is still of what Microsoft said: a form would lie, and the decision would fit."""
    await house.edit(f"UPDATE requests SET {change}")  # noqa: S608 - from the table above
    await refused(house, await house.press(ann, activation), Why.CHANGED, "out of date")


async def test_opening_asks_our_memory_only_and_holds_no_claim(house: House, activation: ActivationRequest) -> None:
    await house.press(ann, activation)
    assert (house.desk.calls, house.people.asked) == ([], [])
    assert (await house.row(activation)).status is Status.PENDING


async def test_every_click_gets_a_modal_of_its_own(house: House, activation: ActivationRequest) -> None:
    first, second = [await house.press(ann, activation) for _ in range(2)]
    assert isinstance(first, Opening)
    assert isinstance(second, Opening)
    assert first.modal != second.modal


@pytest.mark.parametrize(
    "forged",
    [{"channel": "C0ELSEWHERE"}, {"ts": "1700000000.999999"}, {"ts": ""}, {"token": "made-up"}, {"token": ""}],
    ids=["channel", "ts", "no ts", "token", "no token"],
)
async def test_a_click_counts_only_at_its_own_card(
    house: House, activation: ActivationRequest, forged: dict[str, str]
) -> None:
    await refused(house, await house.press(ann, activation, **forged), Why.CHANGED, "out of date")


async def test_another_cards_token_does_not_open_this_card(house: House, activation: ActivationRequest) -> None:
    other = await house.card(await house.ask())
    await refused(house, await house.press(ann, activation, token=other.token), Why.CHANGED, "out of date")


async def test_the_token_of_an_older_digest_is_void(house: House, activation: ActivationRequest) -> None:
    old = await house.card(activation)
    house.desk.change(activation.key.id, justification="Another reason")
    await house.watcher.tick()
    house.desk.calls.clear()
    await refused(house, await house.press(ann, activation, token=old.token), Why.CHANGED, "out of date")


async def test_the_token_of_a_lost_copy_is_void(house: House, activation: ActivationRequest) -> None:
    old = await house.card(activation)
    await house.outbox.lost(old, "fresh-token")
    await house.paint()
    await refused(house, await house.press(ann, activation, token=old.token), Why.CHANGED, "out of date")


async def test_someone_who_never_signed_in_is_told_to(house: House, activation: ActivationRequest) -> None:
    await refused(house, await house.press(ben, activation), Why.NOT_LINKED, "Sign in with Microsoft first")


async def test_someone_whose_sign_in_is_over_is_told_to_sign_in_again(
    house: House, activation: ActivationRequest
) -> None:
    await house.link(ben, state=LinkState.SUSPENDED)
    await refused(house, await house.press(ben, activation), Why.SIGN_IN_AGAIN, "sign in again")


async def test_a_link_of_another_workspace_is_no_link(house: House, activation: ActivationRequest) -> None:
    await house.link(ben, team="T0OTHER001")
    await refused(house, await house.press(ben, activation), Why.NOT_LINKED, "Sign in with Microsoft first")


async def test_the_requestor_cannot_open_their_own_request(house: House, activation: ActivationRequest) -> None:
    await house.link(rob)
    await refused(house, await house.press(rob, activation), Why.OWN_REQUEST, "your own request")


async def test_who_asked_for_another_account_cannot_open_it_either(house: House) -> None:
    await house.link(rob)
    request = await house.ask(a_request(requestor=adm_rob, created_by=rob.id))
    await refused(house, await house.press(rob, request), Why.OWN_REQUEST, "your own request")


@pytest.mark.parametrize(
    "status,words",
    [
        (Status.APPROVED, "Ben Bauer already approved this request."),
        (Status.DENIED, "Ben Bauer already denied this request."),
        (Status.CANCELED, "The requestor withdrew this request."),
        (Status.EXPIRED, "This request expired unanswered"),
        (Status.FAILED, "This request has already ended."),
    ],
)
async def test_a_request_that_has_ended_says_how_and_by_whom(
    house: House, activation: ActivationRequest, status: Status, words: str
) -> None:
    await house.book.settle(activation.key, status, decided(ben), None, NOW)
    notice = (await house.notices())[0]
    await house.outbox.sent(notice, "", NOW)
    why = Why.EXPIRED if status is Status.EXPIRED else Why.ALREADY_DECIDED
    await refused(house, await house.press(ann, activation), why, words)


async def test_a_request_somebody_is_deciding_says_who(house: House, activation: ActivationRequest) -> None:
    await house.book.claim(an_intent(activation, ben))
    said = await house.press(ann, activation)
    assert isinstance(said, Refused)
    assert (said.why, said.text.split(".")[0]) == (Why.CLAIMED, "Ben Bauer is deciding this request right now")


@pytest.mark.parametrize("left,opened", [(timedelta(seconds=1), 1), (timedelta(0), 0)])
async def test_nothing_opens_after_24_hours(house: House, left: timedelta, opened: int) -> None:
    await house.link(ann)
    request = await house.ask(a_request(created=NOW + left - DAY))
    said = await house.press(ann, request)
    assert len(await house.sql("SELECT * FROM modals")) == opened
    if not opened:
        await refused(house, said, Why.EXPIRED, "must ask again")


@pytest.mark.parametrize(
    "over",
    [{"action": "selfExtend"}, {"action": "selfRenew"}, {"action": ""}, {"duration": None, "duration_text": "P1M"}],
    ids=["extend", "renew", "unknown", "unreadable duration"],
)
async def test_what_the_portal_alone_can_decide_is_sent_there(house: House, over: dict[str, str | None]) -> None:
    await house.link(ann)
    request = await house.ask(a_request(**over))
    await refused(house, await house.press(ann, request), Why.PORTAL_ONLY, "only be decided in the portal")


async def test_a_press_that_comes_before_slacks_answer_finds_its_card(
    house: House, activation: ActivationRequest
) -> None:
    card = await house.card(activation)
    await house.outbox.painted(card, "", 1)  # it stands in Slack, and nobody has told us where yet

    async def answer_arrives(_: float) -> None:
        await house.outbox.painted(card, card.ts, 1)

    house.openings.sleep = answer_arrives
    click = Click(TEAM, slack_of(ann), card.channel, card.ts, card.token, Verdict.APPROVE)
    assert isinstance(await house.openings.open(click), Opening)


# In a direct message


async def direct_to_ann(house: House, *requests: ActivationRequest) -> Letter:
    """What waits, told to Ann in one message that stands in her conversation with the bot."""
    directs = StoredDirects(house.store, house.new_id)
    await directs.owe(Direct("d1", Topic.REMINDER, slack_of(ann)), [one.key for one in requests], "d1", NOW)
    (letter,) = await directs.unpainted(1)
    await directs.trying(letter.direct, "D0ANN00001")
    await directs.painted(letter, "1700.5")
    return letter


async def test_a_button_of_a_direct_message_opens_the_form_of_its_own_request(house: House) -> None:
    await house.link(ann)
    one, two = await house.ask(), await house.ask()
    letter = await direct_to_ann(house, one, two)
    for entry in letter.entries:
        click = Click(TEAM, slack_of(ann), "D0ANN00001", "1700.5", entry.token, Verdict.DENY)
        said = await house.openings.open(click)
        assert isinstance(said, Opening)
        assert said.row.key == entry.row.key


async def test_a_token_of_a_direct_message_is_good_in_that_message_only(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    (entry,) = (await direct_to_ann(house, request)).entries
    card = await house.card(request)
    for channel, ts, token in (
        (card.channel, card.ts, entry.token),
        ("D0ANN00001", "1700.5", card.token),
        ("D0BEN00001", "1700.5", entry.token),
    ):
        said = await house.openings.open(Click(TEAM, slack_of(ann), channel, ts, token, Verdict.APPROVE))
        await refused(house, said, Why.CHANGED, "out of date")


# Copies nobody knows


async def test_a_press_on_an_unknown_copy_decides_nothing_and_has_it_painted(
    house: House, activation: ActivationRequest
) -> None:
    card = await house.card(activation)
    click = Click(TEAM, slack_of(ann), card.channel, "1800000000.000100", card.token, Verdict.APPROVE)
    await refused(house, await house.openings.open(click), Why.CHANGED, "out of date")
    (copy,) = [behind for behind, _ in await house.outbox.unpainted(10) if behind.ts == click.ts]
    assert copy.token != card.token
    again = await house.openings.open(click)
    assert isinstance(again, Refused)


async def test_a_guessed_token_makes_no_copy(house: House, activation: ActivationRequest) -> None:
    card = await house.card(activation)
    click = Click(TEAM, slack_of(ann), card.channel, "1800000000.000100", "guessed", Verdict.APPROVE)
    await refused(house, await house.openings.open(click), Why.CHANGED, "out of date")
    assert [behind.ts for behind, _ in await house.outbox.unpainted(10) if behind.ts == click.ts] == []
