"""What every desk promises: the real adapter on the emulated Microsoft, and the double that use cases are tested with.

A promise that only one of them keeps would make the tests of the use cases worthless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import people as cast
import pytest
from build import a_request, guid, known_as
from fakes import APP, FakeClock, FakeDesk, bearer
from starlette.applications import Starlette

from app.domain.endings import whose
from app.domain.errors import AlreadyDecided, GraphRefused, OutcomeUnknown, RequestGone
from app.domain.request import ActivationRequest, Person, PolicyFacts, Role, Status, Ticket, Verdict
from app.domain.ruling import Step
from app.graph.client import Gate
from app.graph.directory_roles import DirectoryRoles
from app.ports import Desk, TokenSource
from app.sandbox.server import build as build_world

READER = Role("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader", built_in=True)
FACTS = PolicyFacts(comment_required=False, ticket_required=False, longest=timedelta(hours=10))
WHY = "Monthly licence usage report for finance"


class Place(Protocol):
    """A Microsoft with a cast: ann, ben and cleo approve, rob and rita ask, olga is a stranger; `app` is the bot."""

    desk: Desk

    async def ask(self, requestor: str = "rob", *, age: timedelta = timedelta(0)) -> str:
        """Somebody asks for Reports Reader for two hours with a reason and a ticket; the request's id."""

    def token(self, who: str) -> TokenSource:
        """Whose bearer token."""

    def oid(self, who: str) -> str:
        """Whose object id."""

    async def cancel(self, request_id: str) -> None:
        """The requestor withdraws."""

    async def lose_answer(self, *, processed: bool) -> None:
        """The answer to the next decision is lost, after or before it was processed."""


