"""How risky a request is, and the reasons that are said for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from build import EXCHANGE, REPORTS_READER, a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain import roles
from app.domain.request import ActivationRequest, Role, Ticket
from app.domain.risk import Level, RiskPolicy, assess, vague
from app.sandbox.roles import ROLES

GLOBAL = Role("62e90394-69f5-4237-9190-012177145e10", "Global Administrator", built_in=True)
PRIVILEGED = Role("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator", built_in=True)
SHAREPOINT = Role("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator", built_in=True)
SECURITY = Role("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator", built_in=True)
TEAMS = Role("69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator", built_in=True)
STRANGE = Role("deadbeef-0000-4000-8000-00000000beef", "Backup Operators", built_in=False)
NO_TICKET = Ticket()
VAGUE = "need admin access"
DAY = timedelta(hours=8)


# --- the role's own level ---


@pytest.mark.parametrize(
    "role, level, reason",
    [
        (
            GLOBAL,
            Level.CRITICAL,
            "Global Administrator: full control over all Microsoft 365 services; demands the strongest justification",
        ),
        (
            PRIVILEGED,
            Level.CRITICAL,
            "Privileged Role Administrator: can manage PIM itself and assign any role to anyone",
        ),
        (EXCHANGE, Level.HIGH, "Exchange Administrator: all mailboxes and mail; exfiltration risk"),
        (SHAREPOINT, Level.HIGH, "SharePoint Administrator: all SharePoint and OneDrive content; exposure risk"),
        (SECURITY, Level.MEDIUM, "Security Administrator is a role Microsoft labels privileged"),
        (TEAMS, Level.MEDIUM, "Teams Administrator reaches far, though Microsoft does not label it privileged"),
        (REPORTS_READER, Level.LOW, "Reports Reader is not a privileged role"),
        (Role("x", "Fresh Reader", built_in=True), Level.LOW, "Fresh Reader is not a privileged role"),
        (STRANGE, Level.MEDIUM, "Backup Operators is not a role we know: look up what it can do"),
        (Role("x"), Level.MEDIUM, "x is not a role we know: look up what it can do"),
    ],
)
def test_a_sound_request_has_its_roles_level_and_reason(role: Role, level: Level, reason: str) -> None:
    risk = assess(a_request(role=role))
    assert (risk.level, risk.reasons) == (level, (reason,))


def test_a_role_is_known_by_its_template_in_any_case_and_not_by_its_name() -> None:
    assert assess(a_request(role=Role(GLOBAL.id.upper(), "Nothing To See"))).level is Level.CRITICAL
    assert assess(a_request(role=Role(STRANGE.id, "Global Administrator"))).level is Level.MEDIUM


@pytest.mark.parametrize("role", [role for role in ROLES.values() if role.privileged], ids=lambda role: role.name)
def test_every_role_that_microsoft_labels_privileged_is_at_least_medium_and_under_its_own_name(role: object) -> None:
    template, name = getattr(role, "id", ""), getattr(role, "name", "")
    assert assess(a_request(role=Role(template, name, built_in=True))).level >= Level.MEDIUM
    assert template in roles.CRITICAL or roles.PRIVILEGED[template] == name


def test_no_role_stands_in_two_tables_and_every_template_is_lower_case() -> None:
    tables = (roles.CRITICAL, roles.HIGH, roles.PRIVILEGED, roles.ELEVATED, roles.LOW)
    templates = [template for table in tables for template in table]
    assert len(templates) == len(set(templates))
    assert all(template == template.casefold() and len(template) == 36 for template in templates)


# --- what lifts it ---


def sloppy(role: Role, *, points: int) -> ActivationRequest:
    faults = [{"justification": VAGUE}, {"ticket": NO_TICKET}, {"duration": DAY}]
    chosen = {name: value for fault in faults[:points] for name, value in fault.items()}
    return a_request(role=role, **chosen)


@pytest.mark.parametrize(
    "role, levels",
    [
        (REPORTS_READER, (Level.LOW, Level.MEDIUM, Level.MEDIUM, Level.MEDIUM)),
        (SECURITY, (Level.MEDIUM, Level.MEDIUM, Level.HIGH, Level.HIGH)),
        (STRANGE, (Level.MEDIUM, Level.MEDIUM, Level.HIGH, Level.HIGH)),
        (EXCHANGE, (Level.HIGH,) * 4),
        (GLOBAL, (Level.CRITICAL,) * 4),
    ],
)
def test_weak_points_lift_a_level_up_to_high_and_never_to_critical(role: Role, levels: tuple[Level, ...]) -> None:
    assert tuple(assess(sloppy(role, points=points)).level for points in range(4)) == levels


@pytest.mark.parametrize(
    "over, reason",
    [
        ({"justification": VAGUE}, "Justification names no task: ask what it is for"),
        ({"justification": ""}, "No justification"),
        ({"justification": "fix it"}, "Justification is only 6 characters long"),
        ({"ticket": NO_TICKET}, "No ticket number"),
        ({"ticket": Ticket("  ", "ServiceNow")}, "No ticket number"),
        ({"duration": timedelta(hours=8)}, "Long: 8 h; would 2 h do?"),
        ({"duration": timedelta(days=1, hours=2)}, "Long: 1 d 2 h; would 2 h do?"),
        ({"duration": None, "duration_text": "P1M"}, "No end we can read (P1M): check it in the portal"),
        ({"duration": None, "duration_text": ""}, "No end we can read (none given): check it in the portal"),
    ],
)
def test_every_weak_point_is_said_after_the_role(over: dict[str, object], reason: str) -> None:
    risk = assess(a_request(role=REPORTS_READER, **over))
    assert risk.reasons == ("Reports Reader is not a privileged role", reason)
    assert risk.level is Level.MEDIUM


def test_eight_hours_are_long_and_a_minute_less_is_not() -> None:
    assert len(assess(a_request(duration=DAY)).reasons) == 2
    assert len(assess(a_request(duration=DAY - timedelta(minutes=1))).reasons) == 1


def test_a_company_may_tune_the_rules() -> None:
    policy = RiskPolicy(timedelta(hours=1), ticket_expected=False, shortest_justification=200)
    risk = assess(a_request(role=REPORTS_READER, ticket=NO_TICKET), policy)
    assert len(risk.reasons) == 3
    assert "No ticket number" not in risk.reasons


@pytest.mark.parametrize("level", list(Level))
def test_a_companys_own_level_for_a_role_wins(level: Level) -> None:
    policy = RiskPolicy(extra_levels={GLOBAL.id: level})
    risk = assess(a_request(role=Role(GLOBAL.id.upper(), "Global Administrator")), policy)
    assert (risk.level, risk.reasons) == (level, ("Global Administrator: level set by your policy",))


ROLES_OF_ALL_KINDS = st.sampled_from([GLOBAL, EXCHANGE, SECURITY, TEAMS, REPORTS_READER, STRANGE])
REQUESTS = st.builds(
    lambda role, why, number, hours: a_request(
        role=role, justification=why, ticket=Ticket(number), duration=timedelta(hours=hours) if hours else None
    ),
    ROLES_OF_ALL_KINDS,
    st.text(max_size=30),
    st.text(max_size=3),
    st.integers(0, 24),
)


@given(REQUESTS)
def test_a_request_is_judged_the_same_twice_never_below_its_role_and_one_level_above_at_most(
    request: ActivationRequest,
) -> None:
    risk, bare = assess(request), assess(a_request(role=request.role))
    assert risk == assess(request)
    assert bare.level <= risk.level <= min(bare.level + 1, Level.CRITICAL)
    assert (risk.level is Level.CRITICAL) == (request.role.id in roles.CRITICAL)
    assert risk.reasons[0] == bare.reasons[0]


@given(REQUESTS)
def test_mending_a_request_never_makes_it_riskier(request: ActivationRequest) -> None:
    mended = a_request(role=request.role, justification=request.justification)
    assert assess(mended).level <= assess(request).level


@pytest.mark.parametrize("level, word, grave", [(1, "Low", 0), (2, "Medium", 0), (3, "High", 1), (4, "Critical", 1)])
def test_a_level_has_a_word_and_high_is_grave(level: int, word: str, grave: int) -> None:
    assert (Level(level).word, Level(level).grave) == (word, bool(grave))


# --- what is vague ---


@pytest.mark.parametrize(
    "words",
    [
        *["need admin access", "Need Admin Access!!!", "I need access to do my job", "please approve my pim request"],
        *["access required for work", "urgent, need it asap", "need this role for a task", "temporary admin rights"],
        *["testing some stuff", "just to do some things today", "daily routine administration", "support support"],
        *["need need need need", "for the usual daily tasks", "ISSUE TROUBLESHOOTING", "to fix a problem quickly"],
        *["need\nadmin\taccess", "...need --- access..."],
    ],
)
def test_words_without_a_task_are_vague(words: str) -> None:
    assert vague(words) == "Justification names no task: ask what it is for"


@pytest.mark.parametrize("words", ["", "   ", "...", "?!? --- ???", "\n\t", "\N{THUMBS UP SIGN}" * 20])
def test_nothing_said_is_no_justification(words: str) -> None:
    assert vague(words) == "No justification"


@pytest.mark.parametrize("words", ["x", "CHG1", "fix mail", "   because    ", "migration  "])
def test_a_word_or_two_are_too_short(words: str) -> None:
    assert vague(words) == f"Justification is only {len(words.strip())} characters long"


@pytest.mark.parametrize(
    "words",
    [
        *["Investigate alert INC-20391", "Restore the mailbox of a leaver, as asked in the ticket"],
        *["Rotate the federation certificate", "Monthly licence usage report for finance, due today"],
        *["Reset MFA for the new CFO", "Need admin access to restore the finance mailbox", "Unlock account of J. Doe"],
        *["Zugriff auf Postfach f\N{LATIN SMALL LETTER U WITH DIAERESIS}r Audit", "need access for CHG0042 rollout"],
        "\N{CYRILLIC CAPITAL LETTER A}\N{CYRILLIC SMALL LETTER BE}" * 10,
    ],
)
def test_a_named_task_is_enough(words: str) -> None:
    assert vague(words) == ""


@given(st.text())
def test_any_text_is_judged(words: str) -> None:
    reason = vague(words)
    assert reason == "" or reason.startswith(("No justification", "Justification"))
