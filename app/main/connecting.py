"""Connecting the rooms: which use case gets which port, which listener which use case, what ticks when."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from app.api.gate import SlackGate
from app.api.health import health_routes
from app.api.pages import sign_in_pages
from app.api.server import SLACK_PATH, Door, build_door
from app.decisions.deciding import Decisions
from app.decisions.opening import Openings
from app.decisions.sending import Courier
from app.domain.errors import BotError
from app.inbox import Deliveries
from app.linking import Linking
from app.lookups import Lookups
from app.main.rooms import Memory, Rooms, SlackSide, new_token, utc_now
from app.notifier.messenger import Messenger
from app.notifier.painter import Painter
from app.schedule import Schedule
from app.watcher import Watcher
from handlers import register
from handlers.answers import Answers
from handlers.buttons import Buttons
from handlers.commands import Commands
from handlers.home import Home
from handlers.modals import Modals
from handlers.place import Place
from handlers.reception import Reception
from handlers.tasks import Tasks

PAINT_EVERY = 1.0  # seconds
SETTLE_EVERY = 5.0
JITTER = 0.2  # of the poll interval, so that several bots do not poll in step
DRAIN = 8.0  # seconds a stop waits for clicks being answered


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that is open: its HTTP door and its rounds."""

    door: Door
    schedule: Schedule
    watcher: Watcher


async def connect(rooms: Rooms, stack: AsyncExitStack) -> Bot:
    """One bot out of the open rooms: use cases, listeners, rounds, door."""
    schedule = Schedule(leases=rooms.memory.leases, holder=new_token(), monotonic=time.monotonic)
    tasks = Tasks()
    stack.push_async_callback(tasks.drain, DRAIN)
    linking = _linking(rooms)
    courier = _courier(rooms)
    deliveries = Deliveries(inbox=rooms.memory.inbox, outbox=rooms.memory.outbox, clock=utc_now)
    await deliveries.after_restart()
    answers = Answers(screens=rooms.slack.screens, linking=linking)
    reception = Reception(deliveries=deliveries, answers=answers, tasks=tasks, nudge=lambda: schedule.nudge("paint"))
    watcher = _watcher(rooms)
    painter = _rounds(rooms, watcher, courier, schedule)
    bolt = _bolt(rooms.slack)
    _listen(bolt, rooms, courier, reception)
    gate = SlackGate(
        AsyncSlackRequestHandler(bolt, path=SLACK_PATH),
        rooms.settings.slack_signing_secret.get_secret_value(),
        time.time,
    )
    notes = _notes(rooms.memory, watcher, painter)
    routers = (sign_in_pages(linking, rooms.microsoft.form_targets), health_routes(_vital(rooms.memory), notes))
    return Bot(build_door(gate, routers), schedule, watcher)


def _linking(rooms: Rooms) -> Linking:
    return Linking(
        sign_in=rooms.microsoft.sign_in,
        flows=rooms.memory.flows,
        links=rooms.memory.links,
        outbox=rooms.memory.outbox,
        clock=utc_now,
        new_token=new_token,
        public_url=rooms.settings.public_url,
        team=rooms.slack.me.team,
    )


def _courier(rooms: Rooms) -> Courier:
    return Courier(
        desks={rooms.microsoft.desk.kind: rooms.microsoft.desk},
        book=rooms.memory.book,
        links=rooms.memory.links,
        tokens=rooms.microsoft.tokens,
        outbox=rooms.memory.outbox,
        clock=utc_now,
        settle_seconds=rooms.settings.settle_seconds,
    )


def _watcher(rooms: Rooms) -> Watcher:
    return Watcher(
        desks=[rooms.microsoft.desk],
        book=rooms.memory.book,
        outbox=rooms.memory.outbox,
        links=rooms.memory.links,
        tokens=rooms.microsoft.tokens,
        clock=utc_now,
        channel=rooms.settings.approvers_channel,
        as_application=rooms.settings.watch_as == "application",
        risk=rooms.settings.risk_policy(),
    )


