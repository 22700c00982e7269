"""What Prometheus reads: how long things took in this process, what was counted, and how memory stands right now.

It names no person, no request and no role. A database that is away is a figure, never a failed answer. Nobody signs in
for it, so the database is asked once in FIGURES_SECONDS, whoever calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from app.api.kept import Kept
from app.domain.errors import BotError
from app.domain.request import Kind, Where
from app.ports import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds: one poll is 20 by default, and a request nobody saw for an hour is worth seeing.
TO_CARD = (1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600)
FIGURES_SECONDS = 5.0
TO_FINAL = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)

Labelled = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from that are not measured here.

    `polls`: how often each desk was looked at, and whether it answered; `throttles`: how often each service asked us to
    wait; `leading`: whether this process does the rounds.
    """

    figures: Callable[[], Awaitable[Figures]]
    polls: Callable[[], Mapping[tuple[Kind, bool], int]]
    throttles: Callable[[], Mapping[str, int]]
    leading: Callable[[], bool]


class Meters:
    """The two lengths of time that matter to people, measured as they happen."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._card = Histogram(
            "pim_request_to_card_seconds",
            "From the moment a request was made to its card being posted.",
            buckets=TO_CARD,
            registry=self.registry,
        )
        self._final = Histogram(
            "pim_click_to_final_seconds",
            "From a submitted decision to what the person was told.",
            ("where", "outcome"),
            buckets=TO_FINAL,
            registry=self.registry,
        )

    def posted(self, seconds: float) -> None:
        """A request's card stands; one that was deleted and is posted again counts again."""
        self._card.observe(max(seconds, 0.0))

    def decided(self, where: Where, outcome: str, seconds: float) -> None:
        """Somebody was told what became of their decision: `done`, `waiting`, `refused`, `verify`, `unproven`."""
        self._final.labels(where.value, outcome).observe(max(seconds, 0.0))


def metrics_routes(meters: Meters, sources: Sources, monotonic: Callable[[], float]) -> APIRouter:
    """`GET /metrics`, as text. `monotonic`: seconds."""
    router = APIRouter(include_in_schema=False)
    snapshot = _Snapshot()
    standing = Kept(lambda: _figures(sources), monotonic, FIGURES_SECONDS)
    ProcessCollector(registry=meters.registry)
    meters.registry.register(snapshot)

    @router.get("/metrics")
    async def metrics() -> Response:
        """What was counted and how things stand."""
        snapshot.families = (*_counted(sources), *_standing(await standing.get()))
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE)

    return router


class _Snapshot(Collector):
    """What is read anew for every answer."""

    families: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        return self.families


async def _figures(sources: Sources) -> Figures | None:
    try:
        return await sources.figures()
    except BotError:
        return None


def _counted(sources: Sources) -> Iterator[Metric]:
    polls = [((kind.value, "answered" if ok else "failed"), number) for (kind, ok), number in sources.polls().items()]
    throttles = [((service,), number) for service, number in sources.throttles().items()]
    yield _counter("pim_polls", "Looks at a desk, by whether it answered.", ("desk", "result"), polls)
    yield _counter("pim_throttles", "Answers that asked us to wait.", ("service",), throttles)
    yield GaugeMetricFamily("pim_lease_held", "1 in the process that polls and paints.", sources.leading())


def _standing(figures: Figures | None) -> Iterator[Metric]:
    yield GaugeMetricFamily("pim_database_up", "1 while the database can be asked.", figures is not None)
    if figures is None:
        return
    waiting = [((kind, status, _age(hours)), number) for (kind, status, hours), number in figures.open.items()]
    links = [((state.value,), number) for state, number in figures.links.items()]
    yield _gauge("pim_open_requests", "Requests that wait, by age.", ("desk", "status", "age"), waiting)
    yield GaugeMetricFamily("pim_unpainted_cards", "Cards that Slack does not show as they are.", figures.unpainted)
    yield GaugeMetricFamily("pim_unsent_notices", "Direct messages that are owed.", figures.unsent)
    yield GaugeMetricFamily("pim_unsettled_decisions", "Decisions whose fate is not known.", figures.unsettled)
    seen = [((kind.value,), at.timestamp()) for kind, at in figures.seen.items()]
    yield _gauge("pim_last_good_poll_timestamp_seconds", "When a desk was last seen whole.", ("desk",), seen)
    yield _gauge("pim_links", "Sign-ins, by state.", ("state",), links)


def _age(hours: int | None) -> str:
    return f"<{hours}h" if hours is not None else "older"


def _counter(name: str, words: str, labels: Sequence[str], values: Labelled) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for which, number in sorted(values):
        family.add_metric(which, number)
    return family


def _gauge(name: str, words: str, labels: Sequence[str], values: Labelled) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for which, number in sorted(values):
        family.add_metric(which, number)
    return family
