"""A busy week counted: 80 requests, 12 approvers, and how often Slack makes anybody look up.

Time jumps from event to event; everything that speaks to people by itself runs as it does in the bot, over the real
store, and a Slack that only records. The figures stand in docs/why.md.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from build import EXCHANGE, REPORTS_READER, a_link, a_request, an_intent, seen
from fakes import FakeClock
from people import CHANNEL, TEAM, TENANT

from app.arrivals import Arrivals
from app.domain.policy import Aliases, Policy
from app.domain.request import ActivationRequest, Decided, Person, PolicyFacts, Role, Status, Where
from app.domain.risk import Level, Risk
from app.domain.roles import GLOBAL_ADMINISTRATOR
from app.domain.row import RequestRow
from app.notifier.audience import SlackAudience
from app.notifier.directs import DirectPainter
from app.notifier.gateway import Gateway
from app.notifier.matching import SlackMatching
from app.notifier.messenger import Messenger
from app.notifier.painter import Painter
from app.notifier.people import SlackPeople
from app.reminders import LastCalls, Recipients, Rounds
from app.requestors import Requestors
from app.store.audit import AuditTrail
from app.store.calls import StoredCalls
from app.store.cards import StoredCards
from app.store.directs import StoredDirects
from app.store.links import StoredLinks
from app.store.looks import StoredLooks
from app.store.outbox import StoredOutbox
from app.store.preferences import StoredPreferences
from app.store.remember import Posting
from app.store.reminding import StoredReminding
from app.store.request_book import StoredRequests
from app.store.writer import Store
from app.upkeep import Upkeep
from blocks.links import Portal

REQUESTS, APPROVERS = 80, 12
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GLOBAL = Role(GLOBAL_ADMINISTRATOR, "Global Administrator", built_in=True, privileged=True)
approvers = [Person(f"oid-a{n}", f"Approver {n}", f"a{n}@acme.example", f"a{n}@acme.example") for n in range(APPROVERS)]
requestors = [Person(f"oid-r{n}", f"Requestor {n}", f"r{n}@acme.example", f"r{n}@acme.example") for n in range(20)]
# Role, risk, approvers by PIM's settings, and how many of ten requests are for it: as in a company of a few hundred.
ROLES = (
    (REPORTS_READER, Level.MEDIUM, approvers[:4], 6),
    (EXCHANGE, Level.HIGH, approvers[2:7], 3),
    (GLOBAL, Level.CRITICAL, approvers, 1),
)


@dataclass
class Slack:
    """Takes every call and counts what people notice of it."""

    counted: Counter[str] = field(default_factory=Counter)
    messages_of: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def conversation(self, user: str) -> str:
        return f"D{user}"

    async def call(self, method: str, **told: Any) -> dict[str, Any]:  # noqa: ANN401 - Slack's arguments
        answer = getattr(self, f"_{method}", None)
        return answer(**told) if answer is not None else {"ok": True}

    def _conversations_open(self, users: str) -> dict[str, Any]:
        return {"channel": {"id": f"D{users}"}}

    def _users_lookupByEmail(self, email: str) -> dict[str, Any]:  # noqa: N802 - Slack's name
        return {"user": self._person(f"U{email.partition('@')[0].upper():0<8}")}

    def _users_info(self, user: str) -> dict[str, Any]:
        return {"user": self._person(user)}

    def _person(self, user: str) -> dict[str, Any]:
        return {"id": user, "team_id": TEAM, "tz": "Europe/Berlin", "profile": {"real_name": user}}

    def _chat_postMessage(self, channel: str, **told: Any) -> dict[str, Any]:  # noqa: ANN401, N802 - Slack's
        where = "direct message" if channel.startswith("D") else "reply" if told.get("thread_ts") else "post"
        self.counted[where] += 1
        self.counted["mention"] += _mentions(told.get("blocks")) if where == "post" else 0
        self.messages_of[channel] += where == "direct message"
        return {"ts": f"1.{next(self.numbers):06}"}

    def _chat_update(self, channel: str, **told: Any) -> dict[str, Any]:  # noqa: ANN401 - Slack's arguments
        self.counted["edit of a direct message" if channel.startswith("D") else "edit"] += 1
        self.counted["mention by an edit"] += _mentions(told.get("blocks"))
        return {"ok": True}


def _mentions(part: object) -> int:
    if isinstance(part, dict):
        return (part.get("type") in ("user", "usergroup", "broadcast")) + _mentions(list(part.values()))
    return sum(map(_mentions, part)) if isinstance(part, list) else 0


class Week:
    """The bot's own voice, wired as in production, and the people who ask and decide."""

    def __init__(self, store: Store) -> None:
        self.clock, self.slack, policy = FakeClock(), Slack(), Policy()
        numbers = itertools.count(1)

        def text() -> str:
            return f"text-{next(numbers)}"

        posting = Posting(CHANNEL, text, text)
        trail = AuditTrail(store, b"a key of tests")
        gateway = cast("Gateway", self.slack)
        self.book, self.outbox = StoredRequests(store, trail, posting), StoredOutbox(store)
        self.links, cards = StoredLinks(store, trail, text), StoredCards(store)
        people = SlackPeople(gateway=gateway, clock=self.clock, channels=(CHANNEL,))
        matching = SlackMatching(links=self.links, people=people, aliases=Aliases(), tenant=TENANT)
        audience = SlackAudience(matching=matching, aliases=Aliases(), clock=self.clock)
        spoken = {"gateway": gateway, "clock": self.clock, "portal": Portal("https://portal.example")}
        self.requestors = Requestors(book=self.book, matching=matching, clock=self.clock)
        self.upkeep = Upkeep(looks=StoredLooks(store), clock=self.clock)
        self.arrivals = Arrivals(
            calls=StoredCalls(store, posting), audience=audience, clock=self.clock, address=_nowhere
        )
        recipients = Recipients(
            audience=audience,
            people=people,
            preferences=StoredPreferences(store),
            clock=self.clock,
            team=TEAM,
            quiet=policy.reminders.quiet,
        )
        self.reminders = Rounds(
            rows=StoredReminding(store, text),
            recipients=recipients,
            cards=cards,
            outbox=self.outbox,
            clock=self.clock,
            policy=policy.reminders,
        )
        self.last_calls = LastCalls(rows=StoredReminding(store, text), outbox=self.outbox, clock=self.clock)
        self.painter = Painter(**spoken, outbox=self.outbox, new_token=text, audience=audience)
        directs = StoredDirects(store, text)
        self.directs = DirectPainter(**spoken, directs=directs, cards=cards, slack_url="https://acme.slack.example/")
        self.messenger = Messenger(**spoken, outbox=self.outbox, book=self.book, cards=cards, matching=matching)

    async def rounds(self, times: int = 1) -> None:
        """Everything that ticks, once a second."""
        for _ in range(times):
            self.clock.advance(timedelta(seconds=1))
            await self.requestors.tick()
            await self.arrivals.tick()
            await self.upkeep.tick()
            await self.reminders.tick()
            await self.last_calls.tick()
            await self.painter.tick()
            await self.directs.tick()
            await self.messenger.tick()

    async def ask(self, request: ActivationRequest, level: Level, known: list[Person]) -> None:
        policy = PolicyFacts(approvers=tuple(known))
        await self.book.remember([seen(request, risk=Risk(level), policy=policy)], self.clock())

    async def decide(self, request: ActivationRequest, by: Person) -> None:
        """Approved by a click: claimed, painted, settled."""
        at = self.clock()
        intent = replace(an_intent(request), approver=by, slack_user="U0APPROVER", at=at)
        assert await self.book.claim(intent)
        await self.rounds()
        await self.book.settle(request.key, Status.APPROVED, Decided(at, Where.SLACK, by, "Fine"), intent, at)

    async def expire(self, request: ActivationRequest) -> None:
        at = self.clock()
        await self.book.settle(request.key, Status.EXPIRED, Decided(at, Where.OUTSIDE), None, at)


