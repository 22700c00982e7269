"""The request itself: its deadline, whether it can be decided here, and the digest of what an approver judges by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from build import NOW, a_request
from hypothesis import given, settings
from hypothesis import strategies as st
from people import ann, ben, rob

from app.domain.request import ActivationRequest, Kind, Person, RequestKey, Role, Scope, Status, Ticket, Verdict

WORDS = st.text(max_size=8)
NAMES = st.text("abcdef", min_size=1, max_size=4)
SCHEMES = {
    "kind": st.sampled_from(Kind),
    "id": NAMES,
    "action": NAMES,
    "requestor": NAMES,
    "creator": NAMES,
    "role": NAMES,
    "scope": NAMES,
    "start": st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them bare
    "length": st.none() | st.integers(1, 99).map(lambda hours: timedelta(hours=hours)) | NAMES,
    "justification": WORDS,
    "number": WORDS,
    "system": WORDS,
}
MATERIAL = st.fixed_dictionaries(SCHEMES)


def made_of(facts: dict[str, Any]) -> ActivationRequest:
    length = facts["length"]
    return a_request(
        key=RequestKey(facts["kind"], facts["id"]),
        action=facts["action"],
        requestor=Person(facts["requestor"]),
        created_by=facts["creator"],
        role=Role(facts["role"]),
        scope=Scope(facts["scope"]),
        start=facts["start"],
        duration=length if isinstance(length, timedelta) else None,
        duration_text=length if isinstance(length, str) else "",
        justification=facts["justification"],
        ticket=Ticket(facts["number"], facts["system"]),
    )


@pytest.mark.parametrize("name", SCHEMES)
@given(facts=MATERIAL, data=st.data())
@settings(max_examples=30)
def test_any_material_field_changes_the_digest(name: str, facts: dict[str, Any], data: st.DataObject) -> None:
    other = data.draw(SCHEMES[name].filter(lambda value: value != facts[name]))
    assert made_of(facts).digest != made_of({**facts, name: other}).digest


@given(MATERIAL, MATERIAL)
def test_the_same_facts_have_the_same_digest_and_other_facts_another(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert made_of(one).digest == made_of(dict(one)).digest
    assert (made_of(one).digest == made_of(two).digest) == (one == two)


@given(MATERIAL, WORDS, WORDS, st.booleans())
def test_nothing_else_changes_the_digest(facts: dict[str, Any], words: str, name: str, built_in: bool) -> None:  # noqa: FBT001 - hypothesis
    request = made_of(facts)
    renamed = replace(
        request,
        native_status=words,
        requestor=Person(request.requestor.id, name, words, name),
        role=Role(request.role.id, name, built_in),
        scope=Scope(request.scope.id, words),
        created=request.created + timedelta(minutes=len(words)),
        duration_text=words if request.duration is not None else request.duration_text,
    )
    assert renamed.digest == request.digest


@given(MATERIAL)
def test_the_case_of_ids_and_action_does_not_change_the_digest(facts: dict[str, Any]) -> None:
    loud = {name: facts[name].upper() for name in ("id", "action", "requestor", "creator", "role", "scope")}
    assert made_of({**facts, **loud}).digest == made_of(facts).digest


@pytest.mark.parametrize("words", ["noExpiration", "P1M", "7200.0"])
def test_an_end_that_cannot_be_read_counts_by_its_raw_words(words: str) -> None:
    request = a_request(duration=None, duration_text="")
    assert replace(request, duration_text=words).digest != request.digest
    assert replace(request, duration_text=words).digest != replace(request, duration=timedelta(hours=2)).digest


def test_the_case_of_words_does_change_the_digest() -> None:
    assert a_request(justification="Fix").digest != replace(a_request(justification="Fix"), justification="fix").digest


@pytest.mark.parametrize("words", ["\ud800", "\x00", "\N{LOCK}", "x" * 100_000])
def test_any_words_have_a_digest(words: str) -> None:
    assert len(a_request(justification=words, ticket=Ticket(words, words)).digest) == 64


def test_the_two_halves_of_a_ticket_do_not_run_into_each_other() -> None:
    request = a_request()
    shifted = [replace(request, ticket=Ticket(*halves)) for halves in (("ab", "c"), ("a", "bc"), ("", "abc"))]
    assert len({one.digest for one in shifted}) == 3


def test_a_request_expires_a_day_after_it_was_made() -> None:
    request = a_request(created=NOW, start=NOW + timedelta(days=3))
    assert request.expires == NOW + timedelta(hours=24)


@pytest.mark.parametrize(
    "over, decidable",
    [
        ({}, True),
        ({"action": "SelfActivate"}, True),
        ({"action": "selfExtend"}, False),
        ({"action": "selfRenew"}, False),
        ({"action": ""}, False),
        ({"duration": None, "duration_text": "noExpiration"}, False),
    ],
)
def test_only_an_activation_with_an_end_can_be_decided_here(over: dict[str, object], decidable: bool) -> None:  # noqa: FBT001 - a table
    assert a_request(**over).decidable is decidable


@pytest.mark.parametrize("status", list(Status))
def test_only_pending_and_deciding_are_open(status: Status) -> None:
    assert status.open == (status.value in ("pending", "deciding"))


def test_a_verdict_is_microsofts_word_and_becomes_a_status() -> None:
    assert [(verdict.value, verdict.status) for verdict in Verdict] == [
        ("Approve", Status.APPROVED),
        ("Deny", Status.DENIED),
    ]


@pytest.mark.parametrize(
    "thing, label",
    [
        (ann, "Ann Archer"),
        (Person("oid", "", "ben@acme.example", "other@acme.example"), "ben@acme.example"),
        (Person("oid", mail="ben@acme.example"), "ben@acme.example"),
        (Person("oid"), "oid"),
        (Role("r", "Reports Reader"), "Reports Reader"),
        (Role("r"), "r"),
        (Scope("/"), "Whole directory"),
        (Scope("/x"), "/x"),
        (Scope("/x", "Unit X"), "Unit X"),
    ],
)
def test_a_thing_is_called_by_the_best_name_there_is(thing: Person | Role | Scope, label: str) -> None:
    assert thing.label == label


@pytest.mark.parametrize("number, given_", [("CHG-1", True), ("", False), (" \t", False)])
def test_a_ticket_counts_only_with_a_number(number: str, given_: bool) -> None:  # noqa: FBT001 - a table
    assert Ticket(number, "ServiceNow").given is given_


def test_a_key_is_said_with_its_desk() -> None:
    assert str(RequestKey(Kind.ENTRA, "x")) == "entra/x"


def test_people_are_one_by_all_that_is_known_of_them() -> None:
    assert len({ann, ben, rob, replace(ann)}) == 3


@pytest.mark.parametrize(
    "kind, role, scope, what",
    [
        (Kind.ENTRA, "Global Administrator", Scope("/"), "Global Administrator"),
        (Kind.AZURE, "Owner", Scope("/subscriptions/1", "Subscription Prod"), "Owner on Subscription Prod"),
        (Kind.GROUP, "Member", Scope("9e2f0c11", "prod-db-admins"), "Member of prod-db-admins"),
    ],
)
def test_owner_and_member_say_of_what(kind: Kind, role: str, scope: Scope, what: str) -> None:
    assert a_request(key=RequestKey(kind, "r"), role=Role("id", role), scope=scope).what == what
