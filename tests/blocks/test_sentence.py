"""The fallback sentence: what stands within its first 100 characters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.request import Person, Role
from blocks.sentence import head, sentence
from tests.blocks import samples


def named(person: str, role: str) -> samples.RequestRow:
    request = replace(samples.REQUEST, requestor=Person("o", person), role=Role("r", role))
    return samples.row(request=request, risk=samples.row().risk)


def test_pending_sentence_reads_well() -> None:
    assert sentence(samples.row(), samples.NOW) == (
        "High: Bob Berg asks for Exchange Administrator for 4 h; decide by 24 Nov 08:00 UTC; scope Whole directory; "
        "ticket CHG0031337; reason: Move the mailboxes of the Lyon office to the new hub, planned for tonight"
    )


def test_deciding_sentence_says_who_decides() -> None:
    assert "08:00 UTC; Ann Ames is deciding it right now; scope" in sentence(
        samples.every_state()["deciding"], samples.NOW
    )


@pytest.mark.parametrize(
    "state,end",
    [
        ("approved", "4 h; approved 08:53 UTC by Ann Ames in Slack: Fits CHG0031337"),
        ("approved_in_portal", "4 h; approved 09:05 UTC in the portal"),
        ("denied", "4 h; denied 09:05 UTC by Ann Ames in Slack: Two hours are enough, please ask again"),
        ("expired", "4 h; expired 24 Nov 08:00 UTC (nobody decided in time)"),
        ("canceled", "4 h; canceled 09:00 UTC (withdrawn by the requestor)"),
        ("failed", "4 h; failed 09:05 UTC (Microsoft did not activate the role): RoleAssignmentExists"),
    ],
)
def test_final_sentence_says_how_it_ended(state: str, end: str) -> None:
    said = sentence(samples.every_state()[state], samples.NOW)
    assert said.startswith("High: Bob Berg asked for Exchange Administrator")
    assert said.endswith(end)


def test_sentence_never_asks_to_decide_by_a_time_that_is_over() -> None:
    said = sentence(samples.every_state()["pending_over"], samples.NOW)
    assert said.startswith("High: Bob Berg asks for Exchange Administrator for 4 h; time ran out 08:00 UTC; scope")


def test_deadline_on_another_day_carries_its_day() -> None:
    row = samples.row(request=replace(samples.REQUEST, created=samples.NOW + timedelta(days=2)))
    assert "decide by 26 Nov 09:00 UTC" in head(row, samples.NOW)


@given(st.text(), st.text())
def test_level_to_deadline_fit_100_characters_for_any_names(person: str, role: str) -> None:
    said = head(named(person, role), samples.NOW)
    assert len(said) <= 100
    assert said.startswith("High: ")
    assert " asks for " in said
    assert said.endswith(" for 4 h; decide by 24 Nov 08:00 UTC")
    assert sentence(named(person, role), samples.NOW).startswith(said)


def test_short_name_leaves_room_for_a_long_role() -> None:
    role = "Privileged Authentication Administrator"
    assert f"Al asks for {role} for" in head(named("Al", role), samples.NOW)


def test_long_names_share_the_room() -> None:
    said = head(named("n" * 200, "r" * 200), samples.NOW)
    person, role = said.removeprefix("High: ").split(" asks for ")
    assert abs(len(person) - len(role.split(" for ")[0])) <= 1
    assert len(said) == 100


def test_nameless_people_and_roles_still_make_a_sentence() -> None:
    request = replace(samples.REQUEST, requestor=Person(""), role=Role(""))
    assert head(samples.row(request=request), samples.NOW).startswith("Medium: somebody asks for a role for 4 h")
