"""A browser without scripts for the journeys: walks sign-in pages from any address, and may do things on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from journeys.driver import Sandbox

from app.sandbox.people import CAST, Person
from app.sandbox.sign_in_walk import walk

FINISH_PAGE = "/sign-in/microsoft/callback"  # where the last page before a decision is shown


@dataclass(frozen=True, slots=True)
class Walked:
    """The last page's outcome word and text, its status, and every address that was opened."""

    outcome: str
    text: str
    status: int
    urls: tuple[str, ...]


def walk_from(
    sandbox: Sandbox,
    address: str,
    user: str,
    *,
    slack: str = "",
    microsoft: str = "",
    before_finish: Callable[[str], object] = lambda _page: None,
) -> Walked:
    """Open it as this person; the two names let others sit at a provider's page.

    `before_finish` is given the text of the page that Microsoft's answer shows, before its button is pressed.
    """
    texts: list[str] = []

    async def keep(answer: httpx.Response) -> None:
        texts.append((await answer.aread()).decode())

    def person_at(url: str) -> Person | None:
        if url.endswith(FINISH_PAGE):
            before_finish(texts[-1])
        if not url.startswith(sandbox.world_url):
            return None
        return CAST[(slack if "/slack/" in url else microsoft) or user]

    async def go() -> Walked:
        async with httpx.AsyncClient(trust_env=False, timeout=60, event_hooks={"response": [keep]}) as client:
            walked = await walk(client, address, person_at, lambda: datetime.now(UTC))
        urls = tuple(str(page["url"]) for page in walked.pages)
        return Walked(walked.outcome or "", texts[-1], int(str(walked.pages[-1]["status"])), urls)

    with ThreadPoolExecutor(1) as browser:  # a walk within a walk is another window, with a loop of its own
        return browser.submit(asyncio.run, go()).result()
