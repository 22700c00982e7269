"""What every desk promises: each real adapter on the emulated Microsoft, and the double that use cases are tested with.

A promise that only one of them keeps would make the tests of the use cases worthless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import people as cast
import pytest
from build import a_request, guid
from contracts.grounds import AZURE, EVERY, Ground
from fakes import APP, FakeClock, FakeDesk, bearer
from starlette.applications import Starlette

from app.domain.calls import Receipt
from app.domain.endings import whose
from app.domain.errors import AlreadyDecided, GraphRefused, OutcomeUnknown, RequestGone
from app.domain.removal import same_access
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts, RequestKey, Status, Ticket, Verdict
from app.domain.ruling import Step
from app.graph import azure_resources
from app.graph.azure_resources import AzureResources
from app.graph.client import Gate
from app.graph.directory import Directory
from app.graph.directory_roles import DirectoryRoles
from app.graph.groups import Groups
from app.ports import Desk, Removal, Resource, TokenSource, Vote
from app.sandbox.server import build as build_world

WHY = "Monthly licence usage report for finance"
SHAPES = ("put", "patch_wrapped", "patch_bare", "batch")


class Place(Protocol):
    """A Microsoft with a cast: ann, ben and cleo approve, rob and rita ask, olga is a stranger; `app` is the bot."""

    ground: Ground
    desk: Desk

    async def ask(self, requestor: str = "rob", *, age: timedelta = timedelta(0)) -> ActivationRequest:
        """Somebody asks for the ground's role, for two hours, with a reason and a ticket; the request as we know it."""

    def token(self, who: str) -> TokenSource:
        """Whose bearer token."""

    def person(self, who: str) -> Person:
        """Somebody as Microsoft knows them."""

    async def cancel(self, request: ActivationRequest) -> None:
        """The requestor withdraws."""

    async def lose_answer(self, *, processed: bool, removal: bool = False) -> None:
        """The answer to the next decision (or removal) is lost, after or before it was processed."""


