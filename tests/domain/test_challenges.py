"""What goes into the `claims` parameter: nothing but what Microsoft wrote, and our own question."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.challenges import LONGEST, asking_when, valid_claims

CHALLENGE = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
QUESTION = {"auth_time": {"essential": True}}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def test_a_challenge_of_microsofts_shape_is_kept_as_it_is() -> None:
    assert valid_claims(CHALLENGE) == CHALLENGE


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "{}", "{", '"x"', '{"access_token": []}', '{"id_token": {}}', None, 7, "[" * 100_000),
        json.dumps({"access_token": {}, "x": "y" * LONGEST}),
    ],
)
def test_whatever_else_it_is_becomes_nothing(text: object) -> None:
    assert valid_claims(text) == ""


def test_without_a_challenge_only_the_time_is_asked_for() -> None:
    assert json.loads(asking_when("")) == {"id_token": QUESTION}


def test_a_challenge_and_the_question_stand_side_by_side() -> None:
    assert json.loads(asking_when(CHALLENGE)) == {**json.loads(CHALLENGE), "id_token": QUESTION}


def test_a_challenge_that_wants_something_in_the_id_token_gets_it_too() -> None:
    challenge = json.dumps({"access_token": {}, "id_token": {"acr": {"value": "c1"}, "auth_time": None}})
    assert json.loads(asking_when(challenge))["id_token"] == {"acr": {"value": "c1"}, **QUESTION}


@given(challenge=st.dictionaries(st.text(), ANY_JSON, max_size=3), tokens=st.dictionaries(st.text(), ANY_JSON))
def test_nothing_of_a_challenge_is_lost(challenge: dict[str, object], tokens: dict[str, object]) -> None:
    text = valid_claims(json.dumps({**challenge, "access_token": tokens}))
    asked = json.loads(asking_when(text))
    assert asked["id_token"]["auth_time"] == {"essential": True}
    kept = json.loads(text) if text else {}
    assert {name: asked[name] for name in kept if name != "id_token"} == {
        k: v for k, v in kept.items() if k != "id_token"
    }
