"""Reading over HTTP: the promised shapes, only what is the caller's to see, pages, filters, tags."""

from __future__ import annotations

from datetime import timedelta

import pytest
from api_rig import ApiRig, problem
from build import EXCHANGE, NOW, REPORTS_READER, a_request, decided
from people import CHANNEL, ann, ben, cleo, rita, rob, slack_of
from use_cases.house import House

from app.domain.durations import iso
from app.domain.errors import ClaimsChallenge, SlackFailed, Unavailable
from app.domain.request import Status, Ticket

ITEM = {
    "id": str,
    "kind": str,
    "status": str,
    "requestor": dict,
    "role": dict,
    "scope": dict,
    "duration": str,
    "justification": str,
    "ticket": dict,
    "requested": str,
    "expires": str,
    "risk": dict,
    "decided": dict,
    "activated": (str, type(None)),
    "deactivated": (str, type(None)),
    "digest": str,
}


async def ids(api: ApiRig, path: str, who: str = "ann", **query: object) -> list[str]:
    answer = await api.get(path, who, **query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


# Shapes


async def test_an_item_has_the_promised_fields_and_no_others(api: ApiRig, house: House) -> None:
    request = await house.ask()
    await house.book.settle(request.key, Status.APPROVED, decided(ann), None, NOW)
    (item,) = (await api.get("requests/history")).json()["items"]
    assert list(item) == list(ITEM)
    assert {name: value for name, value in item.items() if not isinstance(value, ITEM[name])} == {}
    assert item["requestor"] == {"id": rob.id, "name": rob.name, "upn": rob.upn, "mail": rob.mail}
    assert (item["role"], item["scope"]) == (
        {"id": EXCHANGE.id, "name": "Exchange Administrator"},
        {"id": "/", "name": "Whole directory"},
    )
    assert item["ticket"] == {"number": "CHG-4711", "system": "ServiceNow"}
    assert (item["duration"], item["digest"]) == ("PT2H", request.digest)
    assert item["risk"]["level"] == "High"
    assert item["risk"]["reasons"]
    assert list(item["decided"]) == ["by", "at", "comment", "where"]
    assert (item["decided"]["by"]["id"], item["decided"]["where"]) == (ann.id, "slack")


async def test_what_is_not_there_is_null(api: ApiRig, house: House) -> None:
    request = await house.ask(a_request(ticket=Ticket(), duration=None, duration_text=""))
    item = (await api.get(f"requests/{request.key.id}")).json()
    empty = ("ticket", "duration", "decided", "activated", "deactivated")
    assert {name: item[name] for name in empty} == dict.fromkeys(empty)


@pytest.mark.parametrize(
    "length, written",
    [
        (timedelta(hours=2), "PT2H"),
        (timedelta(minutes=90), "PT1H30M"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=1, minutes=1), "P1DT1M"),
        (timedelta(seconds=30), "PT30S"),
        (timedelta(0), "PT"),
    ],
)
def test_lengths_are_written_as_iso_says(length: timedelta, written: str) -> None:
    assert iso(length) == written


async def test_the_counters_have_the_promised_names(api: ApiRig, house: House) -> None:
    for status in (Status.APPROVED, Status.DENIED, Status.EXPIRED, Status.CANCELED):
        request = await house.ask()
        await house.book.settle(request.key, status, decided(None), None, NOW)
    await house.ask()
    told = (await api.get("overview")).json()
    assert told == {"pending": 1, "approved": 1, "denied": 1, "expired": 1, "days": 7}


# Who sees what (T38)


@pytest.mark.parametrize(
    "who, sees",
    [
        ("ann", True),
        ("ben", True),
        ("rob", True),
        ("olga.audit", True),
        ("olga", False),
        ("rita", False),
        ("gus", False),
    ],
)
async def test_a_request_is_for_those_it_concerns_and_does_not_exist_for_others(
    api: ApiRig,
    house: House,
    who: str,
    sees: bool,  # noqa: FBT001 - a column of the table
) -> None:
    request = await house.ask()
    answer = await api.get(f"requests/{request.key.id}", who)
    assert (answer.status_code == 200) is sees
    for path in ("pending-approvals", "requests/history"):
        assert await ids(api, path, who) == ([request.key.id] if sees else [])
    assert (await api.get("overview", who)).json()["pending"] == int(sees)


async def test_a_stranger_cannot_tell_a_request_from_none(api: ApiRig, house: House) -> None:
    request = await house.ask()
    there = await api.get(f"requests/{request.key.id}", "olga")
    nowhere = await api.get(f"requests/{a_request().key.id}", "olga")
    assert problem(there) == (404, "not_found")
    assert (there.content, there.headers) == (nowhere.content, nowhere.headers)
    for verb in ("approve", "deny"):
        body = {"comment": "x"} if verb == "approve" else {"reason": "x"}
        theirs = await api.post(f"approvals/{request.key.id}/{verb}", "olga", body)
        nobodys = await api.post(f"approvals/{a_request().key.id}/{verb}", "olga", body)
        assert problem(theirs) == (404, "not_found")
        assert (theirs.content, theirs.headers) == (nobodys.content, nobodys.headers)
    assert house.desk.sent == []


