"""What Prometheus reads: measured, counted, standing; and told without a database, too."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from app.api.metrics import FIGURES_SECONDS, Meters, Sources, metrics_routes
from app.domain.errors import Unavailable
from app.domain.request import Kind, Status, Where
from app.ports import Figures, LinkState

PAGE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text(encoding="utf-8")


FIGURES = Figures(
    open={(Kind.ENTRA, Status.PENDING, 1): 3, (Kind.AZURE, Status.DECIDING, None): 1},
    unpainted=2,
    unsent=4,
    unsettled=1,
    links={LinkState.ACTIVE: 5},
    seen={Kind.GROUP: datetime(2026, 3, 2, 10, tzinfo=UTC)},
)


@dataclass
class Bot:
    """What is counted of a bot, and its address."""

    figures: Figures | None = FIGURES
    polls: dict[tuple[Kind, bool], int] = field(default_factory=lambda: {(Kind.ENTRA, True): 7, (Kind.ENTRA, False): 1})
    throttles: dict[str, int] = field(default_factory=lambda: {"graph": 2, "slack": 0})
    leads: bool = True
    meters: Meters = field(default_factory=Meters)
    now: float = 0.0
    asked: int = 0

    def __post_init__(self) -> None:
        self.app = FastAPI()
        sources = Sources(self._read, lambda: self.polls, lambda: self.throttles, lambda: self.leads)
        self.app.include_router(metrics_routes(self.meters, sources, lambda: self.now))

    async def _read(self) -> Figures:
        self.asked += 1
        await asyncio.sleep(0)  # others may come in between
        if self.figures is None:
            raise Unavailable
        return self.figures

    async def scrape(self) -> dict[str, float]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://bot.test") as client:
            answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return {
            f"{one.name}{sorted(one.labels.values()) or ''}": one.value
            for family in text_string_to_metric_families(answer.text)
            for one in family.samples
        }


async def test_what_was_counted_and_how_things_stand() -> None:
    told = await Bot().scrape()
    expected = {
        "pim_polls_total['answered', 'entra']": 7,
        "pim_polls_total['entra', 'failed']": 1,
        "pim_throttles_total['graph']": 2,
        "pim_throttles_total['slack']": 0,
        "pim_lease_held": 1,
        "pim_database_up": 1,
        "pim_open_requests['<1h', 'entra', 'pending']": 3,
        "pim_open_requests['azure', 'deciding', 'older']": 1,
        "pim_unpainted_cards": 2,
        "pim_unsent_notices": 4,
        "pim_unsettled_decisions": 1,
        "pim_links['active']": 5,
        "pim_last_good_poll_timestamp_seconds['group']": 1_772_445_600,
    }
    assert {name: told.get(name) for name in expected} == expected


async def test_lengths_of_time_are_histograms() -> None:
    bot = Bot()
    for seconds in (0.4, 7, -2):
        bot.meters.posted(seconds)
    bot.meters.decided(Where.API, "done", 0.3)
    told = await bot.scrape()
    assert told["pim_request_to_card_seconds_bucket['1.0']"] == 2  # a clock that differs is no negative time
    assert told["pim_request_to_card_seconds_bucket['10.0']"] == 3
    assert told["pim_click_to_final_seconds_bucket['0.25', 'api', 'done']"] == 0
    assert told["pim_click_to_final_seconds_bucket['0.5', 'api', 'done']"] == 1


async def test_how_things_stand_is_told_anew_after_a_moment() -> None:
    bot = Bot()
    await bot.scrape()
    bot.figures, bot.leads, bot.now = Figures(unpainted=9), False, FIGURES_SECONDS
    told = await bot.scrape()
    assert (told["pim_unpainted_cards"], told["pim_lease_held"]) == (9, 0)
    assert not [name for name in told if name.startswith("pim_open_requests[")]


@pytest.mark.parametrize("figures", [FIGURES, None], ids=["answers", "is away"])
async def test_many_scrapes_at_once_ask_the_database_once(figures: Figures | None) -> None:
    bot = Bot(figures)
    await asyncio.gather(*(bot.scrape() for _ in range(5)))
    bot.now = FIGURES_SECONDS - 0.1
    await bot.scrape()
    assert bot.asked == 1


async def test_without_a_database_what_the_process_knows_is_told() -> None:
    told = await Bot(figures=None).scrape()
    assert (told["pim_database_up"], told["pim_polls_total['answered', 'entra']"]) == (0, 7)
    assert "pim_unpainted_cards" not in told


async def test_the_process_itself_is_told() -> None:
    assert (await Bot().scrape())["process_resident_memory_bytes"] > 0


@pytest.mark.parametrize("word", ["sandbox", "@"])
async def test_it_names_nobody(word: str) -> None:
    assert word not in str(await Bot().scrape())


async def test_the_page_lists_every_figure_and_no_other() -> None:
    bot = Bot()
    bot.meters.decided(Where.SLACK, "done", 1)
    names = {name.split("[")[0] for name in await bot.scrape() if name.startswith("pim_")}
    told = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in names}
    assert set(re.findall(r"^\| `(pim_\w+)`", PAGE, re.MULTILINE)) == told
