"""What requestors may do with their own requests, from a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest
from build import NOW, a_request, a_row, decided
from people import adm_rob, ann, ben, rita, rob

from app.domain.levels import Level
from app.domain.own_requests import not_mine, nudge_again, nudgeable, to_nudge, withdrawable, withdrawal_refused
from app.domain.quiet import Quiet
from app.domain.reminding import Recipient
from app.domain.request import Person, Status
from app.domain.risk import Risk
from app.domain.row import Looking, RequestRow
from app.domain.ruling import Why

OLD = a_request(created=NOW - timedelta(hours=24))


@pytest.mark.parametrize(
    "row, me, why",
    [
        (a_row(), rob, None),
        (a_row(), replace(rob, id=rob.id.upper()), None),
        (a_row(a_request(action="selfExtend", created=OLD.created)), rob, None),
        (a_row(), ann, Why.NOT_REQUESTOR),
        (a_row(a_request(requestor=adm_rob)), rob, Why.NOT_REQUESTOR),
        (a_row(a_request(created_by=rob.id, requestor=ann)), rob, Why.NOT_REQUESTOR),
        (a_row(status=Status.DECIDING, deciding=ann), rob, Why.CLAIMED),
        (a_row(status=Status.APPROVED, decided=decided()), rob, Why.ALREADY_DECIDED),
        (a_row(status=Status.CANCELED), rob, Why.ALREADY_DECIDED),
        (a_row(status=Status.EXPIRED), rob, Why.EXPIRED),
        (a_row(OLD), rob, Why.EXPIRED),
    ],
)
def test_who_may_withdraw_what(row: RequestRow, me: Person, why: Why | None) -> None:
    refused = withdrawal_refused(row, me, NOW)
    assert (refused.why if refused is not None else None) == why


def test_somebody_with_two_accounts_is_told_which_one_it_takes() -> None:
    refused = not_mine(a_request(requestor=adm_rob), rob)
    assert refused is not None
    assert all(part in refused.text for part in (adm_rob.upn, rob.upn, "Nothing was changed", "portal"))


@pytest.mark.parametrize("status", Status)
def test_only_what_waits_has_a_button(status: Status) -> None:
    assert withdrawable(a_row(status=status), NOW) == (status is Status.PENDING)
    assert not withdrawable(a_row(OLD, status=status), NOW)


ASLEEP = Recipient("U2", quiet=Quiet(time(9), time(10)))


@pytest.mark.parametrize(
    "person, level, asked",
    [
        (Recipient("U2"), Level.LOW, True),
        (Recipient("U2", wanted=False), Level.CRITICAL, False),
        (Recipient("U2", away_until=NOW + timedelta(days=1)), Level.CRITICAL, False),
        (Recipient("U2", away_until=NOW), Level.LOW, True),
        (ASLEEP, Level.HIGH, False),
        (ASLEEP, Level.CRITICAL, True),
        (Recipient("U2", quiet=Quiet(time(10), time(11))), Level.LOW, True),
    ],
)
def test_who_may_be_disturbed_by_a_nudge(person: Recipient, level: Level, asked: bool) -> None:  # noqa: FBT001 - a table
    row = a_row(approvers=frozenset({ann.id, ben.id}), risk=Risk(level))
    people = {ann.id: Recipient("U1"), ben.id: person}
    assert to_nudge(row, people, (), NOW) == (["U1", "U2"] if asked else ["U1"])


def test_nobody_is_nudged_who_acted_or_asked_for_it_or_may_not_approve() -> None:
    row = a_row(approvers=frozenset({ann.id, ben.id, rob.id}), looking=(Looking(ben, NOW),))
    people = {one.id: Recipient(one.name) for one in (ann, ben, rob, rita)}
    assert to_nudge(row, people, (), NOW) == [ann.name]
    assert to_nudge(row, people, (ann.id,), NOW) == []


def test_the_next_nudge_is_possible_an_hour_later() -> None:
    assert nudge_again(a_row()) is None
    assert nudge_again(a_row(nudged_at=NOW)) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    "over, possible",
    [
        ({"approvers": frozenset({ann.id})}, True),
        ({"approvers": frozenset({ann.id}), "stale": True}, False),
        ({"approvers": frozenset({ann.id}), "status": Status.DECIDING}, False),
        ({"approvers": frozenset({rob.id})}, False),
        ({}, False),
    ],
)
def test_the_button_is_there_only_where_somebody_is_known(over: dict[str, object], possible: bool) -> None:  # noqa: FBT001 - a table
    assert nudgeable(a_row(**over), NOW) == possible
