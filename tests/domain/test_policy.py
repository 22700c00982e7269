"""How fresh a sign-in must be, and which accounts are the same human."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import NOW
from hypothesis import given
from hypothesis import strategies as st
from people import EVERYBODY, adm_rob, ann, rob

from app.domain.policy import Aliases, Freshness
from app.domain.request import Person
from app.domain.risk import Level

RULE = Aliases((("adm-{x}@", "{x}@"),))
SPANS = st.timedeltas(timedelta(0), timedelta(days=30))

# --- freshness ---


@pytest.mark.parametrize(
    "level, hours", [(Level.LOW, 168), (Level.MEDIUM, 168), (Level.HIGH, 168), (Level.CRITICAL, 12)]
)
def test_a_sign_in_is_good_for_seven_days_and_for_twelve_hours_at_critical(level: Level, hours: int) -> None:
    end = NOW + timedelta(hours=hours)
    assert Freshness().until(NOW, level) == end
    assert Freshness().allows(NOW, level, end - timedelta(seconds=1))
    assert not Freshness().allows(NOW, level, end)


@pytest.mark.parametrize("level", list(Level))
def test_a_window_of_zero_asks_for_a_new_sign_in_every_time(level: Level) -> None:
    every_time = Freshness(window=timedelta(0))
    assert not every_time.allows(NOW, level, NOW)
    assert not every_time.allows(NOW, level, NOW, asked_at=NOW + timedelta(seconds=1))


@given(SPANS, SPANS, st.sampled_from(Level), SPANS)
def test_a_sign_in_made_for_this_decision_is_always_recent_enough(
    window: timedelta, critical: timedelta, level: Level, later: timedelta
) -> None:
    assert Freshness(window, critical).allows(NOW + later, level, NOW + later, asked_at=NOW)


@given(SPANS, SPANS, SPANS)
def test_critical_never_lasts_longer_than_the_others(window: timedelta, critical: timedelta, age: timedelta) -> None:
    freshness = Freshness(window, critical)
    if freshness.allows(NOW, Level.CRITICAL, NOW + age):
        assert freshness.allows(NOW, Level.LOW, NOW + age)


# --- aliases ---


@pytest.mark.parametrize(
    "rules, upn, everyday",
    [
        ((("adm-{x}@", "{x}@"),), "adm-rob@acme.example", "rob@acme.example"),
        ((("adm-{x}@", "{x}@"),), " ADM-Rob@Acme.Example", "rob@acme.example"),
        ((("{x}-adm@", "{x}@"),), "rob-adm@acme.example", "rob@acme.example"),
        ((("adm-{x}@a.example", "{x}@b.example"),), "adm-rob@a.example", "rob@b.example"),
        ((("adm-{x}@a.example", "{x}@b.example"),), "adm-rob@c.example", "adm-rob@c.example"),
        ((("adm-{x}@", "{x}@"),), "rob@acme.example", "rob@acme.example"),
        ((("adm-{x}@", "{x}@"),), "adm-@acme.example", "adm-@acme.example"),
        ((("adm-{x}@", "{x}@"),), "adm-adm-rob@acme.example", "adm-rob@acme.example"),
        ((("a.{x}@", "{x}@"),), "axrob@acme.example", "axrob@acme.example"),
        ((("adm-{x}@", "{x}@"), ("adm-{x}@", "x{x}@")), "adm-rob@acme.example", "rob@acme.example"),
        ((), "adm-rob@acme.example", "adm-rob@acme.example"),
    ],
)
def test_a_rule_names_the_everyday_account(rules: tuple[tuple[str, str], ...], upn: str, everyday: str) -> None:
    assert Aliases(rules).everyday(upn) == everyday


def test_the_table_comes_before_the_rules() -> None:
    aliases = Aliases(RULE.rules, {"adm-rob@acme.example": "rita@acme.example"})
    assert aliases.everyday("Adm-Rob@acme.example") == "rita@acme.example"


def test_an_admin_account_and_its_everyday_one_are_the_same_human_both_ways() -> None:
    assert RULE.same_human(rob, adm_rob)
    assert RULE.same_human(adm_rob, rob)
    assert not Aliases().same_human(rob, adm_rob)
    assert not RULE.same_human(ann, adm_rob)


def test_two_admin_accounts_of_one_human_are_the_same_human() -> None:
    aliases = Aliases((("adm-{x}@", "{x}@"), ("t0-{x}@", "{x}@")))
    one, other = (Person(name, upn=f"{name}-rob@acme.example") for name in ("adm", "t0"))
    assert aliases.same_human(one, other)


def test_nothing_is_concluded_from_empty_names() -> None:
    assert not RULE.same_human(Person("1"), Person("2"))
    assert RULE.same_human(Person("1"), Person("1"))


@given(st.sampled_from(EVERYBODY), st.sampled_from(EVERYBODY))
def test_being_the_same_human_has_no_direction(one: Person, other: Person) -> None:
    assert RULE.same_human(one, other) == RULE.same_human(other, one)
