"""Routes: the first that fits wins, an empty condition is met by everything, scopes hold what lies below them."""

from __future__ import annotations

import pytest
from build import a_key, a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain.levels import Level
from app.domain.request import ActivationRequest, Kind, Role, Scope
from app.domain.routes import Route, route_of

SUBSCRIPTION = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
AZURE = a_request(key=a_key(Kind.AZURE), role=Role("b24988ac", "Contributor"), scope=Scope(f"{SUBSCRIPTION}/rg/x"))
GROUP = a_request(key=a_key(Kind.GROUP), role=Role("member"), scope=Scope("9e2f0c11", "Prod-DB-Admins"))
ENTRA = a_request(role=Role("62E90394", "Global Administrator"))


def test_without_routes_nothing_is_routed() -> None:
    assert route_of(ENTRA, Level.HIGH, ()) is None


def test_the_first_that_fits_wins() -> None:
    first, second = Route("C1", levels=frozenset({Level.HIGH})), Route("C2")
    assert route_of(ENTRA, Level.HIGH, (first, second)) is first
    assert route_of(ENTRA, Level.LOW, (first, second)) is second


@pytest.mark.parametrize(
    "route, fitting",
    [
        (Route("C1"), {AZURE, GROUP, ENTRA}),
        (Route("C1", desks=frozenset({Kind.AZURE, Kind.GROUP})), {AZURE, GROUP}),
        (Route("C1", roles=frozenset({"62e90394"})), {ENTRA}),
        (Route("C1", roles=frozenset({"member", "b24988ac"})), {AZURE, GROUP}),
        (Route("C1", scopes=(SUBSCRIPTION.casefold(),)), {AZURE}),
        (Route("C1", scopes=(f"{SUBSCRIPTION}/rg/x".casefold(),)), {AZURE}),
        (Route("C1", scopes=(f"{SUBSCRIPTION}/rg/x/vm".casefold(),)), set()),
        (Route("C1", scopes=(SUBSCRIPTION.casefold()[:-1],)), set()),
        (Route("C1", scopes=("9e2f0c11",)), {GROUP}),
        (Route("C1", scopes=("prod-db-admins",)), {GROUP}),
        (Route("C1", scopes=("/",)), {ENTRA, AZURE}),
        (Route("C1", desks=frozenset({Kind.ENTRA}), roles=frozenset({"member"})), set()),
    ],
)
def test_every_condition_must_be_met(route: Route, fitting: set[ActivationRequest]) -> None:
    assert {request for request in (AZURE, GROUP, ENTRA) if route.fits(request, Level.LOW)} == fitting


@given(st.sampled_from(Level), st.frozensets(st.sampled_from(Level)))
def test_a_level_fits_when_it_is_named_or_none_is(level: Level, named: frozenset[Level]) -> None:
    assert Route("C1", levels=named).fits(ENTRA, level) == (not named or level in named)