class Emulated:
    """A desk on the sandbox's Graph or ARM, driven through `/control`."""

    def __init__(self, world: Starlette, ground: Ground, watched: tuple[str, ...] | None = None) -> None:
        watched = (ground.scope.id,) if watched is None else watched
        transport = httpx.ASGITransport(world)
        settings = world.state.world.settings
        self.ground = ground
        self._world = world.state.world
        self._http = httpx.AsyncClient(transport=transport, base_url=settings.world_url)
        graph = Gate(f"{settings.world_url}/graph", _now, transport=transport)
        arm = Gate(f"{settings.world_url}/arm", _now, transport=transport, manners=azure_resources.MANNERS)
        directory = Directory(graph, self._readers, _now)
        self.desk: Desk = {
            Kind.ENTRA: DirectoryRoles(graph, directory),
            Kind.AZURE: AzureResources(arm, directory, watched),
            Kind.GROUP: Groups(graph, directory, watched),
        }[ground.kind]

    async def ask(self, requestor: str = "rob", *, age: timedelta = timedelta(0)) -> ActivationRequest:
        asked = {
            "kind": self.ground.kind.value,
            "requestor": requestor,
            "role": self.ground.role.id,
            "scope": self.ground.scope.id,
            "duration": "PT2H",
            "justification": WHY,
            "ticket": {"number": "REQ-1", "system": "ServiceNow"},
            "age": f"P{age.days}DT{age.seconds}S",
        }
        made = await self.control("requests", asked)
        approval = self._world.requests[made["id"]].approval_id if self.ground.kind is Kind.AZURE else ""
        return _known(self, str(made["id"]), requestor, datetime.fromisoformat(made["created"]), approval)

    def token(self, who: str, resource: Resource | None = None) -> TokenSource:
        query = {"user": who, "resource": (resource or self.ground.resource).value}

        async def token() -> str:
            return str((await self._http.get("/control/token", params=query)).json()["access_token"])

        return token

    async def _readers(self) -> list[TokenSource]:
        return [self.token("app", Resource.GRAPH)]

    def person(self, who: str) -> Person:
        known = self._world.people[who]
        return Person(known.oid, known.name, known.upn, known.mail or "")

    async def cancel(self, request: ActivationRequest) -> None:
        await self.control(f"requests/{request.key.id}/cancel", {})

    async def lose_answer(self, *, processed: bool, removal: bool = False) -> None:
        deed = "drop_after" if processed else "drop_before"
        method = "PUT" if self.ground.kind is Kind.AZURE else "POST" if removal else "PATCH"
        service = self.ground.resource.value
        await self.control("faults", [{"service": service, "method": method, "path": "", "do": deed, "times": 1}])

    async def accept(self, shape: str) -> None:
        """From now on ARM takes decisions in this shape only."""
        await self.control("arm", {"accepts": [shape]})

    async def control(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """The test's hand in that world."""
        answer = await self._http.post(f"/control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


class Doubled:
    """The recording double."""

    def __init__(self, ground: Ground) -> None:
        self._clock = FakeClock()
        self.ground = ground
        facts = ground.facts([cast.ann, cast.ben, cast.cleo])
        self.desk = FakeDesk(self._clock, ground.kind, ground.resource, policies={ground.role.id: facts})

    async def ask(self, requestor: str = "rob", *, age: timedelta = timedelta(0)) -> ActivationRequest:
        request = _known(self, guid(), requestor, self._clock() - age, "")
        self.desk.ask(request, [cast.ann, cast.ben, cast.cleo])
        return request

    def token(self, who: str) -> TokenSource:
        return bearer(APP if who == "app" else self.person(who).id)

    def person(self, who: str) -> Person:
        found = getattr(cast, who)
        assert isinstance(found, Person)
        return found

    async def cancel(self, request: ActivationRequest) -> None:
        self.desk.withdraw(request.key.id)

    async def lose_answer(self, *, processed: bool, removal: bool = False) -> None:
        method = "remove" if removal else "decide"
        (self.desk.lose_answer_after if processed else self.desk.lose_answer_before)(method=method)


def _known(place: Place, id_: str, requestor: str, created: datetime, approval: str) -> ActivationRequest:
    """The request as our memory would hold it."""
    return a_request(
        key=RequestKey(place.ground.kind, id_),
        requestor=place.person(requestor),
        role=place.ground.role,
        scope=place.ground.scope,
        justification=WHY,
        ticket=Ticket("REQ-1", "ServiceNow"),
        created=created,
        approval_id=approval,
    )


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    """One world for all tests of this file: its signing key takes long to make. The bot is not started."""
    directory: Path = tmp_path_factory.mktemp("world")
    return build_world(8765, 8766, directory, {})


@pytest.fixture(params=EVERY, ids=lambda ground: str(ground.kind))
def ground(request: pytest.FixtureRequest) -> Ground:
    found = request.param
    assert isinstance(found, Ground)
    return found


@pytest.fixture(params=["emulated", "doubled"])
def place(request: pytest.FixtureRequest, ground: Ground) -> Iterator[Place]:
    if request.param == "doubled":
        yield Doubled(ground)
        return
    world = request.getfixturevalue("world")
    yield Emulated(world, ground)
    world.state.world.reset()


async def live_step(place: Place, request: ActivationRequest, who: str) -> Step:
    (step,) = await place.desk.steps(request, place.token(who))
    return step


async def decide(
    place: Place, request: ActivationRequest, who: str, verdict: Verdict = Verdict.APPROVE, why: str = "ok"
) -> Receipt:
    step = await live_step(place, request, "ann")
    return await place.desk.decide(request, Vote(step.id, verdict, why, guid()), place.token(who))


async def listed(place: Place, who: str) -> dict[str, ActivationRequest]:
    listing = await (place.desk.list_all if who == "app" else place.desk.list_for)(place.token(who))
    assert (listing.kind, listing.complete) == (place.ground.kind, True)
    return {request.key.id: request for request in listing.requests}


async def status(place: Place, request: ActivationRequest) -> Status | None:
    return place.desk.ended(await place.desk.fetch(request, place.token("ann")))


# --- reading ---


async def test_a_request_reads_as_it_was_asked(place: Place) -> None:
    asked = await place.ask()
    request = (await listed(place, "app"))[asked.key.id]
    assert (request.requestor, request.created_by) == (place.person("rob"), place.person("rob").id)
    assert (request.role.id, request.scope.id) == (place.ground.role.id, place.ground.scope.id)
    # Azure leaves the names out of some rows.
    assert (request.role.name, request.role.path) in {("", asked.role.path), (asked.role.name, asked.role.path)}
    assert (request.justification, request.ticket) == (WHY, Ticket("REQ-1", "ServiceNow"))
    assert (request.duration, request.decidable) == (timedelta(hours=2), True)
    assert (request.native_status, request.approval_id) == ("PendingApproval", asked.approval_id)
    assert place.desk.ended(request) is None


async def test_many_requests_all_read_as_they_were_asked(place: Place) -> None:
    """Microsoft's spellings differ from row to row: enough rows show each of them."""
    asked = {request.key.id: request for request in [await place.ask() for _ in range(40)]}
    read = await listed(place, "app")
    for id_, request in asked.items():
        assert read[id_].digest == replace(request, created_by=read[id_].created_by, start=read[id_].start).digest
        assert read[id_].requestor == request.requestor


async def test_a_request_has_one_digest_wherever_it_is_read(place: Place) -> None:
    asked = await place.ask()
    read = [(await listed(place, who))[asked.key.id] for who in ("app", "ann", "ben", "app")]
    read += [await place.desk.fetch(asked, place.token(who)) for who in ("ann", "app", "rob")]
    assert len({(request.digest, request.expires) for request in read}) == 1


async def test_approvers_see_what_waits_for_them_and_others_do_not(place: Place) -> None:
    robs, anns = (await place.ask("rob")).key.id, (await place.ask("ann")).key.id
    assert {robs, anns} <= (await listed(place, "ben")).keys()
    assert robs in await listed(place, "ann")
    assert anns not in await listed(place, "ann")
    for who in ("rob", "olga"):
        assert not {robs, anns} & (await listed(place, who)).keys()


async def test_an_approver_may_not_list_everything(place: Place) -> None:
    with pytest.raises(GraphRefused):
        await place.desk.list_all(place.token("ann"))


async def test_where_fifty_rows_are_all_that_is_shown_nothing_is_concluded_from_them(place: Place) -> None:
    for _ in range(60):
        await place.ask()
    mine = await place.desk.list_for(place.token("ann"))
    everything = await place.desk.list_all(place.token("app"))
    limited = place.ground.limited
    assert (mine.full_page, mine.complete) == (limited, not limited)
    assert len(mine.requests) == 50 if limited else len(mine.requests) >= 60
    assert len(everything.requests) >= 60
    assert (everything.full_page, everything.complete) == (False, True)


@pytest.mark.parametrize("who, live", [("ann", True), ("ben", True), ("rob", False)])
async def test_a_step_is_live_for_approvers_only(place: Place, who: str, live: bool) -> None:  # noqa: FBT001 - a table
    step = await live_step(place, await place.ask(), who)
    assert step.live is live
    assert (step.verdict, step.reviewed_by) == (None, None)


# --- deciding ---


@pytest.mark.parametrize("verdict, ending", [(Verdict.APPROVE, Status.APPROVED), (Verdict.DENY, Status.DENIED)])
async def test_a_decision_counts_under_the_name_of_who_made_it(place: Place, verdict: Verdict, ending: Status) -> None:
    request = await place.ask()
    await decide(place, request, "ann", verdict, "Looks right")
    step = await live_step(place, request, "ben")
    assert (step.live, step.verdict, step.justification) == (False, verdict, "Looks right")
    assert step.reviewed_at is not None
    assert whose((step,), step.id, place.person("ann"), verdict) is True
    assert await status(place, request) is ending
    for who in ("app", "ann", "ben"):
        assert request.key.id not in await listed(place, who)


async def test_the_second_decision_is_told_so_and_changes_nothing(place: Place) -> None:
    request = await place.ask()
    await decide(place, request, "ann")
    for who in ("ben", "ann"):
        with pytest.raises(AlreadyDecided) as refused:
            await decide(place, request, who, Verdict.DENY)
        assert refused.value.request_id
    assert await status(place, request) is Status.APPROVED


async def test_microsofts_name_for_its_answer_comes_back(place: Place) -> None:
    names = [(await decide(place, await place.ask(), "ann", verdict)).request_id for verdict in Verdict]
    assert all(names)
    assert len(set(names)) == 2


async def test_of_two_decisions_at_once_one_counts(place: Place) -> None:
    request = await place.ask()
    both = (decide(place, request, "ann"), decide(place, request, "ben", Verdict.DENY))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyDecided", "Receipt"]
    winner = Status.APPROVED if isinstance(outcomes[0], Receipt) else Status.DENIED
    assert await status(place, request) is winner


@pytest.mark.parametrize("who", ["olga", "rita", "rob", "app"])
async def test_who_is_no_approver_is_refused_and_changes_nothing(place: Place, who: str) -> None:
    request = await place.ask("rob")
    with pytest.raises(GraphRefused) as caught:
        await decide(place, request, who)
    assert type(caught.value) is GraphRefused
    assert caught.value.status == 403
    assert (await live_step(place, request, "ann")).live


async def test_an_approver_does_not_decide_an_own_request(place: Place) -> None:
    request = await place.ask("ann")
    assert not (await live_step(place, request, "ann")).live
    with pytest.raises(GraphRefused):
        await decide(place, request, "ann")
    assert await status(place, request) is None


@pytest.mark.parametrize("processed", [True, False])
async def test_a_lost_answer_says_nothing_and_the_steps_say_what_happened(place: Place, processed: bool) -> None:  # noqa: FBT001 - a table
    request = await place.ask()
    await place.lose_answer(processed=processed)
    with pytest.raises(OutcomeUnknown):
        await decide(place, request, "ann")
    step = await live_step(place, request, "ann")
    assert step.live is not processed
    mine = whose((step,), step.id, place.person("ann"), Verdict.APPROVE)
    assert mine is (True if processed else None)


# --- endings ---


@pytest.mark.parametrize("by_desk", [True, False])
async def test_a_withdrawn_request_is_gone_from_the_lists_and_cannot_be_decided(place: Place, by_desk: bool) -> None:  # noqa: FBT001 - a table
    request = await place.ask()
    step = await live_step(place, request, "ann")
    await (place.desk.cancel(request, place.token("rob")) if by_desk else place.cancel(request))
    assert await status(place, request) is Status.CANCELED
    assert request.key.id not in await listed(place, "app")
    with pytest.raises(RequestGone):
        await place.desk.steps(request, place.token("ann"))
    with pytest.raises(RequestGone):
        await place.desk.decide(request, Vote(step.id, Verdict.APPROVE, "ok"), place.token("ann"))


async def test_only_its_requestor_withdraws_a_request_and_only_while_it_waits(place: Place) -> None:
    request = await place.ask()
    with pytest.raises(GraphRefused):
        await place.desk.cancel(request, place.token("ann"))
    await decide(place, request, "ann")
    with pytest.raises(GraphRefused):
        await place.desk.cancel(request, place.token("rob"))
    assert await status(place, request) is Status.APPROVED


async def test_a_request_older_than_a_day_is_over_and_cannot_be_decided(place: Place) -> None:
    request = await place.ask(age=timedelta(hours=24, seconds=1))
    for who in ("app", "ann"):
        assert request.key.id not in await listed(place, who)
    fresh = await place.desk.fetch(request, place.token("ann"))
    assert fresh.native_status == place.ground.over
    assert place.desk.ended(fresh) is (Status.EXPIRED if place.ground.over == "TimedOut" else Status.FAILED)
    step = await live_step(place, request, "ann")
    assert (step.live, step.verdict) == (False, None)
    with pytest.raises(RequestGone):
        await decide(place, request, "ann")


async def test_what_microsoft_never_knew_is_gone(place: Place) -> None:
    known, token = await place.ask(), place.token("ann")
    stranger = replace(known, key=RequestKey(place.ground.kind, guid()), approval_id="")
    for call in (
        place.desk.fetch(stranger, token),
        place.desk.steps(stranger, token),
        place.desk.decide(stranger, Vote(guid(), Verdict.DENY, "no"), token),
        place.desk.decide(known, Vote(guid(), Verdict.DENY, "no"), token),
    ):
        with pytest.raises(RequestGone):
            await call


async def test_what_has_ended_is_listed_from_a_time_on(place: Place) -> None:
    waits, old = await place.ask(), await place.ask(age=timedelta(days=3))
    denied, canceled = await place.ask(), await place.ask()
    await decide(place, denied, "ann", Verdict.DENY)
    await place.cancel(canceled)
    listing = await place.desk.list_ended(waits.created - timedelta(hours=1), place.token("app"))
    found = {request.key.id: place.desk.ended(request) for request in listing.requests}
    assert (found[denied.key.id], found[canceled.key.id]) == (Status.DENIED, Status.CANCELED)
    assert not {waits.key.id, old.key.id} & found.keys()


async def test_a_role_is_held_while_its_instance_says_so(place: Place) -> None:
    request = await place.ask()
    assert await place.desk.term(request, place.token("app")) is None
    await decide(place, request, "ann")
    term = await place.desk.term(request, place.token("app"))
    assert term is not None
    assert term.end is not None
    assert term.end - term.start == timedelta(hours=2)


# --- taking a role away ---


async def remove(place: Place, request: ActivationRequest, who: str = "ben", why: str = "A slip") -> Receipt:
    return await place.desk.remove(request, Removal(why, guid()), place.token(who))


async def held(place: Place) -> ActivationRequest:
    request = await place.ask()
    await decide(place, request, "ann")
    return request


@pytest.mark.parametrize("who", ["app", "ann"])
async def test_what_is_held_reads_as_the_access_that_was_listed(place: Place, who: str) -> None:
    asked = await place.ask()
    listing = await place.desk.list_for(place.token("ann"))
    (listed,) = (request for request in listing.requests if request.key == asked.key)
    await decide(place, asked, "ann")
    fresh = await place.desk.fetch(listed, place.token(who))
    assert same_access(listed, fresh)
    assert fresh.role.path == listed.role.path


async def test_an_administrator_takes_away_what_is_held(place: Place) -> None:
    request = await held(place)
    assert (await remove(place, request)).request_id
    assert await place.desk.term(request, place.token("app")) is None


@pytest.mark.parametrize("who", ["ann", "rita", "olga"])
async def test_who_administers_nothing_takes_nothing_away(place: Place, who: str) -> None:
    request = await held(place)
    with pytest.raises(GraphRefused) as caught:
        await remove(place, request, who)
    assert caught.value.status == 403
    assert await place.desk.term(request, place.token("app")) is not None


async def test_what_is_not_held_cannot_be_taken_away(place: Place) -> None:
    waits, twice = await place.ask("rita"), await held(place)
    await remove(place, twice)
    for request in (waits, twice):
        with pytest.raises(GraphRefused) as caught:
            await remove(place, request)
        assert (caught.value.status, caught.value.code) == (400, "RoleAssignmentDoesNotExist")


@pytest.mark.parametrize("processed", [True, False])
async def test_a_lost_answer_to_a_removal_says_nothing_and_the_instance_does(place: Place, processed: bool) -> None:  # noqa: FBT001 - a table
    request = await held(place)
    await place.lose_answer(processed=processed, removal=True)
    with pytest.raises(OutcomeUnknown):
        await remove(place, request)
    assert (await place.desk.term(request, place.token("app")) is None) is processed


# --- settings ---


async def test_the_settings_are_read_as_facts(place: Place) -> None:
    request = await place.desk.fetch(await place.ask(), place.token("ann"))
    facts = place.ground.facts([place.person(who) for who in ("ann", "ben", "cleo")])
    assert await place.desk.policy(request, place.token("app")) == facts


async def test_settings_are_facts_or_unknown_for_an_approver_too(place: Place) -> None:
    request = await place.desk.fetch(await place.ask(), place.token("ann"))
    facts = place.ground.facts([place.person(who) for who in ("ann", "ben", "cleo")])
    assert await place.desk.policy(request, place.token("ann")) in {facts, PolicyFacts()}


# --- Azure's shapes of a decision ---


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("verdict, ending", [(Verdict.APPROVE, Status.APPROVED), (Verdict.DENY, Status.DENIED)])
async def test_azure_takes_a_decision_in_whatever_shape_the_tenant_wants(
    world: Starlette, shape: str, verdict: Verdict, ending: Status
) -> None:
    place = Emulated(world, AZURE)
    await place.accept(shape)
    for who in ("ann", "ben"):
        request = await place.ask()
        await decide(place, request, who, verdict)
        assert await status(place, request) is ending
        assert (await live_step(place, request, "cleo")).reviewed_by == replace(place.person(who), mail="")
        with pytest.raises(AlreadyDecided):
            await decide(place, request, "cleo", Verdict.DENY)
    world.state.world.reset()


async def test_where_azure_takes_no_shape_nothing_is_changed(world: Starlette) -> None:
    place = Emulated(world, AZURE)
    await place.accept("put")
    request = await place.ask()
    await place.control("faults", [{"service": "arm", "method": "PUT", "path": "", "do": "answer", "status": 403}])
    with pytest.raises(GraphRefused):
        await decide(place, request, "ann")
    assert (await live_step(place, request, "ann")).live
    world.state.world.reset()


# --- what an application watches when nothing is configured ---


@pytest.mark.parametrize("ground", [ground for ground in EVERY if ground.kind is not Kind.ENTRA], indirect=True)
async def test_an_application_finds_what_it_may_watch_and_a_person_finds_nothing(
    world: Starlette, ground: Ground
) -> None:
    place = Emulated(world, ground, watched=())
    request = await place.ask()
    assert request.key.id in await listed(place, "app")
    nothing = await place.desk.list_all(place.token("ann"))
    assert (nothing.requests, nothing.complete) == ((), True)
    world.state.world.reset()
