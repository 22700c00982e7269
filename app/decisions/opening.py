"""What a press on a card opens: the decision modal, the details, "I'm looking at it". It asks our own memory only.

Slack gives a trigger three seconds, Microsoft needs longer. An open modal holds no claim: looking is not deciding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from app.decisions.standing import standing
from app.decisions.values import OUT_OF_DATE, UNKNOWN_REQUEST, Click, Opening, Press, usable
from app.domain.policy import Policy
from app.domain.row import RequestRow
from app.domain.ruling import Refused, Why, rule_row
from app.ports import Card, Cards, Clock, Homes, Link, Links, Looks, Modal, Offer, RequestBook

LOOK_AGAIN = (0.1, 0.2, 0.3)  # seconds; together well below what a trigger leaves
LOOKING_LASTS = timedelta(minutes=10)
NOT_PENDING = Refused(Why.ALREADY_DECIDED, "This request is not waiting any more. Nothing was changed.")


@dataclass(kw_only=True, slots=True)
class Openings:
    """Turns a press on a card into what its modal shows.

    `new_token`: 128 random bits or more, URL-safe; a modal is found again by nothing else.
    """

    book: RequestBook
    cards: Cards
    links: Links
    looks: Looks
    homes: Homes
    clock: Clock
    new_token: Callable[[], str]
    policy: Policy = Policy()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def open(self, click: Click) -> Opening | Refused:
        """What the modal shows, or why there is none. The click counts only at its own card, with its own token."""
        found = await self._pressed(click)
        if isinstance(found, Refused):
            return found
        digest, row = found
        link = await self._approver(click, row)
        if isinstance(link, Refused):
            return link
        if row.request.digest != digest:  # the form shows the row, and would show what the card's digest is not of
            return OUT_OF_DATE
        modal = Modal(
            token=self.new_token(),
            key=row.key,
            digest=digest,
            verdict=click.verdict,
            team=click.team,
            user=click.user,
            channel=click.channel,
            ts=click.ts,
        )
        await self.cards.open_modal(modal, self.clock())
        return Opening(row, click.verdict, modal.token)

    async def details(self, press: Press) -> RequestRow | Refused:
        """The row behind a card. Whoever pressed it can read the card: nothing more is shown than it stands for."""
        found = await self._pressed(press)
        return found if isinstance(found, Refused) else found[1]

    async def look(self, press: Press) -> RequestRow | Refused:
        """Say on the card that this person is looking at it, for ten minutes. It blocks nobody."""
        found = await self.allowed(press)
        if isinstance(found, Refused):
            return found
        row, link = found
        now = self.clock()
        return row if await self.looks.look(row.key, link.person, now, now + LOOKING_LASTS) else NOT_PENDING

    async def allowed(self, press: Press) -> tuple[RequestRow, Link] | Refused:
        """The request that was pressed and who did it, unless our own memory says that they may not decide it."""
        found = await self._pressed(press)
        if isinstance(found, Refused):
            return found
        link = await self._approver(press, found[1])
        return link if isinstance(link, Refused) else (found[1], link)

    async def _pressed(self, press: Press) -> tuple[str, RequestRow] | Refused:
        """The request behind a button, and the digest of what was shown beside it."""
        shown = await self._shown(press)
        if shown is None:
            # A copy that we do not know decides nothing. If it is ours all the same, it is painted as things stand.
            if press.ts:
                await self.cards.adopt((press.channel, press.ts), press.token, self.new_token)
            return OUT_OF_DATE
        row = await self.book.find(shown.key)
        return (shown.digest, row) if row is not None else UNKNOWN_REQUEST

    async def _shown(self, press: Press) -> Card | Offer | None:
        """A message is bound to its place and its token; App Home and one's own lists to the person and the token."""
        offered = await self.homes.offered(press.team, press.user, press.token)
        if offered is not None or not press.ts:
            return offered
        card = await self._card(press)
        return card if card is not None and card.token == press.token else None

    async def _approver(self, press: Press, row: RequestRow) -> Link | Refused:
        """Who this is, unless our own memory says that they may not decide it."""
        link = usable(await self.links.by_slack(press.team, press.user))
        if isinstance(link, Refused):
            return link
        return rule_row(row, await standing(self.links, link), self.clock(), self.policy) or link

    async def _card(self, press: Press) -> Card | None:
        """The copy that was pressed. Slack shows it a moment before its answer tells us where: so look again."""
        card = await self.cards.copy(press.channel, press.ts, press.token)
        for pause in LOOK_AGAIN:
            if card is not None:
                break
            await self.sleep(pause)
            card = await self.cards.copy(press.channel, press.ts, press.token)
        return card
