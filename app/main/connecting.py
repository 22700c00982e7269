"""Connecting the rooms: which use case gets which port, which listener which use case, what ticks when."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from starlette.types import ASGIApp

from app.anchoring import Anchoring
from app.api.correlating import Correlating
from app.api.health import health_routes
from app.api.pages import sign_in_pages
from app.api.server import build_door
from app.decisions.claiming import Claiming
from app.decisions.deciding import Decisions
from app.decisions.finishing import Finishing
from app.decisions.sending import Courier
from app.decisions.step_up import StepUp
from app.domain.errors import BotError
from app.inbox import UNANSWERED, Deliveries
from app.linking import Linking
from app.main.calling import open_api
from app.main.history import make_backfilling
from app.main.listening import listen, make_bolt, open_gate, open_socket
from app.main.measuring import open_metrics
from app.main.rooms import Memory, Rooms, new_name, new_token, utc_now
from app.main.telling import Telling, make_telling
from app.notifier.anchors import AnchorPoster
from app.notifier.painter import Painter
from app.notifier.socket_mode import SocketMode
from app.operating import OffSwitch
from app.schedule import Schedule, Tick
from app.upkeep import Upkeep
from app.watcher import Watcher, unseen_words
from handlers.answers import Answers
from handlers.reception import Reception
from handlers.tasks import Tasks

PAINT_EVERY = 1.0  # seconds
COMPLETE_EVERY = 600.0  # audit rows come minutes late
SETTLE_EVERY = 5.0
FINISH_EVERY = 60.0
HOMES_EVERY = 3.0
ALARM_EVERY = 5.0
REMIND_EVERY = 5.0
WEEKLY_EVERY = 60.0
ANCHOR_EVERY = 3600.0
JITTER = 0.2  # of the poll interval, so that several bots do not poll in step
DRAIN = 8.0  # seconds a stop waits for clicks being answered


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot that is open: its HTTP door, its rounds, and in Socket Mode the way Slack takes instead of the door."""

    door: ASGIApp
    schedule: Schedule
    watcher: Watcher
    socket: SocketMode | None


async def connect(rooms: Rooms, stack: AsyncExitStack) -> Bot:
    """One bot out of the open rooms: use cases, listeners, rounds, door."""
    schedule = Schedule(leases=rooms.memory.leases, holder=new_token(), monotonic=time.monotonic)
    tasks = Tasks()
    stack.push_async_callback(tasks.drain, DRAIN)
    linking = _linking(rooms)
    courier = _courier(rooms)
    deliveries = Deliveries(inbox=rooms.memory.inbox, outbox=rooms.memory.outbox, clock=utc_now)
    await rooms.memory.outbox.rehome(lambda row: rooms.memory.posting.place(row.request, row.risk.level))
    await deliveries.sweep(timedelta(0) if _alone(rooms) else UNANSWERED)
    await _off_switch(rooms).obey(rooms.policy.portal_only)
    answers = Answers(screens=rooms.slack.screens, linking=linking, portal=rooms.microsoft.portal)
    reception = Reception(deliveries=deliveries, answers=answers, tasks=tasks, wake=lambda: schedule.wake("paint"))
    watcher = _watcher(rooms)
    telling = make_telling(rooms, stack)
    _rounds(rooms, watcher, courier, deliveries, telling, schedule)
    bolt = make_bolt(rooms.slack)
    claiming = _claiming(rooms)
    decisions = _decisions(rooms, claiming, courier)
    home = listen(bolt, rooms, decisions, reception, telling.nudging)
    schedule.every(HOMES_EVERY, "homes", home.refresh)
    schedule.every(ANCHOR_EVERY, "anchor", _anchoring(rooms).tick)
    socket = open_socket(rooms, bolt)
    notes = _notes(rooms, watcher, telling.painter, socket)
    wake = reception.wake
    pages = sign_in_pages(linking, decisions, rooms.microsoft.form_targets, rooms.microsoft.portal, wake)
    api = open_api(rooms, watcher, claiming, courier, wake)
    stack.push_async_callback(api.approvals.drain, DRAIN)
    rest = (pages, health_routes(_vital(rooms.memory), notes, time.monotonic), open_metrics(rooms, watcher, schedule))
    door = build_door(open_gate(rooms, bolt), api.routers, rest, api.guard)
    return Bot(Correlating(door, new_name), schedule, watcher, socket)


def _alone(rooms: Rooms) -> bool:
    """Whether no other process shares the database: then whatever is open was left by the one before this."""
    return rooms.settings.database_url.startswith("sqlite")


def _off_switch(rooms: Rooms) -> OffSwitch:
    return OffSwitch(switches=rooms.memory.switches, clock=utc_now, channel=rooms.settings.approvers_channel)


def _anchoring(rooms: Rooms) -> Anchoring:
    channel = rooms.policy.anchor_channel
    poster = AnchorPoster(gateway=rooms.slack.gateway, channel=channel) if channel else None
    return Anchoring(head=rooms.memory.trail.head, post=poster.post if poster is not None else None)


