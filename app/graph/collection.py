"""The schedule requests of one Graph desk: list them, list a person's own, read one, withdraw one.

Facts: a person's own listing holds at most 50 rows and cannot page; a listing may refuse the status filter or the
expansion, so plainer forms are tried and the first that works is remembered; extensions and renewals have a status of
their own and are asked for beside the rest. It judges nobody and concludes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus

from app.domain.calls import Receipt
from app.domain.changes import FULL_PAGE, Listing
from app.domain.errors import BotError, GraphRefused
from app.domain.request import ActivationRequest, Kind
from app.graph.client import Change, Gate
from app.graph.listings import Keep, ended_since, joined, listing_of, paged
from app.graph.shapes import Parse, Rows, parse_rows
from app.graph.states import waits
from app.graph.wire import guid, listed, part, text
from app.ports import Removal, TokenSource

PENDING, EXTENDING = "status eq 'PendingApproval'", "status eq 'PendingAdminDecision'"
Form = frozenset[str]
# What of a query is left to Microsoft; where it answers 400, less is. The plainest stands last.
_FORMS = (Form({"status", "names"}), Form({"names"}), Form())
Whole = Callable[[Sequence[object], TokenSource], Awaitable[Sequence[object]]]
log = logging.getLogger(__name__)


async def as_listed(rows: Sequence[object], _token: TokenSource) -> Sequence[object]:
    """Rows of a desk whose listings tell everything."""
    return rows


@dataclass(slots=True)
class Collection:
    """`path` of the collection, what to `expand`, how to `parse` a row, and how to make rows `whole` beforehand."""

    gate: Gate
    kind: Kind
    path: str
    expand: str
    parse: Parse
    whole: Whole = as_listed
    _forms: dict[str, int] = field(init=False, default_factory=dict)

    async def pending(self, token: TokenSource, where: str = "") -> Listing:
        """Everything that waits, page by page, with extensions; `where` narrows it as this collection demands."""

        async def ask(status: str, form: Form) -> Listing:
            return await self._paged(self._query(where, status, form), token, waits)

        return await self._with_extensions("all", ask)

    async def own(self, token: TokenSource) -> Listing:
        """What waits for this person: one page of at most 50 rows. A full page may hide more, so it is incomplete."""

        async def ask(status: str, form: Form) -> Listing:
            return await self._mine(self._query("", status, form), token, waits)

        return await self._with_extensions("own", ask)

    async def ended(self, since: datetime, token: TokenSource, where: str = "") -> Listing:
        """What was asked since then and waits no more."""
        return await self._paged({"$filter": where} if where else {}, token, ended_since(since))

    async def own_ended(self, since: datetime, token: TokenSource) -> Listing:
        """The same as far as it is shown to a person who may not list everything: never the whole of it."""
        return replace(await self._mine({}, token, ended_since(since)), complete=False)

    async def fetch(self, request_id: str, token: TokenSource) -> ActivationRequest:
        """One request, whatever its status; on 403 as the caller's own listing shows it."""
        id_ = guid(request_id)
        try:
            return self.parse(await self.gate.get(f"{self.path}/{id_}", token, {"$expand": self.expand}))
        except GraphRefused as refused:
            if refused.status != HTTPStatus.FORBIDDEN:
                raise
            return await self._fetch_own(id_, token, refused)

    async def cancel(self, request_id: str, token: TokenSource) -> None:
        """Withdraw it (204, no body)."""
        await self.gate.send(Change("POST", f"{self.path}/{guid(request_id)}/cancel"), token)

    async def remove(
        self, request: ActivationRequest, what: Mapping[str, str], removal: Removal, token: TokenSource
    ) -> Receipt:
        """Take away `what` this person holds (201); OutcomeUnknown: look whether it is still held."""
        who = {"principalId": guid(request.requestor.id), "justification": text(removal.reason)}
        change = Change("POST", self.path, {"action": "adminRemove", **what, **who}, name=removal.call)
        return self.gate.receipt(await self.gate.send(change, token))

    def _query(self, where: str, status: str, form: Form) -> dict[str, str]:
        clauses = [clause for clause in (where, status if "status" in form else "") if clause]
        query = {"$filter": " and ".join(clauses)} if clauses else {}
        return query | ({"$expand": self.expand} if "names" in form else {})

    async def _with_extensions(self, which: str, ask: Callable[[str, Form], Awaitable[Listing]]) -> Listing:
        listing = await self._in_form(which, lambda form: ask(PENDING, form))
        form = _FORMS[self._forms.get(which, 0)]
        if "status" not in form:  # every status was listed
            return listing
        try:
            return joined(self.kind, (listing, await ask(EXTENDING, form)))
        except GraphRefused:  # nothing that this caller could be shown
            return listing
        except BotError as failure:
            log.info("Extensions and renewals could not be listed: %s", failure)
            return replace(listing, complete=False)

    async def _in_form(self, which: str, ask: Callable[[Form], Awaitable[Listing]]) -> Listing:
        """Ask in the best form that Microsoft takes: once it answers 400 to one and takes a plainer, that one stays."""
        best = self._forms.get(which, 0)
        for number in range(best, len(_FORMS)):
            try:
                listing = await ask(_FORMS[number])
            except GraphRefused as refused:
                if refused.status != HTTPStatus.BAD_REQUEST or number == len(_FORMS) - 1:
                    raise
                continue
            if number > best:
                self._forms[which] = max(self._forms.get(which, 0), number)
                log.info("Microsoft does not take every form of this listing; using a plainer one from now on.")
            return listing
        raise AssertionError  # the loop either returns or raises

    async def _paged(self, query: Mapping[str, str], token: TokenSource, keep: Keep) -> Listing:
        pages = self.gate.pages(self.path, token, query)
        return await paged(self.kind, pages, lambda rows: self._read(rows, token), keep)

    async def _mine(self, query: Mapping[str, str], token: TokenSource, keep: Keep) -> Listing:
        page = await self.gate.get(f"{self.path}/filterByCurrentUser(on='approver')", token, query)
        rows = listed(page.get("value"))
        full = len(rows) >= FULL_PAGE or page.get("@odata.nextLink") is not None
        read = await self._read(rows, token)
        return listing_of(self.kind, [read], keep, complete=not full, full_page=full)

    async def _read(self, rows: Sequence[object], token: TokenSource) -> Rows:
        return parse_rows(await self.whole(rows, token), self.parse)

    async def _fetch_own(self, id_: str, token: TokenSource, refused: GraphRefused) -> ActivationRequest:
        """Who may not read the request itself may still see it in their own list, whatever its status."""
        query = {"$filter": f"id eq '{id_}'", "$expand": self.expand}
        page = await self.gate.get(f"{self.path}/filterByCurrentUser(on='approver')", token, query)
        mine = [row for row in listed(page.get("value")) if text(part(row).get("id")).lower() == id_]
        if not mine:
            raise refused
        return self.parse(part((await self.whole(mine, token))[0]))
