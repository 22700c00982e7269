"""A row of Microsoft's listing as an ActivationRequest: every form it is known to take, and none that stops a poll."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from graph.fake_microsoft import EVIL_IDS, Json, a_row
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Malformed
from app.domain.request import Kind, Person, RequestKey, Role, Scope, Ticket
from app.graph.approvals import parse_step
from app.graph.directory_roles import parse_request

ADA = "11aa22bb-33cc-44dd-55ee-66ff77008801"
ROLE = "194ae4cb-b126-40b2-bd5b-6091b380977d"
UNIT = "a1b2c3d4-0000-4000-8000-00000000a1b2"
CREATED = datetime(2026, 11, 23, 9, 15, 22, 117_000, tzinfo=UTC)


def schedule(start: object = None, **expiration: object) -> Json:
    return {"startDateTime": start, "recurrence": None, "expiration": expiration}


def test_a_row_becomes_a_request() -> None:
    row = a_row()
    request = parse_request(row)
    assert request.key == RequestKey(Kind.ENTRA, row["id"])
    assert request.requestor == Person(ADA, "Ada Park", "ada.park@contoso.example", "ada.park@contoso.example")
    assert request.created_by == ADA
    assert request.role == Role(ROLE, "Security Administrator", built_in=True)
    assert request.scope == Scope("/")
    assert request.ticket == Ticket("INC-20391", "ServiceNow")
    assert (request.created, request.start) == (CREATED, None)
    assert (request.duration, request.duration_text) == (timedelta(hours=4), "PT4H")
    assert (request.justification, request.native_status) == ("Investigate alert INC-20391", "PendingApproval")
    assert request.decidable


@pytest.mark.parametrize("action", ["selfActivate", "SelfActivate", "SELFACTIVATE"])
def test_an_activation_is_recognised_in_any_case(action: str) -> None:
    assert parse_request(a_row(action=action)).decidable


@pytest.mark.parametrize(
    "action", ["selfExtend", "SelfRenew", "adminAssign", "unknownFutureValue", "selfActivateTwice", "", None, 7]
)
def test_what_is_not_an_activation_is_not_decided_here(action: object) -> None:
    assert not parse_request(a_row(action=action)).decidable


@pytest.mark.parametrize(
    "plan, duration, words",
    [
        (schedule(type="afterDuration", duration="PT5H30M"), timedelta(hours=5, minutes=30), "PT5H30M"),
        (schedule(type="AfterDuration", duration="P1D", endDateTime=None), timedelta(days=1), "P1D"),
        (schedule(type="afterDuration", duration="PT0S"), None, "PT0S"),
        (schedule(type="afterDuration", duration="P1M"), None, "P1M"),
        (schedule(type="afterDuration", duration="-PT2H"), None, "-PT2H"),
        (schedule(type="afterDuration", duration=None), None, "afterDuration"),
        (schedule(type="afterDateTime", endDateTime="2026-11-23T11:15:22.117Z"), timedelta(hours=2), ""),
        (
            schedule("2026-11-23T12:00:00Z", type="afterDateTime", endDateTime="2026-11-23T15:00:00Z"),
            timedelta(hours=3),
            "",
        ),
        (schedule(type="afterDateTime", endDateTime="2026-11-23T09:00:00Z"), None, "afterDateTime"),
        (schedule(type="afterDateTime", endDateTime="9999-12-31T23:59:59Z"), None, "afterDateTime"),
        (schedule(type="afterDateTime", endDateTime="soon"), None, "afterDateTime"),
        (schedule(type="noExpiration", endDateTime=None, duration=None), None, "noExpiration"),
        (schedule(type="notSpecified"), None, "notSpecified"),
        (schedule(type="unknownFutureValue"), None, "unknownFutureValue"),
        (schedule(), None, ""),
        ({"startDateTime": None, "expiration": None}, None, ""),
        (None, None, ""),
    ],
)
def test_every_kind_of_end_is_read_or_shown_raw(plan: object, duration: timedelta | None, words: str) -> None:
    request = parse_request(a_row(scheduleInfo=plan))
    assert (request.duration, request.duration_text) == (duration, words)
    assert request.decidable == (duration is not None)


def test_a_later_start_is_kept() -> None:
    plan = schedule("2026-11-24T08:00:00.1234567Z", type="afterDuration", duration="PT1H")
    assert parse_request(a_row(scheduleInfo=plan)).start == datetime(2026, 11, 24, 8, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    "scope, app_scope, expected",
    [
        ("/", None, "Whole directory"),
        (None, None, "Whole directory"),
        (f"/administrativeUnits/{UNIT}", None, f"Administrative unit {UNIT}"),
        (f"/{UNIT}", None, f"/{UNIT}"),
        (None, f"/{UNIT}", f"/{UNIT}"),
        ("", "/", "Whole directory"),
    ],
)
def test_the_scope_is_said_in_words(scope: object, app_scope: object, expected: str) -> None:
    request = parse_request(a_row(directoryScopeId=scope, appScopeId=app_scope))
    assert request.scope.label == expected


OPTIONAL = ("status", "completedDateTime", "approvalId", "action", "directoryScopeId", "appScopeId", "isValidationOnly")
OPTIONAL += ("targetScheduleId", "justification", "createdBy", "scheduleInfo", "ticketInfo", "principal")
OPTIONAL += ("roleDefinition",)


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("value", [None, "unknownFutureValue", 7, [], {}])
def test_any_field_but_the_ids_and_the_time_may_be_anything(name: str, value: object) -> None:
    assert parse_request(a_row(**{name: value})).requestor.id == ADA


def test_nulls_everywhere_still_make_a_request_with_the_best_names_there_are() -> None:
    request = parse_request(a_row(**dict.fromkeys(OPTIONAL)))
    assert (request.requestor.label, request.role.label, request.created_by) == (ADA, ROLE, "")
    assert (request.role.built_in, request.ticket.given, request.justification) == (None, False, "")


@pytest.mark.parametrize("name", ["id", "principalId", "roleDefinitionId"])
@pytest.mark.parametrize("value", [None, 7, *EVIL_IDS])
def test_a_row_with_an_id_that_is_none_is_malformed(name: str, value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(a_row(**{name: value}))


@pytest.mark.parametrize("value", [None, "", "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_row_without_a_time_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(a_row(createdDateTime=value))


def test_ids_are_kept_in_lower_case() -> None:
    row = a_row(principalId=ADA.upper(), createdBy={"user": {"id": ADA.upper()}}, roleDefinitionId=ROLE.upper())
    request = parse_request(row | {"id": row["id"].upper()})
    assert (request.key.id, request.requestor.id, request.created_by) == (row["id"], ADA, ADA)
    assert request.role.id == ROLE


def test_completed_is_never_taken_for_done() -> None:
    with_it, without = a_row(), a_row(completedDateTime=None)
    assert parse_request(with_it).native_status == parse_request(without).native_status


WORDS = st.text() | st.sampled_from(["PT4H", "2026-11-23T09:15:22Z", "noExpiration", "\ud800", "\x00", ADA])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({*a_row(), "user", "expiration", "duration", "endDateTime", "startDateTime", "type"})
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES))


def survives(row: Json) -> None:
    """Nothing but Malformed may come out, and what comes out can be used by everybody."""
    try:
        request = parse_request(row)
    except Malformed:
        return
    assert request.expires > request.created
    assert len(request.digest) == 64
    assert request.duration is None or request.duration > timedelta(0)


@given(OBJECTS)
def test_any_json_object_is_a_request_or_malformed(row: dict[str, Any]) -> None:
    survives(row)


@given(OBJECTS)
def test_a_good_row_with_anything_in_some_fields_is_a_request_or_malformed(changes: dict[str, Any]) -> None:
    survives(a_row(**changes))


@given(st.dictionaries(st.sampled_from(["expiration", "startDateTime"]), OBJECTS | VALUES))
def test_any_schedule_is_read_or_left_unreadable(plan: dict[str, Any]) -> None:
    survives(a_row(scheduleInfo=plan))


@given(st.dictionaries(st.sampled_from(["id", "status", "reviewResult", "reviewedBy", "justification"]), VALUES))
def test_any_json_object_is_a_step_or_malformed(row: dict[str, Any]) -> None:
    for step in (row, {"id": ADA, **row}):
        try:
            parse_step(step)
        except Malformed:
            continue