def _linking(rooms: Rooms) -> Linking:
    return Linking(
        sign_in=rooms.microsoft.sign_in,
        flows=rooms.memory.flows,
        links=rooms.memory.links,
        clock=utc_now,
        new_token=new_token,
        public_url=rooms.settings.public_url,
        team=rooms.slack.me.team,
    )


def _courier(rooms: Rooms) -> Courier:
    return Courier(
        desks=rooms.microsoft.desks,
        book=rooms.memory.book,
        links=rooms.memory.links,
        tokens=rooms.microsoft.tokens,
        outbox=rooms.memory.outbox,
        clock=utc_now,
        settle_seconds=rooms.settings.settle_seconds,
    )


def _decisions(rooms: Rooms, claiming: Claiming, courier: Courier) -> Decisions:
    step_up = StepUp(
        waiting=rooms.memory.waiting,
        book=rooms.memory.book,
        clock=utc_now,
        new_token=new_token,
        freshness=rooms.policy.freshness,
    )
    return Decisions(
        claiming=claiming,
        book=rooms.memory.book,
        cards=rooms.memory.cards,
        links=rooms.memory.links,
        tokens=rooms.microsoft.tokens,
        people=rooms.slack.people,
        courier=courier,
        step_up=step_up,
    )


def _claiming(rooms: Rooms) -> Claiming:
    return Claiming(
        desks=rooms.microsoft.desks,
        book=rooms.memory.book,
        clock=utc_now,
        new_token=new_token,
        policy=rooms.policy,
    )


def _watcher(rooms: Rooms) -> Watcher:
    return Watcher(
        desks=tuple(rooms.microsoft.desks.values()),
        accounts=rooms.microsoft.accounts,
        book=rooms.memory.book,
        outbox=rooms.memory.outbox,
        links=rooms.memory.links,
        tokens=rooms.microsoft.tokens,
        sights=rooms.memory.sights,
        clock=utc_now,
        channel=rooms.settings.approvers_channel,
        as_application=rooms.settings.watch_as == "application",
        risk=rooms.policy.risk,
    )


def _finishing(rooms: Rooms) -> Finishing:
    return Finishing(
        book=rooms.memory.book,
        removals=rooms.memory.removals,
        tokens=rooms.microsoft.tokens,
        desks=rooms.microsoft.desks,
        clock=utc_now,
    )


def _rounds(
    rooms: Rooms, watcher: Watcher, courier: Courier, deliveries: Deliveries, telling: Telling, schedule: Schedule
) -> None:
    """Which of them ticks when. The painter is woken whenever rows changed."""
    backfilling = make_backfilling(rooms.memory, rooms.microsoft, rooms.policy.risk)
    upkeep = Upkeep(looks=rooms.memory.looks, clock=utc_now)
    started = False

    async def watch() -> None:
        await watcher.tick()
        await telling.requestors.tick()  # before the cards are posted, so that they say it at once
        await telling.arrivals.tick()
        schedule.wake("paint")

    async def paint() -> None:
        await telling.painter.tick()
        await telling.directs.tick()
        await telling.messenger.tick()

    async def settle() -> None:
        nonlocal started
        await courier.resume(after_start=not started and _alone(rooms))
        await deliveries.sweep(UNANSWERED)
        started = True
        changed = await upkeep.tick()
        if await rooms.memory.waiting.expire(utc_now()) or changed:
            schedule.wake("paint")

    schedule.every(rooms.settings.poll_seconds, "watch", watch, jitter=rooms.settings.poll_seconds * JITTER)
    schedule.every(COMPLETE_EVERY, "complete", _painted(schedule, backfilling.complete))
    schedule.every(PAINT_EVERY, "paint", paint)
    schedule.every(SETTLE_EVERY, "settle", settle)
    schedule.every(FINISH_EVERY, "finish", _painted(schedule, _finishing(rooms).tick))
    schedule.every(REMIND_EVERY, "remind", _painted(schedule, telling.reminders.tick))
    schedule.every(REMIND_EVERY, "last calls", _painted(schedule, telling.last_calls.tick))
    schedule.every(WEEKLY_EVERY, "weekly", _painted(schedule, telling.weekly.tick))
    schedule.every(ALARM_EVERY, "alarm", telling.arrivals.escalate)


def _painted(schedule: Schedule, tick: Callable[[], Awaitable[object]]) -> Tick:
    """The same round, with the painter right behind it whenever it changed something."""

    async def tick_and_paint() -> None:
        if await tick():
            schedule.wake("paint")

    return tick_and_paint


def _vital(memory: Memory) -> Callable[[], Awaitable[str]]:
    async def vital() -> str:
        try:
            await memory.store.ping()
        except BotError as failure:
            return str(failure)
        return ""

    return vital


def _notes(
    rooms: Rooms, watcher: Watcher, painter: Painter, socket: SocketMode | None
) -> Callable[[], Awaitable[list[str]]]:
    async def notes() -> list[str]:
        standing = list(await rooms.memory.outbox.standing_notes())
        stale = unseen_words(await rooms.memory.sights.last_seen(), utc_now())
        deaf = socket.trouble if socket is not None else ""
        others = (rooms.memory.warning, deaf, *rooms.slack.channels.troubles(), painter.trouble)
        return [*standing, *watcher.troubles(), *stale, *(words for words in others if words)]

    return notes
