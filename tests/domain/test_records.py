"""What became of a request without us: a table of what Microsoft shows, and what is never put in for the unknown."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from build import NOW, a_request
from hypothesis import given
from hypothesis import strategies as st
from people import ann, ben, rob

from app.domain.chronicle import Event, What
from app.domain.lifecycle import Holding, HowEnded
from app.domain.records import Record, record_of
from app.domain.request import Decided, Status, Where
from app.domain.ruling import Step

REQUEST = a_request(created=NOW - timedelta(days=3))
LATER = NOW - timedelta(days=2)


def event(what: What, at: datetime = LATER, **over: object) -> Event:
    facts = {"by": ann, "comment": "Checked", **over}
    return Event(REQUEST.key.id, what, at, **facts)  # type: ignore[arg-type]


def became(native: Status, *events: Event, steps: tuple[Step, ...] = ()) -> Record:
    return record_of(REQUEST, native, steps, events, NOW)


def decided(at: datetime = LATER, **over: object) -> Decided:
    facts = {"where": Where.OUTSIDE, "by": ann, "comment": "Checked", **over}
    return Decided(at, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "native, what, status",
    [(Status.APPROVED, What.APPROVED, Status.APPROVED), (Status.DENIED, What.DENIED, Status.DENIED)],
)
def test_an_audit_row_says_who_decided_when_and_why(native: Status, what: What, status: Status) -> None:
    shown = became(native, event(What.ASKED, by=rob), event(what))
    assert (shown.status, shown.decided) == (status, decided())


@pytest.mark.parametrize("native", [Status.FAILED, Status.DENIED, Status.EXPIRED])
def test_a_time_out_is_told_by_its_audit_row_whatever_word_the_status_has(native: Status) -> None:
    shown = became(native, event(What.TIMED_OUT, by=None, comment=""))
    assert (shown.status, shown.decided) == (Status.EXPIRED, Decided(LATER, Where.OUTSIDE))


def test_an_approval_is_not_called_expired_by_an_older_row() -> None:
    assert became(Status.APPROVED, event(What.TIMED_OUT)).status is Status.APPROVED


def test_a_withdrawal_without_a_name_was_the_requestors() -> None:
    shown = became(Status.CANCELED, event(What.WITHDRAWN, by=None, comment=""))
    assert shown.decided == Decided(LATER, Where.OUTSIDE, rob)


def test_the_approval_step_is_believed_before_the_audit_log() -> None:
    step = Step("s", "Completed", "Deny", assigned_to_me=False, reviewed_by=ben, reviewed_at=LATER, justification="No")
    shown = became(Status.DENIED, event(What.DENIED), steps=(step,))
    assert shown.decided == decided(by=ben, comment="No")


@pytest.mark.parametrize("native", [Status.APPROVED, Status.DENIED, Status.CANCELED, Status.FAILED])
def test_a_time_that_nobody_told_stays_unknown(native: Status) -> None:
    assert became(native).decided is None


def test_an_approved_role_has_the_times_of_its_audit_rows() -> None:
    ended = LATER + timedelta(hours=1)
    shown = became(Status.APPROVED, event(What.APPROVED), event(What.ACTIVATED), event(What.DEACTIVATED, ended))
    assert shown.holding == Holding(LATER, deactivated=ended, how=HowEnded.EARLY)
    shown = became(Status.APPROVED, event(What.ACTIVATED), event(What.ENDED, ended))
    assert shown.holding == Holding(LATER, deactivated=ended, how=HowEnded.LAPSED)


def test_a_role_whose_end_no_row_tells_is_over_without_a_time() -> None:
    assert became(Status.APPROVED, event(What.ACTIVATED)).holding == Holding(LATER, how=HowEnded.LAPSED)


@given(st.lists(st.tuples(st.sampled_from(What), st.integers(0, 86_400 * 3)), max_size=8), st.sampled_from(Status))
def test_order_does_not_matter_and_nothing_is_decided_in_the_future(
    told: list[tuple[What, int]], native: Status
) -> None:
    events = [event(what, REQUEST.created + timedelta(seconds=after)) for what, after in told]
    one, other = (
        record_of(REQUEST, native, (), events, NOW),
        record_of(REQUEST, native, (), sorted(events, key=lambda e: e.at), NOW),
    )
    assert one.status is other.status
    assert one.decided is None or one.decided.at <= max(NOW, REQUEST.expires)
    assert one.holding == Holding() or one.status is Status.APPROVED
