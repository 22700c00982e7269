"""App Home: what waits for the person who opened it. It shows rows and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from app.lookups import Lookups, Nothing
from app.ports import Counters, Screens
from blocks.home import home
from blocks.rows import Waiting
from handlers.payloads import Body, Opened, parse_opened
from handlers.reception import Reception


@dataclass(kw_only=True, slots=True)
class Home:
    """Listener for `app_home_opened`. Bolt acknowledges events by itself."""

    reception: Reception
    lookups: Lookups
    screens: Screens

    async def opened(self, body: Body) -> None:
        """Draw the Home tab for whoever opened it; the messages tab needs nothing."""
        opened = parse_opened(body)
        if opened is not None and await self.reception.first(opened, "home", ""):
            self.reception.work(opened, self._draw(opened), self.reception.sorry(""))

    async def _draw(self, opened: Opened) -> str:
        portal = self.reception.answers.portal
        found = await self.lookups.overview(opened.team, opened.user)
        if isinstance(found, Nothing):
            await self.screens.publish_home(opened.user, home(Counters(), [], None, portal=portal))
            return "home drawn, not signed in"
        places = await self.lookups.card_addresses(found.waiting)
        waiting = [Waiting(row, places.get(row.key, "")) for row in found.waiting]
        view = home(found.counters, waiting, found.link, windows=found.windows, portal=portal)
        await self.screens.publish_home(opened.user, view)
        return "home drawn"
