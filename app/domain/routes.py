"""Which channel a request's card goes to, and whom the card mentions there. Pure; the first route that fits wins.

A route says who is told. Who may approve is decided in PIM's own settings, and no route adds or removes anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.levels import Level
from app.domain.request import ActivationRequest, Kind, Scope

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Route:
    """A channel for the requests that meet every condition; an empty condition is met by all.

    `roles`: ids, `scopes`: ids or names, an id with all below it; both lower case. `mention`: a Slack user group's id,
    NOBODY, or empty for the known approvers.
    """

    channel: str
    desks: frozenset[Kind] = frozenset()
    roles: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    levels: frozenset[Level] = frozenset()
    mention: str = ""

    def fits(self, request: ActivationRequest, level: Level) -> bool:
        """Whether this request's card goes here."""
        return (
            (not self.desks or request.key.kind in self.desks)
            and (not self.levels or level in self.levels)
            and (not self.roles or request.role.id.casefold() in self.roles)
            and (not self.scopes or any(_within(request.scope, scope) for scope in self.scopes))
        )


def route_of(request: ActivationRequest, level: Level, routes: Iterable[Route]) -> Route | None:
    """The first route that fits; None: the default channel, and the known approvers."""
    return next((route for route in routes if route.fits(request, level)), None)


def _within(scope: Scope, limit: str) -> bool:
    """Whether a scope is this one, by id or name, or lies below it (`/subscriptions/1` holds `/subscriptions/1/x`)."""
    inner, outer = scope.id.casefold().rstrip("/"), limit.rstrip("/")
    return inner == outer or inner.startswith(f"{outer}/") or scope.name.strip().casefold() == limit
