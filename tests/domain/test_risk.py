"""How risky a request is: weak points, what they weigh, and that adding one never makes it milder."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from build import EXCHANGE, NOW, REPORTS_READER, a_key, a_request
from hypothesis import example, given
from hypothesis import strategies as st
from people import gus, rob

from app.domain import rules
from app.domain.levels import Level
from app.domain.pattern import Circumstances, Hours, Pattern
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts, Role, Scope, Ticket
from app.domain.risk import Risk, RiskPolicy, assess, judge
from app.domain.tickets import ticket_form
from app.domain.tiers import tier

GLOBAL = Role("62e90394-69f5-4237-9190-012177145e10", "Global Administrator", built_in=True)
SECURITY = Role("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator", built_in=True)
STRANGE = Role("deadbeef-0000-4000-8000-00000000beef", "Backup Operators", built_in=False)
OWNER = Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", built_in=True)
NO_TICKET = Ticket()
SUBSCRIPTION = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
VAGUE = "need admin access"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG = 8 * HOUR
ROLE_SAID = "Reports Reader is not a privileged role"


def around(policy: PolicyFacts = PolicyFacts(), **pattern: object) -> Circumstances:
    """What is known around a request; the pattern only where something is said of it."""
    return Circumstances(policy, Pattern(**pattern) if pattern else None)  # type: ignore[arg-type]


# --- what lifts a level ---


def sloppy(role: Role, *, points: int) -> ActivationRequest:
    faults = [{"justification": VAGUE}, {"ticket": NO_TICKET}, {"duration": LONG}, {"requestor": gus}]
    chosen = {name: value for fault in faults[:points] for name, value in fault.items()}
    return a_request(role=role, **chosen)


LOW_ROLE = (Level.LOW, Level.MEDIUM, Level.MEDIUM, Level.MEDIUM, Level.HIGH)
MEDIUM_ROLE = (Level.MEDIUM, Level.MEDIUM, Level.HIGH, Level.HIGH, Level.HIGH)


@pytest.mark.parametrize(
    "role, levels",
    [
        (REPORTS_READER, LOW_ROLE),
        (SECURITY, MEDIUM_ROLE),
        (STRANGE, MEDIUM_ROLE),
        (EXCHANGE, (Level.HIGH,) * 5),
        (GLOBAL, (Level.CRITICAL,) * 5),
    ],
    ids=lambda value: value.name if isinstance(value, Role) else "",
)
def test_weak_points_lift_a_level_up_to_high_and_never_to_critical(role: Role, levels: tuple[Level, ...]) -> None:
    assert tuple(assess(sloppy(role, points=points)).level for points in range(5)) == levels


@pytest.mark.parametrize(
    "over, rule, words",
    [
        ({"justification": VAGUE}, "justification", "Justification names no task: ask what it is for"),
        ({"justification": ""}, "justification", "No justification"),
        ({"justification": "fix it"}, "justification", "Justification is only 6 characters long"),
        (
            {"justification": "Reports Reader access"},
            "justification",
            "Justification names no task: ask what it is for",
        ),
        ({"ticket": NO_TICKET}, "ticket_missing", "No ticket number"),
        ({"ticket": Ticket("  ", "ServiceNow")}, "ticket_missing", "No ticket number"),
        ({"ticket": Ticket("none")}, "ticket_form", "Ticket 'none' is no number"),
        ({"duration": 8 * HOUR}, "long", "Long: 8 h; would 2 h do?"),
        ({"duration": timedelta(days=1, hours=2)}, "long", "Long: 1 d 2 h; would 2 h do?"),
        ({"duration": None, "duration_text": "P1M"}, "long", "No end we can read (P1M): check it in the portal"),
        ({"duration": None}, "long", "No end we can read (PT2H): check it in the portal"),
        ({"duration": None, "duration_text": ""}, "long", "No end we can read (none given): check it in the portal"),
        ({"requestor": gus}, "guest", "Guest: somebody from another company"),
        ({"requestor": Person("x", upn="g_other#ext#@acme")}, "guest", "Guest: somebody from another company"),
    ],
    ids=str,
)
def test_every_weak_point_of_a_request_is_said_after_the_role(over: dict[str, object], rule: str, words: str) -> None:
    risk = assess(a_request(role=REPORTS_READER, **over))
    assert risk == Risk(Level.MEDIUM, (ROLE_SAID, words), rules.VERSION, ("role_ordinary", rule))


KNOWN = {"uses": 5, "since": NOW - 90 * DAY}


@pytest.mark.parametrize(
    "circumstances, rule, words",
    [
        (
            around(uses=0, since=NOW - 45 * DAY),
            "first_use",
            "First use of this role in the 44 days we know of",
        ),
        (around(typical=HOUR / 2, **KNOWN), "over_usual", "2 h instead of their usual 30 min"),
        (around(hours=Hours(12, 15), **KNOWN), "unusual_hour", "Starts 09:20 UTC; their usual hours are 12–16 UTC"),
        (around(denials=2, counted=1, **KNOWN), "denials", "A request of theirs denied in the last 7 days"),
        (around(denials=3, counted=3, **KNOWN), "denials", "3 requests of theirs denied in the last 7 days"),
    ],
)
def test_every_weak_point_of_the_circumstances_is_said(circumstances: Circumstances, rule: str, words: str) -> None:
    risk = assess(a_request(role=REPORTS_READER), circumstances=circumstances)
    assert (risk.level, risk.reasons, risk.fired) == (Level.MEDIUM, (ROLE_SAID, words), ("role_ordinary", rule))


@pytest.mark.parametrize(
    "circumstances",
    [
        around(uses=0, since=None),  # nobody knows how far our memory reaches
        around(uses=0, since=NOW - 30 * DAY),  # not far enough: a young bot knows nobody
        around(typical=HOUR, **KNOWN),  # twice the usual, and no more
        around(typical=timedelta(minutes=70), **KNOWN),
        around(hours=Hours(11, 13), **KNOWN),  # two hours outside: summer time, a short night
        around(denials=2, counted=0, **KNOWN),  # they ask again, as they were told to
        around(PolicyFacts(longest=2 * HOUR, ticket_required=True)),
        around(PolicyFacts(longest=8 * HOUR, ticket_required=False)),
    ],
)
def test_what_is_within_the_usual_says_nothing(circumstances: Circumstances) -> None:
    assert assess(a_request(role=REPORTS_READER), circumstances=circumstances).reasons == (ROLE_SAID,)


def test_no_end_at_all_is_over_every_usual_length() -> None:
    endless = a_request(role=REPORTS_READER, duration=None)
    risk = assess(endless, circumstances=around(typical=DAY, **KNOWN))
    assert risk.fired == ("role_ordinary", "long", "over_usual")


def test_a_scheduled_start_is_judged_by_its_own_hour() -> None:
    circumstances = around(hours=Hours(8, 10), **KNOWN)
    night = a_request(role=REPORTS_READER, start=NOW.replace(hour=23))
    assert assess(night, circumstances=circumstances).fired == ("role_ordinary", "unusual_hour")
    assert assess(a_request(role=REPORTS_READER), circumstances=circumstances).fired == ("role_ordinary",)


def test_a_start_that_has_passed_already_is_the_moment_of_asking() -> None:
    request = a_request(role=REPORTS_READER, start=datetime(1, 1, 1, 23, tzinfo=NOW.tzinfo))
    assert assess(request, circumstances=around(hours=Hours(8, 10), **KNOWN)).fired == ("role_ordinary",)


# --- duration against the role's own maximum ---


@pytest.mark.parametrize(
    "hours, longest, words",
    [
        (4, 4, "Long: 4 h, all that this role allows; would 2 h do?"),
        (8, 8, "Long: 8 h, all that this role allows; would 2 h do?"),
        (8, 24, "Long: 8 h; would 2 h do?"),
        (4, 8, ""),
        (3, 3, ""),  # all of a short maximum is no weak point
        (4, None, ""),
    ],
)
def test_the_whole_of_a_maximum_is_long_from_half_of_what_counts_as_long(
    hours: int, longest: int | None, words: str
) -> None:
    facts = PolicyFacts(longest=longest * HOUR if longest else None)
    risk = assess(a_request(role=REPORTS_READER, duration=hours * HOUR), circumstances=around(facts))
    assert risk.reasons[1:] == ((words,) if words else ())


def test_eight_hours_are_long_and_a_minute_less_is_not() -> None:
    assert len(assess(a_request(duration=LONG)).reasons) == 2
    assert len(assess(a_request(duration=LONG - timedelta(minutes=1))).reasons) == 1


def test_a_ticket_that_the_roles_settings_demand_is_missed_whatever_the_policy_says() -> None:
    bare, lenient = a_request(role=REPORTS_READER, ticket=NO_TICKET), RiskPolicy(ticket_expected=False)
    demanded = around(PolicyFacts(ticket_required=True))
    assert assess(bare, lenient).reasons == (ROLE_SAID,)
    assert assess(bare, lenient, demanded).reasons[1] == "No ticket number, though this role's settings demand one"


def test_the_strongest_roles_demand_more_of_a_justification() -> None:
    words = "Some urgent maintenance today"
    assert assess(a_request(role=EXCHANGE, justification=words)).fired == ("role_high",)
    assert assess(a_request(role=GLOBAL, justification=words)).fired == ("role_critical", "justification")
    raised = RiskPolicy(extra_levels={EXCHANGE.id: Level.CRITICAL})
    assert assess(a_request(role=EXCHANGE, justification=words), raised).fired == ("level_set", "justification")


# --- what a company may tune ---


def test_a_company_may_tune_the_rules() -> None:
    policy = RiskPolicy(HOUR, ticket_expected=False, shortest_justification=200)
    risk = assess(a_request(role=REPORTS_READER, ticket=NO_TICKET), policy)
    assert risk.fired == ("role_ordinary", "justification", "long")


def test_a_company_may_say_how_its_ticket_numbers_look() -> None:
    policy = RiskPolicy(tickets={"servicenow": ticket_form(r"CHG\d{7}")})
    risk = assess(a_request(role=REPORTS_READER), policy)
    assert risk.reasons[1] == "Ticket 'CHG-4711' does not look like one of ServiceNow"


@pytest.mark.parametrize("rule", rules.WEAK_POINTS)
def test_a_rule_of_the_catalogue_can_fire_and_be_switched_off(rule: str) -> None:
    # A ticket cannot be both missing and misshapen.
    ticket = Ticket("none") if rule == "ticket_form" else NO_TICKET
    request = a_request(role=REPORTS_READER, requestor=gus, justification=VAGUE, duration=LONG, ticket=ticket)
    habits = around(typical=HOUR, hours=Hours(0, 2), denials=1, counted=1, since=NOW - 60 * DAY)
    circumstances = replace(habits, enabled=False)
    assert rule in assess(request, RiskPolicy(), circumstances).fired
    assert rule not in assess(request, RiskPolicy(weights={rule: 0}), circumstances).fired


def test_weights_decide_how_far_a_weak_point_lifts_and_what_is_said_first() -> None:
    request = a_request(role=SECURITY, justification=VAGUE, ticket=NO_TICKET)
    heavy = RiskPolicy(weights={"ticket_missing": 2, "justification": 0})
    assert assess(request, heavy).level is Level.HIGH
    ordered = RiskPolicy(weights={"ticket_missing": 3})
    assert assess(request, ordered).fired == ("role_privileged", "ticket_missing", "justification")
    low = a_request(role=REPORTS_READER, justification=VAGUE, ticket=NO_TICKET)
    assert assess(low, ordered).level is Level.HIGH


def test_a_judgement_shows_where_it_started_and_what_each_item_weighs() -> None:
    found = judge(a_request(role=SECURITY, ticket=NO_TICKET, requestor=gus), RiskPolicy(weights={"guest": 3}))
    assert (found.start, found.level) == (Level.MEDIUM, Level.HIGH)
    assert [(item.rule, item.weight) for item in found.items] == [
        ("role_privileged", 0),
        ("guest", 3),
        ("ticket_missing", 1),
    ]


# --- any request at all ---

ROLES_OF_ALL_KINDS = st.sampled_from([GLOBAL, EXCHANGE, SECURITY, REPORTS_READER, STRANGE, OWNER, Role("member")])
REQUESTS = st.builds(
    lambda kind, role, why, number, hours, upn, scope: a_request(
        key=a_key(kind),
        role=role,
        justification=why,
        ticket=Ticket(number, "ServiceNow"),
        duration=timedelta(hours=hours) if hours else None,
        requestor=Person(rob.id, rob.name, upn),
        scope=Scope(scope),
    ),
    st.sampled_from(Kind),
    ROLES_OF_ALL_KINDS,
    st.text(max_size=30),
    st.text(max_size=3),
    st.integers(0, 24),
    st.sampled_from([rob.upn, gus.upn]) | st.text(max_size=8),
    st.sampled_from(["/", SUBSCRIPTION, f"{SUBSCRIPTION}/resourceGroups/rg"]) | st.text(max_size=8),
)
LENGTHS = st.none() | st.timedeltas(timedelta(minutes=1), DAY)


@pytest.mark.parametrize("enabled, fires", [(False, True), (True, False), (None, False)])
def test_only_an_account_known_to_be_disabled_is_a_weak_point(enabled: bool | None, fires: bool) -> None:  # noqa: FBT001 - a table
    risk = assess(a_request(role=REPORTS_READER), RiskPolicy(), Circumstances(enabled=enabled))
    assert ("disabled" in risk.fired) is fires


PATTERNS = st.builds(
    Pattern,
    uses=st.integers(0, 5),
    typical=LENGTHS,
    hours=st.none() | st.builds(Hours, st.integers(0, 23), st.integers(0, 23)),
    counted=st.integers(0, 3),
    since=st.none() | st.integers(0, 90).map(lambda days: NOW - days * DAY),
)
AROUND = st.builds(
    Circumstances,
    st.builds(PolicyFacts, ticket_required=st.none() | st.booleans(), longest=LENGTHS),
    st.none() | PATTERNS,
    st.none(),
    st.none() | st.booleans(),
)
POLICIES = st.builds(
    RiskPolicy,
    long_from=st.timedeltas(HOUR, DAY),
    ticket_expected=st.booleans(),
    shortest_justification=st.integers(0, 40),
    weights=st.dictionaries(st.sampled_from(list(rules.WEAK_POINTS)), st.integers(0, rules.MOST_WEIGHT)),
)


@given(REQUESTS, POLICIES, AROUND)
def test_a_request_is_judged_the_same_twice_never_below_its_role_and_never_lifted_to_critical(
    request: ActivationRequest, policy: RiskPolicy, circumstances: Circumstances
) -> None:
    risk, (start, item) = assess(request, policy, circumstances), tier(request, policy)
    assert risk == assess(request, policy, circumstances)
    assert risk.level >= start
    assert (risk.level is Level.CRITICAL) == (start is Level.CRITICAL)
    assert (risk.reasons[0], risk.fired[0]) == (item.words, item.rule)
    assert len(risk.reasons) == len(risk.fired) == len(set(risk.fired))
    assert rules.WEAK_POINTS.keys() >= set(risk.fired[1:])


WORSE_REQUEST = {
    "no ticket": {"ticket": NO_TICKET},
    "no justification": {"justification": ""},
    "no end": {"duration": None, "duration_text": "P1M"},
    "a guest": {"requestor": Person(rob.id, upn="x#EXT#@acme.example")},
}


@pytest.mark.parametrize("worse", WORSE_REQUEST.values(), ids=WORSE_REQUEST.keys())
@given(request=REQUESTS, policy=POLICIES, circumstances=AROUND)
def test_a_weak_point_more_never_makes_a_request_milder(
    worse: dict[str, object], request: ActivationRequest, policy: RiskPolicy, circumstances: Circumstances
) -> None:
    if "ticket" in worse and not policy.ticket_expected:
        return  # a company that expects none does not mind a missing one, only a misshapen one
    # No number instead of a misshapen one is another weak point, not one more: a company may weigh it less.
    weights = {**policy.weights, "ticket_form": 0} if "ticket" in worse else policy.weights
    policy = replace(policy, weights=weights)
    assert (
        assess(replace(request, **worse), policy, circumstances).level >= assess(request, policy, circumstances).level
    )


@given(REQUESTS, POLICIES, AROUND, st.timedeltas(timedelta(0), DAY))
def test_a_longer_duration_never_makes_a_request_milder(
    request: ActivationRequest, policy: RiskPolicy, circumstances: Circumstances, more: timedelta
) -> None:
    if request.duration is not None:
        longer = replace(request, duration=request.duration + more)
        assert assess(longer, policy, circumstances).level >= assess(request, policy, circumstances).level


@given(REQUESTS, POLICIES, PATTERNS)
def test_worse_habits_never_make_a_request_milder(
    request: ActivationRequest, policy: RiskPolicy, pattern: Pattern
) -> None:
    level = assess(request, policy, Circumstances(pattern=pattern)).level
    worse = (
        replace(pattern, counted=pattern.counted + 1),
        replace(pattern, uses=0),
        replace(pattern, typical=timedelta(minutes=1)),
    )
    for one in worse:
        assert assess(request, policy, Circumstances(pattern=one)).level >= level


@given(REQUESTS, POLICIES, AROUND, st.sampled_from(list(rules.WEAK_POINTS)))
def test_a_heavier_rule_never_makes_a_request_milder(
    request: ActivationRequest, policy: RiskPolicy, circumstances: Circumstances, rule: str
) -> None:
    heavier = replace(policy, weights={**policy.weights, rule: rules.MOST_WEIGHT})
    assert assess(request, heavier, circumstances).level >= assess(request, policy, circumstances).level


HOSTILE = st.text(max_size=200)


@given(HOSTILE, st.sampled_from(Kind))
@example("\ud800\x00\u202e" * 50, Kind.ENTRA)
@example("\N{COMBINING GRAVE ACCENT}" * 200, Kind.AZURE)
def test_any_text_anywhere_is_judged(text: str, kind: Kind) -> None:
    request = a_request(
        key=a_key(kind),
        role=Role(text, text),
        scope=Scope(text, text),
        justification=text,
        ticket=Ticket(text, text),
        requestor=Person(text, text, text, text),
        duration=None,
        duration_text=text,
    )
    policy = RiskPolicy(tickets={"*": ticket_form(r"\w+-\d+")}, groups={text.casefold(): Level.CRITICAL})
    assert assess(request, policy).level in Level


@pytest.mark.parametrize("level, word, grave", [(1, "Low", 0), (2, "Medium", 0), (3, "High", 1), (4, "Critical", 1)])
def test_a_level_has_a_word_and_high_is_grave(level: int, word: str, grave: int) -> None:
    assert (Level(level).word, Level(level).grave) == (word, bool(grave))
