"""The policy file: what it can say, what the documented example says, and a sentence for every mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path

import pytest

from app.domain import azure_roles, roles, rules
from app.domain.errors import BadSettings
from app.domain.policy import Aliases, Policy, Watch
from app.domain.quiet import Quiet
from app.domain.reminding import Reminders
from app.domain.request import Kind, Ticket
from app.domain.risk import Level, RiskPolicy
from app.domain.routes import Route
from app.domain.tickets import misshapen, ticket_form
from app.domain.weekly import Weekly
from app.settings.policy_file import read_policy

DOCS = Path(__file__).parent.parent / "docs" / "policy.md"
SUBSCRIPTION = "0f0e0d0c-1111-4222-8333-944455566677"
GUID = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"
Read = Callable[[str], Policy]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def written(text: str) -> Policy:
        (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
        return read_policy(tmp_path / "policy.toml")

    return written


def documented() -> str:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return example


# What it can say


def test_what_is_watched_is_named_once_by_path_and_by_object_id(read: Read) -> None:
    path = f"/subscriptions/{SUBSCRIPTION}"
    watch = read(f'[watch]\nazure_scopes = [" {path} ", "{path}"]\ngroups = ["{GUID.upper()}"]').watch
    assert watch == Watch((path,), (GUID,))


def test_an_empty_file_changes_nothing(read: Read) -> None:
    assert read("") == Policy()


def test_the_documented_example_shows_every_key_with_its_default(read: Read) -> None:
    policy = read(documented())
    assert policy.freshness == Policy().freshness
    assert policy.risk == RiskPolicy(
        extra_levels={
            "69091246-20e8-4a56-aa4d-066075b2a7a8": Level.CRITICAL,
            "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": Level.HIGH,
        },
        groups={"9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703": Level.CRITICAL},
        tickets={"servicenow": ticket_form(r"CHG\d{7}|INC\d{7}"), "*": ticket_form(r"[A-Z]{2,10}-\d{1,6}")},
        weights=dict.fromkeys(rules.WEAK_POINTS, 1),
    )
    assert policy.ticket_facts(Ticket("CHG0031337", "ServiceNow")).url.endswith("sysparm_search=CHG0031337")
    assert policy.portal_only == {roles.GLOBAL_ADMINISTRATOR, roles.PRIVILEGED_ROLE_ADMINISTRATOR}
    assert policy.revoke_contacts == ("U0ONCALL01",)
    assert policy.aliases == Aliases((("adm-{x}@", "{x}@"),), {"root7@contoso.example": "rob@contoso.example"})
    assert policy.watch == Watch(
        ("/providers/Microsoft.Management/managementGroups/contoso", f"/subscriptions/{SUBSCRIPTION}"),
        ("9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703",),
    )
    assert policy.reminders == Reminders()
    assert policy.weekly == Weekly(0, 8)
    assert policy.anchor_channel == "C0123456789"
    (route,) = policy.routes
    assert (route.channel, route.mention) == ("C0123456789", "S0123456789")
    assert policy.arrival == Policy().arrival
    assert policy.escalation is not None
    assert (policy.escalation.secret_env, policy.escalation.after) == ("ON_CALL_KEY", timedelta(minutes=15))


def test_every_documented_key_is_in_the_table_too() -> None:
    keys = re.findall(r"^(\w+) = ", documented(), re.MULTILINE)
    assert len(keys) == 28 + len(rules.WEAK_POINTS)
    assert all(f"{key}`" in DOCS.read_text(encoding="utf-8") for key in keys)


def test_risk_is_tuned(read: Read) -> None:
    text = f'[risk]\nlong_from_hours = 4\nticket_expected = false\n[risk.levels]\n"{GUID.upper()}" = "Critical"\n'
    risk = read(text).risk
    assert (risk.long_from, risk.ticket_expected) == (timedelta(hours=4), False)
    assert risk.extra_levels == {GUID: Level.CRITICAL}
    assert risk.shortest_justification == RiskPolicy().shortest_justification


def test_a_companys_own_levels_are_for_roles_of_both_worlds_and_for_groups(read: Read) -> None:
    text = f"""
        [risk.levels]
        "owner" = "low"
        "{GUID}" = "high"
        [risk.groups]
        " Prod DB Admins " = "critical"
        "{GUID.upper()}" = "low"
    """
    risk = read(text).risk
    assert risk.extra_levels == {"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": Level.LOW, GUID: Level.HIGH}
    assert risk.groups == {"prod db admins": Level.CRITICAL, GUID: Level.LOW}


def test_weights_and_forms_of_tickets(read: Read) -> None:
    text = """
        [risk]
        shortest_justification_at_critical = 40
        [risk.weights]
        guest = 0
        [risk.tickets]
        JIRA = "A-[0-9]+"
    """
    risk = read(text).risk
    assert (risk.weight("guest"), risk.weight("long"), risk.shortest_at_critical) == (0, 1, 40)
    assert misshapen(Ticket("a-12", "Jira"), risk.tickets) == ""


def test_windows_are_hours_and_zero_means_every_time(read: Read) -> None:
    freshness = read("[sign_in]\nwindow_hours = 0.5\ncritical_window_hours = 0").freshness
    assert (freshness.window, freshness.critical) == (timedelta(minutes=30), timedelta(0))


@pytest.mark.parametrize("said, meant", [("true", True), ("false", False)])
def test_whether_microsoft_must_say_when_somebody_signed_in(read: Read, said: str, *, meant: bool) -> None:
    assert read(f"[sign_in]\nrequire_auth_time = {said}").freshness.require_auth_time is meant


def test_contacts_for_removals_are_slack_users(read: Read) -> None:
    assert read('revoke_contacts = ["U0ONCALL01", "U0ONCALL01", "W012ABCDEF"]').revoke_contacts == (
        "U0ONCALL01",
        "W012ABCDEF",
    )


def test_a_portal_only_role_is_named_by_id_or_by_its_built_in_name_in_any_case(read: Read) -> None:
    assert read(f'portal_only = ["{GUID.upper()}", "global reader"]').portal_only == {
        GUID,
        "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    }


def test_account_names_are_kept_in_lower_case(read: Read) -> None:
    aliases = read('[people.accounts]\n"ADM@x.example" = "Rob@X.example"').aliases
    assert aliases.table == {"adm@x.example": "rob@x.example"}


def test_routes_keep_the_order_of_the_file(read: Read) -> None:
    text = f"""
        [[routes]]
        risk = "Critical"
        channel = "C0CRITICAL"
        mention = "nobody"
        [[routes]]
        desk = ["azure", "Group"]
        role = ["{GUID.upper()}", "Owner", "Global Administrator", "member"]
        scope = "/subscriptions/ABC"
        channel = "G0PRIVATE1"
    """
    assert read(text).routes == (
        Route("C0CRITICAL", levels=frozenset({Level.CRITICAL}), mention="nobody"),
        Route(
            "G0PRIVATE1",
            desks=frozenset({Kind.AZURE, Kind.GROUP}),
            roles=frozenset({GUID, "owner", OWNER, roles.GLOBAL_ADMINISTRATOR, "member"}),
            scopes=("/subscriptions/abc",),
        ),
    )


def test_an_emulated_tool_may_be_on_this_machine(read: Read) -> None:
    escalation = read(f'{ALARM}url = "http://127.0.0.1:8080/hook"').escalation
    assert escalation is not None
    assert escalation.url == "http://127.0.0.1:8080/hook"


@pytest.mark.parametrize(
    "text, weekly",
    [
        ("", None),
        ('[weekly]\nweekday = "Sunday"', Weekly(6, 8)),
        ('[weekly]\nweekday = "friday"\nhour = 0', Weekly(4, 0)),
    ],
)
def test_the_digest_has_a_day_and_an_hour_or_is_off(read: Read, text: str, weekly: Weekly | None) -> None:
    assert read(text).weekly == weekly


def test_nudges_can_be_switched_off(read: Read) -> None:
    assert read("[arrival]\nnudge_minutes = 0").arrival.nudge_after == timedelta(0)


def test_every_role_we_know_has_one_name_and_one_id() -> None:
    assert roles.template_id("Exchange Administrator") == roles.EXCHANGE_ADMINISTRATOR
    assert roles.template_id("GLOBAL ADMINISTRATOR") == roles.GLOBAL_ADMINISTRATOR
    assert roles.template_id("Emperor") is None


OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"  # of Azure


@pytest.mark.parametrize(
    "text, meant",
    [
        ("before_minutes = [15, 60, 15]", Reminders(before=(timedelta(hours=1), timedelta(minutes=15)))),
        ("before_minutes = []", Reminders(before=())),
        ('quiet = ""', Reminders(quiet=None)),
        ('quiet = "9:30 - 17:05"', Reminders(quiet=Quiet(time(9, 30), time(17, 5)))),
        ("through_quiet = []", Reminders(last_at_night=False, critical_at_night=False)),
        ('through_quiet = ["critical"]', Reminders(last_at_night=False)),
    ],
)
def test_reminders_are_tuned(read: Read, text: str, meant: Reminders) -> None:
    assert read(f"[reminders]\n{text}").reminders == meant


# Mistakes

ALARM = '[escalation]\nsecret_env = "KEY"\nafter_minutes = 5\n'
ROUTE = '[[routes]]\nchannel = "C0123456789"\n'
MISTAKES = {
    "not TOML": ("risk: high", "cannot be read"),
    "no day": ("[weekly]\nhour = 8", "[weekly] weekday must be one of monday, tuesday"),
    "a day nobody knows": ('[weekly]\nweekday = "montag"', "[weekly] weekday must be one of monday"),
    "no hour": ('[weekly]\nweekday = "monday"\nhour = 24', "[weekly] hour must be a whole number from 0 to 23"),
    "half an hour": ('[weekly]\nweekday = "monday"\nhour = 8.5', "[weekly] hour must be a whole number"),
    "an unknown key of the digest": ('[weekly]\nweekday = "monday"\nzone = "x"', "[weekly] zone is not known"),
    "an unknown part": ("[wach]\nx = 1", "wach is not known"),
    "an unknown key": ("[risk]\nlong_form_hours = 4", "[risk] long_form_hours is not known"),
    "an unknown key of sign-in": ("[sign_in]\nwindow_days = 4", "[sign_in] window_days is not known"),
    "an unknown key of people": ("[people]\nalias = 1", "[people] alias is not known"),
    "no table": ("risk = 4", "risk must be a table"),
    "no table below": ("[people]\naliases = 4", "[people] aliases must be a table"),
    "levels in a list": ('[risk]\nlevels = ["high"]', "[risk] levels must be a table"),
    "a word for hours": ('[risk]\nlong_from_hours = "long"', "[risk] long_from_hours must be a number"),
    "yes for hours": ("[sign_in]\nwindow_hours = true", "[sign_in] window_hours must be a number"),
    "endless hours": ("[risk]\nlong_from_hours = inf", "must be a number"),
    "no number of hours": ("[risk]\nlong_from_hours = nan", "must be a number"),
    "negative hours": ("[sign_in]\ncritical_window_hours = -1", "critical_window_hours must be a number, 0 or more"),
    "a word for yes": ('[risk]\nticket_expected = "no"', "must be true or false"),
    "a number for yes": ("[sign_in]\nrequire_auth_time = 1", "[sign_in] require_auth_time must be true or false"),
    "a word for letters": ('[risk]\nshortest_justification = "short"', "must be a number"),
    "a role nobody knows": ('[risk.levels]\n"Emperor" = "high"', "[risk.levels] 'Emperor' is neither"),
    "a role named twice": (
        f'[risk.levels]\n"Owner" = "high"\n"{azure_roles.role_id("owner")}" = "low"',
        "[risk.levels] '8e3af657-a8ff-443c-a75c-2fe8c4bcb635' is named twice",
    ),
    "a group without a name": ('[risk.groups]\n" " = "high"', "[risk.groups] a group without a name"),
    "a group's unknown level": ('[risk.groups]\n"x" = "extreme"', "'extreme' is no level"),
    "an unknown rule": ("[risk.weights]\nticket = 1", "[risk.weights] 'ticket' is no rule; there are justification,"),
    "too heavy a rule": ("[risk.weights]\nguest = 4", "[risk.weights] guest must weigh 0 (off), 1, 2 or 3"),
    "half a point": ("[risk.weights]\nguest = 0.5", "guest must weigh"),
    "yes for a weight": ("[risk.weights]\nguest = true", "guest must weigh"),
    "a number for a ticket": ("[risk.tickets]\nJira = 7", "[risk.tickets] 'Jira' must stand for a pattern"),
    "a ticket like nothing": ('[risk.tickets]\nJira = ""', "'Jira' must stand for a pattern"),
    "a ticket that is no pattern": ('[risk.tickets]\nJira = "("', "[risk.tickets] '(' is no pattern"),
    "a slow ticket": ("[risk.tickets]\nJira = '(\\w+)*'", "could take too long to match"),
    "an unknown level": (f'[risk.levels]\n"{GUID}" = "extreme"', "'extreme' is no level"),
    "a level in numbers": (f'[risk.levels]\n"{GUID}" = 4', "4 is no level"),
    "one role, no list": ('portal_only = "Global Reader"', "portal_only must be a list"),
    "an Azure scope by its name": (
        '[watch]\nazure_scopes = ["Prod"]',
        "[watch] azure_scopes: 'Prod' is no Azure scope",
    ),
    "an Azure scope that climbs": ('[watch]\nazure_scopes = ["/subscriptions/.."]', "is no Azure scope"),
    "a group by its name": ('[watch]\ngroups = ["prod-db-admins"]', "'prod-db-admins' is no object id of a group"),
    "a desk nobody knows": ("[watch]\nroles = []", "[watch] roles is not known here"),
    "a contact by name": ('revoke_contacts = ["@ann"]', "revoke_contacts: '@ann' is no id of a Slack user"),
    "a list of numbers": ("portal_only = [1]", "portal_only must be a list"),
    "a portal-only role nobody knows": ('portal_only = ["Emperor"]', "portal_only: 'Emperor' is neither"),
    "a pattern without {x}": ('[people.aliases]\n"adm@" = "{x}@"', "must both hold {x} once"),
    "a replacement without {x}": ('[people.aliases]\n"adm-{x}@" = "rob@"', "must both hold {x} once"),
    "a pattern without @": ('[people.aliases]\n"adm-{x}" = "{x}@"', "must both hold {x} once"),
    "a pattern with two {x}": ('[people.aliases]\n"{x}{x}@" = "{x}@"', "must both hold {x} once"),
    "a number for a pattern": ('[people.aliases]\n"adm-{x}@" = 1', "must both hold {x} once"),
    "a domain on one side": ('[people.aliases]\n"adm-{x}@" = "{x}@b.example"', "both sides end with @"),
    "an account that is no address": ('[people.accounts]\n"adm-rob" = "rob@b.example"', "must both be sign-in names"),
    "one table of routes": (
        '[routes]\nchannel = "C0123456789"',
        "routes must be tables, each under its own [[routes]]",
    ),
    "anchors for a channel by its name": ('[audit]\nanchor_channel = "#audit"', "[audit] anchor_channel must be a"),
    "a route to nowhere": ('[[routes]]\nrisk = "high"', "[routes 1] channel must be a channel's id"),
    "a route to a name": ('[[routes]]\nchannel = "#pim"', "[routes 1] channel must be a channel's id"),
    "an unknown desk": (f'{ROUTE}desk = "exchange"', "[routes 1] desk is wrong: 'exchange' is no desk; write entra,"),
    "an unknown risk": (f'{ROUTE}risk = ["high", "extreme"]', "[routes 1] risk is wrong: 'extreme' is no level"),
    "a route for a role nobody knows": (f'{ROUTE}role = "Emperor"', "[routes 1] role is wrong: 'Emperor' is neither"),
    "a route for numbers": (f"{ROUTE}scope = [1]", "[routes 1] scope must be a text, or a list of texts"),
    "a route for nothing": (f'{ROUTE}scope = ""', "[routes 1] scope must be a text, or a list of texts"),
    "a mention of a person": (f'{ROUTE}mention = "@ann"', "[routes 1] mention must be a user group's id"),
    "a mention of everybody": (f'{ROUTE}mention = "channel"', "[routes 1] mention must be a user group's id"),
    "an unknown key of a route": (f"{ROUTE}level = 1", "[routes 1] level is not known"),
    "an alarm in the clear": (f'{ALARM}url = "http://on-call.example"', "[escalation] url must be an https address"),
    "an alarm to nowhere": (f'{ALARM}url = "on-call"', "[escalation] url must be an https address"),
    "an alarm with a user name": (f'{ALARM}url = "https://u:p@x.example"', "[escalation] url must be an https address"),
    "an alarm with no port": (f'{ALARM}url = "https://x.example:no"', "[escalation] url must be an https address"),
    "a key in the file": (
        '[escalation]\nurl = "https://x.example"\nafter_minutes = 5\nsecret_env = "hunter 2"',
        "[escalation] secret_env must be the name of an environment variable",
    ),
    "an alarm at once": (
        '[escalation]\nurl = "https://x.example"\nsecret_env = "KEY"',
        "[escalation] after_minutes must be more than 0",
    ),
    "an unknown key of an alarm": (f'{ALARM}url = "https://x.example"\nkey = "x"', "[escalation] key is not known"),
    "an unknown key of arrival": ("[arrival]\nnudge = 5", "[arrival] nudge is not known"),
    "a chain": ('[people.accounts]\n"a@x" = "b@x"\n"b@x" = "c@x"', "itself stands for another"),
}


@pytest.mark.parametrize("text, words", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_sentence(read: Read, text: str, words: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read(text)
    (sentence,) = str(caught.value).splitlines()
    assert words in sentence
    assert sentence.endswith(".")


def test_all_mistakes_are_told_at_once(read: Read) -> None:
    text = 'portal_only = 1\n[risk]\nlong = 1\nlong_from_hours = -1\n[people.aliases]\n"a" = "b"\n"c" = "d"'
    with pytest.raises(BadSettings) as caught:
        read(text)
    assert len(str(caught.value).splitlines()) == 5


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSettings, match="cannot be read"):
        read_policy(tmp_path / name)


def test_a_ticket_page_needs_a_pattern_of_its_system(read: Read) -> None:
    with pytest.raises(BadSettings, match=r"\[tickets\] 'jira' needs a pattern in \[risk.tickets\] too"):
        read('[tickets]\n"Jira" = "https://jira.example/browse/{number}"\n')


def test_a_ticket_page_that_is_no_address_is_a_mistake(read: Read) -> None:
    with pytest.raises(BadSettings, match="no address"):
        read('[risk.tickets]\n"*" = \'OPS-\\d+\'\n[tickets]\n"*" = "http://jira.example/browse/{number}"\n')
