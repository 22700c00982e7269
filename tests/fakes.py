"""Recording doubles of Microsoft, Slack and time. The memory has no double: tests use the real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from build import NOW, guid
from people import EVERYBODY, SLACK, TEAM, ann, ben, cleo, gus

from app.domain.arrival import Accounts, Reach
from app.domain.calls import Receipt
from app.domain.changes import FULL_PAGE, Listing
from app.domain.chronicle import Event
from app.domain.errors import AlreadyDecided, BotError, GraphRefused, OutcomeUnknown, RequestGone, SignInRequired
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts, Status, Term, Verdict
from app.domain.row import RequestRow
from app.domain.ruling import Step
from app.ports import Caller, Link, Links, Reader, Removal, Resource, SlackPerson, TokenSource, Vote

APP = "the application"
ALWAYS = 1_000_000  # times
_TOKEN = "canary-token of "
_ENDED = {
    "Provisioned": Status.APPROVED,
    "Denied": Status.DENIED,
    "Canceled": Status.CANCELED,
    "Failed": Status.FAILED,
    "TimedOut": Status.EXPIRED,
}

Interlude = Callable[[], object]


class ProcessKilled(BaseException):
    """kill -9 at this very point: nothing of ours may catch it."""


@dataclass
class FakeClock:
    """Stands still until moved; sleeping moves it."""

    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, span: timedelta) -> None:
        self.now += span

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def bearer(who: str) -> TokenSource:
    """A live token of this object id, or of `APP`."""

    async def token() -> str:
        return _TOKEN + who

    return token


class FakeTokens:
    """Everybody's session lives, unless their object id (or `APP`) is in `over`; `failures` fail in other ways."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self.over: set[str] = set()
        self.failures: dict[str, BotError] = {}
        self.asked: list[tuple[str, Resource]] = []

    def application(self, resource: Resource = Resource.GRAPH) -> TokenSource:
        return self._source(APP, resource)

    def of(self, link: Link, resource: Resource = Resource.GRAPH) -> TokenSource:
        return self._source(link.person.id, resource)

    async def readers(self, resource: Resource = Resource.GRAPH) -> list[Reader]:
        people = [Reader(link.person.id, self.of(link, resource)) for link in await self._links.active()]
        return [*people, Reader("", self.application(resource))]

    def _source(self, who: str, resource: Resource) -> TokenSource:
        async def token() -> str:
            self.asked.append((who, resource))
            if who in self.failures:
                raise self.failures[who]
            if who in self.over:
                raise SignInRequired
            return await bearer(who)()

        return token


@dataclass
class FakeOnBehalf:
    """Everybody's exchange works, unless their object id is in `failures`. Microsoft knows the whole cast by name.

    `asked`: whose tokens for which resource.
    """

    failures: dict[str, BotError] = field(default_factory=dict)
    asked: list[tuple[str, Resource]] = field(default_factory=list)

    def of(self, caller: Caller, resource: Resource = Resource.GRAPH) -> TokenSource:
        async def token() -> str:
            self.asked.append((caller.person.id, resource))
            self._fail(caller)
            return await bearer(caller.person.id)()

        return token

    async def person(self, caller: Caller) -> Person:
        self._fail(caller)
        return next(one for one in EVERYBODY if one.id == caller.person.id)

    def _fail(self, caller: Caller) -> None:
        if caller.person.id in self.failures:
            raise self.failures[caller.person.id]