async def _nowhere(_: RequestRow) -> str:
    return ""


@dataclass(frozen=True, order=True)
class Event:
    """Something that somebody does; `number` makes the order total."""

    at: datetime
    number: int
    what: str


def plan(dice: random.Random) -> list[tuple[Event, Role, Level, list[Person]]]:
    """Asked in working hours of five days."""
    planned = []
    for number in range(REQUESTS):
        role, level, known, _ = dice.choices(ROLES, [weight for *_, weight in ROLES])[0]
        at = MONDAY + dice.randrange(5) * DAY + timedelta(minutes=dice.randrange(8 * 60, 17 * 60))
        planned.append((Event(at, number, "ask"), role, level, known))
    return planned


def patience(dice: random.Random) -> timedelta | None:
    """Of ten, seven are decided within half an hour, two within four hours, the rest overnight or (2 of 100) never."""
    chance = dice.random()
    if chance < 0.70:
        return dice.uniform(1, 30) * MINUTE
    if chance < 0.90:
        return dice.uniform(0.5, 4) * HOUR
    return dice.uniform(12, 20) * HOUR if chance < 0.98 else None


pytestmark = pytest.mark.soak


@pytest.fixture
def dialect() -> str:
    """Which database it is makes no noise."""
    return "sqlite"


async def test_a_busy_week_stays_quiet(store: Store) -> None:
    dice = random.Random(7)  # noqa: S311 - the same week each time
    week = Week(store)
    week.clock.now = MONDAY
    for approver in approvers[::2]:  # half of them have signed in
        link = a_link(approver, slack_user=f"U{approver.upn.partition('@')[0].upper():0<8}", tenant=TENANT)
        await week.links.save(link, "sealed", 1, MONDAY)
    events: list[Event] = []
    made: dict[int, tuple[ActivationRequest, Level, list[Person]]] = {}
    for event, role, level, known in plan(dice):
        request = a_request(created=event.at, role=role, requestor=dice.choice(requestors))
        made[event.number] = (request, level, known)
        wait = patience(dice)
        end = Event(event.at + (wait or DAY), event.number, "decide" if wait else "expire")
        looks = [Event(at, event.number, "look") for at in moments(event.at, end.at)]
        events += [event, *looks, end]
    for event in sorted(events):
        request, level, known = made[event.number]
        week.clock.now = max(week.clock.now, event.at)
        if event.what == "ask":
            await week.ask(request, level, known)
        elif event.what == "decide":
            await week.decide(request, dice.choice(known))
        elif event.what == "expire":
            await week.expire(request)
        await week.rounds(2 if event.what == "ask" else 1)
    await week.rounds(5)
    assert await week.outbox.unpainted(100) == []
    judge(week.slack)


def moments(begin: datetime, end: datetime) -> list[datetime]:
    """When something may be said of a request that waits: half an hour on, its fuse, reminders, quiet hours."""
    asked = [begin + 31 * MINUTE, *(begin + DAY - left for left in (4 * HOUR, HOUR, 15 * MINUTE))]
    return [at for at in [*asked, *(begin + hours * HOUR for hours in range(6, 24, 6))] if at < end]


def judge(slack: Slack) -> None:
    """The ceilings. Whoever raises one says in docs/why.md what people get for it."""
    counted = slack.counted
    each = {what: round(count / REQUESTS, 2) for what, count in counted.items()}
    assert counted["post"] == REQUESTS, each
    assert counted["mention by an edit"] == 0, each
    assert each["mention"] <= 4, each
    assert each["edit"] <= 3, each
    assert each["direct message"] <= 7, each
    assert each["edit of a direct message"] <= 12, each
    assert each.get("reply", 0) <= 0.1, each
    assert max(slack.messages_of.values()) <= 65, slack.messages_of
