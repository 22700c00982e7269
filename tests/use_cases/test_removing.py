"""Taking an active role away after a mis-click: who may, what is sent, and what is said of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import a_request
from fakes import ProcessKilled
from people import TEAM, ann, ben, rob, slack_of
from use_cases.house import House

from app.decisions.removing import NO_REASON, NOT_YOURS, GoneSince, Outcome
from app.decisions.values import NOT_LINKED, NOT_MEMBER, SIGN_IN_AGAIN, Done, Press, Waiting
from app.domain.errors import ClaimsChallenge, GraphRefused, Unavailable
from app.domain.lifecycle import Course, Holding, HowEnded, Phase, Removed
from app.domain.policy import Freshness, Policy
from app.domain.removal import (
    DOUBTFUL_FOR,
    GONE_SINCE,
    NOT_ARRIVED,
    NOT_HELD,
    NOT_THE_SAME,
    ON_ITS_WAY,
    REFUSED_BEFORE,
)
from app.domain.request import ActivationRequest, Person, Verdict
from app.domain.ruling import Refused, Why
from app.ports import PAUSE, RemovalFate, Switch
from app.store.removals import StoredRemovals
from app.store.writer import Store

CONTACT = "U0ONCALL01"


@pytest.fixture
async def house(store: Store) -> House:
    house = House(store, policy=Policy(revoke_contacts=(CONTACT,)))
    await house.link(ann, ben)
    return house


async def active(house: House, request: ActivationRequest | None = None) -> ActivationRequest:
    """A request that Ann approved, and Microsoft shows as held."""
    request = await house.ask(request)
    await house.decide(ann, request)
    await house.watcher.tick()
    assert (await house.row(request)).phase(house.clock()) is Phase.ACTIVE
    await house.paint()
    return request


async def press(house: House, request: ActivationRequest, who: Person = ben) -> str | Refused:
    """The token of the form, or why there is none."""
    card = await house.card(request)
    begun = await house.removing.begin(Press(TEAM, slack_of(who), card.channel, card.ts, card.token))
    return begun if isinstance(begun, Refused) else begun[1]


async def submit(house: House, form: str | Refused, who: Person = ben, why: str = "Wrong button") -> Outcome:
    assert isinstance(form, str)
    return await house.removing.carry_out(TEAM, slack_of(who), form, why)


async def remove(house: House, request: ActivationRequest, who: Person = ben) -> Outcome:
    return await submit(house, await press(house, request, who), who)


async def told(house: House, request: ActivationRequest) -> list[str]:
    return [row.what for row in await house.audit(request)][-2:]


async def said(house: House, topic: str) -> list[tuple[str, str]]:
    """Who is owed a message of this topic, and what it says where it brings its own words."""
    return [(one.to_slack, one.facts.get("said", "")) for one in await house.notices() if one.topic == topic]


async def fates(house: House) -> list[str]:
    return [row["fate"] for row in await house.sql("SELECT fate FROM removals ORDER BY opened, id")]


async def test_what_is_taken_away_leaves_once_with_the_reason_and_in_ones_own_name(house: House) -> None:
    request = await active(house)
    assert isinstance(await remove(house, request), Done)
    assert house.desk.count("remove", ben.id) == 1
    assert [removal.reason for removal in house.desk.removals] == ["Wrong button"]
    assert (await house.row(request)).removed == Removed(ben, house.clock())
    assert await told(house, request) == ["removal_sent", "removal_taken"]


async def test_the_card_ends_with_the_instance_and_at_the_first_look(house: House) -> None:
    request = await active(house)
    await remove(house, request)
    await house.watcher.tick()
    row = await house.row(request)
    assert (row.phase(house.clock()), row.holding.how) == (Phase.ENDED, HowEnded.REVOKED)


async def test_whoever_held_it_is_told_who_took_it_and_why(house: House) -> None:
    request = await active(house)
    await remove(house, request)
    (notice,) = [each for each in await house.notices() if each.topic == "taken_away"]
    assert (notice.to_entra, notice.facts["by"], notice.facts["reason"]) == (rob.id, ben.label, "Wrong button")


async def test_without_the_right_nothing_is_taken_and_the_contacts_are_told(house: House) -> None:
    request = await active(house)
    outcome = await remove(house, request, ann)
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.REFUSED
    assert "Privileged Role Administrator" in outcome.text
    assert "were told" in outcome.text
    assert (await house.row(request)).removed is None
    (notice,) = [each for each in await house.notices() if each.topic == "revoke"]
    assert (notice.to_slack, notice.facts["by"]) == (CONTACT, ann.label)
    assert await told(house, request) == ["removal_sent", "removal_refused"]
    assert isinstance(await remove(house, request, ben), Done)


@pytest.mark.parametrize("processed", [True, False])
async def test_a_lost_answer_is_looked_after_and_never_sent_again(house: House, processed: bool) -> None:  # noqa: FBT001 - a table
    request = await active(house)
    (house.desk.lose_answer_after if processed else house.desk.lose_answer_before)(method="remove")
    assert isinstance(await remove(house, request), GoneSince if processed else Waiting)
    assert house.desk.count("remove") == 1
    assert await fates(house) == ["gone_since" if processed else "unknown"]


async def test_while_a_fate_is_unknown_nobody_sends_another_until_replicas_must_show_it(house: House) -> None:
    request = await active(house)
    house.desk.lose_answer_before(method="remove")
    await remove(house, request)
    assert await remove(house, request) == ON_ITS_WAY
    assert house.desk.count("remove") == 1
    house.clock.advance(timedelta(minutes=5))
    assert isinstance(await remove(house, request), Done)


async def test_of_two_forms_one_is_sent(house: House) -> None:
    request = await active(house)
    first, second = await press(house, request), await press(house, request)
    assert isinstance(await submit(house, first), Done)
    assert await submit(house, second) == ON_ITS_WAY
    assert await submit(house, first) == NOT_YOURS
    assert house.desk.count("remove") == 1


async def test_a_role_given_back_meanwhile_is_not_taken_from_a_later_request(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    house.desk.removed.add(request.key.id)
    assert await submit(house, form) == NOT_HELD
    assert house.desk.count("remove") == 0


async def test_what_microsoft_says_is_not_held_is_not_held(house: House) -> None:
    request = await active(house)
    house.desk.fail("remove", GraphRefused("nothing", status=400, code="RoleAssignmentDoesNotExist"))
    assert await remove(house, request) == NOT_HELD
    assert await fates(house) == ["gone"]


@pytest.mark.parametrize(
    "failure, why", [(Unavailable(), Why.UNAVAILABLE), (ClaimsChallenge(claims="{}"), Why.SIGN_IN_AGAIN)]
)
async def test_what_surely_did_not_arrive_may_be_sent_again(house: House, failure: Exception, why: Why) -> None:
    request = await active(house)
    house.desk.fail("remove", failure)
    outcome = await remove(house, request)
    assert isinstance(outcome, Refused)
    assert outcome.why is why
    assert await fates(house) == ["not_taken"]
    assert isinstance(await remove(house, request), Done)


async def test_when_nobody_can_see_whether_it_is_held_nothing_is_sent(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    house.desk.fail("term", Unavailable(), times=100)
    outcome = await submit(house, form)
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.UNAVAILABLE
    assert house.desk.count("remove") == 0


async def test_only_an_active_role_has_anything_to_take(house: House) -> None:
    request = await house.ask()
    assert await press(house, request) == NOT_HELD
    await house.decide(ann, request, Verdict.DENY)
    assert await press(house, request) == NOT_HELD


async def test_a_role_that_has_run_out_is_not_taken_away(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    await house.book.followed(request.key, Course(Holding(house.clock(), house.clock())))
    assert await submit(house, form) == NOT_HELD


async def test_who_is_not_signed_in_signs_in_first(house: House) -> None:
    request = await active(house)
    assert await press(house, request, rob) == NOT_LINKED
    link = await house.links.by_slack(TEAM, slack_of(ben))
    assert link is not None
    await house.links.suspend(link, "it is over", house.clock())
    assert await press(house, request) == SIGN_IN_AGAIN


async def test_a_sign_in_of_long_ago_takes_nothing_away(store: Store) -> None:
    house = House(store, policy=Policy(freshness=Freshness(window=timedelta(0))))
    await house.link(ann, ben)
    assert await press(house, await active(house)) == SIGN_IN_AGAIN


async def test_guests_take_nothing_away(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    del house.people.persons[slack_of(ben)]
    assert await submit(house, form) == NOT_MEMBER


async def test_a_form_is_for_the_one_it_was_opened_for_and_wants_a_reason(house: House) -> None:
    form = await press(house, await active(house))
    assert await submit(house, form, ann) == NOT_YOURS
    assert await submit(house, form, ben, "  ") == NO_REASON
    assert await submit(house, "made up") == NOT_YOURS
    assert house.desk.count("remove") == 0


async def test_while_decisions_are_paused_nothing_is_taken_away(house: House) -> None:
    request = await active(house)
    await house.switches.turn(Switch(PAUSE, on=True, reason="a drill", by="os:ops", at=house.clock()), None)
    refused = await press(house, request)
    assert isinstance(refused, Refused)
    assert refused.why is Why.PAUSED


async def test_where_the_portal_is_the_only_place_it_is_here_too(store: Store) -> None:
    request = a_request()
    house = House(store, policy=Policy(portal_only=frozenset({request.role.id})))
    await house.link(ann, ben)
    await house.ask(request)
    house.desk.elsewhere(request.key.id, ann, Verdict.APPROVE)
    await house.watcher.tick()
    await house.watcher.tick()
    await house.watcher.tick()
    refused = await press(house, request)
    assert isinstance(refused, Refused)
    assert refused.why is Why.PORTAL_ONLY


async def test_somebody_who_sent_it_is_not_told_after_a_crash_that_nothing_was_changed(house: House) -> None:
    request = await active(house)
    await house.inbox.take("submission:1", "removal", slack_of(ben), house.clock())
    await remove(house, request)
    assert await house.inbox.abandon(house.clock(), house.clock()) == []


async def test_a_role_that_somebody_else_ended_in_the_doubt_is_credited_to_nobody(house: House) -> None:
    request = await active(house)
    house.desk.before("remove", lambda: house.desk.removed.add(request.key.id))
    house.desk.lose_answer_before(method="remove")
    assert isinstance(await remove(house, request), GoneSince)
    assert (await house.row(request)).removed is None
    assert await said(house, "taken_away") == []
    assert await told(house, request) == ["removal_sent", "removal_gone_since"]
    await house.inbox.take("submission:1", "removal", slack_of(ben), house.clock())
    assert await house.inbox.abandon(house.clock(), house.clock()) == []


@pytest.mark.parametrize("processed", [True, False])
async def test_a_removal_that_a_crash_left_is_found_out_and_told_once(house: House, processed: bool) -> None:  # noqa: FBT001 - a table
    request = await active(house)
    form = await press(house, request)

    def die() -> None:
        if processed:
            house.desk.removed.add(request.key.id)
        raise ProcessKilled

    house.desk.before("remove", die)
    with pytest.raises(ProcessKilled):
        await submit(house, form)
    house.restart()
    assert not await house.finishing.tick()
    assert await fates(house) == ["sending"]
    house.clock.advance(DOUBTFUL_FOR)
    assert await house.finishing.tick()
    assert not await house.finishing.tick()
    assert await fates(house) == ["gone_since" if processed else "not_taken"]
    assert await said(house, "removal") == [(slack_of(ben), GONE_SINCE if processed else NOT_ARRIVED)]
    assert await said(house, "taken_away") == []
    assert house.desk.count("remove") == 1


async def test_what_still_showed_when_nobody_answered_is_found_out_later(house: House) -> None:
    request = await active(house)
    house.desk.lose_answer_before(method="remove")
    await remove(house, request)
    house.clock.advance(DOUBTFUL_FOR)
    assert await house.finishing.tick()
    assert await said(house, "removal") == [(slack_of(ben), NOT_ARRIVED)]
    assert isinstance(await remove(house, request), Done)


class ForgetfulRemovals(StoredRemovals):
    """A database that goes away while Microsoft answers."""

    async def settle(self, *_: object, **__: object) -> None:
        raise Unavailable


async def test_what_could_not_be_written_down_after_microsofts_answer_waits_and_is_finished(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    house.removing.removals = ForgetfulRemovals(house.store, house.trail)
    assert isinstance(await submit(house, form), Waiting)
    assert await fates(house) == ["sending"]
    house.clock.advance(DOUBTFUL_FOR)
    assert await house.finishing.tick()
    assert await fates(house) == ["gone_since"]
    assert await said(house, "removal") == [(slack_of(ben), GONE_SINCE)]


async def test_what_nobody_can_look_at_stays_open_until_the_role_is_over(house: House) -> None:
    request = await active(house)
    house.desk.lose_answer_before(method="remove")
    await remove(house, request)
    house.desk.fail("term", Unavailable(), times=100)
    house.clock.advance(DOUBTFUL_FOR)
    assert not await house.finishing.tick()
    assert await fates(house) == ["unknown"]
    house.clock.advance(timedelta(hours=2))
    assert await house.finishing.tick()
    assert await fates(house) == ["gone_since"]
    assert (await house.row(request)).removed is None


async def test_of_two_who_find_out_the_first_one_counts(house: House) -> None:
    request = await active(house)
    house.desk.lose_answer_before(method="remove")
    form = await press(house, request)
    assert isinstance(form, str)
    await submit(house, form)
    house.clock.advance(DOUBTFUL_FOR)
    await house.finishing.tick()
    left = await house.removals.find(form)
    assert left is not None
    await house.removals.settle(left, RemovalFate.TAKEN, "", (), house.clock())
    assert await fates(house) == ["not_taken"]
    assert (await house.row(request)).removed is None
    assert await told(house, request) == ["removal_unknown", "removal_not_taken"]


async def test_who_was_refused_is_not_refused_again_at_once_and_contacts_hear_once(house: House) -> None:
    request = await active(house)
    first, second = await press(house, request, ann), await press(house, request, ann)
    await submit(house, first, ann)
    for form in (second, await press(house, request, ann)):
        assert await submit(house, form, ann) == REFUSED_BEFORE
    assert house.desk.count("remove", ann.id) == 1
    house.clock.advance(DOUBTFUL_FOR)
    await remove(house, request, ann)
    assert house.desk.count("remove", ann.id) == 2
    assert [user for user, _ in await said(house, "revoke")] == [CONTACT]


@pytest.mark.parametrize("column", ["role_id", "scope_id", "requestor_oid"])
async def test_a_row_that_somebody_edited_takes_nothing_away(house: House, column: str) -> None:
    request = await active(house)
    form = await press(house, request)
    await house.edit(f"UPDATE requests SET {column} = '62e90394-69f5-4237-9190-012177145e10'")  # noqa: S608 - ours
    assert await submit(house, form) == NOT_THE_SAME
    assert house.desk.count("remove") == 0
    assert await fates(house) == ["draft"]


async def test_what_is_sent_are_microsofts_own_words_about_the_request(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    await house.edit("UPDATE requests SET role_path = '/another/role'")
    await submit(house, form)
    assert [one.role for one in house.desk.to_remove] == [request.role]


async def test_what_nobody_can_read_is_not_taken_away(house: House) -> None:
    request = await active(house)
    form = await press(house, request)
    house.desk.fail("fetch", Unavailable(), times=100)
    outcome = await submit(house, form)
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.UNAVAILABLE
    assert house.desk.count("remove") == 0