@dataclass
class FakePeople:
    """The cast as Slack knows it: full members, except the guest. A `failure` is raised by every call."""

    persons: dict[str, SlackPerson] = field(
        default_factory=lambda: {
            SLACK[one.id]: SlackPerson(SLACK[one.id], TEAM, one.name, one.mail, member=one != gus)
            for one in EVERYBODY
            if one.id in SLACK
        }
    )
    channels: dict[str, frozenset[str]] = field(default_factory=dict)
    failure: BotError | None = None
    asked: list[str] = field(default_factory=list)

    async def person(self, user: str) -> SlackPerson | None:
        self._record(user)
        return self.persons.get(user)

    async def by_mail(self, mail: str) -> str | None:
        self._record(mail)
        return next((one.id for one in self.persons.values() if one.mail == mail), None)

    async def channels_of(self, user: str) -> frozenset[str]:
        self._record(user)
        return self.channels.get(user, frozenset())

    def _record(self, what: str) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeFiles:
    """Files by whom they were for, recorded; `failure` is raised instead; `before` runs while one is on its way."""

    sent: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    failure: BotError | None = None
    before: Callable[[], Awaitable[None]] | None = None

    async def deliver(self, user: str, name: str, content: bytes, words: str) -> None:
        if self.before is not None:
            await self.before()
        if self.failure is not None:
            raise self.failure
        self.sent.append((user, name, content, words))


@dataclass
class FakeAudience:
    """Knows these people in Slack, by object id."""

    users: Mapping[str, str] = field(default_factory=lambda: {one.id: SLACK[one.id] for one in (ann, ben, gus)})
    crowd: bool = False
    sure: bool = True

    async def reach(self, row: RequestRow) -> Reach:
        return Reach(tuple((await self.accounts(row)).users.values()))

    async def accounts(self, row: RequestRow) -> Accounts:
        known = {oid: self.users[oid] for oid in row.known_approvers if oid in self.users}
        return Accounts({} if self.crowd else known, self.crowd, self.sure)


@dataclass
class FakeAccounts:
    """Entra: who is `enabled`; about others nobody may read anything. `asked` is whom was asked about."""

    known: dict[str, bool] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def enabled(self, oid: str) -> bool | None:
        self.asked.append(oid)
        return self.known.get(oid)


@dataclass
class FakeChronicle:
    """Microsoft's audit log: `events`, two a page; only `readers` may read it. A `failure` comes after one page."""

    clock: FakeClock
    events: list[Event] = field(default_factory=list)
    readers: set[str] = field(default_factory=lambda: {APP})
    failure: BotError | None = None
    asked: list[str] = field(default_factory=list)

    async def since(self, since: datetime, token: TokenSource) -> AsyncIterator[Sequence[Event]]:
        who = (await token()).removeprefix(_TOKEN)
        self.asked.append(who)
        if who not in self.readers:
            raise GraphRefused("Microsoft refused: AuditLog.Read.All is missing", status=403)
        shown = sorted((event for event in self.events if event.at >= since), key=lambda event: event.at, reverse=True)
        for number in range(0, len(shown), 2):
            yield shown[number : number + 2]
            if self.failure is not None:
                raise self.failure


@dataclass(frozen=True)
class Review:
    """The one decision Microsoft took."""

    by: Person
    verdict: Verdict
    comment: str
    at: datetime


@dataclass(frozen=True)
class Held:
    """A request as Microsoft keeps it. `more_steps` are shown beside the one real step; `stepless`: that is over."""

    request: ActivationRequest
    approvers: frozenset[str]
    step: str
    review: Review | None = None
    canceled: bool = False
    more_steps: tuple[Step, ...] = ()
    stepless: bool = False


@dataclass(frozen=True)
class Sent:
    """One decision as it arrived, whatever became of it."""

    request_id: str
    step: str
    verdict: Verdict
    justification: str
    by: str
    call: str = field(default="", compare=False)


@dataclass
class Fault:
    """Something goes wrong, a number of times; `late`: only after Microsoft has processed the call."""

    method: str
    failure: BotError
    times: int
    who: str | None
    late: bool


