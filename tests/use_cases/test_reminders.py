"""Reminders on the real store: whom a round tells of what, together, once; and what it says when it can tell nobody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from build import NOW, a_request, an_intent
from fakes import FakeAudience, ProcessKilled
from people import TEAM, ann, ben, cleo, gus, rob, slack_of
from use_cases.house import House

from app.domain.errors import Unavailable
from app.domain.preferences import Preference
from app.domain.reminding import NIGHT, Reminders
from app.domain.request import APPROVAL_WINDOW, ActivationRequest, Person, PolicyFacts, RequestKey, Status
from app.domain.risk import Level, Risk
from app.ports import Letter, Outcome
from app.reminders import Recipients, Rounds
from app.reminders.looking import ASK_AGAIN, LOOK_AGAIN
from app.store.directs import StoredDirects
from app.store.preferences import StoredPreferences
from app.store.reminding import StoredReminding

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CALM = Risk(Level.MEDIUM)


@dataclass
class Office:
    """A house where reminders are given, and what they became."""

    house: House
    audience: FakeAudience = field(default_factory=FakeAudience)
    policy: Reminders = field(default_factory=Reminders)

    def __post_init__(self) -> None:
        self.directs = StoredDirects(self.house.store, self.house.new_id)
        self.reminding = StoredReminding(self.house.store, self.house.new_id)
        self.preferences = StoredPreferences(self.house.store)
        self.restart()

    def restart(self) -> None:
        """Forget everything that is not a row."""
        house = self.house
        recipients = Recipients(
            audience=self.audience,
            people=house.people,
            preferences=self.preferences,
            clock=house.clock,
            team=TEAM,
            quiet=self.policy.quiet,
        )
        self.rounds = Rounds(
            rows=self.reminding,
            recipients=recipients,
            cards=house.cards,
            outbox=house.outbox,
            clock=house.clock,
            policy=self.policy,
        )

    async def ask(
        self, left: timedelta = HOUR, approvers: tuple[Person, ...] = (ann, ben), **over: object
    ) -> RequestKey:
        """A request that expires so long from now, its card in the channel."""
        made = a_request(created=self.house.clock() + left - APPROVAL_WINDOW, **over)
        request: ActivationRequest = await self.house.ask(made, approvers=approvers, risk=CALM)
        return request.key

    async def later(self, span: timedelta) -> None:
        self.house.clock.advance(span)
        await self.rounds.tick()

    async def letters(self) -> list[Letter]:
        return sorted(await self.directs.unpainted(50), key=lambda one: (one.direct.slack_user, one.direct.id))

    async def told(self) -> list[tuple[str, frozenset[RequestKey]]]:
        """Who is owed which requests, message by message."""
        found = [(one.direct.slack_user, frozenset(e.row.key for e in one.entries)) for one in await self.letters()]
        return sorted(found, key=lambda one: (one[0], len(one[1])))

    async def users(self) -> list[str]:
        return [user for user, _ in await self.told()]

    async def notes(self) -> list[str]:
        return [one.facts["why"] for one in await self.house.notices() if one.topic == "unreachable"]


@pytest.fixture
def office(house: House) -> Office:
    return Office(house)


ANN, BEN = slack_of(ann), slack_of(ben)


async def test_every_approver_who_did_nothing_gets_one_message(office: Office) -> None:
    key = await office.ask()
    assert await office.rounds.tick()
    assert not await office.rounds.tick()
    assert await office.told() == [(ANN, {key}), (BEN, {key})]


async def test_nothing_happens_before_its_time(office: Office) -> None:
    await office.ask(5 * HOUR)
    assert not await office.rounds.tick()
    await office.later(HOUR)
    assert await office.users() == [ANN, BEN]


async def test_each_threshold_is_told_once(office: Office) -> None:
    await office.ask(5 * HOUR)
    for _ in range(6 * 12):
        await office.later(5 * MINUTE)
    assert await office.users() == [ANN] * 3 + [BEN] * 3


async def test_past_thresholds_are_one_message(office: Office) -> None:
    await office.ask(10 * MINUTE)
    await office.rounds.tick()
    await office.later(5 * MINUTE)
    assert await office.users() == [ANN, BEN]


async def test_what_is_due_within_five_minutes_is_one_message(office: Office) -> None:
    now, soon, later = [await office.ask(4 * HOUR + minutes * MINUTE) for minutes in (0, 5, 6)]
    await office.rounds.tick()
    assert await office.told() == [(ANN, {now, soon}), (BEN, {now, soon})]
    await office.later(6 * MINUTE)
    assert (ANN, {later}) in await office.told()
    assert await office.users() == [ANN, ANN, BEN, BEN]


async def test_requests_that_come_to_light_one_by_one_are_one_message_too(office: Office) -> None:
    keys = set()
    for _ in range(3):
        keys.add(await office.ask(10 * MINUTE))
        await office.later(MINUTE)
    assert await office.told() == [(ANN, keys), (BEN, keys)]


async def test_who_tried_to_decide_is_left_alone(office: Office) -> None:
    key = await office.ask()
    row = await office.house.book.find(key)
    assert row is not None
    intent = an_intent(row.request, ann)
    await office.house.book.claim(intent)
    await office.house.book.release(intent, Outcome.NOT_TAKEN, "not taken", NOW)
    await office.rounds.tick()
    assert await office.users() == [BEN]


async def test_nobody_is_reminded_while_somebody_decides(office: Office) -> None:
    key = await office.ask()
    row = await office.house.book.find(key)
    assert row is not None
    await office.house.book.claim(an_intent(row.request, ann))
    await office.rounds.tick()
    await office.later(50 * MINUTE)
    assert await office.told() == []


@pytest.mark.parametrize("step", ["remind", "looked"], ids=["before the message is owed", "after it"])
async def test_a_crash_loses_and_doubles_nothing(office: Office, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    await office.ask()

    async def killed(*_: object) -> bool:
        raise ProcessKilled

    with monkeypatch.context() as patch:
        patch.setattr(office.reminding, step, killed)
        with pytest.raises(ProcessKilled):
            await office.rounds.tick()
    office.restart()
    await office.rounds.tick()
    assert await office.users() == [ANN, BEN]


# People


async def test_guests_are_nobody(office: Office) -> None:
    await office.ask(approvers=(ann, gus))
    await office.rounds.tick()
    assert await office.users() == [ANN]


async def test_two_accounts_of_one_person_are_one_message(office: Office) -> None:
    office.audience.users = {ann.id: ANN, cleo.id: ANN}
    await office.ask(approvers=(ann, cleo))
    await office.rounds.tick()
    assert await office.users() == [ANN]


async def test_who_switched_reminders_off_or_is_away_gets_none(office: Office) -> None:
    await office.preferences.put(TEAM, ANN, Preference(reminders=False))
    await office.preferences.put(TEAM, BEN, Preference(away_until=NOW + HOUR))
    await office.ask(90 * MINUTE)
    await office.rounds.tick()
    assert await office.told() == []
    await office.later(HOUR)
    assert await office.users() == [BEN]


async def test_each_persons_own_clock_and_hours_count(office: Office) -> None:
    people = office.house.people.persons
    people[ANN] = replace(people[ANN], zone="Asia/Tokyo")  # 18:30 there
    people[BEN] = replace(people[BEN], zone="Europe/Paris")  # 10:30 there
    await office.preferences.put(TEAM, BEN, Preference(quiet=""))
    await office.ask(8 * HOUR)  # 4 h before: 22:30 in Tokyo
    await office.rounds.tick()
    await office.later(3 * HOUR + 30 * MINUTE)
    assert await office.users() == [ANN]
    await office.later(30 * MINUTE)
    assert await office.users() == [ANN, BEN]


async def test_whoever_asked_never_hears_of_it_as_an_approver(office: Office) -> None:
    office.audience.users = {rob.id: slack_of(rob), ann.id: ANN}
    await office.ask(approvers=(ann, rob))
    await office.rounds.tick()
    assert await office.users() == [ANN]


# Slack does not say who is who


@pytest.mark.parametrize("what", ["accounts", "clocks"])
async def test_nobody_is_guessed_and_it_is_tried_again_soon(office: Office, what: str) -> None:
    await office.ask()
    office.audience.sure = what != "accounts"
    office.house.people.failure = Unavailable() if what == "clocks" else None
    await office.rounds.tick()
    assert (await office.told(), await office.notes()) == ([], [])
    office.audience.sure, office.house.people.failure = True, None
    await office.later(ASK_AGAIN)
    assert await office.users() == [ANN, BEN]


async def test_people_are_asked_about_once_an_hour(office: Office) -> None:
    await office.ask(10 * HOUR)
    for _ in range(5):
        await office.later(LOOK_AGAIN)
    assert office.house.people.asked == [ANN, BEN]
    await office.later(HOUR)
    assert office.house.people.asked == [ANN, BEN] * 2


# Nobody can be told


@pytest.mark.parametrize("why", ["unknown", "not_in_slack", "away", "crowd"])
async def test_when_nobody_can_be_told_the_channel_is_once(office: Office, why: str) -> None:
    office.audience.crowd = why == "crowd"
    if why == "away":
        await office.preferences.put(TEAM, ANN, Preference(away_until=NOW + 9 * HOUR))
        await office.preferences.put(TEAM, BEN, Preference(reminders=False))
    people = {"unknown": (), "not_in_slack": (cleo,)}.get(why, (ann, ben))
    await office.ask(5 * HOUR, approvers=people)
    await office.rounds.tick()
    assert await office.notes() == []
    for _ in range(30):
        await office.later(10 * MINUTE)
    assert (await office.notes(), await office.told()) == ([why], [])


async def test_who_is_at_it_already_needs_no_note(office: Office) -> None:
    key = await office.ask(approvers=(cleo,))
    row = await office.house.book.find(key)
    assert row is not None
    intent = an_intent(row.request, ann)
    await office.house.book.claim(intent)
    await office.house.book.release(intent, Outcome.NOT_TAKEN, "not taken", NOW)
    await office.rounds.tick()
    assert await office.notes() == []


async def test_while_its_card_stands_nowhere_there_is_nothing_to_write_below(office: Office) -> None:
    made = a_request(created=NOW + HOUR - APPROVAL_WINDOW)
    office.house.desk.ask(made)
    await office.house.watcher.tick()
    await office.rounds.tick()
    assert await office.notes() == []
    await office.house.paint()
    await office.later(LOOK_AGAIN)
    assert await office.notes() == ["unknown"]


async def test_the_card_says_when_everybody_is_away(office: Office) -> None:
    await office.preferences.put(TEAM, ANN, Preference(away_until=NOW + 9 * HOUR))
    await office.preferences.put(TEAM, BEN, Preference(away_until=NOW + 8 * HOUR))
    key = await office.ask(20 * HOUR)
    await office.rounds.tick()
    row = await office.house.book.find(key)
    assert row is not None
    assert row.away_until == NOW + 8 * HOUR
    await office.preferences.put(TEAM, ANN, Preference())
    await office.later(LOOK_AGAIN)
    row = await office.house.book.find(key)
    assert row is not None
    assert row.away_until is None


async def test_settings_of_the_role_name_approvers_too(office: Office) -> None:
    made = a_request(created=NOW + HOUR - APPROVAL_WINDOW)
    await office.house.ask(made, approvers=(), risk=CALM, policy=PolicyFacts(approvers=(ben,)))
    await office.rounds.tick()
    assert await office.users() == [BEN]


async def test_a_scheduled_start_counts_when_it_comes_first(office: Office) -> None:
    await office.ask(20 * HOUR, start=NOW + 50 * MINUTE)
    await office.rounds.tick()
    assert await office.users() == [ANN, BEN]
    await office.later(40 * MINUTE)
    assert await office.users() == [ANN, ANN, BEN, BEN]


async def test_quiet_hours_of_the_company_hold_where_nobody_set_their_own(office: Office) -> None:
    assert office.policy.quiet == NIGHT
    for user in (ANN, BEN):
        office.house.people.persons[user] = replace(office.house.people.persons[user], zone="Pacific/Auckland")
    await office.ask(
        90 * MINUTE
    )  # 22:30 in Auckland: the 4 h and 1 h reminders fall into the night, which began at 22:00
    await office.rounds.tick()
    assert await office.users() == [ANN, BEN]
    await office.later(80 * MINUTE)
    assert len(await office.users()) == 4


async def test_nobody_is_reminded_of_what_is_decided(office: Office) -> None:
    key = await office.ask()
    row = await office.house.book.find(key)
    assert row is not None
    await office.house.link(ann)
    await office.house.decide(ann, row.request)
    assert (await office.house.row(row.request)).status is Status.APPROVED
    await office.rounds.tick()
    assert await office.told() == []
