"""Connecting what Prometheus reads: which figure comes from where."""

from __future__ import annotations

import time

from fastapi import APIRouter

from app.api.metrics import Sources, metrics_routes
from app.main.rooms import Rooms, utc_now
from app.ports import Figures
from app.schedule import Schedule
from app.watcher import Watcher


def open_metrics(rooms: Rooms, watcher: Watcher, schedule: Schedule) -> APIRouter:
    """`GET /metrics` of this process."""

    async def figures() -> Figures:
        return await rooms.memory.figures.figures(utc_now())

    def throttles() -> dict[str, int]:
        ours = {name: sum(gate.throttled for gate in gates) for name, gates in rooms.microsoft.gates.items()}
        return {**ours, "slack": rooms.slack.gateway.throttled}

    sources = Sources(figures, lambda: watcher.polls, throttles, lambda: schedule.leading)
    return metrics_routes(rooms.meters, sources, time.monotonic)
