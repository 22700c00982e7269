"""The real use cases on the real store before the emulated Microsoft and Slack, all in this process, with one clock.

A process of the bot may die before or after any call of a port; `restart` is the next one on the same database.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from build import a_link
from fakes import FakeClock, ProcessKilled
from model.witness import Witness
from sandbox.world_rig import one_key, same_ids
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.decisions.claiming import Claiming
from app.decisions.deciding import Decisions
from app.decisions.opening import Openings
from app.decisions.sending import Courier
from app.decisions.step_up import StepUp
from app.decisions.values import Click, Opening, Submission
from app.domain.breaker import Breaker, in_a_round
from app.domain.errors import BotError, CardLost, SlackFailed, Unavailable
from app.domain.policy import Aliases, Freshness
from app.domain.request import Person, Verdict
from app.domain.risk import RiskPolicy
from app.graph import azure_resources
from app.graph.azure_resources import AzureResources
from app.graph.client import Gate
from app.graph.directory import Directory
from app.graph.directory_roles import DirectoryRoles
from app.inbox import Deliveries
from app.notifier.matching import SlackMatching
from app.notifier.messenger import Messenger
from app.notifier.painter import Painter
from app.notifier.people import SlackPeople
from app.ports import Desk, Link, Reader, Resource, TokenSource
from app.sandbox import arm, graph, slack_api
from app.sandbox.faults import FaultGate
from app.sandbox.login_grants import app_answer, user_answer
from app.sandbox.login_scopes import Scopes, resources
from app.sandbox.login_tokens import Grant
from app.sandbox.people import Person as Citizen
from app.sandbox.people import Settings
from app.sandbox.scopes import PROD
from app.sandbox.world import World
from app.store.audit import AuditTrail
from app.store.cards import StoredCards
from app.store.homes import StoredHomes
from app.store.inbox import StoredInbox
from app.store.links import StoredLinks
from app.store.looks import StoredLooks
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.waiting import StoredWaiting
from app.store.writer import Store
from app.upkeep import Upkeep
from app.watcher import Watcher
from blocks.links import Portal

SETTLE_SECONDS = 20.0
TOKEN_LASTS = timedelta(minutes=30)
LOST = frozenset({"message_not_found", "cant_update_message"})
SERVER_ERROR, THROTTLED = 500, 429
Rooms = Mapping[str, Callable[[Any], Any]]


@dataclass
class Life:
    """One process: it dies at the `steps`-th call of a port from now on, and with it everything it was doing."""

    steps: int | None = None
    dead: bool = False

    def step(self) -> None:
        """A moment at which the process may end."""
        if self.steps is not None:
            self.steps -= 1
            self.dead = self.dead or self.steps < 0
        if self.dead:
            raise ProcessKilled


class Mortal:
    """Stands before a room of one process, and dies with it."""

    def __init__(self, room: object, life: Life) -> None:
        self._room = room
        self._life = life

    def __getattr__(self, name: str) -> object:
        found = getattr(self._room, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*arguments: object, **named: object) -> object:
            self._life.step()
            answer = await found(*arguments, **named)
            self._life.step()
            return answer

        return call


class SlackCalls:
    """What the notifier needs of the gateway, before the emulated Slack, with its errors and its breaker."""

    def __init__(self, http: httpx.AsyncClient, token: str, bot: str, clock: FakeClock) -> None:
        self._http = http
        self._token = token
        self._bot = bot
        self._breaker = Breaker("Slack", lambda: clock().timestamp(), lambda: 1.0)

    async def call(self, method: str, **arguments: object) -> dict[str, Any]:
        with self._breaker.asking():
            return await self._call(method, arguments)

    async def _call(self, method: str, arguments: dict[str, object]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            answer = await self._http.post(f"/slack/api/{method.replace('_', '.', 1)}", json=arguments, headers=headers)
        except httpx.HTTPError:
            raise Unavailable("Slack cannot be reached.") from None
        if answer.status_code == THROTTLED:
            raise Unavailable("Slack asks us to wait.", retry_after=float(answer.headers.get("retry-after", "1")))
        if answer.status_code >= SERVER_ERROR:
            raise Unavailable("Slack is having trouble.")
        said: dict[str, Any] = answer.json()
        code = str(said.get("error", ""))
        if code in LOST:
            raise CardLost(code=code)
        if not said["ok"]:
            raise SlackFailed(f"Slack refused: {code}.", code=code)
        return said

    async def conversation(self, user: str) -> str:
        opened = await self.call("conversations_open", users=user)
        return str(opened["channel"]["id"])

    async def bot(self) -> str:
        return self._bot


class TownTokens:
    """Implements `ports.Tokens` with tokens that the emulated sign-in makes; during an `outage` it makes none."""

    def __init__(self, world: World, links: StoredLinks) -> None:
        self._world = world
        self._links = links
        self.outage: BotError | None = None
        self._kept: dict[tuple[str, Resource], tuple[datetime, str]] = {}

    def application(self, resource: Resource = Resource.GRAPH) -> TokenSource:
        return self._source("", resource)

    def of(self, link: Link, resource: Resource = Resource.GRAPH) -> TokenSource:
        return self._source(link.person.id, resource)

    async def readers(self, resource: Resource = Resource.GRAPH) -> list[Reader]:
        people = [Reader(link.person.id, self.of(link, resource)) for link in await self._links.active()]
        return [*people, Reader("", self.application(resource))]

    def _source(self, oid: str, resource: Resource) -> TokenSource:
        async def token(_claims: str = "") -> str:
            if self.outage is not None:
                raise self.outage
            at, kept = self._kept.get((oid, resource), (None, ""))
            if at is None or self._world.now() - at >= TOKEN_LASTS:
                kept = self._made(oid, resource)
                self._kept[oid, resource] = self._world.now(), kept
            return kept

        return token

    def _made(self, oid: str, resource: Resource) -> str:
        wanted = resources(self._world.settings)[resource.value]
        if not oid:
            return str(app_answer(self._world, wanted)["access_token"])
        someone = next(person for person in self._world.people.values() if person.oid == oid)
        scopes = Scopes(wanted, wanted.delegated, frozenset(), "")
        grant = Grant(someone.id, scopes, "", "", None, "", "", self._world.now())
        return str(user_answer(self._world, someone, grant)["access_token"])


@dataclass
class Form:
    """An open modal: whose, about what, and the delivery that submitted it last."""

    who: str
    verdict: Verdict
    request: str
    token: str
    delivery: str = ""


@dataclass
class Town:
    """World, database and one process of the bot. `defects`: rooms by name, and what is put in their place."""

    store: Store
    defects: Rooms = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self.settings = Settings()
        self.world = World(self.settings, clock=self.clock, new_id=same_ids(), key=one_key())
        self.world.requests.clear()
        self.world.approvals.clear()
        routes = [route for part in (graph, arm, slack_api) for route in part.routes(self.world)]
        app = Starlette(routes=routes, middleware=[Middleware(FaultGate, world=self.world, sleep=self.clock.sleep)])
        self.witness = Witness(app, self.world)
        self._transport = httpx.ASGITransport(self.witness)
        self.http = httpx.AsyncClient(transport=self._transport, base_url=self.settings.world_url)
        self.trail = self._room("trail", AuditTrail(self.store, b"a key that is not in the database"))
        self.links = StoredLinks(self.store, self.trail, self.new_id)
        self.tokens = self._room("tokens", TownTokens(self.world, self.links))
        self.start()

    def new_id(self) -> str:
        return f"id-{next(self._numbers)}"

    def start(self) -> None:
        """A new process: nothing is left but the rows."""
        self.life = life = Life()
        posting = Posting(self.settings.channel, self.new_id, self.new_id)
        self.book = self._mortal("book", StoredRequests(self.store, self.trail, posting), life)
        self.cards = self._mortal("cards", StoredCards(self.store), life)
        self.outbox = self._mortal("outbox", StoredOutbox(self.store), life)
        inbox = self._mortal("inbox", StoredInbox(self.store), life)
        slack = self._mortal(
            "slack", SlackCalls(self.http, self.settings.bot_token, self.settings.bot_id, self.clock), life
        )
        self._desks = {desk.kind: self._mortal("desk", desk, life) for desk in self._made_desks()}
        looks = StoredLooks(self.store)
        self.deliveries = Deliveries(inbox=inbox, outbox=self.outbox, clock=self.clock)
        self.people = SlackPeople(gateway=slack, clock=self.clock, channels=(self.settings.channel,))
        self.upkeep = Upkeep(looks=looks, clock=self.clock)
        self._deciding(looks)
        self._watching()
        self._telling(slack)

    def _deciding(self, looks: StoredLooks) -> None:
        ours = {"book": self.book, "clock": self.clock}
        claiming = self._room("claiming", Claiming(**ours, desks=self._desks, new_token=self.new_id))
        courier = Courier(
            **ours,
            desks=self._desks,
            links=self.links,
            tokens=self.tokens,
            outbox=self.outbox,
            settle_seconds=SETTLE_SECONDS,
            sleep=self.clock.sleep,
        )
        self.courier = self._room("courier", courier)
        step_up = StepUp(
            **ours, waiting=StoredWaiting(self.store), new_token=self.new_id, freshness=Freshness(timedelta(days=90))
        )
        self.decisions = Decisions(
            claiming=claiming,
            book=self.book,
            cards=self.cards,
            links=self.links,
            tokens=self.tokens,
            people=self.people,
            courier=self.courier,
            step_up=step_up,
        )
        self.openings = Openings(
            **ours,
            cards=self.cards,
            links=self.links,
            looks=looks,
            homes=StoredHomes(self.store, self.new_id),
            new_token=self.new_id,
            sleep=self.clock.sleep,
        )

    def _watching(self) -> None:
        self.watcher = Watcher(
            desks=tuple(self._desks.values()),
            accounts=self._directory,
            book=self.book,
            outbox=self.outbox,
            links=self.links,
            tokens=self.tokens,
            sights=StoredSights(self.store),
            clock=self.clock,
            channel=self.settings.channel,
            as_application=True,
            risk=RiskPolicy(),
        )

    def _telling(self, slack: Any) -> None:  # noqa: ANN401 - stands for the gateway
        ours = {
            "gateway": slack,
            "outbox": self.outbox,
            "clock": self.clock,
            "portal": Portal("https://portal.azure.com"),
        }
        matching = SlackMatching(
            links=self.links, people=self.people, aliases=Aliases(), tenant=self.settings.tenant.lower()
        )
        self.painter = Painter(**ours, new_token=self.new_id)
        self.messenger = Messenger(**ours, book=self.book, cards=self.cards, matching=matching)

    def _made_desks(self) -> Iterator[Desk]:
        gates = {"transport": self._transport, "sleep": self.clock.sleep, "jitter": lambda: 1.0}
        url = self.settings.world_url
        to_graph = Gate(f"{url}/graph", self.clock, **gates)
        to_arm = Gate(f"{url}/arm", self.clock, **gates, manners=azure_resources.MANNERS)
        directory = self._directory = Directory(to_graph, self._directory_readers, self.clock)
        yield DirectoryRoles(to_graph, directory)
        yield AzureResources(to_arm, directory, (PROD.id,))

    async def _directory_readers(self) -> list[TokenSource]:
        return [self.tokens.application()]

    def _room(self, name: str, room: Any) -> Any:  # noqa: ANN401 - whatever room
        return self.defects[name](room) if name in self.defects else room

    def _mortal(self, name: str, room: object, life: Life) -> Any:  # noqa: ANN401 - whatever room
        return Mortal(self._room(name, room), life)

    # --- what happens to it ---

    async def link(self, *names: str) -> None:
        """They have signed in."""
        for name in names:
            citizen = self.world.people[name]
            link = a_link(
                known(citizen), slack_user=citizen.slack, team=self.settings.team, tenant=self.settings.tenant
            )
            assert await self.links.save(link, "sealed", 1, self.clock())

    async def alive(self, *acts: Callable[[], Awaitable[object]]) -> None:
        """Do these at the same time. When the process dies in it, the next one starts."""
        tasks = [asyncio.ensure_future(_quietly(act)) for act in acts]
        with suppress(ProcessKilled):
            await asyncio.gather(*tasks)
        if self.life.dead:
            await self.restart()

    async def restart(self) -> None:
        """Kill -9, and a start that does what the bot does first."""
        self.life.dead = True
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self.witness.forget()
        self.start()
        await _quietly(lambda: self.deliveries.sweep(timedelta(0)))
        await _quietly(lambda: self.courier.resume(after_start=True))

    async def press(self, who: str, place: tuple[str, str, str], verdict: Verdict) -> Form | None:
        """A press on a card at this channel and ts, with this token."""
        citizen = self.world.people[who]
        key = self.new_id()
        if not await self.deliveries.take(key, "click", citizen.slack):
            return None
        channel, ts, token = place
        click = Click(self.settings.team, citizen.slack, channel, ts, token, verdict)
        opened = await self.openings.open(click)
        await self.deliveries.close(key, type(opened).__name__)
        if not isinstance(opened, Opening):
            return None
        return Form(who, verdict, opened.row.key.id, opened.modal)

    async def submit(self, form: Form, delivery: str) -> None:
        """Slack delivers the submission of a form; the same delivery again is no second one."""
        citizen = self.world.people[form.who]
        form.delivery = delivery
        if await self.deliveries.take(delivery, "submission", citizen.slack):
            submission = Submission(self.settings.team, citizen.slack, form.token, "It is in the change calendar", "V1")
            fate = await self.decisions.decide(submission)
            await self.deliveries.close(delivery, type(fate).__name__)

    async def poll(self) -> None:
        with in_a_round():
            await self.watcher.tick()

    async def settle(self) -> None:
        with in_a_round():
            await self.courier.resume(after_start=False)
            await self.deliveries.sweep(timedelta(minutes=2))
            await self.upkeep.tick()

    async def paint(self) -> None:
        self.clock.advance(timedelta(seconds=1.1))
        with in_a_round():
            await self.painter.tick()
            await self.messenger.tick()

    async def calm(self) -> None:
        """Nothing goes wrong any more, and time passes until nothing is left to do."""
        self.world.faults.clear()
        await self.restart()
        for _ in range(3):
            self.clock.advance(timedelta(minutes=20))
            await self.settle()
            await self.poll()
            for _ in range(60):
                await self.paint()
                if not await self.outbox.unpainted(1) and not await self.outbox.due_notices(self.clock(), 1):
                    break

    # --- what there is to see ---

    def posted(self) -> list[Any]:
        """The cards in the channel, as they stand there."""
        channel = self.world.workspace.channels[self.settings.channel]
        return [
            message for message in channel.messages.values() if (message.metadata or {}).get("event_type") == "pim_card"
        ]


def known(citizen: Citizen) -> Person:
    return Person(citizen.oid, citizen.name, citizen.upn, citizen.mail or "")


def buttons(message: Any) -> dict[str, str]:  # noqa: ANN401 - a message of the emulated Slack
    """Action ids and values of Approve and Deny on a card."""
    elements = [element for block in message.blocks for element in block.get("elements", [])]
    found = {str(element.get("action_id")): str(element.get("value")) for element in elements}
    return {name: value for name, value in found.items() if name in ("pim_approve", "pim_deny")}


async def _quietly(act: Callable[[], Awaitable[object]]) -> object:
    """Rounds and listeners survive each of our errors; the next one comes."""
    try:
        return await act()
    except BotError:
        return None