async def test_whoever_decided_it_sees_it_ever_after(api: ApiRig, house: House) -> None:
    request = await house.ask(approvers=())
    await house.book.settle(request.key, Status.DENIED, decided(cleo), None, NOW)
    assert await ids(api, "requests/history", "cleo") == [request.key.id]


async def test_a_member_of_the_channel_sees_what_stands_there(api: ApiRig, house: House) -> None:
    request = await house.ask(approvers=())
    house.people.channels[slack_of(ben)] = frozenset({CHANNEL})
    assert await ids(api, "pending-approvals", "ben") == []
    await house.link(ben)
    assert await ids(api, "pending-approvals", "ben") == [request.key.id]


async def test_without_slack_everybody_still_sees_what_microsoft_says_is_theirs(api: ApiRig, house: House) -> None:
    request = await house.ask(approvers=(ann,))
    await house.link(ann)
    house.people.failure = SlackFailed(code="internal_error")
    assert await ids(api, "pending-approvals") == [request.key.id]


async def test_ones_own_requests_are_ones_own_also_for_an_auditor(api: ApiRig, house: House) -> None:
    mine, theirs = await house.ask(a_request(requestor=rita)), await house.ask()
    assert await ids(api, "my-requests", "rita.audit") == [mine.key.id]
    assert await ids(api, "my-requests", "rita.audit", requestor=rob.id) == []
    assert await ids(api, "my-requests", "rob") == [theirs.key.id]


# What only Microsoft can tell


async def test_an_approver_nobody_polls_is_asked_about_in_their_own_name(api: ApiRig, house: House) -> None:
    request = await house.ask(approvers=())
    house.desk.held.clear()
    house.desk.ask(request, (cleo,))
    assert await ids(api, "pending-approvals", "cleo") == [request.key.id]
    assert house.desk.count("list_for", cleo.id) == 1
    assert await house.approvers(request) == {cleo.id}


async def test_what_the_watcher_has_not_seen_yet_comes_with_it(api: ApiRig, house: House) -> None:
    request = a_request()
    house.desk.ask(request, (cleo,))
    assert await ids(api, "pending-approvals", "cleo") == [request.key.id]
    other = a_request()
    house.desk.ask(other, (ann,))
    assert (await api.get(f"requests/{other.key.id}", "ann")).status_code == 200


async def test_what_is_not_listed_for_a_caller_stays(api: ApiRig, house: House) -> None:
    request = await house.ask()
    house.desk.forget(request.key.id)
    await ids(api, "pending-approvals", "cleo")
    assert (await house.row(request)).status is Status.PENDING


async def test_microsoft_is_asked_once_in_twenty_seconds_for_each_caller(api: ApiRig, house: House) -> None:
    await house.ask()
    for _ in range(3):
        await api.get("pending-approvals", "cleo")
        await api.get("requests/history", "cleo")
    assert house.desk.count("list_for", cleo.id) == 1
    await api.get("pending-approvals", "ben")
    assert house.desk.count("list_for", ben.id) == 1
    house.clock.advance(timedelta(seconds=20))
    await api.get("pending-approvals", "cleo")
    assert house.desk.count("list_for", cleo.id) == 2


async def test_microsoft_being_away_hides_nothing_we_know(api: ApiRig, house: House) -> None:
    request = await house.ask()
    house.desk.fail("list_for", Unavailable())
    assert await ids(api, "pending-approvals") == [request.key.id]


async def test_auditors_need_nobody_asked(api: ApiRig, house: House) -> None:
    await house.ask()
    await api.get("requests/history", "olga.audit")
    assert house.desk.calls == []


async def test_a_challenge_before_the_list_goes_back_to_the_caller(api: ApiRig, house: House) -> None:
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    house.on_behalf.failures[cleo.id] = ClaimsChallenge(claims=claims)
    answer = await api.get("pending-approvals", "cleo")
    assert problem(answer) == (401, "sign_in_required")
    assert 'error="insufficient_claims"' in answer.headers["www-authenticate"]
    assert (await api.get("requests/history", "cleo")).status_code == 200


# Lists


async def test_pages_follow_each_other_to_the_end(api: ApiRig, house: House) -> None:
    made = [await house.ask(a_request(created=NOW - timedelta(minutes=minutes))) for minutes in range(5)]
    for path, order in (("requests/history", made), ("pending-approvals", made[::-1])):
        shown, cursor = [], ""
        while True:
            page = (await api.get(path, limit=2, cursor=cursor)).json()
            assert list(page) == ["items", "next"]
            shown += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert shown == [request.key.id for request in order]


async def test_what_waits_leaves_out_what_nobody_can_decide(api: ApiRig, house: House) -> None:
    request = await house.ask()
    await house.book.staled(request.key, stale=True)
    assert await ids(api, "pending-approvals") == []
    assert await ids(api, "requests/history") == [request.key.id]


