"""A requestor takes their request back: by their own token, once, and it is withdrawn when Microsoft says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from build import a_request, an_intent, decided
from fakes import ProcessKilled
from people import TEAM, adm_rob, ann, rita, rob, slack_of
from use_cases.house import House

from app.decisions.values import Press
from app.decisions.withdrawing import CLAIM_LASTS, ENDED, NO_ANSWER, NOT_NOTED, ON_ITS_WAY
from app.domain.errors import ClaimsChallenge, GraphRefused, SignInRequired, Unavailable
from app.domain.request import ActivationRequest, Person, Status, Verdict, Where
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why
from app.ports import LinkState
from app.store.request_book import StoredRequests


async def handed(house: House, request: ActivationRequest, person: Person = rob) -> Press:
    """A press on Withdraw in this person's own list."""
    tokens = await house.homes.hand_out(TEAM, slack_of(person), [await house.row(request)])
    return Press(TEAM, slack_of(person), "C0ANYWHERE", "1700000000.000100", tokens[request.key])


async def withdraw(house: House, request: ActivationRequest, person: Person = rob) -> RequestRow | Refused:
    return await house.withdrawing.withdraw(await handed(house, request, person))


def why(found: RequestRow | Refused) -> Why | None:
    return found.why if isinstance(found, Refused) else None


async def trail(house: House, request: ActivationRequest) -> list[str]:
    return [row.what for row in await house.audit(request)]