@dataclass
class FakeDesk:
    """Microsoft: the first decision wins, only approvers decide, a request lives 24 hours, a person's list 50 rows.

    `calls` are (method, who), `sent` every decision that arrived, `accepted` those that counted. After a decision the
    next `lag` reads still show the state before it. What is `hidden` is missing from listings and nowhere else; a
    listing that is `cut_short` says that it is incomplete, one that is `backwards` has another order. `historians` may
    list what has ended. `administrators` may take away what is held: `removals` arrived, about what was
    `to_remove`; `removed` are the requests.
    """

    clock: FakeClock
    kind: Kind = Kind.ENTRA
    resource: Resource = Resource.GRAPH
    lag: int = 0
    terms: dict[str, Term] = field(default_factory=dict)
    policies: dict[str, PolicyFacts] = field(default_factory=dict)
    managers: dict[str, Person] = field(default_factory=dict)  # by requestor: who approves as their manager
    held: dict[str, Held] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    cut_short: bool = False
    hidden: set[str] = field(default_factory=set)
    historians: set[str] = field(default_factory=lambda: {APP})
    backwards: bool = False
    calls: list[tuple[str, str]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    accepted: list[Sent] = field(default_factory=list)
    administrators: set[str] = field(default_factory=lambda: {ben.id, cleo.id})
    removals: list[Removal] = field(default_factory=list)
    to_remove: list[ActivationRequest] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    turn: Callable[[str], Awaitable[None]] | None = None
    _stale: dict[str, tuple[Held, int]] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list)
    _before: dict[str, list[Interlude]] = field(default_factory=dict)

    # --- the test's hand ---

    def ask(self, request: ActivationRequest, approvers: Iterable[Person] = ()) -> Held:
        """A requestor asks."""
        held = Held(request, frozenset(person.id for person in approvers), guid())
        self.held[request.key.id] = held
        return held

    def change(self, request_id: str, **over: object) -> None:
        """The same request reads differently from now on."""
        held = self.held[request_id]
        self.held[request_id] = replace(held, request=replace(held.request, **over))

    def elsewhere(self, request_id: str, by: Person, verdict: Verdict, comment: str = "In the portal") -> None:
        """Somebody decides in the portal."""
        held = self.held[request_id]
        assert self._native(held) == "PendingApproval", "nobody decides what has ended"
        self.held[request_id] = replace(held, review=Review(by, verdict, comment, self.clock()))

    def show_late(self, before: Held) -> None:
        """The next `lag` reads still show this."""
        self._stale[before.request.key.id] = (before, self.lag)

    def withdraw(self, request_id: str) -> None:
        """The requestor takes it back."""
        self.held[request_id] = replace(self.held[request_id], canceled=True)

    def forget(self, request_id: str) -> None:
        """Microsoft does not know it any more."""
        del self.held[request_id]

    def fail(self, method: str, failure: BotError, *, times: int = 1, who: str | None = None) -> None:
        """The next calls of this method fail (those of one caller only?)."""
        self._faults.append(Fault(method, failure, times, who, late=False))

    def lose_answer_before(self, times: int = 1, method: str = "decide") -> None:
        """The next decisions (or removals) never reach Microsoft, and we cannot know."""
        self._faults.append(Fault(method, OutcomeUnknown(), times, None, late=False))

    def lose_answer_after(self, times: int = 1, method: str = "decide") -> None:
        """The next decisions (or removals) are processed, but their answers are lost."""
        self._faults.append(Fault(method, OutcomeUnknown(), times, None, late=True))

    def lose_withdrawal(self, *, after: bool) -> None:
        """The answer to the next withdrawal is lost, before or after it is processed."""
        self._faults.append(Fault("cancel", OutcomeUnknown(), 1, None, late=after))

    def heal(self) -> None:
        """Nothing goes wrong any more, and every replica has caught up."""
        self._faults.clear()
        self._stale.clear()

    def before(self, method: str, interlude: Interlude) -> None:
        """Something happens right before the next call of this method is processed."""
        self._before.setdefault(method, []).append(interlude)

    def count(self, method: str, who: str | None = None) -> int:
        """How often it was called (by one caller)."""
        return sum(called == method and who in (None, by) for called, by in self.calls)

    # --- ports.Desk ---

    async def list_all(self, token: TokenSource) -> Listing:
        who = await self._arrive("list_all", token)
        if who != APP:
            raise GraphRefused("Microsoft refused: the caller may not list everything", status=403)
        requests = tuple(held.request for held in self._pending())
        return Listing(self.kind, requests, complete=not self.cut_short, broken=self.broken)

    async def list_for(self, token: TokenSource) -> Listing:
        who = await self._arrive("list_for", token)
        rows = [held.request for held in self._pending() if self._assigned(held, who)]
        full = self.resource is Resource.GRAPH and len(rows) >= FULL_PAGE  # ARM pages
        rows = rows[:FULL_PAGE] if full else rows
        return Listing(self.kind, tuple(rows), complete=not full, full_page=full, broken=self.broken)

    async def fetch(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        await self._arrive("fetch", token)
        held = self._look_up(request.key.id)
        return replace(held.request, native_status=self._native(held))

    async def steps(self, request: ActivationRequest, token: TokenSource) -> tuple[Step, ...]:
        who = await self._arrive("steps", token)
        held = self._look_up(request.key.id)
        if held.canceled:
            raise RequestGone("Microsoft refused: there is no such approval", status=404)
        return (self._step(held, who), *held.more_steps)

    async def decide(self, request: ActivationRequest, vote: Vote, token: TokenSource) -> Receipt:
        who = await self._arrive("decide", token)
        decision = Sent(request.key.id, vote.step, vote.verdict, vote.justification, who, vote.call)
        self.sent.append(decision)
        self._go_wrong("decide", who)
        refusal = self._refusal(decision)
        answer = f"answer-{len(self.sent)}"
        if refusal is None:
            self._accept(decision)
        else:
            refusal.request_id = answer
        if self.turn is not None:
            await self.turn("answer")
        self._go_wrong("decide", who, late=True)
        if refusal is not None:
            raise refusal
        return Receipt(answer)

    async def cancel(self, request: ActivationRequest, token: TokenSource) -> None:
        who = await self._arrive("cancel", token)
        held = self._look_up(request.key.id)
        if who not in (held.request.requestor.id, APP):
            raise GraphRefused("Microsoft refused: the caller did not ask for this", status=403)
        if self._native(self.held[request.key.id]) != "PendingApproval":
            raise GraphRefused("Microsoft refused: only what waits can be withdrawn", status=400)
        self.show_late(held)
        self.withdraw(request.key.id)
        self._go_wrong("cancel", who, late=True)

    async def remove(self, request: ActivationRequest, removal: Removal, token: TokenSource) -> Receipt:
        who = await self._arrive("remove", token)
        self.removals.append(removal)
        self.to_remove.append(request)
        self._go_wrong("remove", who)
        if who not in self.administrators:
            raise GraphRefused("Microsoft refused: the caller administers nothing", status=403)
        if self._term(request.key.id) is None:
            raise GraphRefused("Microsoft refused: nothing is held", status=400, code="RoleAssignmentDoesNotExist")
        self.removed.add(request.key.id)
        self._go_wrong("remove", who, late=True)
        return Receipt(f"removal-{len(self.removals)}")

    async def term(self, request: ActivationRequest, token: TokenSource) -> Term | None:
        await self._arrive("term", token)
        return self._term(request.key.id)

    def _term(self, request_id: str) -> Term | None:
        held = self.held.get(request_id)
        if request_id in self.removed:
            return None
        if request_id in self.terms or held is None or held.review is None:
            return self.terms.get(request_id)
        length = held.request.duration or timedelta(0)
        held_now = held.review.verdict is Verdict.APPROVE and self.clock() < held.review.at + length
        return Term(held.review.at, held.review.at + length) if held_now else None

    async def list_ended(self, since: datetime, token: TokenSource) -> Listing:
        who = await self._arrive("list_ended", token)
        if who not in self.historians:
            raise GraphRefused("Microsoft refused: the caller may not list everything", status=403)
        seen = (replace(held.request, native_status=self._native(held)) for held in self.held.values())
        ended = tuple(request for request in seen if request.created >= since and self.ended(request) is not None)
        return Listing(self.kind, ended, complete=not self.cut_short)

    async def policy(self, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        await self._arrive("policy", token)
        facts = self.policies.get(request.role.id, PolicyFacts())
        manager = self.managers.get(request.requestor.id)
        return facts if manager is None else replace(facts, approvers=(*(facts.approvers or ()), manager))

    def ended(self, request: ActivationRequest) -> Status | None:
        return _ENDED.get(request.native_status)

    # --- how Microsoft works ---

    async def _arrive(self, method: str, token: TokenSource) -> str:
        who = (await token()).removeprefix(_TOKEN)
        self.calls.append((method, who))
        if self.turn is not None:
            await self.turn(method)
        for interlude in self._before.pop(method, []):
            happening = interlude()
            if isinstance(happening, Awaitable):
                await happening
        if method not in ("decide", "remove"):
            self._go_wrong(method, who)
        return who

    def _go_wrong(self, method: str, who: str, *, late: bool = False) -> None:
        for fault in self._faults:
            if fault.method == method and fault.late == late and fault.who in (None, who) and fault.times:
                fault.times -= 1
                raise fault.failure

    def _refusal(self, decision: Sent) -> BotError | None:
        held = self.held.get(decision.request_id)
        if held is None or held.canceled or held.step != decision.step:
            return RequestGone("Microsoft refused: there is no such approval", status=404)
        if not self._assigned(held, decision.by):
            return GraphRefused("Microsoft refused: the caller is not an approver", status=403)
        if held.review is not None:
            return AlreadyDecided("Microsoft refused: it is decided", status=409)
        if self._native(held) != "PendingApproval":
            return RequestGone("Microsoft refused: the approval is over", status=404)
        return None

    def _accept(self, decision: Sent) -> None:
        held = self.held[decision.request_id]
        by = next(person for person in EVERYBODY if person.id == decision.by)
        review = Review(by, decision.verdict, decision.justification, self.clock())
        self.show_late(held)
        self.held[decision.request_id] = replace(held, review=review)
        self.accepted.append(decision)

    def _look_up(self, request_id: str) -> Held:
        if request_id not in self.held:
            raise RequestGone("Microsoft refused: there is no such request", status=404)
        before, reads = self._stale.get(request_id, (self.held[request_id], 0))
        if reads:
            self._stale[request_id] = (before, reads - 1)
            return before
        return self.held[request_id]

    def _pending(self) -> list[Held]:
        seen = [self._look_up(request_id) for request_id in self.held if request_id not in self.hidden]
        listed = [held for held in seen if self._native(held) == "PendingApproval"]
        return listed[::-1] if self.backwards else listed

    def _native(self, held: Held) -> str:
        if held.canceled:
            return "Canceled"
        if held.review is not None:
            return "Provisioned" if held.review.verdict is Verdict.APPROVE else "Denied"
        if self.clock() < held.request.expires:
            return "PendingApproval"
        return "TimedOut" if self.kind is Kind.AZURE else "Failed"

    def _assigned(self, held: Held, who: str) -> bool:
        return who in held.approvers and who != held.request.requestor.id

    def _step(self, held: Held, who: str) -> Step:
        mine = self._assigned(held, who)
        if held.review is None:
            waits = self._native(held) == "PendingApproval" and not held.stepless
            status = "InProgress" if waits else "Expired"
            return Step(held.step, status, "NotReviewed", mine)
        review = held.review
        said = f"{review.verdict}d" if review.verdict is Verdict.APPROVE else "Denied"
        return Step(held.step, "Completed", said, mine, review.by, review.at, review.comment)