async def test_what_waits_is_pending_and_nothing_else(api: ApiRig, house: House) -> None:
    waiting, ended = await house.ask(), await house.ask()
    await house.book.settle(ended.key, Status.DENIED, decided(ben), None, NOW)
    assert await ids(api, "pending-approvals", status=["pending", "denied"]) == [waiting.key.id]
    assert await ids(api, "pending-approvals", status="denied") == []


@pytest.fixture
async def several(house: House) -> dict[str, str]:
    """Three requests that differ in everything that can be asked for, by a name."""
    old = NOW - timedelta(days=2)
    made = {
        "rob's": a_request(),
        "rita's": a_request(requestor=rita, role=REPORTS_READER),
        "old": a_request(created=old, requestor=rita),
    }
    for request in made.values():
        await house.ask(request)
    await house.book.settle(made["rita's"].key, Status.DENIED, decided(ben), None, NOW)
    await house.book.settle(made["old"].key, Status.APPROVED, decided(ann, at=old), None, NOW)
    return {request.key.id: name for name, request in made.items()}


@pytest.mark.parametrize(
    "query, names",
    [
        ({}, ["rita's", "rob's", "old"]),
        ({"status": "pending"}, ["rob's"]),
        ({"status": ["denied", "approved"]}, ["rita's", "old"]),
        ({"kind": "entra"}, ["rita's", "rob's", "old"]),
        ({"kind": ["azure", "group"]}, []),
        ({"role": "Reports Reader"}, ["rita's"]),
        ({"role": EXCHANGE.id.upper()}, ["rob's", "old"]),
        ({"requestor": rita.id}, ["rita's", "old"]),
        ({"approver": ann.id}, ["old"]),
        ({"from": "2026-11-23T00:00:00Z"}, ["rita's", "rob's"]),
        ({"from": "2026-11-23"}, ["rita's", "rob's"]),
        ({"to": "2026-11-23T00:00:00+00:00"}, ["old"]),
        ({"from": "2026-11-21", "to": "2026-11-22", "requestor": rita.id, "status": "approved"}, ["old"]),
        ({"limit": 1}, ["rita's"]),
    ],
)
async def test_a_list_narrows_to_what_was_asked(
    api: ApiRig, several: dict[str, str], query: dict[str, object], names: list[str]
) -> None:
    assert sorted(several[one] for one in await ids(api, "requests/history", "olga.audit", **query)) == sorted(names)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "many"},
        {"status": "lost"},
        {"kind": "pizza"},
        {"requestor": "rob"},
        {"approver": "' OR 1=1 --"},
        {"from": "yesterday"},
        {"from": "2026"},
        {"to": "0.5"},
        {"to": "1795391760"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"role": "x" * 201},
        {"cursor": "x" * 401},
        {"requester": "a typing mistake"},
    ],
)
async def test_what_cannot_be_asked_is_a_problem(api: ApiRig, query: dict[str, object]) -> None:
    assert problem(await api.get("requests/history", **query)) == (422, "invalid_request")


@pytest.mark.parametrize("role", ["a\x00b", "%", "' OR 1=1 --", "\ufffe"])
@pytest.mark.parametrize("who", ["ann", "olga.audit"])
async def test_a_role_is_a_value_whatever_it_says(api: ApiRig, house: House, who: str, role: str) -> None:
    await house.ask()
    assert await ids(api, "requests/history", who, role=role, status="pending") == []


async def test_an_id_that_is_none_is_a_problem(api: ApiRig) -> None:
    assert problem(await api.get("requests/no-guid")) == (422, "invalid_request")


# Tags


@pytest.mark.parametrize("path", ["pending-approvals", "requests/history", "my-requests", "overview"])
async def test_a_list_that_has_not_changed_is_not_sent_again(api: ApiRig, house: House, path: str) -> None:
    await house.ask(a_request(requestor=ann, created_by=ann.id), approvers=(ben,))
    first = await api.get(path, "ann.audit")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await api.get(path, "ann.audit", {"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await house.ask(a_request(requestor=ann, created_by=ann.id), approvers=(ben,))
    changed = await api.get(path, "ann.audit", {"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_answers_are_kept_by_nobody_in_between(api: ApiRig, house: House) -> None:
    request = await house.ask()
    for path in ("pending-approvals", "overview", f"requests/{request.key.id}"):
        answer = await api.get(path)
        assert (answer.headers["cache-control"], answer.headers["vary"]) == ("private, no-cache", "Authorization")


class Away:
    """The database is gone."""

    def __getattr__(self, name: str) -> object:
        raise Unavailable


async def test_a_database_that_is_away_is_said_so(api: ApiRig, house: House) -> None:
    house.caller_lookups.book = Away()
    answer = await api.get("my-requests")
    assert problem(answer) == (503, "unavailable")
    assert answer.headers["retry-after"]
