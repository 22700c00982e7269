"""The notifier with its real client, before the emulated Slack, over the real store on SQLite."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from build import a_request, seen
from people import TENANT
from slack_server import Clock, SlackServer
from sqlalchemy import text

from app.domain.policy import Aliases
from app.domain.request import ActivationRequest
from app.domain.row import RequestRow
from app.notifier.gateway import Gateway
from app.notifier.matching import SlackMatching
from app.notifier.messenger import Messenger
from app.notifier.painter import Painter
from app.notifier.people import SlackPeople
from app.notifier.screens import SlackScreens
from app.store.audit import AuditTrail
from app.store.cards import StoredCards
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.writer import Store
from blocks.links import Portal

PORTAL = Portal("https://portal.azure.us")  # not the default one, so that nobody may forget to pass it on


@dataclass
class Rig:
    """Everything one test needs, wired as in production."""

    slack: SlackServer
    store: Store
    session: aiohttp.ClientSession
    clock: Clock
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        settings = self.slack.settings
        self.trail = AuditTrail(self.store, b"a key of tests")
        posting = Posting(settings.channel, self.new_token, self.new_token)
        self.book = StoredRequests(self.store, self.trail, posting)
        self.outbox, self.cards = StoredOutbox(self.store), StoredCards(self.store)
        self.links = StoredLinks(self.store, self.trail, self.new_token)
        self.gateway = Gateway(settings.bot_token, self.slack.api_url, self.session)
        self.people = SlackPeople(gateway=self.gateway, clock=self.clock, channels=(settings.channel,))
        self.matching = SlackMatching(links=self.links, people=self.people, aliases=Aliases(), tenant=TENANT)
        self.screens = SlackScreens(gateway=self.gateway)
        ours = {"gateway": self.gateway, "outbox": self.outbox, "clock": self.clock, "portal": PORTAL}
        self.painter = Painter(**ours, new_token=self.new_token)
        self.messenger = Messenger(**ours, book=self.book, cards=self.cards, matching=self.matching)

    def new_token(self) -> str:
        return f"token-{next(self.numbers)}"

    async def appear(self, request: ActivationRequest | None = None, **over: object) -> ActivationRequest:
        """A poll saw this request for the first time, or seen differently."""
        request = request if request is not None else a_request(**over)
        await self.book.remember([seen(request)], self.clock())
        return request

    async def row(self, request: ActivationRequest) -> RequestRow:
        row = await self.book.find(request.key)
        assert row is not None
        return row

    async def behind(self) -> int:
        """How many cards Slack does not show as they are."""
        return len(await self.outbox.unpainted(100))

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        found = await self.store.read(lambda connection: connection.execute(text(sql)))
        return [dict(row) for row in found.mappings()]

    async def change(self, sql: str) -> None:
        """Change a row behind everybody's back."""
        await self.store.write(lambda connection: connection.execute(text(sql)))
