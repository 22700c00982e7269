"""Who may decide, who may see, and what is said to those who may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from build import NOW, a_request, a_row, decided
from hypothesis import given
from hypothesis import strategies as st
from people import CHANNEL, EVERYBODY, adm_rob, ann, ben, cleo, olga, rob

from app.domain.request import Person, PolicyFacts, Role, Status, Verdict
from app.domain.risk import Level, Risk
from app.domain.roles import GLOBAL_ADMINISTRATOR
from app.domain.row import RequestRow
from app.domain.ruling import Approver, Refused, Step, Viewer, Why, already_decided, justify, may_see, rule, rule_row

EXPIRES = a_request().expires
LOW = Risk(Level.LOW)


def step(**over: object) -> Step:
    facts: dict[str, object] = {
        "id": "s",
        "status": "InProgress",
        "result": "NotReviewed",
        "assigned_to_me": True,
        **over,
    }
    return Step(**facts)  # type: ignore[arg-type]


def why(outcome: object) -> Why | None:
    return outcome.why if isinstance(outcome, Refused) else None


# --- what our own memory forbids ---


@pytest.mark.parametrize(
    "row, reason, words",
    [
        (a_row(a_request(requestor=ann)), Why.OWN_REQUEST, "This is your own request"),
        (a_row(a_request(requestor=rob, created_by=ann.id)), Why.OWN_REQUEST, "This is your own request"),
        (a_row(status=Status.DECIDING, deciding=ben), Why.CLAIMED, "Ben Bauer is deciding this request right now."),
        (
            a_row(status=Status.APPROVED, decided=decided(ben)),
            Why.ALREADY_DECIDED,
            "Ben Bauer already approved this request.",
        ),
        (a_row(status=Status.DENIED, decided=decided(ben)), Why.ALREADY_DECIDED, "Ben Bauer already denied"),
        (a_row(status=Status.DENIED, decided=decided(None)), Why.ALREADY_DECIDED, "Somebody already denied"),
        (a_row(status=Status.APPROVED), Why.ALREADY_DECIDED, "Somebody already approved"),
        (a_row(status=Status.CANCELED, decided=decided(rob)), Why.ALREADY_DECIDED, "The requestor withdrew"),
        (a_row(status=Status.EXPIRED, decided=decided(None)), Why.EXPIRED, "This request expired unanswered"),
        (a_row(status=Status.FAILED, decided=decided(None)), Why.ALREADY_DECIDED, "This request has already ended."),
        (a_row(a_request(created=NOW - timedelta(hours=24))), Why.EXPIRED, "This request expired unanswered"),
        (a_row(a_request(action="selfExtend")), Why.PORTAL_ONLY, "can only be decided in the portal"),
        (a_row(a_request(duration=None)), Why.PORTAL_ONLY, "can only be decided in the portal"),
    ],
)
def test_what_is_already_known_to_be_forbidden_is_said_at_once(row: RequestRow, reason: Why, words: str) -> None:
    refused = rule_row(row, Approver(ann), NOW)
    assert isinstance(refused, Refused)
    assert refused.why is reason
    assert refused.text.startswith(words) or words in refused.text
    assert refused.text.endswith("Nothing was changed.")


def test_nothing_speaks_against_a_pending_request_of_somebody_else() -> None:
    assert rule_row(a_row(), Approver(ann), NOW) is None


def test_a_request_can_be_decided_until_its_last_moment() -> None:
    row = a_row()
    assert rule_row(row, Approver(ann), row.request.expires - timedelta(microseconds=1)) is None
    assert why(rule_row(row, Approver(ann), row.request.expires)) is Why.EXPIRED


def test_ones_own_request_is_said_to_be_ones_own_whatever_became_of_it() -> None:
    for status in Status:
        row = a_row(a_request(requestor=ann), status=status, deciding=ben, decided=decided(ben))
        assert why(rule_row(row, Approver(ann), NOW)) is Why.OWN_REQUEST


def test_a_request_being_decided_by_nobody_known_is_not_refused_as_claimed() -> None:
    assert rule_row(a_row(status=Status.DECIDING, deciding=None), Approver(ann), NOW) is None


# --- the fresh read ---


@pytest.mark.parametrize(
    "steps",
    [
        (step(),),
        (step(status="inprogress", result="NOTREVIEWED"),),
        (step(id="t", assigned_to_me=False), step()),
        (step(id="t", status="Completed", result="Approve"), step()),
    ],
)
def test_the_one_live_step_is_the_one_to_decide(steps: tuple[Step, ...]) -> None:
    request = a_request()
    ruled = rule(request, steps, request.digest, NOW)
    assert isinstance(ruled, Step)
    assert ruled.id == "s"


@pytest.mark.parametrize(
    "steps",
    [
        (step(status="Completed"),),
        (step(status="Expired"),),
        (step(result="Approve"),),
    ],
)
def test_without_an_open_step_there_is_nothing_to_decide(steps: tuple[Step, ...]) -> None:
    request = a_request()
    assert why(rule(request, steps, request.digest, NOW)) is Why.NO_STEP


@pytest.mark.parametrize("steps", [(), (step(assigned_to_me=False),), (step(), step(id="t"))])
def test_without_exactly_one_live_step_nobody_is_an_approver(steps: tuple[Step, ...]) -> None:
    request = a_request()
    assert why(rule(request, steps, request.digest, NOW)) is Why.NOT_APPROVER


@pytest.mark.parametrize("word", ["Provisioned", "Canceled", "Denied", "PendingProvisioning", "unknownFutureValue", ""])
def test_what_is_not_pending_any_more_is_decided(word: str) -> None:
    request = a_request(native_status=word)
    assert why(rule(request, (step(),), request.digest, NOW)) is Why.ALREADY_DECIDED


def test_pending_is_recognised_in_any_case() -> None:
    request = a_request(native_status="PENDINGAPPROVAL")
    assert why(rule(request, (step(),), request.digest, NOW)) is None


@pytest.mark.parametrize("after, reason", [(timedelta(0), Why.EXPIRED), (timedelta(microseconds=-1), None)])
def test_a_fresh_read_expires_with_its_day(after: timedelta, reason: Why | None) -> None:
    request = a_request()
    assert why(rule(request, (step(),), request.digest, request.expires + after)) is reason


@pytest.mark.parametrize(
    "change",
    [
        {"duration": timedelta(hours=8)},
        {"justification": "Something else entirely"},
        {"requestor": adm_rob},
        {"start": NOW + timedelta(hours=1)},
    ],
)
def test_a_request_that_changed_since_it_was_shown_is_not_decided(change: dict[str, object]) -> None:
    request = a_request()
    refused = rule(replace(request, **change), (step(),), request.digest, NOW)
    assert why(refused) is Why.CHANGED
    assert "Nothing was sent" in getattr(refused, "text", "")


def test_who_is_no_approver_of_a_changed_request_is_told_of_the_change_first() -> None:
    assert why(rule(a_request(), (), "another digest", NOW)) is Why.CHANGED


# --- the comment ---


@pytest.mark.parametrize(
    "policy, risk, optional",
    [
        (PolicyFacts(comment_required=False), Level.LOW, True),
        (PolicyFacts(comment_required=False), Level.MEDIUM, True),
        (PolicyFacts(comment_required=False), Level.HIGH, False),
        (PolicyFacts(comment_required=False), Level.CRITICAL, False),
        (PolicyFacts(comment_required=True), Level.LOW, False),
        (PolicyFacts(), Level.LOW, False),
    ],
)
@pytest.mark.parametrize("comment", ["", "  \n\t "])
def test_a_comment_is_optional_only_where_policy_is_known_not_to_ask_and_the_risk_is_small(
    policy: PolicyFacts,
    risk: Level,
    optional: bool,  # noqa: FBT001 - a table
    comment: str,
) -> None:
    row = a_row(policy=policy, risk=Risk(risk))
    said = justify(row, Verdict.APPROVE, comment)
    assert (said == "Approved in Slack") == optional
    assert (why(said) is Why.COMMENT_MISSING) == (not optional)
    assert row.comment_required == (not optional)


def test_a_denial_always_needs_a_reason() -> None:
    row = a_row(policy=PolicyFacts(comment_required=False), risk=LOW)
    assert why(justify(row, Verdict.DENY, " ")) is Why.COMMENT_MISSING
    assert justify(row, Verdict.DENY, " no ") == "no"


@given(st.text(), st.sampled_from(Verdict), st.sampled_from(Level))
def test_a_justification_is_never_empty_and_never_over_the_limit(text: str, verdict: Verdict, level: Level) -> None:
    said = justify(a_row(policy=PolicyFacts(comment_required=False), risk=Risk(level)), verdict, text)
    assert isinstance(said, Refused) or 0 < len(said) <= 500
    if text.strip():
        assert said == text.strip()[:500]


# --- seeing ---


def ended(by: Person | None) -> RequestRow:
    return a_row(status=Status.APPROVED, decided=decided(by), approvers=frozenset({ben.id}))


@pytest.mark.parametrize(
    "viewer, sees",
    [
        (Viewer(), False),
        (Viewer(olga.id), False),
        (Viewer(olga.id, frozenset({"C0GENERAL"})), False),
        (Viewer(rob.id), True),
        (Viewer(ben.id), True),
        (Viewer(ann.id), True),
        (Viewer(cleo.id), False),
        (Viewer(None, frozenset({"C0GENERAL", CHANNEL})), True),
        (Viewer(olga.id, auditor=True), True),
        (Viewer(None, auditor=True), True),
    ],
)
def test_one_sees_what_one_asked_decides_decided_or_shares_a_channel_with(viewer: Viewer, sees: bool) -> None:  # noqa: FBT001 - a table
    assert may_see(viewer, ended(ann)) is sees


def test_who_made_a_request_for_somebody_else_sees_it() -> None:
    assert may_see(Viewer(adm_rob.id), a_row(a_request(requestor=rob, created_by=adm_rob.id)))


def test_a_card_that_stands_nowhere_is_seen_by_nobody_through_a_channel() -> None:
    assert not may_see(Viewer(None, frozenset({CHANNEL, ""})), a_row(channels=frozenset()))


def test_an_empty_object_id_sees_nothing_even_where_microsoft_names_no_creator() -> None:
    assert not may_see(Viewer(""), a_row(a_request(created_by="")))


PEOPLE = st.sampled_from(EVERYBODY)


@given(PEOPLE, PEOPLE, st.frozensets(PEOPLE), st.none() | PEOPLE, PEOPLE)
def test_without_channel_and_office_only_those_involved_see_a_request(
    requestor: Person, creator: Person, approvers: frozenset[Person], decider: Person | None, viewer: Person
) -> None:
    row = a_row(
        a_request(requestor=requestor, created_by=creator.id),
        approvers=frozenset(person.id for person in approvers),
        decided=decided(decider),
    )
    assert may_see(Viewer(viewer.id), row) == (viewer in {requestor, creator, decider, *approvers})


@given(PEOPLE, PEOPLE, st.sampled_from(Status), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001 - hypothesis wants them bare
def test_nobody_ever_rules_on_their_own_request(asks: Person, creates: Person, status: Status, at: datetime) -> None:
    row = a_row(a_request(requestor=asks, created_by=creates.id), status=status, deciding=ben, decided=decided(ben))
    for approver in (asks, creates):
        assert why(rule_row(row, Approver(approver), at.replace(tzinfo=NOW.tzinfo))) is Why.OWN_REQUEST


def test_who_was_first_is_said_with_the_best_name_there_is() -> None:
    row = a_row(status=Status.APPROVED, decided=decided(Person("oid", upn="ben@acme.example")))
    assert already_decided(row).text == "ben@acme.example already approved this request. Nothing was changed."


@pytest.mark.parametrize("length, enough", [(0, False), (1, False), (14, False), (15, True), (500, True)])
def test_global_administrator_takes_fifteen_characters_to_approve(*, length: int, enough: bool) -> None:
    request = a_request(role=Role(GLOBAL_ADMINISTRATOR.upper(), "Global Administrator"))
    said = justify(a_row(request, policy=PolicyFacts(comment_required=False)), Verdict.APPROVE, "x" * length + "   ")
    assert said == "x" * length if enough else why(said) is Why.COMMENT_MISSING
    assert justify(a_row(request), Verdict.DENY, "no") == "no"
