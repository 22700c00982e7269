"""Opening a decision modal. It asks our own memory only: Slack gives a trigger three seconds, Microsoft needs longer.

An open modal holds no claim: looking is not deciding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.decisions.standing import standing
from app.decisions.values import OUT_OF_DATE, UNKNOWN_REQUEST, Click, Opening, usable
from app.domain.policy import Policy
from app.domain.ruling import Refused, rule_row
from app.ports import Card, Cards, Clock, Links, Modal, RequestBook

LOOK_AGAIN = (0.1, 0.2, 0.3)  # seconds; together well below what a trigger leaves


@dataclass(kw_only=True, slots=True)
class Openings:
    """Turns a click on a card into what its modal shows.

    `new_token`: 128 random bits or more, URL-safe; a modal is found again by nothing else.
    """

    book: RequestBook
    cards: Cards
    links: Links
    clock: Clock
    new_token: Callable[[], str]
    policy: Policy = Policy()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def open(self, click: Click) -> Opening | Refused:
        """What the modal shows, or why there is none. The click counts only at its own card, with its own token."""
        card = await self._card(click)
        if card is None or card.token != click.token:
            return OUT_OF_DATE
        row = await self.book.find(card.key)
        if row is None:
            return UNKNOWN_REQUEST
        link = usable(await self.links.by_slack(click.team, click.user))
        if isinstance(link, Refused):
            return link
        refused = rule_row(row, await standing(self.links, link), self.clock(), self.policy)
        if refused is not None:
            return refused
        modal = Modal(
            token=self.new_token(),
            key=row.key,
            digest=card.digest,
            verdict=click.verdict,
            team=click.team,
            user=click.user,
            channel=click.channel,
            ts=click.ts,
        )
        await self.cards.open_modal(modal, self.clock())
        return Opening(row, click.verdict, modal.token)

    async def _card(self, click: Click) -> Card | None:
        """The copy that was pressed. Slack shows it a moment before its answer tells us where: so look again."""
        card = await self.cards.by_place(click.channel, click.ts)
        for pause in LOOK_AGAIN:
            if card is not None:
                break
            await self.sleep(pause)
            card = await self.cards.by_place(click.channel, click.ts)
        return card
