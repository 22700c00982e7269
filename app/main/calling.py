"""Connecting our own HTTP API: who may call, what they read, how they decide, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.types import ASGIApp

from app.api.approvals import Approvals
from app.api.bearer_gate import BearerGate
from app.api.buckets import Buckets, Rate
from app.api.requests import reading_routes
from app.decisions.calling import Calls
from app.decisions.claiming import Claiming
from app.decisions.sending import Courier
from app.inbox import Repeats
from app.lookups import CallerLookups
from app.main.rooms import Rooms, utc_now
from app.main.telling import make_matching
from app.watcher import Visits, Watcher

READS = Rate(burst=120, per_second=4.0)  # for each person, in each process
DECISIONS = Rate(burst=20, per_second=0.5)


@dataclass(frozen=True, slots=True)
class Api:
    """Our API, open: its routes and what finishes when the bot stops."""

    reading: APIRouter
    approvals: Approvals
    guard: Callable[[ASGIApp], BearerGate]

    @property
    def routers(self) -> tuple[APIRouter, ...]:
        """Everything below its prefix."""
        return self.reading, self.approvals.routes()


def open_api(rooms: Rooms, watcher: Watcher, claiming: Claiming, courier: Courier, wake: Callable[[], None]) -> Api:
    """The API over the same pipeline that Slack's clicks take."""
    microsoft, memory = rooms.microsoft, rooms.memory
    visits = Visits(
        desks=tuple(microsoft.desks.values()), hear=watcher.hear, on_behalf=microsoft.on_behalf, clock=utc_now
    )
    lookups = CallerLookups(
        book=memory.book, links=memory.links, people=rooms.slack.people, look=visits.look, clock=utc_now
    )
    calls = Calls(
        claiming=claiming,
        courier=courier,
        links=memory.links,
        on_behalf=microsoft.on_behalf,
        matching=make_matching(rooms),
        team=rooms.slack.me.team,
    )
    repeats = Repeats(inbox=memory.inbox, clock=utc_now)
    approvals = Approvals(lookups=lookups, calls=calls, repeats=repeats, wake=wake, decided=rooms.meters.decided)

    def guard(inner: ASGIApp) -> BearerGate:
        reads, decisions = Buckets(READS, time.monotonic), Buckets(DECISIONS, time.monotonic)
        return BearerGate(inner=inner, bearers=microsoft.bearers, reads=reads, decisions=decisions)

    return Api(reading_routes(lookups), approvals, guard)
