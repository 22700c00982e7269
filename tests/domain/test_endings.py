"""How a request ended: what Microsoft shows, and nothing beyond it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW, a_request
from people import ann, ben, rob

from app.domain.endings import conclude, expired, reviewed, whose
from app.domain.request import Decided, Person, Status, Verdict, Where
from app.domain.ruling import Step

REQUEST = a_request()
LATE = REQUEST.expires
EARLY = LATE - timedelta(microseconds=1)
AT = NOW - timedelta(minutes=3)
OUTSIDE = Where.OUTSIDE


def step(result: str = "NotReviewed", by: Person | None = None, *, id_: str = "s", why: str = "") -> Step:
    status = "Completed" if by else "InProgress"
    return Step(
        id_, status, result, assigned_to_me=True, reviewed_by=by, reviewed_at=AT if by else None, justification=why
    )


WAITING = (step(),)
APPROVED = (step("Approve", ben, why=" Fine "),)
DENIED = (step("Denied", ben),)
BY_BEN = Decided(AT, OUTSIDE, ben, "Fine")
NAMELESS_EARLY, NAMELESS_LATE = Decided(EARLY, OUTSIDE), Decided(LATE, OUTSIDE)


# --- the table ---


@pytest.mark.parametrize(
    "native, steps, at_day, ending",
    [
        # still pending
        (None, None, EARLY, None),
        (None, (), EARLY, None),
        (None, WAITING, EARLY, None),
        # pending, and its day is over
        (None, None, LATE, (Status.EXPIRED, NAMELESS_LATE)),
        (None, (), LATE, (Status.EXPIRED, NAMELESS_LATE)),
        (None, WAITING, LATE, (Status.EXPIRED, NAMELESS_LATE)),
        # the steps know it first: replicas lag
        (None, APPROVED, EARLY, (Status.APPROVED, BY_BEN)),
        (None, APPROVED, LATE, (Status.APPROVED, BY_BEN)),
        (None, DENIED, LATE, (Status.DENIED, Decided(AT, OUTSIDE, ben))),
        # decided, and who it was can be read
        (Status.APPROVED, APPROVED, EARLY, (Status.APPROVED, BY_BEN)),
        (Status.APPROVED, APPROVED, LATE, (Status.APPROVED, BY_BEN)),
        (Status.DENIED, DENIED, LATE, (Status.DENIED, Decided(AT, OUTSIDE, ben))),
        # decided, and nobody may read by whom
        (Status.APPROVED, None, EARLY, (Status.APPROVED, NAMELESS_EARLY)),
        (Status.APPROVED, WAITING, LATE, (Status.APPROVED, NAMELESS_LATE)),
        (Status.DENIED, None, LATE, (Status.DENIED, NAMELESS_LATE)),
        (Status.DENIED, WAITING, EARLY, (Status.DENIED, NAMELESS_EARLY)),
        # "denied" by nobody once the day is over
        (Status.DENIED, WAITING, LATE, (Status.EXPIRED, NAMELESS_LATE)),
        (Status.DENIED, (), LATE, (Status.EXPIRED, NAMELESS_LATE)),
        # steps and status contradict each other: nobody is named
        (Status.DENIED, APPROVED, EARLY, (Status.DENIED, NAMELESS_EARLY)),
        (Status.DENIED, APPROVED, LATE, (Status.DENIED, NAMELESS_LATE)),
        (Status.APPROVED, DENIED, LATE, (Status.APPROVED, NAMELESS_LATE)),
        # withdrawn: by the one who asked
        (Status.CANCELED, None, EARLY, (Status.CANCELED, Decided(EARLY, OUTSIDE, rob))),
        (Status.CANCELED, WAITING, LATE, (Status.CANCELED, Decided(LATE, OUTSIDE, rob))),
        (Status.CANCELED, APPROVED, EARLY, (Status.CANCELED, Decided(EARLY, OUTSIDE, rob))),
        # failed: in time it failed, later it timed out, unless somebody had decided
        (Status.FAILED, None, EARLY, (Status.FAILED, NAMELESS_EARLY)),
        (Status.FAILED, WAITING, LATE, (Status.EXPIRED, NAMELESS_LATE)),
        (Status.FAILED, None, LATE, (Status.EXPIRED, NAMELESS_LATE)),
        (Status.FAILED, APPROVED, LATE, (Status.FAILED, NAMELESS_LATE)),
    ],
)
def test_an_ending_is_what_microsoft_shows(
    native: Status | None, steps: tuple[Step, ...] | None, at_day: object, ending: tuple[Status, Decided] | None
) -> None:
    assert conclude(REQUEST, native, steps, at_day) == ending  # type: ignore[arg-type]


def test_an_expired_request_ended_when_its_day_was_over_by_nobody() -> None:
    assert expired(REQUEST) == (Status.EXPIRED, Decided(REQUEST.created + timedelta(hours=24), OUTSIDE, None, ""))


# --- what the steps show ---


def test_a_review_without_a_time_is_dated_when_it_was_read() -> None:
    shown = Step("s", "Completed", "Approve", assigned_to_me=False)
    assert reviewed((shown,), NOW) == (Status.APPROVED, Decided(NOW, OUTSIDE, None, ""))


def test_the_first_reviewed_step_counts() -> None:
    steps = (step(id_="a"), step("Deny", ben, id_="b"), step("Approve", ann, id_="c"))
    assert reviewed(steps, NOW) == (Status.DENIED, Decided(AT, OUTSIDE, ben, ""))


@pytest.mark.parametrize("steps", [(), WAITING, (step("unknownFutureValue"), step(""))])
def test_unreviewed_steps_show_no_decision(steps: tuple[Step, ...]) -> None:
    assert reviewed(steps, NOW) is None


@pytest.mark.parametrize(
    "steps, verdict, mine",
    [
        ((step("Approve", ann),), Verdict.APPROVE, True),
        ((step("Approved", ann),), Verdict.APPROVE, True),
        ((step("Denied", ann),), Verdict.DENY, True),
        ((step("Approve", ann),), Verdict.DENY, False),
        ((step("Approve", ben),), Verdict.APPROVE, False),
        ((Step("s", "Completed", "Approve", assigned_to_me=True),), Verdict.APPROVE, False),
        ((step(),), Verdict.APPROVE, None),
        ((step("Approve", ann, id_="other"),), Verdict.APPROVE, None),
        ((step("Approve", ben, id_="other"), step("Approve", ann)), Verdict.APPROVE, True),
        ((), Verdict.APPROVE, None),
    ],
)
def test_a_decision_is_mine_only_with_my_name_my_verdict_and_my_step(
    steps: tuple[Step, ...], verdict: Verdict, mine: object
) -> None:
    assert whose(steps, "s", ann, verdict) is mine
