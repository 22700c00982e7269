"""What is found, and how it is to be mended: a table for each finding."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import a_request
from people import ann, ben, cleo

from app.domain.errors import GraphRefused, SignInRequired, Unavailable
from app.domain.findings import (
    NEEDS,
    NO_LICENCE,
    Finding,
    Grade,
    lacking_scopes,
    reach_findings,
    refused,
    settings_findings,
)
from app.domain.request import Kind, Person, PolicyFacts

BOTH = (ann, ben)
HOUR = timedelta(hours=1)


def found(facts: PolicyFacts) -> list[Finding]:
    return list(settings_findings(a_request(), facts))


@pytest.mark.parametrize("kind", Kind)
def test_a_refusal_names_the_permission_it_most_likely_lacks(kind: Kind) -> None:
    finding = refused(kind, "no list", GraphRefused("Microsoft refused: no", status=403), NEEDS[kind].listing)
    assert (finding.grade, finding.about) == (Grade.WRONG, kind)
    assert NEEDS[kind].listing in finding.fix
    assert "up to an hour" in finding.fix


def test_a_missing_licence_is_no_missing_permission() -> None:
    failure = GraphRefused("Microsoft refused: no", status=400, code=NO_LICENCE)
    assert "Entra ID P2" in refused(Kind.ENTRA, "no list", failure, "x").fix


def test_an_outage_is_no_missing_permission() -> None:
    assert "run this again" in refused(Kind.ENTRA, "no list", Unavailable("away"), "x").fix


def test_an_ended_session_is_told_with_its_words() -> None:
    assert "Sign in" in refused(Kind.ENTRA, "Ann", SignInRequired(), "x", Grade.NOTE).words


def test_the_undocumented_permission_is_looked_for() -> None:
    scopes = frozenset({"https://graph.microsoft.com/RoleAssignmentSchedule.ReadWrite.Directory", "User.Read"})
    (finding,) = lacking_scopes(Kind.ENTRA, ann, scopes)
    assert "PrivilegedAccess.ReadWrite.AzureAD" in finding.words
    assert list(lacking_scopes(Kind.ENTRA, ann, NEEDS[Kind.ENTRA].delegated)) == []


def test_scopes_that_cannot_be_read_are_no_missing_scopes() -> None:
    assert list(lacking_scopes(Kind.ENTRA, ann, frozenset())) == []


def test_settings_as_they_should_be_are_no_finding() -> None:
    assert found(PolicyFacts(ticket_required=True, longest=8 * HOUR, approvers=BOTH)) == []


@pytest.mark.parametrize(
    "facts, grade, words",
    [
        (PolicyFacts(), Grade.NOTE, "cannot be read"),
        (PolicyFacts(approvers=(ann,)), Grade.NOTE, "only Ann Archer can approve"),
        (PolicyFacts(approvers=()), Grade.WRONG, "nobody can approve"),
        (PolicyFacts(approvers=(), by_default=True), Grade.NOTE, "by default"),
        (PolicyFacts(approvers=BOTH, ticket_required=False), Grade.NOTE, "asks for no ticket"),
        (PolicyFacts(approvers=BOTH, longest=9 * HOUR), Grade.NOTE, "held for 9 h"),
    ],
)
def test_each_weak_setting_is_a_finding_with_a_way_to_mend_it(facts: PolicyFacts, grade: Grade, words: str) -> None:
    (finding,) = found(facts)
    assert (finding.grade, words in finding.words, bool(finding.fix)) == (grade, True, True)
    assert "Exchange Administrator on Whole directory" in finding.words


def test_settings_that_are_partly_unknown_are_not_guessed() -> None:
    assert found(PolicyFacts(ticket_required=True)) == []


def test_approvers_out_of_reach_are_named_once() -> None:
    everybody: list[Person] = [ann, ben, ben, cleo]
    told = list(reach_findings(everybody, frozenset({ann.id}), frozenset({ann.id, ben.id})))
    assert [finding.words.split(" may")[0] for finding in told] == ["Ben Bauer", "Cleo Chen"]
    assert ["signed in" in finding.words for finding in told] == [True, False]
