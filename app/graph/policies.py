"""PIM's role settings, as far as they matter to an approver. What a reply does not say stays unknown (None).

Source: the rules of `unifiedRoleManagementPolicy` at Graph and of `effectiveRules` at ARM, which share their ids; those
that drive activation end in `_EndUser_Assignment`. Escalation approvers are not read: PIM never escalates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.durations import parse_duration
from app.domain.errors import GraphRefused, Malformed
from app.domain.request import ActivationRequest, Person, PolicyFacts
from app.graph.client import Gate
from app.graph.directory import Directory
from app.graph.wire import Json, flag, guid, items, part, text
from app.ports import TokenSource

POLICIES = "/v1.0/policies/roleManagementPolicyAssignments"


class Sort(StrEnum):
    """The ways in which a setting names an approver."""

    USER = "user"
    GROUP = "group"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of an approver list. `name`: what the settings call it; `level`: how many managers up."""

    sort: Sort
    id: str = ""
    name: str = ""
    level: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """What the rules say: facts without people, and whom they name; None where that cannot be read."""

    facts: PolicyFacts = PolicyFacts()
    named: tuple[Named, ...] | None = None


@dataclass(frozen=True, slots=True)
class Policies:
    """The settings of one desk. `defaults`: an empty approver list means Microsoft's administrators (Entra roles)."""

    directory: Directory
    defaults: bool = False

    async def at_graph(self, gate: Gate, where: str, request: ActivationRequest, token: TokenSource) -> PolicyFacts:
        """The facts that Graph's policy assignments give for a filter; where they cannot be read, each is unknown."""
        query = {"$filter": where, "$expand": "policy($expand=rules)"}
        try:
            answer = await gate.get(POLICIES, token, query)
        except (GraphRefused, Malformed):
            return PolicyFacts()
        return await self.facts(parse_rules(rules_of(answer)), request)

    async def facts(self, settings: Settings, request: ActivationRequest) -> PolicyFacts:
        """The settings with their approvers spelled out. One entry that cannot be read makes all of them unknown.

        Whoever asked is left out: nobody approves their own request, in whatever group they are.
        """
        if settings.named is None:
            return settings.facts
        people: dict[str, Person] = {}
        for entry in settings.named:
            found = await self._spelled_out(entry, request)
            if found is None:
                return settings.facts
            people |= {person.id: person for person in found}
        own = {request.requestor.id, request.created_by}
        approvers = tuple(person for id_, person in people.items() if id_ not in own)
        return replace(settings.facts, approvers=approvers, by_default=self.defaults and not settings.named)

    async def _spelled_out(self, entry: Named, request: ActivationRequest) -> tuple[Person, ...] | None:
        if entry.sort is Sort.GROUP:
            return await self.directory.members(entry.id)
        if entry.sort is Sort.MANAGER:
            return await self.directory.manager(request.requestor.id, entry.level)
        return (await self.directory.person(entry.id) or Person(entry.id, entry.name),)


def rules_of(answer: Json) -> list[Json]:
    """The rules in a `roleManagementPolicyAssignments` answer of Graph, expanded with policy and rules."""
    policies = (part(part(assignment).get("policy")) for assignment in items(answer.get("value")))
    return [part(rule) for policy in policies for rule in items(policy.get("rules"))]


def parse_rules(rules: Iterable[Json]) -> Settings:
    """The settings in a policy's rules, by their ids; any other rule is none of an approver's business."""
    known = {text(rule.get("id")).casefold(): rule for rule in rules}
    approval = known.get("approval_enduser_assignment", {})
    enablement = known.get("enablement_enduser_assignment", {})
    facts = PolicyFacts(
        comment_required=_comment_required(approval),
        ticket_required=_enabled(enablement, "ticketing"),
        justification_required=_enabled(enablement, "justification"),
        longest=parse_duration(text(known.get("expiration_enduser_assignment", {}).get("maximumDuration"))),
        context=_context(known.get("authenticationcontext_enduser_assignment", {})),
    )
    return Settings(facts, _named(approval))


def _stages(rule: Json) -> list[Json]:
    return [part(stage) for stage in items(part(rule.get("setting")).get("approvalStages"))]


def _comment_required(rule: Json) -> bool | None:
    answers = [flag(stage.get("isApproverJustificationRequired")) for stage in _stages(rule)]
    return None if not answers or None in answers else any(answers)


def _enabled(rule: Json, wanted: str) -> bool | None:
    enabled = rule.get("enabledRules")
    if not isinstance(enabled, list):
        return None
    return any(text(name).casefold() == wanted for name in enabled)


def _context(rule: Json) -> str | None:
    enabled = flag(rule.get("isEnabled"))
    return (text(rule.get("claimValue")) or None) if enabled else ("" if enabled is False else None)


def _named(rule: Json) -> tuple[Named, ...] | None:
    """Whom the stages name. A request that waits under settings without approval was made under others: unknown."""
    stages = _stages(rule)
    if not stages or flag(part(rule.get("setting")).get("isApprovalRequired")) is False:
        return None
    found: list[Named] = []
    for stage in stages:
        entries = stage.get("primaryApprovers")
        if not isinstance(entries, list):
            return None
        for entry in entries:
            named = _entry(part(entry))
            if named is None:
                return None
            found.append(named)
    return tuple(found)


def _entry(raw: Json) -> Named | None:
    """Graph says what an entry is by `@odata.type`, ARM by `userType`; a sort we do not know cannot be read."""
    sort = _SORTS.get(
        text(raw.get("@odata.type")).rpartition(".")[2].casefold() or text(raw.get("userType")).casefold()
    )
    level = raw.get("managerLevel")
    if sort is Sort.MANAGER:
        return Named(sort, level=level if isinstance(level, int) else 1)
    try:
        id_ = guid(raw.get(f"{sort}Id") or raw.get("id"))
    except Malformed:
        return None
    return Named(sort, id_, text(raw.get("description"))) if sort else None


_SORTS = {
    "singleuser": Sort.USER,
    "user": Sort.USER,
    "groupmembers": Sort.GROUP,
    "group": Sort.GROUP,
    "requestormanager": Sort.MANAGER,
}
