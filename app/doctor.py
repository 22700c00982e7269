"""Examining what the bot depends on at Microsoft: credential, permissions, licence, settings, and who could approve.

It reads and reports; it changes nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.domain.errors import BotError
from app.domain.findings import (
    CONSENT,
    NEEDS,
    Finding,
    Grade,
    lacking_scopes,
    reach_findings,
    refused,
    settings_findings,
)
from app.domain.match import How
from app.domain.request import ActivationRequest, Person, PolicyFacts
from app.ports import Chronicle, Clock, Desk, Link, Links, Matching, RequestBook, Tokens

MOST_ROLES = 100  # roles whose settings are read; those asked for last come first
AN_HOUR = timedelta(hours=1)


@dataclass(kw_only=True, slots=True)
class Doctor:
    """Asks each thing the bot needs, once. `granted`: the scopes in a person's token, where they can be read."""

    desks: Sequence[Desk]
    tokens: Tokens
    links: Links
    book: RequestBook
    chronicle: Chronicle
    matching: Matching
    clock: Clock
    as_application: bool
    granted: Callable[[Link, Desk], Awaitable[frozenset[str]]]

    async def examine(self) -> AsyncIterator[Finding]:
        """Everything found, as it is found."""
        links = await self.links.active()
        async for finding in self._credential():
            yield finding
        for desk in self.desks:
            async for finding in self._desk(desk, links):
                yield finding
        yield await self._audit_log()
        async for finding in self._roles(links):
            yield finding

    async def _credential(self) -> AsyncIterator[Finding]:
        try:
            await self.tokens.application()()
        except BotError as failure:
            fix = "check PIM_TENANT_ID, PIM_CLIENT_ID and the credential; it may have ended"
            yield Finding(Grade.WRONG, "microsoft", f"the bot gets no token: {failure}", fix)
        else:
            yield Finding(Grade.OK, "microsoft", "the bot's own credential is accepted")

    async def _desk(self, desk: Desk, links: Sequence[Link]) -> AsyncIterator[Finding]:
        if self.as_application:
            yield await self._listed(desk)
        elif not links:
            words = "nobody is signed in, so that the bot sees no request"
            yield Finding(Grade.NOTE, desk.kind, words, "an approver types /pim sign-in once")
        for link in links:
            async for finding in self._person(desk, link):
                yield finding
        async for finding in self._term(desk):
            yield finding

    async def _listed(self, desk: Desk) -> Finding:
        try:
            listing = await desk.list_all(self.tokens.application(desk.resource))
        except BotError as failure:
            return refused(desk.kind, "what waits cannot be listed", failure, NEEDS[desk.kind].listing)
        partly = "" if listing.complete else ", and not everything could be listed"
        grade = Grade.OK if listing.complete else Grade.NOTE
        return Finding(grade, desk.kind, f"{len(listing.requests)} requests wait{partly}")

    async def _person(self, desk: Desk, link: Link) -> AsyncIterator[Finding]:
        try:
            await desk.list_for(self.tokens.of(link, desk.resource))
            scopes = await self.granted(link, desk)
        except BotError as failure:
            what = f"{link.person.label} cannot list what waits for them"
            yield refused(desk.kind, what, failure, "the delegated permissions of docs/install.md", Grade.NOTE)
            return
        for finding in lacking_scopes(desk.kind, link.person, scopes):
            yield finding

    async def _term(self, desk: Desk) -> AsyncIterator[Finding]:
        """Whether the times of approved roles can be read, tried on the last request of this desk."""
        last = next((one for one in await self.book.asked_roles(MOST_ROLES) if one.key.kind is desk.kind), None)
        if last is None:
            return
        try:
            await desk.term(last, self.tokens.application(desk.resource))
        except BotError as failure:
            what = "when roles are really held cannot be read by the bot itself"
            yield refused(desk.kind, what, failure, NEEDS[desk.kind].terms, Grade.NOTE)

    async def _audit_log(self) -> Finding:
        try:
            async for _ in self.chronicle.since(self.clock() - AN_HOUR, self.tokens.application()):
                break
        except BotError as failure:
            words = f"Microsoft's audit log cannot be read: {failure}"
            fix = f"optional: the application permission AuditLog.Read.All names who decided elsewhere; {CONSENT}"
            return Finding(Grade.NOTE, "audit log", words, fix)
        return Finding(Grade.OK, "audit log", "Microsoft's audit log can be read")

    async def _roles(self, links: Sequence[Link]) -> AsyncIterator[Finding]:
        """The settings of every role that was asked for here, and who could approve them."""
        desks = {desk.kind: desk for desk in self.desks}
        approvers: set[Person] = set()
        asked = [one for one in await self.book.asked_roles(MOST_ROLES) if one.key.kind in desks]
        for request in asked:
            facts = await self._settings(desks[request.key.kind], request)
            approvers |= set(facts.approvers or ())
            for finding in settings_findings(request, facts):
                yield finding
        if not asked:
            yield Finding(Grade.NOTE, "coverage", "no role was asked for here yet, so that no settings were looked at")
        signed_in = frozenset(link.person.id for link in links)
        for finding in reach_findings(list(approvers), signed_in, await self._in_slack(approvers)):
            yield finding

    async def _settings(self, desk: Desk, request: ActivationRequest) -> PolicyFacts:
        own = [self.tokens.application(desk.resource)]
        for token in own + [reader.token for reader in await self.tokens.readers(desk.resource) if reader.who]:
            try:
                facts = await desk.policy(request, token)
            except BotError:
                continue  # somebody else may read it; nobody: it is said to be unreadable
            if facts != PolicyFacts():
                return facts
        return PolicyFacts()

    async def _in_slack(self, people: set[Person]) -> frozenset[str]:
        found: set[str] = set()
        for person in people:
            try:
                match = await self.matching.match(person)
            except BotError:
                continue  # Slack's own trouble has a line of its own
            if match.how is not How.NOT_IN_SLACK and match.slack_user:
                found.add(person.id)
        return frozenset(found)
