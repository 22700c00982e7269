"""Who is called when: grave requests at once, unanswered ones once more, the on-call tool last; nobody twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from build import a_request, decided, seen
from people import ann
from use_cases.house import House

from app.arrivals import BATCH, FIRST_PAUSE, MOST_OF_A_BURST, MOST_TRIES, PATIENCE, Arrivals
from app.domain.arrival import Accounts, Arrival, Escalation, Reach
from app.domain.errors import Unavailable
from app.domain.request import ActivationRequest, Status
from app.domain.risk import Level, Risk
from app.domain.row import RequestRow
from app.store.calls import StoredCalls
from app.store.remember import Posting

ANN, BEN = "U0ANN00001", "U0BEN00001"
HALF_AN_HOUR, TEN = timedelta(minutes=30), timedelta(minutes=10)


@dataclass
class FakeAudience:
    """Reaches these."""

    answer: Reach = field(default_factory=lambda: Reach((ANN, BEN)))

    async def reach(self, _: RequestRow) -> Reach:
        return self.answer

    async def accounts(self, _: RequestRow) -> Accounts:
        return Accounts({user: user for user in self.answer.users}, self.answer.crowd, self.answer.sure)


@dataclass
class FakeAlarm:
    """Records what it was told; `failures` come first."""

    failures: list[Exception] = field(default_factory=list)
    told: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    async def sound(self, delivery: str, facts: Mapping[str, object]) -> None:
        self.told.append((delivery, facts))
        if self.failures:
            raise self.failures.pop(0)


class Bell:
    """The use case on the real store, and the test's hands."""

    def __init__(self, house: House) -> None:
        self.house, self.audience, self.alarm = house, FakeAudience(), FakeAlarm()
        self.calls = StoredCalls(house.store, Posting("C0APPROVERS", house.new_id, house.new_id))
        self.arrivals = Arrivals(
            calls=self.calls,
            audience=self.audience,
            clock=house.clock,
            address=self._address,
            escalation=Escalation("https://on-call.example", "KEY", TEN),
            alarm=self.alarm,
        )

    async def _address(self, row: RequestRow) -> str:
        return f"https://acme.slack.example/{row.key.id}"

    async def ask(self, level: Level = Level.CRITICAL) -> ActivationRequest:
        request = a_request(created=self.house.clock())
        await self.house.book.remember([seen(request, risk=Risk(level, ("why",)))], self.house.clock())
        return request

    def pass_time(self, length: timedelta) -> None:
        self.house.clock.now += length

    async def messages(self, occasion: str = "") -> list[str]:
        """Whose own messages are owed, for this occasion or any."""
        owed = [card for card, _ in await self.house.outbox.unpainted(100) if card.occasion]
        return sorted(card.channel for card in owed if occasion in ("", card.occasion))


@pytest.fixture
def bell(house: House) -> Bell:
    return Bell(house)


@pytest.mark.parametrize("level, called", [(Level.CRITICAL, True), (Level.HIGH, True), (Level.MEDIUM, False)])
async def test_only_grave_requests_are_messages_at_once(bell: Bell, level: Level, called: bool) -> None:  # noqa: FBT001 - a table
    await bell.ask(level)
    await bell.arrivals.tick()
    assert await bell.messages("arrival") == ([ANN, BEN] if called else [])


async def test_nobody_is_called_twice_for_the_same(bell: Bell) -> None:
    await bell.ask()
    for _ in range(3):
        await bell.arrivals.tick()
    assert await bell.messages() == [ANN, BEN]


async def test_each_message_is_a_card_of_its_own_with_its_own_token(bell: Bell) -> None:
    await bell.ask()
    await bell.arrivals.tick()
    cards = [card for card, _ in await bell.house.outbox.unpainted(100)]
    assert len({card.token for card in cards}) == len({card.id for card in cards}) == 3
    assert len({card.digest for card in cards}) == 1


async def test_an_unanswered_request_is_brought_up_once_after_half_an_hour(bell: Bell) -> None:
    await bell.ask(Level.LOW)
    bell.pass_time(HALF_AN_HOUR - timedelta(seconds=1))
    await bell.arrivals.tick()
    assert await bell.messages() == []
    bell.pass_time(timedelta(seconds=1))
    for _ in range(3):
        await bell.arrivals.tick()
        bell.pass_time(HALF_AN_HOUR)
    assert await bell.messages("nudge") == [ANN, BEN]


async def test_what_was_decided_is_not_brought_up(bell: Bell) -> None:
    request = await bell.ask(Level.LOW)
    await bell.house.book.settle(request.key, Status.DENIED, decided(), None, bell.house.clock())
    bell.pass_time(HALF_AN_HOUR)
    await bell.arrivals.tick()
    assert await bell.messages() == []


