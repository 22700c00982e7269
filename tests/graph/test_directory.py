"""Questions about Entra: whose token asks, what is remembered for how long, and what nobody may read."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from build import guid
from graph.fake_microsoft import (
    EVIL_IDS,
    PRIVILEGED,
    Answer,
    FakeMicrosoft,
    Json,
    Rig,
    a_row,
    error,
    line_of,
    ok,
    page,
    rig,
    throttled,
    token,
)
from people import ann, ben, rob

from app.domain.errors import SignInRequired
from app.domain.request import Person
from app.graph.directory import Directory
from app.ports import TokenSource

NAMES = "$select=id,displayName,userPrincipalName,mail"
GROUP = guid()


def row(person: Person) -> Json:
    return {"id": person.id, "displayName": person.name, "userPrincipalName": person.upn, "mail": person.mail}


def named(name: str) -> TokenSource:
    async def source() -> str:
        return name

    return source


async def over() -> str:
    raise SignInRequired


def asked_by(*sources: TokenSource, answers: Sequence[Answer]) -> tuple[FakeMicrosoft, Directory]:
    there = rig(*answers)

    async def readers() -> Sequence[TokenSource]:
        return sources

    return there.microsoft, Directory(there.gate, readers, there.clock)


async def test_a_person_is_asked_for_once() -> None:
    there = rig(ok(row(ann)))
    assert await there.directory.person(ann.id) == await there.directory.person(ann.id) == ann
    assert there.microsoft.lines == [f"GET /v1.0/users/{ann.id}?{NAMES}"]


@pytest.mark.parametrize("said, enabled", [(True, True), (False, False), (None, None), ("yes", None)])
async def test_an_account_is_enabled_disabled_or_unknown(said: object, enabled: bool | None) -> None:  # noqa: FBT001 - a table
    there = rig(httpx.Response(200, json={"id": ann.id, "accountEnabled": said}))
    assert await there.directory.enabled(ann.id) is enabled


async def test_members_are_users_of_every_page() -> None:
    link = "https://graph.microsoft.com/v1.0/groups/x/transitiveMembers?$skiptoken=1"
    there = rig(page(row(ann), following=link), page(row(ben)))
    assert await there.directory.members(GROUP) == (ann, ben)
    assert there.microsoft.lines[0] == (f"GET /v1.0/groups/{GROUP}/transitiveMembers/microsoft.graph.user?{NAMES}")


async def test_an_empty_group_is_known_to_be_empty() -> None:
    assert await rig(page()).directory.members(GROUP) == ()


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": [None]}, {"value": [{"id": "../x"}]}])
async def test_members_that_cannot_be_read_are_unknown_and_not_nobody(body: object) -> None:
    assert await rig(*[ok(body)] * 3).directory.members(GROUP) is None


async def test_an_answer_is_asked_for_again_after_ten_minutes() -> None:
    there = rig(page(row(ann)), page(row(ben)))
    first = await there.directory.members(GROUP)
    there.clock.forward(599)
    assert await there.directory.members(GROUP) == first == (ann,)
    there.clock.forward(1)
    assert await there.directory.members(GROUP) == (ben,)


@pytest.mark.parametrize("refusal", [error(403), error(404), error(401)])
async def test_a_refusal_is_remembered_as_long(refusal: httpx.Response) -> None:
    there = rig(refusal, page(row(ann)))
    assert [await there.directory.members(GROUP) for _ in range(3)] == [None] * 3
    there.clock.forward(600)
    assert await there.directory.members(GROUP) == (ann,)


@pytest.mark.parametrize("outage", [[error(500)] * 3, [httpx.ReadTimeout("no")] * 3])
async def test_an_outage_is_not_remembered(outage: list[Answer]) -> None:
    there = rig(*outage, page(row(ann)))
    assert await there.directory.members(GROUP) is None
    assert await there.directory.members(GROUP) == (ann,)


async def test_a_throttled_question_waits_with_everything_else() -> None:
    there = rig(throttled("30"), page(row(ann)))
    assert [await there.directory.members(GROUP) for _ in range(2)] == [None, None]
    there.clock.forward(31)
    assert await there.directory.members(GROUP) == (ann,)


async def test_the_next_reader_is_asked_where_one_may_not() -> None:
    answers = [error(403), page(row(ann))]
    microsoft, directory = asked_by(named("first"), over, named("third"), named("fourth"), answers=answers)
    assert await directory.members(GROUP) == (ann,)
    bearers = [request.headers["authorization"] for request in microsoft.requests]
    assert bearers == ["Bearer first", "Bearer third"]


async def test_only_a_few_readers_are_asked() -> None:
    microsoft, directory = asked_by(*[named("x")] * 9, answers=[error(403)] * 4)
    assert await directory.members(GROUP) is None
    assert len(microsoft.requests) == 4


async def test_without_a_reader_nothing_is_known() -> None:
    _, directory = asked_by(answers=[])
    assert await directory.person(ann.id) is None


# --- managers ---


async def test_managers_are_climbed_one_by_one() -> None:
    there = rig(ok(row(ben)), ok(row(ann)))
    assert await there.directory.manager(rob.id, 2) == (ann,)
    assert there.microsoft.lines == [f"GET /v1.0/users/{who}/manager?{NAMES}" for who in (rob.id, ben.id)]


async def test_nobody_above_is_nobody_and_unreadable_is_unknown() -> None:
    assert await rig(error(404)).directory.manager(rob.id) == ()
    assert await rig(ok(row(ben)), error(404)).directory.manager(rob.id, 2) == ()
    assert await rig(error(403)).directory.manager(rob.id) is None
    assert await rig(ok(row(ben)), error(403)).directory.manager(rob.id, 2) is None


async def test_no_number_of_levels_climbs_for_ever() -> None:
    there = rig(*(ok(row(Person(guid()))) for _ in range(4)))
    assert await there.directory.manager(rob.id, 99) is not None
    assert there.microsoft.answers == []


# --- privileged roles ---

ROLE = "194ae4cb-b126-40b2-bd5b-6091b380977d"


def telling(*roles: object, answers: Sequence[Answer]) -> Rig:
    there = rig(*answers)
    there.microsoft.asides[PRIVILEGED] = page(*roles)
    return there


@pytest.mark.parametrize("value, privileged", [(True, True), (False, False), (None, None), ("true", None)])
async def test_a_role_is_privileged_where_microsoft_says_so(value: object, privileged: object) -> None:
    there = telling({"id": ROLE.upper(), "isPrivileged": value}, answers=[page(a_row())])
    (request,) = (await there.desk.list_all(token)).requests
    assert request.role.privileged is privileged


async def test_the_roles_are_listed_once_an_hour() -> None:
    there = telling({"id": ROLE, "isPrivileged": True}, answers=[page(a_row()) for _ in range(4)])
    for wait in (0, 1800, 1800, 1800):
        there.clock.forward(wait)
        (request,) = (await there.desk.list_all(token)).requests
        assert request.role.privileged is True
    asked = [line_of(request) for request in there.microsoft.aside if PRIVILEGED in str(request.url)]
    columns = "id,templateId,displayName,isPrivileged,isBuiltIn"
    assert asked == [f"GET /beta/roleManagement/directory/roleDefinitions?$select={columns}"] * 2


async def test_where_nobody_may_read_them_the_listing_goes_on() -> None:
    (request,) = (await rig(page(a_row())).desk.list_all(token)).requests
    assert request.role.privileged is None


async def test_an_empty_listing_asks_nothing_more() -> None:
    there = rig(page())
    await there.desk.list_all(token)
    assert [request for request in there.microsoft.aside if PRIVILEGED in str(request.url)] == []


@pytest.mark.parametrize("evil", EVIL_IDS)
async def test_a_hostile_id_never_becomes_an_address(evil: str) -> None:
    there = rig()
    assert await there.directory.person(evil) is None
    assert await there.directory.members(evil) is None
    assert await there.directory.manager(evil) is None
    assert there.microsoft.requests == []
