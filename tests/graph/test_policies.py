"""PIM's role settings as facts: what an answer does not say stays unknown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from graph.fake_microsoft import Json
from hypothesis import given
from hypothesis import strategies as st

from app.domain.request import PolicyFacts
from app.graph.policies import parse_policy


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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "rules", "setting"]), inner),
    max_leaves=6,
)


@given(VALUES, VALUES, VALUES)
def test_no_answer_is_too_odd_to_be_read(value: object, rule: object, stage: object) -> None:
    parse_policy({"value": value})
    parse_policy({"value": [value, {"policy": value}]})
    parse_policy(answer(rule, approval(stage)))
