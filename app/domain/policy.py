"""What a company may decide about this bot, as values: risk, sign-in windows, portal-only roles, admin accounts.

It can only narrow what Microsoft allows. Reading the policy file is somebody else's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.arrival import Arrival, Escalation
from app.domain.reminding import Reminders
from app.domain.request import Person, Ticket
from app.domain.risk import Level, RiskPolicy
from app.domain.routes import Route
from app.domain.ticket_pages import TicketFacts, page_of
from app.domain.tickets import fits
from app.domain.weekly import Weekly


@dataclass(frozen=True, slots=True)
class Windows:
    """Until when a sign-in is recent enough to decide, and to decide a Critical role; None: not any more."""

    ordinary: datetime | None
    critical: datetime | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a full sign-in may be when a decision is made. Zero: a new one for every decision.

    Only our own `prompt=login` callback counts as a sign-in, never a silent refresh. `require_auth_time`: and only if
    Microsoft says when the person last proved who they are.
    """

    window: timedelta = timedelta(days=7)
    critical: timedelta = timedelta(hours=12)
    require_auth_time: bool = False

    def until(self, signed_in_at: datetime, level: Level) -> datetime:
        """From when on this person must sign in again to decide at this level."""
        length = self.critical if level is Level.CRITICAL else self.window
        return signed_in_at + min(length, self.window)

    def allows(self, signed_in_at: datetime, level: Level, now: datetime, asked_at: datetime | None = None) -> bool:
        """Whether this sign-in is recent enough. One made after the decision was asked for always is."""
        answered = asked_at is not None and signed_in_at >= asked_at
        return answered or now < self.until(signed_in_at, level)

    def windows(self, signed_in_at: datetime, now: datetime) -> Windows:
        """What this sign-in is still good for."""
        ends = (self.until(signed_in_at, level) for level in (Level.LOW, Level.CRITICAL))
        return Windows(*(end if now < end else None for end in ends))


@dataclass(frozen=True, slots=True)
class Aliases:
    """Which Entra accounts are the same human: separate admin accounts are the rule where PIM is used.

    `rules` are pairs such as `("adm-{x}@", "{x}@")`; `table` names single accounts, lower case. Both speak of user
    principal names, which people cannot edit themselves.
    """

    rules: tuple[tuple[str, str], ...] = ()
    table: Mapping[str, str] = field(default_factory=dict)

    def everyday(self, upn: str) -> str:
        """The human's everyday account for a user principal name, in lower case; itself when no rule fits."""
        name = upn.strip().casefold()
        if name in self.table:
            return self.table[name]
        for pattern, replacement in self.rules:
            match = _pattern(pattern).fullmatch(name)
            if match is not None:
                return _filled(replacement, match["x"], match["rest"])
        return name

    def same_human(self, one: Person, other: Person) -> bool:
        """Whether two accounts belong to one human: the same object id, or the same everyday account."""
        if one.id == other.id:
            return True
        return bool(one.upn and other.upn) and self.everyday(one.upn) == self.everyday(other.upn)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the bot lists as an application: Azure scopes by path, groups by object id. Empty: whatever it may read."""

    azure_scopes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything together, with defaults that a company can live with."""

    risk: RiskPolicy = RiskPolicy()
    freshness: Freshness = Freshness()
    aliases: Aliases = field(default_factory=Aliases)
    portal_only: frozenset[str] = frozenset()  # role template ids, lower case
    watch: Watch = Watch()
    routes: tuple[Route, ...] = ()
    arrival: Arrival = Arrival()
    escalation: Escalation | None = None
    reminders: Reminders = field(default_factory=Reminders)
    weekly: Weekly | None = None
    anchor_channel: str = ""  # a channel's id; empty: anchors of the audit trail are in the log only
    revoke_contacts: tuple[str, ...] = ()  # Slack users who are told where somebody may not take a role away
    ticket_pages: Mapping[str, str] = field(default_factory=dict)  # by system, lower case; `*` is for every other one

    def ticket_facts(self, ticket: Ticket) -> TicketFacts:
        """Where this ticket can be read, and whether it looks like one of its system."""
        return TicketFacts(page_of(ticket, self.risk.tickets, self.ticket_pages), fits(ticket, self.risk.tickets))


def _pattern(pattern: str) -> re.Pattern[str]:
    """`adm-{x}@` fits every domain; `adm-{x}@contoso.com` only that one."""
    before, _, after = pattern.casefold().partition("{x}")
    rest = re.escape(after) + ("(?P<rest>.+)" if after.endswith("@") else "(?P<rest>)")
    return re.compile(f"{re.escape(before)}(?P<x>[^@]+){rest}")


def _filled(replacement: str, x: str, rest: str) -> str:
    return replacement.casefold().replace("{x}", x) + rest
