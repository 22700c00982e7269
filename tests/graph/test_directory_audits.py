"""PIM's audit rows: which event, of which request, through whom; and the pace at which they may be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from build import NOW, guid
from graph.fake_microsoft import A_GUID, ROOT, Json, Rig, error, page, rig, throttled, token
from hypothesis import given
from hypothesis import strategies as st

from app.domain.chronicle import Event, What
from app.domain.errors import GraphRefused
from app.domain.request import Person
from app.graph.directory_audits import MANNERS, DirectoryAudits, parse_event, parse_events

DEE = "44dd55ee-0000-4000-8000-0000000000de"
AT = datetime(2026, 3, 4, 9, 20, 41, 350_000, tzinfo=UTC)


def an_audit(**over: object) -> Json:
    """Dee approved a request."""
    return {
        "id": f"PIM_{A_GUID}_ABCDE_12345678",
        "category": "RoleManagement",
        "correlationId": guid(),
        "result": "success",
        "resultReason": "CHG0042 reviewed",
        "activityDisplayName": "Add member to role request approved (PIM activation)",
        "activityDateTime": "2026-03-04T09:20:41.35Z",
        "loggedByService": "PIM",
        "initiatedBy": {
            "app": None,
            "user": {"id": DEE.upper(), "displayName": "Dee Ruiz", "userPrincipalName": "dee@contoso.example"},
        },
        "targetResources": [
            {"id": guid(), "displayName": "Security Administrator", "type": "Role"},
            {"id": guid(), "displayName": None, "type": "Request"},
            {"id": guid(), "displayName": "Ada Park", "type": "User"},
            {"id": None, "type": "Other"},
        ],
        "additionalDetails": [
            {"key": "Justification", "value": "Investigate alert INC-20391"},
            {"key": "RequestId", "value": A_GUID.upper()},
        ],
        **over,
    }


def test_a_row_becomes_an_event() -> None:
    dee = Person(DEE, "Dee Ruiz", "dee@contoso.example")
    assert parse_event(an_audit()) == Event(A_GUID, What.APPROVED, AT, dee, "CHG0042 reviewed")


@pytest.mark.parametrize(
    "activity, what",
    [
        ("Add member to role requested (PIM activation)", What.ASKED),
        ("Add member to role approval requested (PIM activation)", None),
        ("Add member to role request approved (PIM activation)", What.APPROVED),
        ("ADD MEMBER TO ROLE REQUEST APPROVED (PIM ACTIVATION)", What.APPROVED),
        ("Add member to role request denied (PIM activation)", What.DENIED),
        ("Add member to role completed (PIM activation)", What.ACTIVATED),
        ("Add member to role canceled (PIM activation)", What.WITHDRAWN),
        ("Cancel request", What.WITHDRAWN),
        ("PIM activation request expired", What.TIMED_OUT),
        ("Remove member from role requested (PIM deactivate)", None),
        ("Remove member from role completed (PIM deactivate)", What.DEACTIVATED),
        ("Remove member from role in PIM completed (timebound)", What.DEACTIVATED),
        ("Remove member from role (PIM activation expired)", What.ENDED),
        ("Update member in PIM approved by admin (extend/renew)", What.APPROVED),
        ("Update member in PIM denied by admin (extend/renew)", What.DENIED),
        ("Add member to group request approved (PIM activation)", What.APPROVED),
        ("Update role setting in PIM", None),
        ("Add member to role outside of PIM (permanent)", None),
        ("Add eligible member to role in PIM completed (timebound)", None),
        ("Add eligible member to role in PIM requested (renew)", None),
        ("Triggered PIM alert", None),
        ("", None),
        (None, None),
    ],
)
def test_events_are_told_by_their_words(activity: object, what: What | None) -> None:
    event = parse_event(an_audit(activityDisplayName=activity))
    assert (event.what if event else None) is what


@pytest.mark.parametrize(
    "over, found",
    [
        ({}, A_GUID),
        ({"additionalDetails": []}, "target"),
        ({"additionalDetails": None}, "target"),
        ({"additionalDetails": [{"key": "RequestId", "value": "../x"}]}, "target"),
        ({"additionalDetails": [], "targetResources": []}, "correlation"),
        ({"additionalDetails": [], "targetResources": [], "correlationId": "x"}, None),
        ({"additionalDetails": [], "targetResources": [], "correlationId": None}, None),
    ],
)
def test_the_request_is_found_in_one_of_three_places(over: Json, found: str | None) -> None:
    row = an_audit(**over)
    known = {"target": an_audit()["targetResources"][1]["id"], "correlation": row["correlationId"]}
    if found == "target":
        row["targetResources"][1]["id"] = known["target"]
    event = parse_event(row)
    assert (event.request_id if event else None) == known.get(found or "", found)


def test_lists_within_a_row_have_no_order() -> None:
    row = an_audit(additionalDetails=[])
    turned = row | {"targetResources": row["targetResources"][::-1]}
    assert parse_event(turned) == parse_event(row)


@pytest.mark.parametrize("user", [None, {}, {"id": None}, {"id": "Azure AD PIM"}])
def test_where_microsoft_itself_acted_nobody_is_named(user: object) -> None:
    row = an_audit(activityDisplayName="PIM activation request expired", initiatedBy={"app": {}, "user": user})
    event = parse_event(row)
    assert event is not None
    assert (event.by, event.comment) == (None, "")


def test_an_azure_decision_names_its_approver_as_the_target_user() -> None:
    user = {"id": DEE, "displayName": "Dee Ruiz", "userPrincipalName": "dee@contoso.example", "type": "User"}
    over = {"category": "ResourceManagement", "initiatedBy": {"user": None}, "targetResources": [user]}
    event = parse_event(an_audit(**over))
    assert event is not None
    assert event.by == Person(DEE, "Dee Ruiz", "dee@contoso.example")
    assert parse_event(an_audit(**over | {"category": "RoleManagement"})) == Event(
        A_GUID, What.APPROVED, AT, None, "CHG0042 reviewed"
    )


def test_a_deed_that_failed_did_not_happen_but_an_end_did() -> None:
    assert parse_event(an_audit(result="failure")) is None
    expired = parse_event(an_audit(result="failure", activityDisplayName="PIM activation request expired"))
    assert expired is not None


@pytest.mark.parametrize("at", [None, "", "soon"])
def test_a_row_without_a_time_tells_nothing(at: object) -> None:
    assert parse_event(an_audit(activityDateTime=at)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "key", "type"]), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(an_audit())), JSON, max_size=4), JSON)
def test_no_row_is_too_odd(over: dict[str, object], other: object) -> None:
    parse_events([an_audit(**over), other])


# --- reading ---


def chronicle(there: Rig) -> DirectoryAudits:
    return DirectoryAudits(there.a_patient_gate(MANNERS))


async def test_rows_are_read_page_by_page_at_the_pace_the_service_allows() -> None:
    links = [f"{ROOT}/v1.0/auditLogs/directoryAudits?$skiptoken={number}" for number in range(3)]
    there = rig(*(page(an_audit(), {}, following=link) for link in links), page(an_audit()))
    pages = [events async for events in chronicle(there).since(NOW, token)]
    assert [len(events) for events in pages] == [1, 1, 1, 1]
    begin = "loggedByService%20eq%20%27PIM%27%20and%20activityDateTime%20ge%202026-11-23T09%3A30%3A00Z"
    assert there.microsoft.lines[0] == f"GET /v1.0/auditLogs/directoryAudits?$filter={begin}&$top=100"
    assert there.slept == [2.0, 2.0, 2.0]


async def test_the_services_own_pause_is_waited_out() -> None:
    there = rig(throttled("7"), page(an_audit()))
    assert len(await anext(chronicle(there).since(NOW - timedelta(days=30), token))) == 1
    assert there.slept == [7.0]


async def test_who_may_not_read_the_log_is_refused() -> None:
    with pytest.raises(GraphRefused):
        await anext(chronicle(rig(error(403))).since(NOW, token))
