"""App Home: what waits for the person who opened it, drawn anew while they may be looking. It decides nothing.

Every button on it is good for this person alone, and only until the next drawing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.domain.errors import BotError, Unavailable
from app.domain.own_requests import withdrawable
from app.domain.policy import Policy
from app.domain.request import RequestKey
from app.domain.row import RequestRow
from app.domain.ruling import portal_only
from app.lookups import Lookups, Nothing
from app.ports import Clock, Homes, LinkState, OpenHome, Query, Screens, View
from blocks import home as drawing
from blocks.rows import Waiting
from handlers.payloads import Body, Opened, parse_opened
from handlers.reception import Reception

LOOKED_AT = timedelta(minutes=30)  # after opening it, somebody may still see it
MOST_HOMES = 50  # looked after in one round; those who opened theirs last
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Home:
    """Listener for `app_home_opened`. Bolt acknowledges events by itself."""

    reception: Reception
    lookups: Lookups
    homes: Homes
    screens: Screens
    clock: Clock
    policy: Policy = Policy()

    async def opened(self, body: Body) -> None:
        """Draw the Home tab for whoever opened it; the messages tab needs nothing."""
        opened = parse_opened(body)
        if opened is not None and await self.reception.first(opened, "home", ""):
            self.reception.work(opened, self._draw(opened), self.reception.sorry(""))

    async def refresh(self) -> None:
        """Draw anew what reads differently by now, for those who opened theirs lately."""
        for home in await self.homes.recent(self.clock() - LOOKED_AT, MOST_HOMES):
            try:
                await self._show(home, await self._contents(home.team, home.user))
            except Unavailable:
                return  # Slack or the database: the next round comes
            except BotError as failure:
                log.warning("A Home tab could not be drawn anew: %s", failure)

    async def _draw(self, opened: Opened) -> str:
        await self.homes.opened(opened.team, opened.user, self.clock())
        contents = await self._contents(opened.team, opened.user)
        await self._show(OpenHome(opened.team, opened.user), contents)
        return "home drawn" if contents != drawing.Contents() else "home drawn, not signed in"

    async def _show(self, home: OpenHome, contents: drawing.Contents) -> None:
        """Publish it unless it shows just that already."""
        fingerprint = self._fingerprint(contents)
        if fingerprint == home.shown:
            return
        decidable, own = self._decidable(contents), self._withdrawable(contents)
        tokens = await self.homes.offer(replace(home, shown=fingerprint), [*decidable, *own])
        drawn = replace(contents, tokens=_of(decidable, tokens), own_tokens=_of(own, tokens))
        await self.screens.publish_home(home.user, self._view(drawn))

    async def _contents(self, team: str, user: str) -> drawing.Contents:
        found = await self.lookups.overview(team, user)
        if isinstance(found, Nothing):
            return drawing.Contents()
        places = await self.lookups.card_addresses(found.waiting)
        own = await self.lookups.object_id(team, user)
        return drawing.Contents(
            counters=found.counters,
            waiting=tuple(Waiting(row, places.get(row.key, "")) for row in found.waiting),
            mine=await self._past(team, user, Query(requestor=own)) if own else (),
            decided=await self._past(team, user, Query(decided_by=own)) if own else (),
            session=found.link,
            windows=found.windows,
        )

    async def _past(self, team: str, user: str, query: Query) -> tuple[RequestRow, ...]:
        page = await self.lookups.history(team, user, replace(query, limit=drawing.MOST_PAST))
        return () if isinstance(page, Nothing) else page.rows

    def _decidable(self, contents: drawing.Contents) -> Sequence[RequestRow]:
        """What this person may press: not their own, not what is decided elsewhere. Pressing it asks all the rest."""
        session, now = contents.session, self.clock()
        if session is None or session.state is not LinkState.ACTIVE:
            return ()
        return [
            row
            for row in drawing.offers(contents)
            if row.request.requestor.id != session.person.id
            and not portal_only(row, self.policy)
            and now < row.request.expires
        ]

    def _withdrawable(self, contents: drawing.Contents) -> Sequence[RequestRow]:
        """Their own that wait, if they are signed in: it takes their own token."""
        session, now = contents.session, self.clock()
        if session is None or session.state is not LinkState.ACTIVE:
            return ()
        return [row for row in contents.mine if withdrawable(row, now)]

    def _fingerprint(self, contents: drawing.Contents) -> str:
        """What tells one drawing from another: all of it but the tokens."""
        decidable = dict.fromkeys((row.key for row in self._decidable(contents)), "-")
        own = dict.fromkeys((row.key for row in self._withdrawable(contents)), "-")
        marked = replace(contents, tokens=decidable, own_tokens=own)
        return hashlib.sha256(json.dumps(self._view(marked), sort_keys=True).encode()).hexdigest()

    def _view(self, contents: drawing.Contents) -> View:
        return drawing.home(contents, now=self.clock(), portal=self.reception.answers.portal)


def _of(rows: Iterable[RequestRow], tokens: Mapping[RequestKey, str]) -> dict[RequestKey, str]:
    return {row.key: tokens[row.key] for row in rows}
