"""The policy file: a TOML text becomes a `Policy`, or every mistake in it a sentence. It knows no environment.

A key we do not know is a mistake: a rule that is spelled wrong must not silently be no rule.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from app.domain import azure_roles, roles, rules
from app.domain.azure_scopes import read_scope
from app.domain.errors import BadSettings
from app.domain.policy import Aliases, Freshness, Policy, Watch
from app.domain.risk import Level, RiskPolicy
from app.domain.ticket_pages import ticket_page
from app.domain.tickets import ANY_SYSTEM, ticket_form
from app.settings.calling import read_arrival, read_escalation
from app.settings.parts import Part
from app.settings.reminding import read_reminders
from app.settings.routing import read_channel, read_routes
from app.settings.weekly import read_weekly

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{5,20}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_PATTERN = re.compile(r"[^@{}\s]*\{x\}[^@{}\s]*@(?P<domain>[^@{}\s]*)")
_LEVELS = {level.word.casefold(): level for level in Level}


def read_policy(path: Path) -> Policy:
    """The company's policy; what it leaves out keeps its default. BadSettings: one line a mistake, all of them."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadSettings(f"{path} cannot be read: {problem}.") from None
    mistakes: list[str] = []
    policy = _policy(Part("", content, mistakes))
    if mistakes:
        raise BadSettings("\n".join(mistakes))
    return policy


def is_guid(word: str) -> bool:
    """Whether this is an id of Microsoft's, lower case, and not a name."""
    return _GUID.fullmatch(word) is not None


def _policy(top: Part) -> Policy:
    risk = _risk(top.table("risk"))
    policy = Policy(
        risk=risk,
        freshness=_freshness(top.table("sign_in")),
        aliases=_aliases(top.table("people")),
        portal_only=_portal_only(top),
        revoke_contacts=tuple(top.each("revoke_contacts", _slack_user)),
        watch=_watch(top.table("watch")),
        ticket_pages=_ticket_pages(top.table("tickets"), risk),
        routes=read_routes(top, role_id),
        arrival=read_arrival(top.table("arrival")),
        escalation=read_escalation(top.table("escalation")),
        reminders=read_reminders(top.table("reminders")),
        weekly=read_weekly(top.table("weekly")),
        anchor_channel=_anchor_channel(top.table("audit")),
    )
    top.close()
    return policy


def _risk(part: Part) -> RiskPolicy:
    default = RiskPolicy()
    risk = RiskPolicy(
        long_from=part.hours("long_from_hours", default.long_from),
        ticket_expected=part.flag("ticket_expected", default=default.ticket_expected),
        shortest_justification=int(part.number("shortest_justification", default.shortest_justification)),
        shortest_at_critical=int(part.number("shortest_justification_at_critical", default.shortest_at_critical)),
        extra_levels=part.table("levels").mapping(_role_level),
        groups=part.table("groups").mapping(_group_level),
        tickets=part.table("tickets").mapping(_ticket_form),
        weights=part.table("weights").mapping(_weight),
    )
    part.close()
    return risk


def _freshness(part: Part) -> Freshness:
    default = Freshness()
    freshness = Freshness(
        window=part.hours("window_hours", default.window),
        critical=part.hours("critical_window_hours", default.critical),
        require_auth_time=part.flag("require_auth_time", default=default.require_auth_time),
    )
    part.close()
    return freshness


def _aliases(part: Part) -> Aliases:
    accounts = part.table("accounts")
    table = dict(accounts.entries(_account))
    accounts.entries(lambda admin, everyday: _one_step(admin, everyday, table))
    aliases = Aliases(tuple(part.table("aliases").entries(_rule)), table)
    part.close()
    return aliases


def _portal_only(top: Part) -> frozenset[str]:
    return frozenset(top.each("portal_only", role_id))


def _slack_user(word: str) -> str:
    asked = word.strip()
    if not _SLACK_USER.fullmatch(asked):
        raise ValueError(f"{word!r} is no id of a Slack user; it begins with U or W (a profile's menu, Copy member ID)")
    return asked


def _watch(part: Part) -> Watch:
    watch = Watch(tuple(part.each("azure_scopes", _azure_scope)), tuple(part.each("groups", _group_id)))
    part.close()
    return watch


