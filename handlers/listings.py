"""Lists with pages: what waits, history, one's own, what one decided. Everything read goes through `may_see`.

A button's value only chooses the list and the page; whose rows they are is asked anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain import azure_roles, roles
from app.domain.own_requests import withdrawable
from app.domain.request import RequestKey, Status
from app.domain.row import RequestRow
from app.domain.ruling import Viewer
from app.lookups import Leaf, Lookups, Nothing
from app.ports import Clock, Coverage, Homes, Query
from blocks import lists, notices
from blocks.lists import Sheet
from blocks.message import Message
from blocks.rows import Waiting
from handlers.answers import Answers
from handlers.exporting import Exporting
from handlers.language import Mistaken, Search, Turn, parse_search, write_search, write_turn

_NOBODY = "nobody"  # signed out meanwhile: a filter that fits no object id


@dataclass(kw_only=True, slots=True)
class Listings:
    """Answers of `/pim pending`, `history`, `mine`, `approved`, and of the buttons that turn their pages."""

    answers: Answers
    lookups: Lookups
    homes: Homes
    clock: Clock
    exporting: Exporting

    async def asked(self, team: str, user: str, which: str, words: str) -> Message:
        """The first page of what was typed, or what is wrong with it."""
        search = parse_search(which, words, self.clock())
        if isinstance(search, Mistaken):
            return notices.refusal(search.text)
        if which in ("mine", "approved") and not await self.lookups.object_id(team, user):
            return await self._invitation(team, user)
        if search.export:
            return await self._file(team, user, search)
        return await self.page(team, user, Turn(search, "", newer=False))

    async def page(self, team: str, user: str, turn: Turn) -> Message:
        """One page of a list."""
        query = await self._query(team, user, turn.search)
        leaf = await self.lookups.leaf(team, user, query, turn.after, back=turn.newer)
        if isinstance(leaf, Nothing):
            return await self._invitation(team, user)
        if turn.search.which == "pending":
            return await self._pending(team, user, turn.search, leaf)
        coverage = await self.lookups.coverage() if turn.search.which == "history" else ()
        tokens = await self._tokens(team, user, leaf) if turn.search.which == "mine" else {}
        sheet = replace(_sheet(turn.search, leaf, coverage), tokens=tokens)
        return lists.history_page(leaf.rows, sheet, now=self.clock())

    async def _file(self, team: str, user: str, search: Search) -> Message:
        """The same rows as a file, for the same eyes."""
        viewer = await self.lookups.viewer(team, user)
        if viewer == Viewer():
            return await self._invitation(team, user)
        return await self.exporting.deliver(user, viewer, await self._query(team, user, search))

    async def waiting(self, rows: Sequence[RequestRow]) -> list[Waiting]:
        """Pending requests with the way to their cards."""
        places = await self.lookups.card_addresses(rows)
        return [Waiting(row, places.get(row.key, "")) for row in rows]

    async def _tokens(self, team: str, user: str, leaf: Leaf) -> Mapping[RequestKey, str]:
        """What the buttons carry that withdraw what still waits; those of the list before this one are void."""
        now = self.clock()
        return await self.homes.hand_out(team, user, [row for row in leaf.rows if withdrawable(row, now)])

    async def _pending(self, team: str, user: str, search: Search, leaf: Leaf) -> Message:
        counters = await self.lookups.counters(team, user)
        shown = await self.waiting(leaf.rows)
        return lists.pending_list(
            shown, _sheet(search, leaf), now=self.clock(), total=counters.pending, hidden=counters.stale
        )

    async def _query(self, team: str, user: str, search: Search) -> Query:
        query = Query(
            statuses=search.statuses,
            kinds=search.kinds,
            role=_role(search.role),
            since=search.since,
            until=search.until,
        )
        return await self._whose(team, user, search, query)

    async def _whose(self, team: str, user: str, search: Search, query: Query) -> Query:
        if search.which == "pending":
            return replace(query, statuses=frozenset({Status.PENDING}), decidable=True, oldest_first=True)
        if search.which == "history":
            return await self.lookups.by_person(team, search.person, query) if search.person else query
        own = await self.lookups.object_id(team, user) or _NOBODY
        return replace(query, requestor=own) if search.which == "mine" else replace(query, decided_by=own)

    async def _invitation(self, team: str, user: str) -> Message:
        return notices.not_linked(await self.answers.linking.begin(team, user))


def _sheet(search: Search, leaf: Leaf, coverage: Sequence[Coverage] = ()) -> Sheet:
    """What stands around the rows, with what the buttons carry."""
    older = write_turn(Turn(search, leaf.older, newer=False)) if leaf.older else ""
    newer = write_turn(Turn(search, leaf.newer, newer=True)) if leaf.newer else ""
    return Sheet(search.which, write_search(replace(search, person="")), older, newer, coverage)


def _role(words: str) -> str:
    """An English name of a built-in role stands for its id, whatever the tenant's language."""
    return roles.template_id(words) or azure_roles.role_id(words) or words
