"""Nobody decides their own request: not as its requestor, creator, second account, or former account."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build import EXCHANGE, NOW, a_request, a_row
from hypothesis import given
from hypothesis import strategies as st
from people import EVERYBODY, adm_rob, ann, ben, cleo, rita, rob

from app.domain.match import How, Match
from app.domain.policy import Aliases, Policy
from app.domain.request import Person, Status
from app.domain.row import RequestRow
from app.domain.ruling import Approver, Why, portal_only, rule_row

POLICY = Policy(aliases=Aliases((("adm-{x}@", "{x}@"),), {"root7@acme.example": "ann@acme.example"}))
ROOT7 = Person("0f", "Root 7", "root7@acme.example")
U_ROB = "U0ROB00001"


def made_by(person: Person, **over: object) -> RequestRow:
    return a_row(a_request(requestor=person), **over)


OWN = {
    "their own": (made_by(rob), Approver(rob), "nobody approves their own"),
    "one they made for somebody": (a_row(a_request(created_by=ann.id)), Approver(ann), "made for Rob Reyes"),
    "their admin account's": (made_by(adm_rob), Approver(rob), "made with adm-rob@acme.example"),
    "their everyday account's": (made_by(rob), Approver(adm_rob), "made with rob@acme.example"),
    "another account of the table": (made_by(ROOT7), Approver(ann), "made with root7@acme.example"),
    "in other letters": (made_by(rob), Approver(replace(rob, id=rob.id.upper())), "nobody approves their own"),
    "one of their Slack account": (
        made_by(rita, match=Match(How.BY_MAIL, U_ROB)),
        Approver(rob, U_ROB),
        "rita@acme.example belongs to your Slack account",
    ),
    "one of a former account": (made_by(cleo), Approver(rob, U_ROB, frozenset({cleo.id})), "once linked to your Slack"),
    "one of a Slack account once linked to theirs": (
        made_by(rita, match=Match(How.BY_MAIL, "U0RITA0001")),
        Approver(rob, U_ROB, frozenset(), frozenset({U_ROB, "U0RITA0001"})),
        "a Slack account once linked to yours",
    ),
    "one that a former account made": (
        a_row(a_request(requestor=rita, created_by=cleo.id)),
        Approver(rob, U_ROB, frozenset({cleo.id.upper()})),
        "once linked to your Slack",
    ),
}


@pytest.mark.parametrize("row, approver, words", OWN.values(), ids=OWN.keys())
def test_nobody_decides_a_request_that_is(row: RequestRow, approver: Approver, words: str) -> None:
    refused = rule_row(row, approver, NOW, POLICY)
    assert refused is not None
    assert refused.why is Why.OWN_REQUEST
    assert words in refused.text
    assert refused.text.endswith("Nothing was changed.")


@pytest.mark.parametrize("row, approver, words", OWN.values(), ids=OWN.keys())
def test_somebody_else_may_decide_it(row: RequestRow, approver: Approver, words: str) -> None:  # noqa: ARG001 - one table
    somebody = Approver(ben, "U0BEN00001", frozenset({ben.id}), frozenset({"U0BEN00001"}))
    assert rule_row(row, somebody, NOW, POLICY) is None


def test_people_without_slack_have_no_account_in_common() -> None:
    nobody_in_slack = made_by(rob, match=Match(How.NOT_IN_SLACK))
    assert rule_row(nobody_in_slack, Approver(ann, "", frozenset(), frozenset({""})), NOW, POLICY) is None


@given(
    st.sampled_from(EVERYBODY),
    st.sampled_from(EVERYBODY),
    st.frozensets(st.sampled_from([one.id for one in EVERYBODY])),
    st.frozensets(st.sampled_from([U_ROB, "U0BEN00001"])),
)
def test_what_is_known_of_an_approver_only_ever_refuses(
    asks: Person, decides: Person, kin: frozenset[str], kin_slack: frozenset[str]
) -> None:
    bare, known = Approver(decides), Approver(decides, "U0ANN00001", kin, kin_slack)
    row = made_by(asks, match=Match(How.BY_MAIL, U_ROB))
    if rule_row(row, bare, NOW, POLICY) is not None:
        assert rule_row(row, known, NOW, POLICY) is not None


# --- what is not decided here at all ---


def test_a_portal_only_role_is_refused_in_any_letter_case() -> None:
    for id_ in (EXCHANGE.id, EXCHANGE.id.upper()):
        row = a_row(a_request(role=replace(EXCHANGE, id=id_)))
        refused = rule_row(row, Approver(ann), NOW, Policy(portal_only=frozenset({EXCHANGE.id})))
        assert refused is not None
        assert refused.why is Why.PORTAL_ONLY
        assert refused.text.startswith("Your company decides this role in the portal only.")


def test_other_roles_are_decided_here() -> None:
    assert rule_row(a_row(), Approver(ann), NOW, Policy(portal_only=frozenset({"another"}))) is None


def test_a_pause_is_refused_with_its_reason() -> None:
    refused = rule_row(a_row(paused="a drill"), Approver(ann), NOW)
    assert refused is not None
    assert refused.why is Why.PAUSED
    assert "paused (a drill)" in refused.text
    assert "Nothing was changed" in refused.text


def test_what_has_ended_is_said_to_have_ended_also_during_a_pause() -> None:
    refused = rule_row(a_row(paused="a drill", status=Status.CANCELED), Approver(ann), NOW)
    assert refused is not None
    assert refused.why is Why.ALREADY_DECIDED


def test_what_can_be_decided_here_has_nothing_said_against_it() -> None:
    assert portal_only(a_row(), Policy()) == ""
