"""The examination asks each thing once, names what is missing, and changes nothing."""

from __future__ import annotations

from datetime import timedelta

from fakes import ALWAYS, APP
from people import ann, ben, cleo
from use_cases.house import House

from app.doctor import Doctor
from app.domain.errors import GraphRefused
from app.domain.findings import Finding, Grade
from app.domain.match import How, Match
from app.domain.request import Person, PolicyFacts
from app.ports import Desk, Link

NO = GraphRefused("Microsoft refused: PermissionScopeNotGranted", status=403)
GOOD = PolicyFacts(ticket_required=True, longest=timedelta(hours=8), approvers=(ann, ben))


class Directory:
    """Slack knows everybody but Cleo."""

    async def match(self, person: Person) -> Match:
        return Match(How.NOT_IN_SLACK) if person == cleo else Match(How.BY_MAIL, "U1")


def doctor(house: House, scopes: frozenset[str] = frozenset()) -> Doctor:
    async def granted(_link: Link, _desk: Desk) -> frozenset[str]:
        return scopes

    return Doctor(
        desks=[house.desk],
        tokens=house.tokens,
        links=house.links,
        book=house.book,
        chronicle=house.chronicle,
        matching=Directory(),
        clock=house.clock,
        as_application=house.as_application,
        granted=granted,
    )


async def examined(one: Doctor) -> list[Finding]:
    return [finding async for finding in one.examine()]


def amiss(found: list[Finding]) -> list[str]:
    return [finding.words for finding in found if finding.grade is not Grade.OK]


async def test_where_all_is_well_every_line_says_so(house: House) -> None:
    await house.link(ann, ben)
    request = await house.ask()
    house.desk.policies[request.role.id] = GOOD
    found = await examined(doctor(house))
    assert amiss(found) == []
    assert [finding.about for finding in found] == ["microsoft", "entra", "audit log"]


async def test_a_credential_that_is_refused_is_said_first(house: House) -> None:
    house.tokens.over.add(APP)
    found = await examined(doctor(house))
    assert (found[0].grade, found[0].about) == (Grade.WRONG, "microsoft")
    assert "PIM_CLIENT_ID" in found[0].fix


async def test_each_missing_permission_is_named(house: House) -> None:
    await house.ask()
    for method in ("list_all", "term"):
        house.desk.fail(method, NO, times=ALWAYS)
    house.chronicle.readers = set()
    found = await examined(doctor(house))
    fixes = " ".join(finding.fix for finding in found)
    for permission in (
        "RoleAssignmentSchedule.ReadWrite.Directory",
        "RoleAssignmentSchedule.Read.Directory",
        "AuditLog.Read.All",
        "RoleManagement.Read.Directory",
    ):
        assert permission in fixes


async def test_in_approvers_mode_nobody_signed_in_is_said(shared_house: House) -> None:
    assert "nobody is signed in, so that the bot sees no request" in amiss(await examined(doctor(shared_house)))


async def test_a_session_without_the_undocumented_permission_is_wrong(house: House) -> None:
    await house.link(ann)
    found = await examined(doctor(house, frozenset({"RoleAssignmentSchedule.ReadWrite.Directory"})))
    (finding,) = [one for one in found if one.grade is Grade.WRONG]
    assert "PrivilegedAccess.ReadWrite.AzureAD" in finding.words


async def test_approvers_who_are_out_of_reach_are_named(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    house.desk.policies[request.role.id] = PolicyFacts(ticket_required=True, approvers=(ann, ben, cleo))
    words = amiss(await examined(doctor(house)))
    assert words == ["Ben Bauer may approve and has not signed in", "Cleo Chen may approve and is not in Slack"]


async def test_without_any_request_there_is_nothing_to_say_of_roles(house: House) -> None:
    assert any("no role was asked for" in words for words in amiss(await examined(doctor(house))))


async def test_an_examination_changes_nothing(house: House) -> None:
    await house.link(ann)
    request = await house.ask()
    before = await house.row(request)
    await examined(doctor(house))
    assert await house.row(request) == before
    assert house.desk.sent == []


async def test_a_list_that_came_only_in_part_is_noted(house: House) -> None:
    house.desk.cut_short = True
    found = await examined(doctor(house))
    assert [one.words for one in found if one.about == "entra"] == [
        "0 requests wait, and not everything could be listed"
    ]


async def test_whoever_cannot_list_what_waits_for_them_is_named(shared_house: House) -> None:
    await shared_house.link(ann)
    shared_house.desk.fail("list_for", NO, times=ALWAYS)
    (words,) = [words for words in amiss(await examined(doctor(shared_house))) if "cannot list" in words]
    assert words.startswith(ann.label)