def _anchor_channel(part: Part) -> str:
    channel = read_channel(part, "anchor_channel") if part.content else ""
    part.close()
    return channel


def _role_level(role: str, word: object) -> tuple[str, Level]:
    return role_id(role), _level(word)


def _group_level(group: str, word: object) -> tuple[str, Level]:
    """Nobody here knows a company's groups, so a name is taken as it is."""
    if not group.strip():
        raise ValueError("a group without a name or object id")
    return group.strip().casefold(), _level(word)


def _level(word: object) -> Level:
    if not isinstance(word, str) or word.casefold() not in _LEVELS:
        raise ValueError(f"{word!r} is no level; write {', '.join(_LEVELS)}")
    return _LEVELS[word.casefold()]


def role_id(word: str) -> str:
    """An id, lower case, of a role's id or of the English name of a built-in role of Entra or Azure that we know."""
    asked = word.strip().casefold()
    known = asked if is_guid(asked) else roles.template_id(asked) or azure_roles.role_id(asked)
    if known is None:
        raise ValueError(f"{word!r} is neither a role's id nor a built-in role we know by name")
    return known


def _azure_scope(word: str) -> str:
    path = word.strip()
    if read_scope(path) is None:
        raise ValueError(f"{word!r} is no Azure scope; write its path, such as /subscriptions/<id>")
    return path


def _group_id(word: str) -> str:
    asked = word.strip().casefold()
    if not is_guid(asked):
        raise ValueError(f"{word!r} is no object id of a group")
    return asked


def _ticket_form(system: str, pattern: object) -> tuple[str, re.Pattern[str]]:
    if not isinstance(pattern, str) or not pattern:
        raise ValueError(f"{system!r} must stand for a pattern, such as 'CHG\\d{{7}}'")
    return system.strip().casefold(), ticket_form(pattern)


def _ticket_pages(part: Part, risk: RiskPolicy) -> dict[str, str]:
    """Without a pattern anything could be pasted into the address, so a system needs one as well."""
    pages = part.mapping(_ticket_page)
    for system in sorted(pages):
        if system not in risk.tickets and ANY_SYSTEM not in risk.tickets:
            part.wrong(repr(system), "needs a pattern in [risk.tickets] too")
    return pages


def _ticket_page(system: str, page: object) -> tuple[str, str]:
    if not isinstance(page, str) or not page:
        raise ValueError(f"{system!r} must stand for an address, such as 'https://tickets.example/{{number}}'")
    return system.strip().casefold(), ticket_page(page)


def _weight(rule: str, points: object) -> tuple[str, int]:
    if rule not in rules.WEAK_POINTS:
        raise ValueError(f"{rule!r} is no rule; there are {', '.join(rules.WEAK_POINTS)}")
    if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= rules.MOST_WEIGHT:
        raise ValueError(f"{rule} must weigh 0 (off), 1, 2 or {rules.MOST_WEIGHT}")
    return rule, points


def _account(admin: str, everyday: object) -> tuple[str, str]:
    if not isinstance(everyday, str) or not all(_ADDRESS.fullmatch(name.strip()) for name in (admin, everyday)):
        raise ValueError(f"{admin!r} and what it stands for must both be sign-in names, such as rob@contoso.example")
    return admin.strip().casefold(), everyday.strip().casefold()


def _one_step(admin: str, everyday: object, table: Mapping[str, str]) -> None:
    """Chains are not followed, so one would hide that two accounts belong to the same human."""
    if isinstance(everyday, str) and everyday.strip().casefold() in table:
        raise ValueError(f"{admin!r} stands for {everyday!r}, which itself stands for another; name the last one")


def _rule(pattern: str, replacement: object) -> tuple[str, str]:
    left = _PATTERN.fullmatch(pattern.strip())
    right = _PATTERN.fullmatch(replacement.strip()) if isinstance(replacement, str) else None
    if left is None or right is None or not isinstance(replacement, str):
        raise ValueError(f"{pattern!r} and what it stands for must both hold {{x}} once and then an @")
    if bool(left["domain"]) != bool(right["domain"]):
        raise ValueError(f"{pattern!r}: both sides end with @ (any domain), or both name their domain")
    return pattern.strip().casefold(), replacement.strip().casefold()
