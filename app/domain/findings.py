"""What an examination of a bot's surroundings found, and what to do about it. Values and rules; it asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.domain.durations import in_words
from app.domain.errors import BotError, GraphRefused
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts

LONG = timedelta(hours=8)  # longer than a working day is rarely needed at once
FEW = 1  # approvers; one alone is ill or on holiday some day
NO_LICENCE = "AadPremiumLicenseRequired"
CONSENT = "grant it with admin consent; new grants take up to an hour to work"


class Grade(StrEnum):
    """How a finding is to be taken. Only WRONG ends with exit code 1."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer: what it is about, what was found, and how to mend it (empty: nothing is to be done)."""

    grade: Grade
    about: str
    words: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """The permissions of one desk: to list as the application, for its settings, and for how long roles are held."""

    listing: str
    settings: str
    terms: str
    delegated: frozenset[str] = frozenset()


NEEDS: Mapping[Kind, Needs] = {
    Kind.ENTRA: Needs(
        listing="the application permission RoleAssignmentSchedule.ReadWrite.Directory",
        settings="RoleManagement.Read.Directory for the application, or RoleManagementPolicy.Read.Directory for people",
        terms="the application permission RoleAssignmentSchedule.Read.Directory",
        # The second one is documented nowhere, and decisions are refused without it in some tenants.
        delegated=frozenset({"RoleAssignmentSchedule.ReadWrite.Directory", "PrivilegedAccess.ReadWrite.AzureAD"}),
    ),
    Kind.GROUP: Needs(
        listing="the application permission PrivilegedAssignmentSchedule.Read.AzureADGroup",
        settings="RoleManagementPolicy.Read.AzureADGroup for the application or for people",
        terms="the application permission PrivilegedAssignmentSchedule.Read.AzureADGroup",
        delegated=frozenset({"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}),
    ),
    Kind.AZURE: Needs(
        listing="the Azure role Reader for the application at each scope of [watch] azure_scopes",
        settings="the Azure role Reader at the scope, for the application or for people",
        terms="the Azure role Reader at the scope for the application",
    ),
}


def refused(kind: Kind, what: str, failure: BotError, permission: str, grade: Grade = Grade.WRONG) -> Finding:
    """A call that Microsoft does not take from us, with the permission it most likely lacks."""
    if isinstance(failure, GraphRefused) and failure.code == NO_LICENCE:
        return Finding(Grade.WRONG, kind, f"{what}: {failure}", "PIM needs the Entra ID P2 licence (or ID Governance)")
    if failure.retryable:
        return Finding(grade, kind, f"{what}: {failure}", "Microsoft is away or slow right now; run this again")
    return Finding(grade, kind, f"{what}: {failure}", f"needs {permission}: {CONSENT}")


def lacking_scopes(kind: Kind, who: Person, granted: frozenset[str]) -> Iterator[Finding]:
    """What this person's session may not do at this desk; nothing where Microsoft does not show what it may."""
    names = {scope.rsplit("/", 1)[-1] for scope in granted}
    for scope in sorted(NEEDS[kind].delegated - names if granted else ()):
        fix = f"add the delegated permission {scope} to the app registration and {CONSENT}; then /pim sign-in again"
        yield Finding(Grade.WRONG, kind, f"{who.label}'s session lacks {scope}: decisions will be refused", fix)


def settings_findings(request: ActivationRequest, facts: PolicyFacts) -> Iterator[Finding]:
    """What product's best practices say of one role's settings; `request` names the role and scope."""
    what = f"{request.role.label} on {request.scope.label}"
    about = request.key.kind
    if facts == PolicyFacts():
        yield Finding(Grade.NOTE, about, f"the settings of {what} cannot be read", f"needs {NEEDS[about].settings}")
        return
    yield from _approver_findings(what, about, facts)
    if facts.ticket_required is False:
        fix = "in PIM's role settings, require ticket information on activation"
        yield Finding(Grade.NOTE, about, f"{what} asks for no ticket number", fix)
    if facts.longest is not None and facts.longest > LONG:
        fix = f"in PIM's role settings, lower the maximum duration to {in_words(LONG)} or less"
        yield Finding(Grade.NOTE, about, f"{what} may be held for {in_words(facts.longest)} at a time", fix)


def _approver_findings(what: str, about: Kind, facts: PolicyFacts) -> Iterator[Finding]:
    fix = "in PIM's role settings, name at least two approvers"
    if facts.nobody:
        yield Finding(Grade.WRONG, about, f"nobody can approve {what}: no approver is named", fix)
    elif facts.by_default:
        words = f"{what} names no approver: Privileged Role and Global Administrators approve by default"
        yield Finding(Grade.NOTE, about, words, fix)
    elif facts.approvers is not None and len(facts.approvers) <= FEW:
        yield Finding(Grade.NOTE, about, f"only {facts.approvers[0].label} can approve {what}", fix)


def reach_findings(
    approvers: Sequence[Person], signed_in: frozenset[str], in_slack: frozenset[str]
) -> Iterator[Finding]:
    """Approvers whom no card can reach, or who cannot decide here. Ids are object ids."""
    for person in sorted(set(approvers), key=lambda one: one.label):
        if person.id in signed_in:
            continue
        if person.id in in_slack:
            fix = "ask them to type /pim sign-in once"
            yield Finding(Grade.NOTE, "coverage", f"{person.label} may approve and has not signed in", fix)
        else:
            fix = "invite them to Slack, or map their account in [people] of the policy file"
            yield Finding(Grade.NOTE, "coverage", f"{person.label} may approve and is not in Slack", fix)