async def test_while_somebody_is_looking_nobody_is_nudged(bell: Bell) -> None:
    request = await bell.ask(Level.LOW)
    bell.pass_time(HALF_AN_HOUR)
    now = bell.house.clock()
    await bell.house.looks.look(request.key, ann, now, now + TEN)
    await bell.arrivals.tick()
    assert await bell.messages() == []
    bell.pass_time(TEN)
    await bell.house.looks.lapse(bell.house.clock())
    await bell.arrivals.tick()
    assert await bell.messages("nudge") == [ANN, BEN]


async def test_a_company_may_want_no_nudge(bell: Bell) -> None:
    bell.arrivals.arrival = Arrival(nudge_after=timedelta(0))
    await bell.ask(Level.LOW)
    bell.pass_time(timedelta(hours=20))
    await bell.arrivals.tick()
    assert await bell.messages() == []


async def test_while_slack_cannot_say_who_they_are_the_call_waits_but_not_for_ever(bell: Bell) -> None:
    bell.audience.answer = Reach((ANN,), sure=False)
    await bell.ask()
    await bell.arrivals.tick()
    assert await bell.messages() == []
    bell.pass_time(PATIENCE + timedelta(seconds=1))
    await bell.arrivals.tick()
    assert await bell.messages() == [ANN]


async def test_in_a_burst_the_riskiest_and_oldest_call_people_and_the_others_do_not(bell: Bell) -> None:
    for _ in range(BATCH):
        await bell.ask(Level.HIGH)
    first = await bell.ask(Level.CRITICAL)
    for _ in range(3):
        await bell.arrivals.tick()
    called = [card.key for card, _ in await bell.house.outbox.unpainted(100) if card.occasion]
    assert first.key in called
    assert len(set(called)) < BATCH
    assert len(set(called)) >= MOST_OF_A_BURST


# The alarm


async def test_the_alarm_sounds_once_for_a_critical_request_nobody_answered(bell: Bell) -> None:
    request = await bell.ask()
    await bell.arrivals.escalate()
    assert bell.alarm.told == []
    bell.pass_time(TEN)
    for _ in range(3):
        await bell.arrivals.escalate()
    ((delivery, facts),) = bell.alarm.told
    assert delivery == f"{request.key}/escalation"
    assert (facts["id"], facts["level"], facts["card"]) == (
        request.key.id,
        "Critical",
        f"https://acme.slack.example/{request.key.id}",
    )
    assert request.justification not in str(facts)


@pytest.mark.parametrize("level", [Level.LOW, Level.MEDIUM, Level.HIGH])
async def test_nothing_less_than_critical_sounds_it(bell: Bell, level: Level) -> None:
    await bell.ask(level)
    bell.pass_time(timedelta(hours=5))
    await bell.arrivals.escalate()
    assert bell.alarm.told == []


async def test_an_answered_request_sounds_nothing(bell: Bell) -> None:
    request = await bell.ask()
    await bell.house.book.settle(request.key, Status.APPROVED, decided(), None, bell.house.clock())
    bell.pass_time(TEN)
    await bell.arrivals.escalate()
    assert bell.alarm.told == []


async def test_a_failing_alarm_is_tried_again_at_growing_distances_under_the_same_name(bell: Bell) -> None:
    await bell.ask()
    bell.alarm.failures = [Unavailable(), Unavailable()]
    bell.pass_time(TEN)
    await bell.arrivals.escalate()
    await bell.arrivals.escalate()
    assert len(bell.alarm.told) == 1
    bell.pass_time(FIRST_PAUSE)
    await bell.arrivals.escalate()
    bell.pass_time(FIRST_PAUSE)
    await bell.arrivals.escalate()
    assert len(bell.alarm.told) == 2
    bell.pass_time(FIRST_PAUSE)
    await bell.arrivals.escalate()
    assert len({delivery for delivery, _ in bell.alarm.told}) == 1
    assert len(bell.alarm.told) == 3


async def test_an_alarm_that_never_answers_is_given_up(bell: Bell, caplog: pytest.LogCaptureFixture) -> None:
    await bell.ask()
    bell.alarm.failures = [Unavailable() for _ in range(99)]
    bell.pass_time(TEN)
    for _ in range(30):
        await bell.arrivals.escalate()
        bell.pass_time(timedelta(minutes=20))
    assert len(bell.alarm.told) == MOST_TRIES
    assert "not tried again" in caplog.text


async def test_without_a_tool_nothing_is_looked_for(bell: Bell) -> None:
    bell.arrivals.alarm = None
    await bell.ask()
    bell.pass_time(TEN)
    await bell.arrivals.escalate()
    assert bell.alarm.told == []
