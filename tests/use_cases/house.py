"""The use cases in one house: on the real store, with Microsoft, Slack and time as doubles."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from build import a_caller, a_link, a_modal, a_request, seen
from fakes import FakeAccounts, FakeChronicle, FakeClock, FakeDesk, FakeOnBehalf, FakePeople, FakeTokens
from people import CHANNEL, TEAM, TENANT, ann, ben, slack_of
from sqlalchemy import text

from app.decisions.asking import Asking
from app.decisions.calling import Call, Calls
from app.decisions.claiming import Claiming
from app.decisions.deciding import Decisions
from app.decisions.finishing import Finishing
from app.decisions.opening import Openings
from app.decisions.removing import Removing
from app.decisions.sending import Courier, Fate
from app.decisions.step_up import StepUp
from app.decisions.values import Click, Opening, Submission, Unproven, Verify
from app.decisions.withdrawing import Withdrawing
from app.domain.policy import Freshness, Policy
from app.domain.request import ActivationRequest, Person, Verdict
from app.domain.risk import RiskPolicy
from app.domain.row import RequestRow
from app.domain.ruling import Refused
from app.exports import Exports
from app.linking import Freezing
from app.lookups import CallerLookups, Lookups
from app.notifier.matching import SlackMatching
from app.ports import Card, Link, LinkState, Notice
from app.store.audit import AuditRow, AuditTrail
from app.store.cards import StoredCards
from app.store.homes import StoredHomes
from app.store.inbox import StoredInbox
from app.store.ledger import StoredLedger
from app.store.links import StoredLinks
from app.store.looks import StoredLooks
from app.store.outbox import StoredOutbox
from app.store.questions import StoredQuestions
from app.store.remember import Posting
from app.store.removals import StoredRemovals
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.strangers import StoredStrangers
from app.store.switches import StoredSwitches
from app.store.waiting import StoredFreezes, StoredWaiting
from app.store.withdrawals import StoredWithdrawals
from app.store.writer import Store
from app.upkeep import Upkeep
from app.watcher import Visits, Watcher
from app.watcher.backfilling import Backfilling

SETTLE_SECONDS = 60.0
SLACK_URL = "https://acme.slack.example/"
CHAIN_KEY = b"a key that is not in the database"


@dataclass
class House:
    """Every use case, its ports, and the test's hands. `restart` is a new process on the same database."""

    store: Store
    as_application: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    people: FakePeople = field(default_factory=FakePeople)
    freshness: Freshness = Freshness()
    policy: Policy = Policy()

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self.trail = AuditTrail(self.store, CHAIN_KEY)
        self.book = StoredRequests(self.store, self.trail, Posting(CHANNEL, self.new_id, self.new_id))
        self.cards = StoredCards(self.store)
        self.outbox = StoredOutbox(self.store)
        self.inbox = StoredInbox(self.store)
        self.links = StoredLinks(self.store, self.trail, self.new_id)
        self.waiting = StoredWaiting(self.store)
        self.looks = StoredLooks(self.store)
        self.homes = StoredHomes(self.store, self.new_id)
        self.questions = StoredQuestions(self.store)
        self.removals = StoredRemovals(self.store, self.trail)
        self.switches = StoredSwitches(self.store, self.trail)
        self.sights = StoredSights(self.store)
        self.ledger = StoredLedger(self.store, self.trail)
        self.strangers = StoredStrangers(self.store, self.trail)
        self.withdrawals = StoredWithdrawals(self.store, self.trail)
        self.freezes = StoredFreezes(self.store, self.trail)
        self.freezing = Freezing(links=self.links, outbox=self.outbox, freezes=self.freezes, clock=self.clock)
        self.desk = FakeDesk(self.clock)
        self.tokens = FakeTokens(self.links)
        self.on_behalf = FakeOnBehalf()
        self.accounts = FakeAccounts()
        self.chronicle = FakeChronicle(self.clock)
        self.restart()

    def new_id(self) -> str:
        return f"id-{next(self._numbers)}"

    def restart(self) -> None:
        """Forget everything that is not a row."""
        desks = {self.desk.kind: self.desk}
        ours = {"book": self.book, "links": self.links, "clock": self.clock}
        self.courier = Courier(
            **ours,
            desks=desks,
            tokens=self.tokens,
            outbox=self.outbox,
            settle_seconds=SETTLE_SECONDS,
            sleep=self.clock.sleep,
        )
        self.step_up = StepUp(
            waiting=self.waiting,
            book=self.book,
            clock=self.clock,
            new_token=self.new_id,
            freshness=self.freshness,
        )
        claiming = Claiming(desks=desks, book=self.book, clock=self.clock, new_token=self.new_id, policy=self.policy)
        matching = SlackMatching(links=self.links, people=self.people, aliases=self.policy.aliases, tenant=TENANT)
        self.calls = Calls(
            claiming=claiming,
            courier=self.courier,
            links=self.links,
            on_behalf=self.on_behalf,
            matching=matching,
            team=TEAM,
        )
        self.decisions = Decisions(
            claiming=claiming,
            book=self.book,
            cards=self.cards,
            links=self.links,
            tokens=self.tokens,
            people=self.people,
            courier=self.courier,
            step_up=self.step_up,
        )
        self.openings = Openings(
            **ours, cards=self.cards, looks=self.looks, homes=self.homes, new_token=self.new_id, policy=self.policy
        )
        self.asking = Asking(openings=self.openings, questions=self.questions, clock=self.clock, new_token=self.new_id)
        self.removing, self.finishing = self._removing()
        self.withdrawing = self._withdrawing()
        self.upkeep = Upkeep(looks=self.looks, clock=self.clock)
        self.lookups = Lookups(**ours, people=self.people, cards=self.cards, sights=self.sights, slack_url=SLACK_URL)
        self.exports = Exports(book=self.book, ledger=self.ledger, sights=self.sights, clock=self.clock)
        self.watcher = self.watching(self.desk)
        self.visits = Visits(desks=[self.desk], hear=self.watcher.hear, on_behalf=self.on_behalf, clock=self.clock)
        self.caller_lookups = CallerLookups(**ours, people=self.people, look=self.visits.look)
        self.backfilling = self.filling(self.desk)

    def _removing(self) -> tuple[Removing, Finishing]:
        ours = {"removals": self.removals, "tokens": self.tokens, "clock": self.clock}
        desks = {self.desk.kind: self.desk}
        removing = Removing(
            **ours,
            openings=self.openings,
            people=self.people,
            desks=desks,
            policy=self.policy,
            sleep=self.clock.sleep,
        )
        return removing, Finishing(**ours, book=self.book, desks=desks)

    def _withdrawing(self) -> Withdrawing:
        return Withdrawing(
            openings=self.openings,
            desks={self.desk.kind: self.desk},
            tokens=self.tokens,
            withdrawals=self.withdrawals,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def watching(self, *desks: FakeDesk) -> Watcher:
        return Watcher(
            desks=desks,
            book=self.book,
            accounts=self.accounts,
            outbox=self.outbox,
            links=self.links,
            tokens=self.tokens,
            sights=self.sights,
            clock=self.clock,
            channel=CHANNEL,
            as_application=self.as_application,
            risk=RiskPolicy(),
        )

    def filling(self, *desks: FakeDesk) -> Backfilling:
        return Backfilling(
            desks=desks,
            chronicle=self.chronicle,
            book=self.book,
            sights=self.sights,
            tokens=self.tokens,
            clock=self.clock,
            risk=RiskPolicy(),
        )

    # --- what people do ---

    async def link(self, *everybody: Person, **over: object) -> Link:
        """They sign in; the last one's link comes back."""
        for person in everybody:
            link = a_link(person, **over)
            assert await self.links.save(link, "sealed", 1, self.clock())
            if link.state is LinkState.SUSPENDED:
                await self.links.suspend(link, "the test wants it", self.clock())
        await self._deliver_account_news()
        return link

    async def sign_out(self, person: Person) -> None:
        link = await self.links.by_entra(TENANT, person.id)
        assert link is not None
        await self.links.remove(link, self.clock())
        await self._deliver_account_news()

    async def _deliver_account_news(self) -> None:
        """Receipts are somebody else's tests."""
        for notice in await self.notices():
            if notice.topic in ("linked", "suspended", "unlinked", "moved"):
                await self.outbox.sent(notice, "delivered", self.clock())

    async def ask(
        self, request: ActivationRequest | None = None, *, approvers: tuple[Person, ...] = (ann, ben), **over: object
    ) -> ActivationRequest:
        """A request that Microsoft, our memory and its card in the channel know."""
        request = request or a_request()
        self.desk.ask(request, approvers)
        await self.book.remember([seen(request, approvers=approvers, **over)], self.clock())
        await self.paint()
        return request

    async def paint(self) -> None:
        """Slack shows every card as its row is now."""
        for card, row in await self.outbox.unpainted(100):
            await self.outbox.painted(card, card.ts or f"1700000000.{next(self._numbers):06}", row.version)

    async def card(self, request: ActivationRequest) -> Card:
        channel, ts = (await self.cards.places([request.key]))[request.key]
        card = await self.cards.by_place(channel, ts)
        assert card is not None
        return card

    async def press(
        self, person: Person, request: ActivationRequest, verdict: Verdict = Verdict.APPROVE, **over: object
    ) -> Opening | Refused:
        """A press on a button of the request's card."""
        card = await self.card(request)
        facts = {"channel": card.channel, "ts": card.ts, "token": card.token, **over}
        return await self.openings.open(Click(team=TEAM, user=slack_of(person), verdict=verdict, **facts))

    async def form(self, person: Person, request: ActivationRequest, **over: object) -> Submission:
        """What this person submits of a modal that shows the request; it was opened whatever the rules say now."""
        modal = a_modal(request, person, **over)
        await self.cards.open_modal(modal, self.clock())
        return Submission(modal.team, modal.user, modal.token, "It is in the change calendar", "V0000001")

    async def decide(
        self, person: Person, request: ActivationRequest, verdict: Verdict = Verdict.APPROVE
    ) -> Fate | Verify:
        """From the open modal to what became of it."""
        return await self.decisions.decide(await self.form(person, request, verdict=verdict))

    async def call(
        self, person: Person, request: ActivationRequest, verdict: Verdict = Verdict.APPROVE, **over: object
    ) -> Fate | Unproven:
        """Somebody decides over HTTP what they were shown."""
        facts = {"comment": "It is in the change calendar", "digest": request.digest, **over}
        return await self.calls.decide(Call(a_caller(person), verdict, **facts), await self.row(request))

    # --- what is true now ---

    async def row(self, request: ActivationRequest) -> RequestRow:
        row = await self.book.find(request.key)
        assert row is not None
        return row

    async def approvers(self, request: ActivationRequest) -> frozenset[str]:
        return (await self.row(request)).approvers

    async def audit(self, request: ActivationRequest) -> list[AuditRow]:
        return [row for row in await self.trail.rows(0, 1000) if row.request_id == request.key.id]

    async def notices(self) -> list[Notice]:
        return list(await self.outbox.due_notices(self.clock(), 100))

    async def outcomes(self) -> list[tuple[str, int]]:
        """Every intent's outcome, and how often it was sent."""
        rows = await self.sql("SELECT outcome, sent FROM intents ORDER BY at")
        return [(row["outcome"], row["sent"]) for row in rows]

    async def sql(self, query: str) -> list[dict[str, Any]]:
        found = await self.store.read(lambda connection: connection.execute(text(query)))
        return [dict(row) for row in found.mappings()]

    async def edit(self, change: str) -> None:
        """Somebody changes rows behind everybody's back."""
        await self.store.write(lambda connection: connection.execute(text(change)))
