"""Azure's rows and stages: every form they are known to take, and none that reaches an address unchecked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from build import a_request, guid
from domain.test_azure_scopes import EVIL_SCOPES
from graph.fake_microsoft import A_GUID, EVIL_IDS, OWNER, SUBSCRIPTION, Json, a_stage, an_azure_row
from hypothesis import given
from hypothesis import strategies as st
from people import rob

from app.domain.errors import Malformed
from app.domain.request import Kind, Person, RequestKey, Role, Scope, Ticket, Verdict
from app.graph.arm_wire import address, instance_of, parse_request, parse_step, parse_steps, rules_at, scope_of

CY = "33cc44dd-55ee-66ff-7700-881199aabb03"
ROLE = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-web"


def test_a_row_becomes_a_request() -> None:
    row = an_azure_row()
    request = parse_request(row)
    assert request.key == RequestKey(Kind.AZURE, row["name"])
    assert request.requestor == Person(CY, "Cy Rao", mail="cy@contoso.example")
    assert request.created_by == CY
    assert request.role == Role(OWNER, "Owner", built_in=True, path=ROLE)
    assert request.scope == Scope(SUBSCRIPTION, "Subscription Prod")
    assert request.ticket == Ticket("CHG-902", "ServiceNow")
    assert request.created == datetime(2026, 11, 23, 9, 0, 2, 710_000, tzinfo=UTC)
    assert (request.duration, request.duration_text) == (timedelta(hours=8), "PT8H")
    assert (request.approval_id, request.native_status) == (A_GUID, "PendingApproval")
    assert request.decidable


@pytest.mark.parametrize("expanded", [None, {}, [], {"scope": None, "principal": 7}])
def test_without_expanded_names_there_are_ids_and_the_names_of_azures_own_roles(expanded: object) -> None:
    request = parse_request(an_azure_row(expanded=expanded))
    assert (request.requestor.label, request.role.label) == (CY, "Owner")
    assert request.scope.label == "Subscription 0f0e0d0c-1111-4222-8333-944455566677"
    assert request.role.built_in is None


def test_a_role_nobody_knows_is_called_by_its_id() -> None:
    role = ROLE.replace(OWNER, A_GUID)
    assert parse_request(an_azure_row(expanded=None, roleDefinitionId=role)).role.label == A_GUID


def test_a_resource_group_tells_the_subscription_it_lies_in_where_that_is_known() -> None:
    row = an_azure_row(scope=GROUP, expanded=None)
    assert parse_request(row).scope.name == "Resource group rg-web"
    known = {SUBSCRIPTION.rpartition("/")[2]: "Prod"}
    assert parse_request(row, known).scope.name == "Resource group rg-web in Prod"
    assert parse_request(an_azure_row(expanded=None), known).scope.name == "Subscription Prod"


@pytest.mark.parametrize("approval", [None, ""])
def test_a_request_without_an_approval_has_no_approval_id(approval: object) -> None:
    assert parse_request(an_azure_row(approvalId=approval)).approval_id == ""


@pytest.mark.parametrize("word", ["selfextend", "SelfRenew", "AdminExtend"])
def test_what_only_the_portal_decides_is_not_decidable(word: str) -> None:
    assert not parse_request(an_azure_row(requestType=word, status="PendingAdminDecision")).decidable


@pytest.mark.parametrize("value", [None, 7, *EVIL_IDS])
@pytest.mark.parametrize("name", ["name", "principalId"])
def test_a_row_with_a_hostile_id_is_malformed(name: str, value: object) -> None:
    row = an_azure_row()
    (row if name == "name" else row["properties"])[name] = value
    with pytest.raises(Malformed):
        parse_request(row)


@pytest.mark.parametrize("value", [None, 7, *EVIL_SCOPES])
def test_a_row_with_a_hostile_scope_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(an_azure_row(scope=value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        OWNER,
        f"/x/{OWNER}",
        f"{ROLE}/..",
        f"{ROLE}' or '1' eq '1",
        f"{ROLE}?x",
        f"{ROLE}/",
        ROLE.replace("/providers/", "/../providers/"),
        ROLE.replace("/providers/", "//providers/"),
        *(f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}" for scope in EVIL_SCOPES if scope),
        *(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{evil}" for evil in EVIL_IDS),
    ],
)
def test_a_row_with_a_hostile_role_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(an_azure_row(roleDefinitionId=value))


@pytest.mark.parametrize("path", [f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER}", ROLE, ROLE.upper()])
def test_a_role_is_kept_by_the_tenant_or_a_subscription(path: str) -> None:
    role = parse_request(an_azure_row(roleDefinitionId=path)).role
    assert (role.id, role.path) == (OWNER, path)


@pytest.mark.parametrize("value", [f"/x/{evil}" for evil in EVIL_IDS if evil and "/" not in evil])
def test_a_row_with_a_hostile_approval_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        parse_request(an_azure_row(approvalId=value))


@pytest.mark.parametrize("value", [None, "", "soon"])
def test_a_row_without_a_time_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        parse_request(an_azure_row(createdOn=value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(an_azure_row()["properties"])), JSON, max_size=4), JSON, st.booleans())
def test_no_row_is_too_odd_to_be_read_or_set_aside(over: dict[str, Any], properties: object, whole: bool) -> None:  # noqa: FBT001 - drawn
    row = an_azure_row()
    row["properties"] = row["properties"] | over if whole else properties
    try:
        assert parse_request(row).key.kind is Kind.AZURE
    except Malformed:
        assert over or not whole


@given(JSON, JSON, JSON)
def test_no_approval_is_too_odd(stages: object, stage: object, reviewer: object) -> None:
    for approval in ({"properties": {"stages": stages}}, {"properties": stage}):
        try:
            parse_steps(approval)
        except Malformed:
            continue
    parse_step(a_stage(reviewedBy=reviewer, status=stage))


# --- stages ---


@pytest.mark.parametrize("word", ["stages", "steps"])
def test_stages_are_read_under_both_names_and_told_by_the_end_of_their_id(word: str) -> None:
    stage = guid()
    (step,) = parse_steps({"properties": {word: [a_stage(id_=stage.upper())]}})
    assert (step.id, step.live, step.reviewed_by) == (stage, True, None)


@pytest.mark.parametrize("properties", [None, {}, {"stages": {}}, {"steps": None}, {"stages": [None]}])
def test_an_approval_without_readable_stages_is_malformed_and_not_without_stages(properties: object) -> None:
    with pytest.raises(Malformed):
        parse_steps({"properties": properties})


def test_a_review_names_who_and_when() -> None:
    by = {"principalId": CY.upper(), "principalName": "Cy Rao", "userPrincipalName": "cy@contoso.example"}
    when = "2018-08-03T21:02:30.6670000Z"
    stage = a_stage(status="Completed", reviewResult="Denied", reviewedBy=by, reviewedDateTime=when)
    step = parse_step(stage)
    assert (step.verdict, step.reviewed_by) == (Verdict.DENY, Person(CY, "Cy Rao", "cy@contoso.example"))
    assert step.reviewed_at == datetime(2018, 8, 3, 21, 2, 30, 667_000, tzinfo=UTC)


@pytest.mark.parametrize("nobody", [None, {}, {"principalId": "00000000-0000-0000-0000-000000000000"}])
def test_an_all_zero_reviewer_is_nobody(nobody: object) -> None:
    assert parse_step(a_stage(reviewedBy=nobody)).reviewed_by is None


@pytest.mark.parametrize("evil", [evil for evil in EVIL_IDS if "/" not in evil])
def test_a_stage_with_a_hostile_id_is_malformed(evil: str) -> None:
    with pytest.raises(Malformed):
        parse_step(a_stage(id_=evil))


# --- addresses, instances, settings ---


@pytest.mark.parametrize(
    "scope, expected",
    [
        ("/", "/providers/Microsoft.Authorization/x"),
        (SUBSCRIPTION, f"{SUBSCRIPTION}/providers/Microsoft.Authorization/x"),
        (
            f"{SUBSCRIPTION}/resourceGroups/gruppe-übung",
            f"{SUBSCRIPTION}/resourceGroups/gruppe-%C3%BCbung/providers/Microsoft.Authorization/x",
        ),
        (
            f"{GROUP}/providers/Microsoft.Sql/servers/s/databases/my db",
            f"{GROUP}/providers/Microsoft.Sql/servers/s/databases/my%20db/providers/Microsoft.Authorization/x",
        ),
    ],
)
def test_a_scope_stands_in_an_address_encoded(scope: str, expected: str) -> None:
    assert address(scope_of(scope), "x") == expected


def instance(**over: object) -> Json:
    facts = {
        "scope": SUBSCRIPTION.upper(),
        "roleDefinitionId": ROLE.upper(),
        "principalId": rob.id.upper(),
        "roleAssignmentScheduleId": f"{SUBSCRIPTION}/providers/x/roleAssignmentSchedules/{guid()}",
        "startDateTime": "2026-11-23T09:25:00Z",
        "assignmentType": "Activated",
    }
    return {"properties": facts | over}


HELD = a_request(key=RequestKey(Kind.AZURE, A_GUID), role=Role(OWNER, path=ROLE), scope=Scope(SUBSCRIPTION))


def test_an_instance_belongs_to_a_request_by_its_schedule() -> None:
    assert instance_of(instance(roleAssignmentScheduleId=f"/x/{A_GUID.upper()}", principalId=None), HELD)


def test_the_same_role_held_by_another_request_is_not_this_ones() -> None:
    assert not instance_of(instance(), HELD)


def test_settings_are_those_of_the_very_scope_and_role() -> None:
    def row(scope: str, role: str, *rules: object) -> Json:
        return {"properties": {"scope": scope, "roleDefinitionId": role, "effectiveRules": list(rules)}}

    above = row(SUBSCRIPTION, ROLE, {"id": "above"})
    other = row(GROUP, f"/x/{A_GUID}", {"id": "other"})
    here = row(GROUP.upper(), ROLE.upper(), {"id": "here"}, None)
    assert rules_at({"value": [None, {}, above, other, here]}, scope_of(GROUP), OWNER) == [{"id": "here"}, {}]
    assert rules_at({"value": [above]}, scope_of(GROUP), OWNER) == []
    assert rules_at({"value": None}, scope_of(GROUP), OWNER) == []