async def test_it_is_withdrawn_by_its_requestors_own_token_and_the_card_is_behind(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    found = await withdraw(house, request)
    assert isinstance(found, RequestRow)
    assert house.desk.calls == [("fetch", rob.id), ("cancel", rob.id)]
    assert house.desk.held[request.key.id].canceled
    row = await house.row(request)
    assert row.decided is not None
    assert (row.status, row.decided.where) == (Status.CANCELED, Where.SLACK)
    assert [one.key for one, _ in await house.outbox.unpainted(10)] == [request.key]
    assert await trail(house, request) == ["withdrawing", "canceled"]


async def test_a_second_press_sends_nothing(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    press = await handed(house, request)
    await house.withdrawing.withdraw(press)
    assert why(await house.withdrawing.withdraw(press)) is Why.ALREADY_DECIDED
    assert house.desk.count("cancel") == 1


async def test_a_press_while_another_is_on_its_way_sends_nothing(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    press, meanwhile = await handed(house, request), []

    async def again() -> None:
        meanwhile.append(await house.withdrawing.withdraw(press))

    house.desk.before("cancel", again)
    assert isinstance(await house.withdrawing.withdraw(press), RequestRow)
    assert (meanwhile, house.desk.count("cancel")) == ([ON_ITS_WAY], 1)


@pytest.mark.parametrize("person", [ann, rita])
async def test_nobody_withdraws_what_they_did_not_ask_for(house: House, person: Person) -> None:
    request = await house.ask()
    await house.link(person)
    assert why(await withdraw(house, request, person)) is Why.NOT_REQUESTOR
    assert house.desk.calls == []


async def test_a_request_made_with_an_admin_account_is_withdrawn_in_the_portal(house: House) -> None:
    request = await house.ask(a_request(requestor=adm_rob))
    await house.link(rob)
    found = await withdraw(house, request)
    assert isinstance(found, Refused)
    assert adm_rob.upn in found.text
    assert house.desk.calls == []


async def test_microsofts_word_about_whose_it_is_counts_more_than_our_memory(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    house.desk.change(request.key.id, requestor=rita)
    assert why(await withdraw(house, request)) is Why.NOT_REQUESTOR
    assert house.desk.count("cancel") == 0


@pytest.mark.parametrize(
    "state, expected",
    [(None, Why.NOT_LINKED), (LinkState.SUSPENDED, Why.SIGN_IN_AGAIN)],
)
async def test_it_takes_a_live_sign_in(house: House, state: LinkState | None, expected: Why) -> None:
    request = await house.ask()
    if state is not None:
        await house.link(rob, state=state)
    assert why(await withdraw(house, request)) is expected
    assert house.desk.calls == []


async def test_somebody_elses_token_withdraws_nothing(house: House) -> None:
    request = await house.ask()
    await house.link(rob, rita)
    press = replace(await handed(house, request), user=slack_of(rita))
    assert why(await house.withdrawing.withdraw(press)) is Why.CHANGED
    assert house.desk.calls == []


async def test_what_an_approver_is_deciding_right_now_is_theirs(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    await house.book.claim(an_intent(request))
    assert why(await withdraw(house, request)) is Why.CLAIMED
    assert house.desk.calls == []


async def test_what_ended_in_the_portal_is_said_and_left_to_the_poll(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    house.desk.elsewhere(request.key.id, ann, Verdict.DENY)
    assert await withdraw(house, request) == ENDED
    assert (await house.row(request)).status is Status.PENDING


async def test_an_approver_who_is_first_wins(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    house.desk.before("cancel", lambda: house.desk.elsewhere(request.key.id, ann, Verdict.APPROVE))
    found = await withdraw(house, request)
    assert why(found) is Why.REFUSED
    assert not house.desk.held[request.key.id].canceled
    assert await trail(house, request) == ["withdrawing", "not_withdrawn"]


async def test_a_decision_under_way_finds_out_itself_that_it_was_withdrawn(house: House) -> None:
    request = await house.ask()
    await house.link(rob, ann)
    intent = an_intent(request, step=house.desk.held[request.key.id].step)

    async def claim() -> None:
        assert await house.book.claim(intent) is not None

    house.desk.before("cancel", claim)
    assert isinstance(await withdraw(house, request), RequestRow)
    assert (await house.row(request)).status is Status.DECIDING
    await house.courier.send(intent)
    await house.watcher.tick()
    house.clock.advance(timedelta(minutes=3))
    await house.watcher.tick()
    assert (await house.row(request)).status is Status.CANCELED


@pytest.mark.parametrize(
    "failure, expected",
    [
        (Unavailable(), Why.UNAVAILABLE),
        (SignInRequired(), Why.SIGN_IN_AGAIN),
        (ClaimsChallenge(claims="{}"), Why.REFUSED),
        (GraphRefused("Microsoft refused", status=400), Why.REFUSED),
    ],
)
@pytest.mark.parametrize("method", ["fetch", "cancel"])
async def test_what_microsoft_does_not_take_may_be_tried_again(
    house: House, failure: Exception, expected: Why, method: str
) -> None:
    request = await house.ask()
    await house.link(rob)
    house.desk.fail(method, failure)
    assert why(await withdraw(house, request)) is expected
    assert (await house.row(request)).status is Status.PENDING
    assert isinstance(await withdraw(house, request), RequestRow)


async def test_a_lost_answer_is_read_back(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    house.desk.lag = 2
    house.desk.lose_withdrawal(after=True)
    assert isinstance(await withdraw(house, request), RequestRow)
    assert (await house.row(request)).status is Status.CANCELED
    assert house.desk.count("cancel") == 1


async def test_a_call_that_never_arrived_is_not_called_withdrawn_and_may_be_repeated(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    house.desk.lose_withdrawal(after=False)
    press = await handed(house, request)
    assert await house.withdrawing.withdraw(press) == NO_ANSWER
    assert await house.withdrawing.withdraw(press) == ON_ITS_WAY
    house.clock.advance(CLAIM_LASTS)
    assert isinstance(await house.withdrawing.withdraw(press), RequestRow)


@pytest.mark.parametrize("processed", [True, False])
async def test_a_crash_around_the_call_converges(house: House, processed: bool) -> None:  # noqa: FBT001 - a table
    request = await house.ask()
    await house.link(rob)
    press = await handed(house, request)

    def die() -> None:
        if processed:
            house.desk.withdraw(request.key.id)
        raise ProcessKilled

    house.desk.before("cancel", die)
    with pytest.raises(ProcessKilled):
        await house.withdrawing.withdraw(press)
    house.restart()
    house.clock.advance(CLAIM_LASTS)
    await house.watcher.tick()
    if not processed:
        assert isinstance(await house.withdrawing.withdraw(press), RequestRow)
    assert (await house.row(request)).status is Status.CANCELED
    assert (await trail(house, request))[-1] == "canceled"


class FailingBook(StoredRequests):
    """A database that goes away before an ending is written down."""

    async def settle(self, *_: object, **__: object) -> None:
        raise Unavailable


async def test_what_microsoft_withdrew_is_never_called_unchanged(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    press = await handed(house, request)
    house.openings.book = FailingBook(house.store, house.trail, house.book._posting)  # noqa: SLF001 - the same place
    assert await house.withdrawing.withdraw(press) == NOT_NOTED
    assert "Nothing was changed" not in NOT_NOTED.text
    assert house.desk.held[request.key.id].canceled
    house.restart()
    await house.watcher.tick()
    assert (await house.row(request)).status is Status.CANCELED
    assert await trail(house, request) == ["withdrawing", "canceled"]


async def test_after_a_crash_behind_the_call_nobody_is_told_that_nothing_was_changed(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    press = await handed(house, request)

    def die() -> None:
        house.desk.withdraw(request.key.id)
        raise ProcessKilled

    await house.inbox.take("press:1", "action", slack_of(rob), house.clock())
    house.desk.before("cancel", die)
    with pytest.raises(ProcessKilled):
        await house.withdrawing.withdraw(press)
    house.clock.advance(timedelta(minutes=10))
    assert await house.inbox.abandon(house.clock(), house.clock()) == []


async def test_nobody_hears_of_an_outcome_they_made_themselves(house: House) -> None:
    request = await house.ask()
    await house.link(rob)
    await withdraw(house, request)
    assert (await house.row(request)).decided == replace(decided(None, comment=""), at=house.clock())