def _rounds(rooms: Rooms, watcher: Watcher, courier: Courier, schedule: Schedule) -> Painter:
    """Which of them ticks when. The painter is nudged whenever rows changed."""
    painter = Painter(gateway=rooms.slack.gateway, outbox=rooms.memory.outbox, clock=utc_now, new_token=new_token)
    messenger = Messenger(
        gateway=rooms.slack.gateway,
        outbox=rooms.memory.outbox,
        book=rooms.memory.book,
        links=rooms.memory.links,
        people=rooms.slack.people,
        clock=utc_now,
        tenant=rooms.settings.tenant_id.lower(),
    )
    started = False

    async def watch() -> None:
        await watcher.tick()
        schedule.nudge("paint")

    async def paint() -> None:
        await painter.tick()
        await messenger.tick()

    async def settle() -> None:
        nonlocal started
        await courier.resume(after_start=not started)
        started = True

    schedule.every(rooms.settings.poll_seconds, "watch", watch, jitter=rooms.settings.poll_seconds * JITTER)
    schedule.every(PAINT_EVERY, "paint", paint)
    schedule.every(SETTLE_EVERY, "settle", settle)
    return painter


def _bolt(slack: SlackSide) -> AsyncApp:
    """Bolt without its own ideas: verified before it, one workspace, nothing read from the environment."""
    me = slack.me

    async def authorize() -> AuthorizeResult:
        # never None: Bolt would post a "please reinstall" text inside the request
        return AuthorizeResult(
            enterprise_id=None,
            team_id=me.team,
            bot_id=me.bot,
            bot_user_id=me.user,
            bot_token="never-used",  # noqa: S106 - listeners never use Bolt's own client
        )

    return AsyncApp(
        signing_secret="checked by the gate",  # noqa: S106 - the gate in front verifies
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,  # an ack is an ack at once, and an error before it is an answer at once
    )


def _listen(bolt: AsyncApp, rooms: Rooms, courier: Courier, reception: Reception) -> None:
    desks = {rooms.microsoft.desk.kind: rooms.microsoft.desk}
    openings = Openings(
        book=rooms.memory.book, cards=rooms.memory.cards, links=rooms.memory.links, clock=utc_now, new_token=new_token
    )
    decisions = Decisions(
        desks=desks,
        book=rooms.memory.book,
        cards=rooms.memory.cards,
        links=rooms.memory.links,
        tokens=rooms.microsoft.tokens,
        people=rooms.slack.people,
        courier=courier,
        clock=utc_now,
        new_token=new_token,
    )
    lookups = Lookups(
        book=rooms.memory.book,
        links=rooms.memory.links,
        people=rooms.slack.people,
        cards=rooms.memory.cards,
        clock=utc_now,
        slack_url=rooms.slack.me.url,
    )
    commands = Commands(reception=reception, lookups=lookups, clock=utc_now)
    register(
        bolt,
        Place(app_id=rooms.slack.me.app, team=rooms.slack.me.team, answers=reception.answers),
        Buttons(reception=reception, openings=openings, screens=rooms.slack.screens, commands=commands, clock=utc_now),
        Modals(
            reception=reception,
            decisions=decisions,
            screens=rooms.slack.screens,
            outbox=rooms.memory.outbox,
            clock=utc_now,
        ),
        commands,
        Home(reception=reception, lookups=lookups, screens=rooms.slack.screens),
    )


def _vital(memory: Memory) -> Callable[[], Awaitable[str]]:
    async def vital() -> str:
        try:
            await memory.store.ping()
        except BotError as failure:
            return str(failure)
        return ""

    return vital


def _notes(memory: Memory, watcher: Watcher, painter: Painter) -> Callable[[], Awaitable[list[str]]]:
    async def notes() -> list[str]:
        standing = list(await memory.outbox.standing_notes())
        return [*standing, *watcher.troubles(), *([painter.trouble] if painter.trouble else [])]

    return notes
