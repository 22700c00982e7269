"""Where a level starts: tables of roles, scopes and groups, and a company's own levels before them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from build import EXCHANGE, REPORTS_READER, a_key, a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain import azure_roles, roles
from app.domain.levels import Level
from app.domain.request import ActivationRequest, Kind, Role, Scope
from app.domain.rules import RiskPolicy
from app.domain.tiers import tier
from app.sandbox.roles import ROLES

LOW, MEDIUM, HIGH, CRITICAL = Level
GLOBAL = Role("62e90394-69f5-4237-9190-012177145e10", "Global Administrator", built_in=True)
PRIVILEGED = Role("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator", built_in=True)
SHAREPOINT = Role("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator", built_in=True)
SECURITY = Role("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator", built_in=True)
TEAMS = Role("69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator", built_in=True)
PARTNER = Role("e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", "Partner Tier2 Support", built_in=True)
STRANGE = Role("deadbeef-0000-4000-8000-00000000beef", "Backup Operators", built_in=False)


# --- directory roles ---


@pytest.mark.parametrize(
    "role, level, rule, words",
    [
        (
            GLOBAL,
            CRITICAL,
            "role_critical",
            "Global Administrator: full control over all Microsoft 365 services; demands the strongest justification",
        ),
        (
            PRIVILEGED,
            CRITICAL,
            "role_critical",
            "Privileged Role Administrator: can manage PIM itself and assign any role to anyone",
        ),
        (EXCHANGE, HIGH, "role_high", "Exchange Administrator: all mailboxes and mail; exfiltration risk"),
        (
            SHAREPOINT,
            HIGH,
            "role_high",
            "SharePoint Administrator: all SharePoint and OneDrive content; exposure risk",
        ),
        (
            PARTNER,
            HIGH,
            "role_high",
            "Partner Tier2 Support: resets the password of anybody, Global Administrators included",
        ),
        (SECURITY, MEDIUM, "role_privileged", "Security Administrator is a role Microsoft labels privileged"),
        (
            TEAMS,
            MEDIUM,
            "role_elevated",
            "Teams Administrator reaches far, though Microsoft does not label it privileged",
        ),
        (REPORTS_READER, LOW, "role_ordinary", "Reports Reader is not a privileged role"),
        (Role("x", "Fresh Reader", built_in=True), LOW, "role_ordinary", "Fresh Reader is not a privileged role"),
        (STRANGE, MEDIUM, "role_unknown", "Backup Operators is not a role we know: look up what it can do"),
        (Role("x"), MEDIUM, "role_unknown", "x is not a role we know: look up what it can do"),
        (
            Role("x", "Fresh Admin", built_in=True, privileged=True),
            MEDIUM,
            "role_privileged",
            "Fresh Admin is a role Microsoft labels privileged",
        ),
        (
            Role("x", "Own Role", built_in=False, privileged=False),
            MEDIUM,
            "role_unknown",
            "Own Role is not a role we know: look up what it can do",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Role) else "",
)
def test_a_directory_role_has_its_level_its_rule_and_its_words(role: Role, level: Level, rule: str, words: str) -> None:
    found, item = tier(a_request(role=role))
    assert (found, item.rule, item.words, item.weight) == (level, rule, words, 0)


@pytest.mark.parametrize("role", [GLOBAL, PRIVILEGED, EXCHANGE, SHAREPOINT], ids=lambda role: role.name)
def test_microsofts_own_label_never_makes_a_fixed_role_milder(role: Role) -> None:
    level, _ = tier(a_request(role=role))
    for label in (True, False, None):
        assert tier(a_request(role=Role(role.id, role.name, built_in=True, privileged=label)))[0] == level


def test_a_role_is_known_by_its_template_in_any_case_and_not_by_its_name() -> None:
    assert tier(a_request(role=Role(GLOBAL.id.upper(), "Nothing To See")))[0] is CRITICAL
    assert tier(a_request(role=Role(STRANGE.id, "Global Administrator")))[0] is MEDIUM


@pytest.mark.parametrize("role", [role for role in ROLES.values() if role.privileged], ids=lambda role: role.name)
def test_every_role_that_microsoft_labels_privileged_is_at_least_medium_and_under_its_own_name(role: object) -> None:
    template, name = getattr(role, "id", ""), getattr(role, "name", "")
    assert tier(a_request(role=Role(template, name, built_in=True)))[0] >= MEDIUM
    assert roles.template_id(name) == template


def test_no_role_stands_in_two_tables_and_every_id_is_a_lower_case_guid() -> None:
    directory = (roles.CRITICAL, roles.HIGH, roles.PRIVILEGED, roles.ELEVATED, roles.LOW)
    azure = (azure_roles.CONTROL, azure_roles.BROAD, azure_roles.ELEVATED, azure_roles.READING)
    ids = [id_ for table in (*directory, *azure) for id_ in table]
    assert len(ids) == len(set(ids))
    assert all(id_ == id_.casefold() and len(id_) == 36 for id_ in ids)


# --- Azure roles ---

SUBSCRIPTION = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-prod"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv1"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/corp"
SCOPES = (VAULT, GROUP, SUBSCRIPTION, MANAGEMENT)


def azure(role_id: str, scope: str, name: str = "Some Role") -> ActivationRequest:
    return a_request(key=a_key(Kind.AZURE), role=Role(role_id, name, built_in=True), scope=Scope(scope, "Prod"))


@pytest.mark.parametrize(
    "role, levels",
    [
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", (MEDIUM, HIGH, HIGH, CRITICAL)),  # Owner
        ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", (MEDIUM, HIGH, HIGH, CRITICAL)),  # User Access Administrator
        ("B24988AC-6180-42a0-ab88-20f7382dd24c", (MEDIUM, MEDIUM, HIGH, HIGH)),  # Contributor
        ("00482a5a-887f-4fb3-b363-3b7fe8e74483", (MEDIUM, MEDIUM, HIGH, HIGH)),  # Key Vault Administrator
        ("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", (MEDIUM, MEDIUM, MEDIUM, HIGH)),  # Virtual Machine Contributor
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", (LOW, LOW, LOW, MEDIUM)),  # Reader
        ("deadbeef-0000-4000-8000-00000000beef", (MEDIUM, MEDIUM, MEDIUM, HIGH)),  # nobody knows
    ],
)
def test_an_azure_role_weighs_more_the_further_it_reaches(role: str, levels: tuple[Level, ...]) -> None:
    assert tuple(tier(azure(role, scope))[0] for scope in SCOPES) == levels


def test_the_words_of_an_azure_role_name_its_reach() -> None:
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    assert [tier(azure(owner, scope, "Owner"))[1].words for scope in SCOPES] == [
        "Owner on one resource: can do everything there, and decides who else may",
        "Owner on a resource group: can do everything there, and decides who else may",
        "Owner on a subscription: can do everything there, and decides who else may",
        "Owner on a management group: can do everything there, and decides who else may",
    ]
    unknown = tier(azure(STRANGE.id, SUBSCRIPTION, "Own Role"))[1]
    assert unknown.words == "Own Role on a subscription: not a role we know, look up what it can do"


def test_a_directory_role_and_an_azure_role_are_not_mixed_up() -> None:
    assert tier(azure(GLOBAL.id, SUBSCRIPTION))[0] is MEDIUM
    assert tier(a_request(role=Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner")))[0] is MEDIUM


@given(st.sampled_from([*azure_roles.CONTROL, *azure_roles.BROAD, *azure_roles.ELEVATED, *azure_roles.READING, "x"]))
def test_a_wider_scope_is_never_judged_milder(role: str) -> None:
    levels = [tier(azure(role, scope))[0] for scope in SCOPES]
    assert all(narrow <= wide for narrow, wide in pairwise(levels))
    assert (CRITICAL in levels) == (role in azure_roles.CONTROL)


@pytest.mark.parametrize(
    "scope, words",
    [
        ("/", "on all of Azure"),
        ("", "on a scope we cannot read"),
        ("/subscriptions", "on a scope we cannot read"),
        (f"{SUBSCRIPTION}/../..", "on a scope we cannot read"),
        (SUBSCRIPTION.removeprefix("/"), "on a scope we cannot read"),
    ],
)
def test_what_cannot_be_read_counts_as_the_widest(scope: str, words: str) -> None:
    level, item = tier(azure("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", scope, "Owner"))
    assert level is CRITICAL
    assert item.words.startswith(f"Owner {words}: ")


def test_letter_case_changes_no_breadth() -> None:
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    assert [tier(azure(owner, scope.upper()))[0] for scope in SCOPES] == [MEDIUM, HIGH, HIGH, CRITICAL]


@given(st.text(max_size=60), st.sampled_from([*azure_roles.CONTROL, *azure_roles.READING, "x"]))
def test_any_scope_has_a_level(scope: str, role: str) -> None:
    assert tier(azure(role, scope))[0] in Level
    assert tier(azure(role, f"{SUBSCRIPTION}/{scope}"))[0] in Level


# --- groups ---


def group(access: str, *, can_hold_roles: bool | None) -> ActivationRequest:
    role = Role(access, access.capitalize(), privileged=can_hold_roles)
    return a_request(key=a_key(Kind.GROUP), role=role, scope=Scope("9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703", "db-admins"))


@pytest.mark.parametrize(
    "access, can_hold_roles, level, rule, words",
    [
        ("member", False, MEDIUM, "group_member", "Member of db-admins: look up what it opens"),
        ("member", None, MEDIUM, "group_member", "Member of db-admins: look up what it opens"),
        ("member", True, HIGH, "group_member", "Member of db-admins, which can hold directory roles"),
        ("owner", False, HIGH, "group_owner", "Owner of db-admins: decides who is in it"),
        ("Owner", True, HIGH, "group_owner", "Owner of db-admins, which can hold directory roles"),
    ],
)
def test_a_group_weighs_by_what_it_can_hold_and_an_owner_more(
    access: str, *, can_hold_roles: bool | None, level: Level, rule: str, words: str
) -> None:
    found, item = tier(group(access, can_hold_roles=can_hold_roles))
    assert (found, item.rule, item.words) == (level, rule, words)


# --- a company's own levels ---


@pytest.mark.parametrize("level", list(Level))
def test_a_companys_own_level_for_a_role_wins_on_both_desks(level: Level) -> None:
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    policy = RiskPolicy(extra_levels={GLOBAL.id: level, owner: level})
    found, item = tier(a_request(role=Role(GLOBAL.id.upper(), "Global Administrator")), policy)
    assert (found, item.rule, item.words) == (level, "level_set", "Global Administrator: level set by your policy")
    assert tier(azure(owner.upper(), MANAGEMENT), policy)[0] == level


def test_a_companys_own_level_for_a_group_goes_by_id_before_name() -> None:
    request = group("member", can_hold_roles=True)
    by_name = RiskPolicy(groups={"db-admins": CRITICAL})
    both = RiskPolicy(groups={"db-admins": CRITICAL, request.scope.id: LOW})
    found, item = tier(request, by_name)
    assert (found, item.words) == (CRITICAL, "db-admins: level set by your policy")
    assert tier(request, both)[0] is LOW
    assert tier(request, RiskPolicy(extra_levels={"member": LOW, request.scope.id: LOW}))[0] is HIGH