class Emulated:
    """`DirectoryRoles` on the sandbox's Graph, driven through `/control`."""

    def __init__(self, world: Starlette) -> None:
        transport = httpx.ASGITransport(world)
        settings = world.state.world.settings
        self._http = httpx.AsyncClient(transport=transport, base_url=settings.world_url)
        self._people = world.state.world.people
        self.desk = DirectoryRoles(Gate(f"{settings.world_url}/graph", _now, transport=transport))

    async def ask(self, requestor: str = "rob", *, age: timedelta = timedelta(0)) -> str:
        asked = {"kind": "entra", "requestor": requestor, "role": READER.id, "duration": "PT2H", "justification": WHY}
        ticket = {"number": "REQ-1", "system": "ServiceNow"}
        made = await self._post("requests", {**asked, "ticket": ticket, "age": f"PT{int(age.total_seconds())}S"})
        return str(made["id"])

    def token(self, who: str) -> TokenSource:
        async def token() -> str:
            answer = await self._http.get("/control/token", params={"user": who, "resource": "graph"})
            return str(answer.json()["access_token"])

        return token

    def oid(self, who: str) -> str:
        return str(self._people[who].oid)

    async def cancel(self, request_id: str) -> None:
        await self._post(f"requests/{request_id}/cancel", {})

    async def lose_answer(self, *, processed: bool) -> None:
        deed = "drop_after" if processed else "drop_before"
        await self._post("faults", [{"service": "graph", "method": "PATCH", "path": "", "do": deed, "times": 1}])

    async def _post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        answer = await self._http.post(f"/control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


class Doubled:
    """The recording double."""

    def __init__(self) -> None:
        self._clock = FakeClock()
        self.desk = FakeDesk(self._clock, policies={READER.id: FACTS})

    async def ask(self, requestor: str = "rob", *, age: timedelta = timedelta(0)) -> str:
        request = a_request(
            requestor=self._person(requestor),
            role=READER,
            justification=WHY,
            ticket=Ticket("REQ-1", "ServiceNow"),
            created=self._clock() - age,
        )
        self.desk.ask(request, [cast.ann, cast.ben, cast.cleo])
        return request.key.id

    def token(self, who: str) -> TokenSource:
        return bearer(APP if who == "app" else self.oid(who))

    def oid(self, who: str) -> str:
        return self._person(who).id

    async def cancel(self, request_id: str) -> None:
        self.desk.withdraw(request_id)

    async def lose_answer(self, *, processed: bool) -> None:
        (self.desk.lose_answer_after if processed else self.desk.lose_answer_before)()

    def _person(self, who: str) -> Person:
        found = getattr(cast, who)
        assert isinstance(found, Person)
        return found


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    """One world for all tests of this file: its signing key takes long to make. The bot is not started."""
    directory: Path = tmp_path_factory.mktemp("world")
    return build_world(8765, 8766, directory, {})


@pytest.fixture(params=["emulated", "doubled"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "doubled":
        yield Doubled()
        return
    world = request.getfixturevalue("world")
    yield Emulated(world)
    world.state.world.reset()


async def live_step(place: Place, request_id: str, who: str) -> Step:
    (step,) = await place.desk.steps(known_as(request_id), place.token(who))
    return step


async def decide(place: Place, request_id: str, who: str, verdict: Verdict = Verdict.APPROVE, why: str = "ok") -> None:
    step = await live_step(place, request_id, "ann")
    await place.desk.decide(known_as(request_id), step.id, verdict, why, place.token(who))


async def listed(place: Place, who: str) -> dict[str, ActivationRequest]:
    listing = await (place.desk.list_all if who == "app" else place.desk.list_for)(place.token(who))
    assert listing.complete
    return {request.key.id: request for request in listing.requests}


async def status(place: Place, request_id: str) -> Status | None:
    return place.desk.ended(await place.desk.fetch(known_as(request_id), place.token("ann")))


# --- reading ---


async def test_a_request_reads_as_it_was_asked(place: Place) -> None:
    request_id = await place.ask()
    request = (await listed(place, "app"))[request_id]
    assert (request.requestor.id, request.created_by) == (place.oid("rob"), place.oid("rob"))
    assert (request.role.id, request.role.name, request.scope.id) == (READER.id, READER.name, "/")
    assert (request.justification, request.ticket) == (WHY, Ticket("REQ-1", "ServiceNow"))
    assert (request.duration, request.decidable) == (timedelta(hours=2), True)
    assert request.native_status == "PendingApproval"
    assert place.desk.ended(request) is None


async def test_a_request_has_one_digest_wherever_it_is_read(place: Place) -> None:
    request_id = await place.ask()
    read = [(await listed(place, who))[request_id] for who in ("app", "ann", "ben", "app")]
    read.append(await place.desk.fetch(known_as(request_id), place.token("ann")))
    assert len({(request.digest, request.expires) for request in read}) == 1


async def test_approvers_see_what_waits_for_them_and_others_do_not(place: Place) -> None:
    request_id, anns = await place.ask("rob"), await place.ask("ann")
    assert {request_id, anns} <= (await listed(place, "ben")).keys()
    assert request_id in await listed(place, "ann")
    assert anns not in await listed(place, "ann")
    for who in ("rob", "olga"):
        assert not {request_id, anns} & (await listed(place, who)).keys()


async def test_an_approver_may_not_list_everything(place: Place) -> None:
    with pytest.raises(GraphRefused) as caught:
        await place.desk.list_all(place.token("ann"))
    assert caught.value.status == 403


async def test_fifty_rows_are_all_that_is_shown_and_nothing_is_concluded_from_them(place: Place) -> None:
    for _ in range(51):
        await place.ask()
    mine = await place.desk.list_for(place.token("ann"))
    everything = await place.desk.list_all(place.token("app"))
    assert (len(mine.requests), mine.full_page, mine.complete) == (50, True, False)
    assert len(everything.requests) >= 51
    assert (everything.full_page, everything.complete) == (False, True)


@pytest.mark.parametrize("who, live", [("ann", True), ("ben", True), ("olga", False), ("rob", False)])
async def test_a_step_is_live_for_approvers_only(place: Place, who: str, live: bool) -> None:  # noqa: FBT001 - a table
    step = await live_step(place, await place.ask(), who)
    assert step.live is live
    assert (step.verdict, step.reviewed_by) == (None, None)


# --- deciding ---


@pytest.mark.parametrize("verdict, ending", [(Verdict.APPROVE, Status.APPROVED), (Verdict.DENY, Status.DENIED)])
async def test_a_decision_counts_under_the_name_of_who_made_it(place: Place, verdict: Verdict, ending: Status) -> None:
    request_id = await place.ask()
    await decide(place, request_id, "ann", verdict, "Looks right")
    step = await live_step(place, request_id, "ben")
    assert (step.live, step.verdict, step.justification) == (False, verdict, "Looks right")
    assert step.reviewed_at is not None
    assert whose((step,), step.id, Person(place.oid("ann")), verdict) is True
    assert await status(place, request_id) is ending
    for who in ("app", "ann", "ben"):
        assert request_id not in await listed(place, who)


async def test_the_second_decision_is_told_so_and_changes_nothing(place: Place) -> None:
    request_id = await place.ask()
    await decide(place, request_id, "ann")
    for who in ("ben", "ann"):
        with pytest.raises(AlreadyDecided):
            await decide(place, request_id, who, Verdict.DENY)
    assert await status(place, request_id) is Status.APPROVED


async def test_of_two_decisions_at_once_one_counts(place: Place) -> None:
    request_id = await place.ask()
    both = (decide(place, request_id, "ann"), decide(place, request_id, "ben", Verdict.DENY))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyDecided", "NoneType"]
    winner = Status.APPROVED if outcomes[0] is None else Status.DENIED
    assert await status(place, request_id) is winner


@pytest.mark.parametrize("who", ["olga", "rita", "rob", "app"])
async def test_who_is_no_approver_is_refused_and_changes_nothing(place: Place, who: str) -> None:
    request_id = await place.ask("rob")
    with pytest.raises(GraphRefused) as caught:
        await decide(place, request_id, who)
    assert type(caught.value) is GraphRefused
    assert caught.value.status == 403
    assert (await live_step(place, request_id, "ann")).live


async def test_an_approver_does_not_decide_an_own_request(place: Place) -> None:
    request_id = await place.ask("ann")
    step = await live_step(place, request_id, "ann")
    assert not step.live
    with pytest.raises(GraphRefused):
        await decide(place, request_id, "ann")
    assert await status(place, request_id) is None


@pytest.mark.parametrize("processed", [True, False])
async def test_a_lost_answer_says_nothing_and_the_steps_say_what_happened(place: Place, processed: bool) -> None:  # noqa: FBT001 - a table
    request_id = await place.ask()
    await place.lose_answer(processed=processed)
    with pytest.raises(OutcomeUnknown):
        await decide(place, request_id, "ann")
    step = await live_step(place, request_id, "ann")
    assert step.live is not processed
    mine = whose((step,), step.id, Person(place.oid("ann")), Verdict.APPROVE)
    assert mine is (True if processed else None)


# --- endings ---


async def test_a_withdrawn_request_is_gone_from_the_lists_and_cannot_be_decided(place: Place) -> None:
    request_id = await place.ask()
    step = await live_step(place, request_id, "ann")
    await place.cancel(request_id)
    assert await status(place, request_id) is Status.CANCELED
    assert request_id not in await listed(place, "app")
    with pytest.raises(RequestGone):
        await place.desk.steps(known_as(request_id), place.token("ann"))
    with pytest.raises(RequestGone):
        await place.desk.decide(known_as(request_id), step.id, Verdict.APPROVE, "ok", place.token("ann"))


async def test_a_request_older_than_a_day_is_over_and_cannot_be_decided(place: Place) -> None:
    request_id = await place.ask(age=timedelta(hours=24, seconds=1))
    assert request_id not in await listed(place, "app")
    assert request_id not in await listed(place, "ann")
    assert await status(place, request_id) is Status.FAILED
    step = await live_step(place, request_id, "ann")
    assert (step.live, step.verdict) == (False, None)
    with pytest.raises(RequestGone):
        await decide(place, request_id, "ann")


async def test_what_microsoft_never_knew_is_gone(place: Place) -> None:
    stranger, token = guid(), place.token("ann")
    for call in (
        place.desk.fetch(known_as(stranger), token),
        place.desk.steps(known_as(stranger), token),
        place.desk.decide(known_as(stranger), guid(), Verdict.DENY, "no", token),
        place.desk.decide(known_as(await place.ask()), guid(), Verdict.DENY, "no", token),
    ):
        with pytest.raises(RequestGone):
            await call


@pytest.mark.parametrize("who", ["app", "ann"])
async def test_a_roles_settings_are_read_as_facts(place: Place, who: str) -> None:
    request = await place.desk.fetch(known_as(await place.ask()), place.token("ann"))
    assert await place.desk.policy(request, place.token(who)) == FACTS
