"""Alive and ready: only what stops a click is a 503, everything else is a note."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI

from app.api.health import health_routes
from app.domain.errors import Unavailable


class Bot:
    """What the bot says of itself."""

    def __init__(self, broken: str = "", notes: Sequence[str] = ()) -> None:
        self.broken = broken
        self.notes = notes
        self.now, self.asked = 0.0, 0
        self.app = FastAPI()
        self.app.include_router(health_routes(self.vital, self.say, lambda: self.now))

    async def vital(self) -> str:
        self.asked += 1
        return self.broken

    async def say(self) -> Sequence[str]:
        return self.notes

    async def get(self, path: str) -> tuple[int, object]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://bot.test") as client:
            answer = await client.get(path)
        return answer.status_code, answer.json()


async def test_all_is_well() -> None:
    assert await Bot().get("/readyz") == (200, {"status": "ok", "notes": []})


async def test_an_outage_elsewhere_is_a_note_and_not_an_error() -> None:
    notes = ["I cannot see Entra role requests.", "Slack does not show our cards."]
    assert await Bot(notes=notes).get("/readyz") == (200, {"status": "degraded", "notes": notes})


async def test_what_stops_a_click_is_503_and_says_why() -> None:
    told = {"status": "down", "notes": ["The database cannot be used right now."]}
    assert await Bot("The database cannot be used right now.").get("/readyz") == (503, told)


async def test_notes_are_not_asked_for_when_the_database_is_gone() -> None:
    class Broken(Bot):
        async def say(self) -> Sequence[str]:
            raise Unavailable

    assert (await Broken("The database cannot be used right now.").get("/readyz"))[0] == 503


async def test_asked_often_the_database_is_asked_once_a_second() -> None:
    bot = Bot()
    for _ in range(3):
        await bot.get("/readyz")
    assert bot.asked == 1
    bot.broken, bot.now = "The database cannot be used right now.", 1.0
    assert ((await bot.get("/readyz"))[0], bot.asked) == (503, 2)


@pytest.mark.parametrize("broken", ["", "The database cannot be used right now."])
async def test_a_process_that_cannot_take_clicks_is_still_alive(broken: str) -> None:
    assert await Bot(broken).get("/healthz") == (200, {"status": "ok"})
