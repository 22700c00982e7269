"""PIM's role settings as facts: what an answer does not say, or nobody may read, stays unknown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import a_request, guid
from graph.fake_microsoft import EVIL_IDS, Answer, Json, error, ok, page, rig
from hypothesis import given
from hypothesis import strategies as st
from people import ann, ben, cleo, rob

from app.domain.request import ActivationRequest, Person, PolicyFacts
from app.graph.policies import Named, Policies, Settings, Sort, parse_rules, rules_of

GROUP, OTHER = guid(), guid()


def parse_policy(answer: Json) -> PolicyFacts:
    return parse_rules(rules_of(answer)).facts


def answer(*rules: object) -> Json:
    return {"value": [{"id": "x", "policy": {"id": "p", "rules": list(rules)}}]}


def approval(*stages: object) -> Json:
    return {"id": "Approval_EndUser_Assignment", "setting": {"approvalStages": list(stages)}}


def asks(required: object) -> Json:
    return {"isApproverJustificationRequired": required}


@pytest.mark.parametrize(
    "stages, expected",
    [
        ((asks(True),), True),
        ((asks(False),), False),
        ((asks(False), asks(True)), True),
        ((asks(False), asks(None)), None),
        ((asks("false"),), None),
        ((asks(0),), None),
        (({},), None),
        ((None,), None),
        ((), None),
    ],
)
def test_a_comment_is_optional_only_when_every_stage_says_so(stages: tuple[object, ...], expected: object) -> None:
    assert parse_policy(answer(approval(*stages))).comment_required is expected


@pytest.mark.parametrize(
    "enabled, expected",
    [
        (["Justification", "Ticketing"], True),
        (["ticketing"], True),
        (["MultiFactorAuthentication"], False),
        ([], False),
        ([None, 7], False),
        (None, None),
        ("Ticketing", None),
    ],
)
def test_the_ticket_rule_is_read(enabled: object, expected: object) -> None:
    rule = {"id": "Enablement_EndUser_Assignment", "enabledRules": enabled}
    assert parse_policy(answer(rule)).ticket_required is expected


@pytest.mark.parametrize(
    "longest, expected", [("PT8H", timedelta(hours=8)), ("P1D", timedelta(days=1)), ("P1Y", None), (None, None)]
)
def test_the_longest_activation_is_read(longest: object, expected: timedelta | None) -> None:
    rule = {"id": "Expiration_EndUser_Assignment", "maximumDuration": longest}
    assert parse_policy(answer(rule)).longest == expected


def test_rules_about_anything_but_activation_are_not_read() -> None:
    others = [
        {"id": "Enablement_Admin_Assignment", "enabledRules": ["Ticketing"]},
        {"id": "Expiration_Admin_Eligibility", "maximumDuration": "PT1H"},
    ]
    assert parse_policy(answer(*others)) == PolicyFacts()


def test_rule_ids_are_recognised_in_any_case() -> None:
    rule = {"id": "ENABLEMENT_ENDUSER_ASSIGNMENT", "enabledRules": []}
    assert parse_policy(answer(rule)).ticket_required is False


@pytest.mark.parametrize(
    "enabled, expected", [(["Justification"], True), (["JUSTIFICATION", None], True), ([], False), (None, None)]
)
def test_whether_a_requestor_must_say_why_is_read(enabled: object, expected: object) -> None:
    rule = {"id": "Enablement_EndUser_Assignment", "enabledRules": enabled}
    assert parse_policy(answer(rule)).justification_required is expected


@pytest.mark.parametrize(
    "over, expected",
    [
        ({"isEnabled": True, "claimValue": "c1"}, "c1"),
        ({"isEnabled": False, "claimValue": None}, ""),
        ({"isEnabled": False, "claimValue": "c1"}, ""),
        ({"isEnabled": True, "claimValue": None}, None),
        ({"isEnabled": "true", "claimValue": "c1"}, None),
        ({}, None),
    ],
)
def test_the_authentication_context_is_read(over: Json, expected: object) -> None:
    assert parse_policy(answer({"id": "AuthenticationContext_EndUser_Assignment", **over})).context == expected


# --- whom the settings name ---


def named_by(*entries: object, **over: object) -> tuple[Named, ...] | None:
    rule = approval({"primaryApprovers": list(entries), "escalationApprovers": [user(cleo)]})
    rule["setting"] |= {"isApprovalRequired": True, **over}
    return parse_rules([rule]).named


def user(person: Person) -> Json:
    return {"@odata.type": "#microsoft.graph.singleUser", "userId": person.id, "description": person.name}


def group(id_: str = GROUP) -> Json:
    return {"@odata.type": "#microsoft.graph.groupMembers", "groupId": id_, "description": "pim-approvers"}


MANAGER = {"@odata.type": "#microsoft.graph.requestorManager", "managerLevel": 2}


def test_graph_names_users_groups_and_managers() -> None:
    assert named_by(user(ann), group(), MANAGER) == (
        Named(Sort.USER, ann.id, "Ann Archer"),
        Named(Sort.GROUP, GROUP, "pim-approvers"),
        Named(Sort.MANAGER, level=2),
    )


def test_arm_names_users_and_groups() -> None:
    entries = [
        {"id": ann.id.upper(), "description": "Ann Archer", "isBackup": False, "userType": "User"},
        {"id": GROUP, "description": "pim-approvers", "isBackup": False, "userType": "Group"},
    ]
    assert named_by(*entries) == (Named(Sort.USER, ann.id, "Ann Archer"), Named(Sort.GROUP, GROUP, "pim-approvers"))


def test_an_empty_list_names_nobody() -> None:
    assert named_by() == ()


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "Ann",
        {},
        {"@odata.type": "#microsoft.graph.internalSponsors"},
        {"@odata.type": "#microsoft.graph.singleUser"},
        {"@odata.type": "#microsoft.graph.singleUser", "userId": None},
        {"@odata.type": "#microsoft.graph.groupMembers", "groupId": 7},
        {"id": ann.id, "userType": "ServicePrincipal"},
        {"id": ann.id},
        *({"id": evil, "userType": "User"} for evil in EVIL_IDS),
    ],
)
def test_one_entry_that_cannot_be_read_leaves_all_unknown(entry: object) -> None:
    assert named_by(user(ann), entry) is None


def test_settings_without_approval_say_nothing_about_a_request_that_waits() -> None:
    assert named_by(user(ann), isApprovalRequired=False) is None
    assert parse_rules([approval()]).named is None
    assert parse_rules([approval({"primaryApprovers": None})]).named is None
    assert parse_rules([]).named is None


# --- who that is ---


async def spelled(*named: Named, answers: list[Answer], defaults: bool = False, **over: object) -> PolicyFacts:
    there = rig(*answers)
    policies = Policies(there.directory, defaults=defaults)
    facts = await policies.facts(Settings(PolicyFacts(), named), a_request(**over))
    assert there.microsoft.answers == []
    return facts


def row(person: Person) -> Json:
    return {"id": person.id, "displayName": person.name, "userPrincipalName": person.upn, "mail": person.mail}


A_GROUP, ANN = Named(Sort.GROUP, GROUP), Named(Sort.USER, ann.id, "Ann Archer")


async def test_users_and_members_are_the_approvers_each_once() -> None:
    facts = await spelled(ANN, A_GROUP, answers=[ok(row(ann)), page(row(ann), row(ben))])
    assert facts.approvers == (ann, ben)
    assert not facts.nobody


async def test_a_user_nobody_may_read_goes_by_the_name_in_the_settings() -> None:
    assert (await spelled(ANN, answers=[error(403)])).approvers == (Person(ann.id, "Ann Archer"),)


async def test_a_group_nobody_may_read_leaves_the_approvers_unknown() -> None:
    assert (await spelled(ANN, A_GROUP, answers=[ok(row(ann)), error(403)])).approvers is None


async def test_half_a_group_is_no_group() -> None:
    link = "https://graph.microsoft.com/v1.0/groups/x?$skiptoken=1"
    answers: list[Answer] = [page(row(ben), following=link), error(403)]
    assert (await spelled(A_GROUP, answers=answers)).approvers is None


async def test_whoever_asked_is_no_approver_of_it() -> None:
    facts = await spelled(A_GROUP, answers=[page(row(rob), row(ben), row(ann))], created_by=ben.id)
    assert facts.approvers == (ann,)


async def test_a_group_of_the_requestor_alone_means_nobody() -> None:
    assert (await spelled(A_GROUP, answers=[page(row(rob))], defaults=True)).nobody


@pytest.mark.parametrize("defaults, nobody", [(False, True), (True, False)])
async def test_an_empty_list_is_nobody_unless_administrators_stand_in(defaults: bool, nobody: bool) -> None:  # noqa: FBT001 - a table
    facts = await spelled(answers=[], defaults=defaults)
    assert (facts.approvers, facts.by_default, facts.nobody) == ((), defaults, nobody)


async def test_the_managers_manager_approves() -> None:
    facts = await spelled(Named(Sort.MANAGER, level=2), answers=[ok(row(ben)), ok(row(ann))])
    assert facts.approvers == (ann,)


async def test_who_has_no_manager_has_no_such_approver() -> None:
    facts = await spelled(ANN, Named(Sort.MANAGER), answers=[ok(row(ann)), error(404)])
    assert facts.approvers == (ann,)


async def test_a_manager_nobody_may_read_leaves_the_approvers_unknown() -> None:
    assert (await spelled(Named(Sort.MANAGER), answers=[error(403)])).approvers is None


async def test_the_manager_belongs_to_who_asks() -> None:
    request: ActivationRequest = a_request()
    there = rig(ok(row(ann)))
    await Policies(there.directory).facts(Settings(PolicyFacts(), (Named(Sort.MANAGER),)), request)
    assert there.microsoft.lines == [
        f"GET /v1.0/users/{request.requestor.id}/manager?$select=id,displayName,userPrincipalName,mail"
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "rules", "setting", "primaryApprovers", "userType", "isEnabled"]), inner
        )
    ),
    max_leaves=6,
)


@given(VALUES, VALUES, VALUES)
def test_no_answer_is_too_odd_to_be_read(value: object, rule: object, stage: object) -> None:
    parse_policy({"value": value})
    parse_policy({"value": [value, {"policy": value}]})
    parse_policy(answer(rule, approval(stage), {"id": "AuthenticationContext_EndUser_Assignment", "isEnabled": value}))
