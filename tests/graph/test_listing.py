"""Listing what is pending: pages, the 50-row rule, broken rows, and the forms of the query Microsoft may refuse."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import httpx
import pytest
from build import NOW
from graph.fake_microsoft import (
    EVIL_IDS,
    EXTENSIONS,
    ROOT,
    Answer,
    Json,
    a_row,
    error,
    html,
    line_of,
    ok,
    page,
    rig,
    throttled,
    token,
)

from app.domain.errors import (
    AlreadyDecided,
    BotError,
    GraphRefused,
    Malformed,
    RequestGone,
    SignInRequired,
    Unavailable,
)

REQUESTS = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
FILTERED = "$expand=principal,roleDefinition&$filter=status%20eq%20%27PendingApproval%27"
EXPANDED = "$expand=principal,roleDefinition"


def link(number: int) -> str:
    return f"{ROOT}{REQUESTS}?$skiptoken={number}"


def bad_filter() -> httpx.Response:
    return error(400, "InvalidFilter", "The status eq 'PendingApproval' filter is invalid.")


def ids(*rows: Json) -> list[str]:
    return [row["id"] for row in rows]


# --- the application's listing ---


async def test_the_listing_is_asked_for_as_microsofts_own_client_does() -> None:
    there = rig(page())
    await there.desk.list_all(token)
    assert there.microsoft.lines == [f"GET {REQUESTS}?{FILTERED}"]


async def test_every_page_is_followed_verbatim() -> None:
    rows = [a_row() for _ in range(3)]
    pages = [page(rows[0], following=link(1)), page(rows[1], following=link(2)), page(rows[2])]
    there = rig(*pages)
    listing = await there.desk.list_all(token)
    assert [request.key.id for request in listing.requests] == ids(*rows)
    assert (listing.complete, listing.full_page, listing.broken) == (True, False, ())
    assert there.microsoft.lines[1:] == [f"GET {REQUESTS}?$skiptoken={number}" for number in (1, 2)]


async def test_a_null_link_is_the_end() -> None:
    listing = await rig(ok({"value": [a_row()], "@odata.nextLink": None})).desk.list_all(token)
    assert listing.complete


async def test_only_what_is_pending_is_listed() -> None:
    words = ["PendingApproval", "pendingapproval", "Provisioned", "PendingProvisioning", "unknownFutureValue", "", None]
    rows = [a_row(status=word) for word in words]
    listing = await rig(page(*rows)).desk.list_all(token)
    assert [request.key.id for request in listing.requests] == ids(*rows[:2])
    assert listing.complete


async def test_a_dry_run_of_a_form_is_no_request() -> None:
    there = rig(
        page(a_row(isValidationOnly=True), a_row(isValidationOnly=True, id=None), a_row(isValidationOnly=False))
    )
    listing = await there.desk.list_all(token)
    assert (len(listing.requests), listing.broken) == (1, ())


# --- broken rows ---


@pytest.mark.parametrize("name", ["id", "principalId", "roleDefinitionId"])
@pytest.mark.parametrize("value", EVIL_IDS)
async def test_a_row_with_a_hostile_id_is_set_aside_and_asked_nowhere(name: str, value: str) -> None:
    there = rig(page(a_row(), a_row(**{name: value}), a_row()))
    listing = await there.desk.list_all(token)
    assert (len(listing.requests), len(listing.broken)) == (2, 1)
    assert len(there.microsoft.requests) == 1


async def test_a_row_set_aside_is_named_by_its_id_in_lower_case() -> None:
    row = a_row(createdDateTime=None)
    listing = await rig(page(row | {"id": row["id"].upper()})).desk.list_all(token)
    assert listing.broken == (row["id"],)
    assert listing.complete


@pytest.mark.parametrize("row", [None, 7, "row", [], {}, True, {"id": None}, {"id": ["x"]}])
async def test_a_row_that_is_none_is_set_aside_without_a_name(row: object) -> None:
    listing = await rig(page(a_row(), row)).desk.list_all(token)
    assert (len(listing.requests), listing.broken) == (1, ("",))


async def test_a_row_set_aside_is_logged_once_and_safely(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await rig(page(a_row(id="evil\nid" + "x" * 99))).desk.list_all(token)
    (line,) = caplog.messages
    assert "set aside" in line
    assert "\n" not in line
    assert len(line) < 200


# --- pages that fail ---

MIDWAY: list[list[Answer]] = [
    [error(500)] * 3,
    [html(200)] * 3,
    [ok({"value": None})],
    [ok({})],
    [ok({"error": {"code": "x"}})],
    [httpx.ReadTimeout("no")] * 3,
    [throttled("30")],
    [error(400, "BadRequest", "The $skiptoken is not valid.")],
    [error(401)],
    [error(403)],
    [error(404)],
    [error(409)],
]


@pytest.mark.parametrize("trouble", MIDWAY)
async def test_a_page_that_fails_keeps_what_was_read_and_forbids_absence(trouble: list[Answer]) -> None:
    rows = [a_row(), a_row()]
    there = rig(page(rows[0], following=link(1)), page(rows[1], following=link(2)), *trouble)
    listing = await there.desk.list_all(token)
    assert [request.key.id for request in listing.requests] == ids(*rows)
    assert not listing.complete


@pytest.mark.parametrize(
    "trouble, kind",
    [
        ([error(500)] * 3, Unavailable),
        ([html(200)] * 3, Malformed),
        ([ok({"value": None})], Malformed),
        ([ok({"value": {}})], Malformed),
        ([ok({})], Malformed),
        ([throttled("30")], Unavailable),
        ([error(401)], SignInRequired),
        ([error(403)], GraphRefused),
        ([error(404)], RequestGone),
        ([error(409)], AlreadyDecided),
    ],
)
async def test_a_first_page_that_fails_is_a_desk_that_cannot_be_read(
    trouble: list[Answer], kind: type[BotError]
) -> None:
    for asked in ("list_all", "list_for"):
        there = rig(*trouble)
        with pytest.raises(kind):
            await getattr(there.desk, asked)(token)


async def test_pages_in_a_circle_end_as_incomplete() -> None:
    there = rig(page(a_row(), following=link(1)), page(a_row(), following=link(2)), page(a_row(), following=link(1)))
    listing = await there.desk.list_all(token)
    assert (len(listing.requests), listing.complete) == (3, False)


async def test_a_page_that_names_itself_ends_as_incomplete() -> None:
    there = rig(page(a_row(), following=f"{ROOT}{REQUESTS}?{FILTERED}"))
    assert not (await there.desk.list_all(token)).complete


@pytest.mark.parametrize("pages, complete", [(200, True), (201, False)])
async def test_two_hundred_pages_are_enough(pages: int, complete: bool) -> None:  # noqa: FBT001 - a table
    answers = [page(a_row(), following=link(number)) for number in range(pages - 1)] + [page(a_row())]
    there = rig(*answers)
    listing = await there.desk.list_all(token)
    assert listing.complete is complete
    assert len(listing.requests) == len(there.microsoft.requests) == 200


# --- forms of the query ---


async def test_a_refused_filter_is_remembered_and_pending_is_picked_here() -> None:
    rows = [a_row(), a_row(status="Provisioned")]
    there = rig(bad_filter(), page(*rows), page(*rows))
    for _poll in range(2):
        listing = await there.desk.list_all(token)
        assert [request.key.id for request in listing.requests] == ids(rows[0])
        assert listing.complete
    assert there.microsoft.lines == [f"GET {REQUESTS}?{query}" for query in (FILTERED, EXPANDED, EXPANDED)]


async def test_a_refused_expansion_is_remembered_too() -> None:
    there = rig(bad_filter(), error(400), page(), page())
    await there.desk.list_all(token)
    await there.desk.list_all(token)
    assert there.microsoft.lines[2:] == [f"GET {REQUESTS}"] * 2


async def test_names_that_were_not_expanded_are_looked_up_once() -> None:
    bare = a_row(principal=None, roleDefinition=None)
    person = {"id": "x", "displayName": "Ada Park", "userPrincipalName": "ada@contoso.example", "mail": None}
    role = {"id": "x", "displayName": "Security Administrator", "isBuiltIn": True}
    there = rig(bad_filter(), error(400), page(bare), ok(person), ok(role), page(bare))
    first, second = await there.desk.list_all(token), await there.desk.list_all(token)
    (request,) = first.requests
    assert (request.requestor.name, request.requestor.upn) == ("Ada Park", "ada@contoso.example")
    assert (request.role.name, request.role.built_in) == ("Security Administrator", True)
    assert second.requests == first.requests


async def test_a_name_nobody_may_read_stays_missing_and_the_row_stays() -> None:
    bare = a_row(principal=None, roleDefinition=None)
    there = rig(bad_filter(), error(400), page(bare), error(403), error(404))
    (request,) = (await there.desk.list_all(token)).requests
    assert (request.requestor.name, request.role.name) == ("", "")


async def test_an_approvers_own_list_falls_back_and_is_filtered_here() -> None:
    done = a_row(id="0b0b0b0b-1111-4222-8333-944455566677", status="Provisioned")
    there = rig(bad_filter(), page(a_row(), done), page())
    listing = await there.desk.list_for(token)
    await there.desk.list_for(token)
    own = f"GET {REQUESTS}/filterByCurrentUser(on='approver')"
    assert len(listing.requests) == 1
    assert there.microsoft.lines == [f"{own}?{query}" for query in (FILTERED, EXPANDED, EXPANDED)]


async def test_the_plainest_form_refused_is_a_refusal_and_the_next_poll_tries_it_again() -> None:
    there = rig(bad_filter(), error(400), error(400), page())
    with pytest.raises(GraphRefused):
        await there.desk.list_all(token)
    assert (await there.desk.list_all(token)).complete


async def test_two_polls_at_once_fall_back_one_form_only() -> None:
    there = rig(bad_filter(), bad_filter(), page(), page(), page())
    await asyncio.gather(there.desk.list_all(token), there.desk.list_all(token))
    await there.desk.list_all(token)
    assert there.microsoft.lines[-1] == f"GET {REQUESTS}?{EXPANDED}"


@pytest.mark.parametrize("refusal", [error(403), error(404), error(401)])
async def test_only_a_bad_request_changes_the_form(refusal: httpx.Response) -> None:
    there = rig(refusal, page())
    with pytest.raises((GraphRefused, SignInRequired)):
        await there.desk.list_all(token)
    await there.desk.list_all(token)
    assert there.microsoft.lines == [f"GET {REQUESTS}?{FILTERED}"] * 2


async def test_a_bad_page_later_on_does_not_change_the_form() -> None:
    there = rig(page(a_row(), following=link(1)), error(400), page())
    await there.desk.list_all(token)
    await there.desk.list_all(token)
    assert there.microsoft.lines[-1] == f"GET {REQUESTS}?{FILTERED}"


# --- one approver's listing ---


async def test_an_approvers_listing_is_asked_for_as_microsofts_own_client_does() -> None:
    there = rig(page())
    await there.desk.list_for(token)
    assert there.microsoft.lines == [f"GET {REQUESTS}/filterByCurrentUser(on='approver')?{FILTERED}"]


@pytest.mark.parametrize("count, full", [(0, False), (49, False), (50, True), (51, True)])
async def test_fifty_rows_may_hide_more(count: int, full: bool) -> None:  # noqa: FBT001 - a table
    listing = await rig(page(*(a_row() for _ in range(count)))).desk.list_for(token)
    assert len(listing.requests) == count
    assert (listing.full_page, listing.complete) == (full, not full)


async def test_broken_rows_and_dry_runs_count_towards_the_fifty() -> None:
    rows = [*(a_row() for _ in range(48)), a_row(id=None), a_row(isValidationOnly=True)]
    listing = await rig(page(*rows)).desk.list_for(token)
    assert (len(listing.requests), listing.broken) == (48, ("",))
    assert (listing.full_page, listing.complete) == (True, False)


async def test_a_next_page_of_an_approvers_listing_is_not_followed_but_believed_to_exist() -> None:
    there = rig(page(a_row(), following=link(1)))
    listing = await there.desk.list_for(token)
    assert (listing.full_page, listing.complete) == (True, False)
    assert len(there.microsoft.requests) == 1


async def test_an_approvers_listing_with_a_null_link_is_whole() -> None:
    listing = await rig(ok({"value": [], "@odata.nextLink": None})).desk.list_for(token)
    assert (listing.full_page, listing.complete) == (False, True)


async def test_one_broken_row_does_not_hide_the_others_from_an_approver() -> None:
    rows = [a_row(), a_row(createdDateTime="soon"), a_row()]
    listing = await rig(page(*rows)).desk.list_for(token)
    assert [request.key.id for request in listing.requests] == ids(rows[0], rows[2])
    assert (listing.broken, listing.complete) == ((rows[1]["id"],), True)


# --- extensions and renewals ---


def extension() -> Json:
    return a_row(status="PendingAdminDecision", action="selfRenew")


async def test_extensions_are_asked_for_beside_the_rest_by_their_own_status() -> None:
    there = rig(page(a_row()), page(a_row()))
    there.microsoft.asides[EXTENSIONS] = page(extension())
    for listing in (await there.desk.list_all(token), await there.desk.list_for(token)):
        assert [request.decidable for request in listing.requests] == [True, False]
        assert listing.complete
    query = "$expand=principal,roleDefinition&$filter=status%20eq%20%27PendingAdminDecision%27"
    asked = [line_of(request) for request in there.microsoft.aside if EXTENSIONS in str(request.url)]
    assert asked == [f"GET {REQUESTS}?{query}", f"GET {REQUESTS}/filterByCurrentUser(on='approver')?{query}"]


async def test_where_no_filter_is_taken_they_are_in_the_listing_already() -> None:
    there = rig(bad_filter(), page(a_row(), extension()))
    listing = await there.desk.list_all(token)
    assert len(listing.requests) == 2
    assert [request for request in there.microsoft.aside if EXTENSIONS in str(request.url)] == []


@pytest.mark.parametrize(
    "answer, complete", [(error(400), True), (error(403), True), (error(500), False), (throttled("9"), False)]
)
async def test_extensions_refused_are_none_but_an_outage_forbids_absence(answer: Answer, complete: bool) -> None:  # noqa: FBT001 - a table
    there = rig(page(a_row()))
    there.microsoft.asides[EXTENSIONS] = answer
    listing = await there.desk.list_all(token)
    assert (len(listing.requests), listing.complete) == (1, complete)


async def test_a_full_page_of_extensions_may_hide_more() -> None:
    there = rig(page())
    there.microsoft.asides[EXTENSIONS] = page(*(extension() for _ in range(50)))
    listing = await there.desk.list_for(token)
    assert (len(listing.requests), listing.full_page, listing.complete) == (50, True, False)


# --- what has ended ---


async def test_who_may_not_list_what_ended_is_shown_their_own_part() -> None:
    there = rig(error(403), page(a_row(status="Denied"), a_row()))
    listing = await there.desk.list_ended(NOW - timedelta(days=1), token)
    assert ([request.native_status for request in listing.requests], listing.complete) == (["Denied"], False)
    assert there.microsoft.lines == [f"GET {REQUESTS}", f"GET {REQUESTS}/filterByCurrentUser(on='approver')"]


@pytest.mark.parametrize("refusal", [error(400), error(404)])
async def test_another_refusal_of_what_ended_is_one(refusal: httpx.Response) -> None:
    with pytest.raises(GraphRefused):
        await rig(refusal).desk.list_ended(NOW, token)
