"""Every way a request can go, on every desk and in both watch modes: one scene plays them side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from journeys.driver import APPROVE, DENY, Json, Sandbox, Shown
from journeys.scenes import Scene, Scenes, Stage

pytestmark = pytest.mark.timeout(300)  # whoever looks first at a scene waits for its end


@dataclass(frozen=True, slots=True)
class Where:
    """What Rita asks for at a desk, and what there nobody is named to approve."""

    kind: str
    role: str
    scope: str
    ownerless_role: str
    ownerless_scope: str


DESKS = {
    "entra": Where("entra", "License Administrator", "/", "Global Secure Access Administrator", "/"),
    "azure": Where("azure", "Contributor", "rg-web", "User Access Administrator", "Prod"),
    "group": Where("group", "member", "prod-db-admins", "owner", "breakglass-operators"),
}
MODES = ("application", "approvers")
WAYS = {
    "approved": {},
    "denied": {},
    "withdrawn": {},
    "decided elsewhere": {},
    "expired": {"age": "PT23H59M40S"},
    "scheduled": {"start": True},
    "over": {"duration": "PT40S"},
}


@dataclass(slots=True)
class Played:
    """One scene: the requests by the way they went, and what was on the screens at the end of each."""

    sandbox: Sandbox
    where: Where
    mode: str
    requests: dict[str, str] = field(default_factory=dict)
    shown: dict[str, Shown | None] = field(default_factory=dict)

    def words(self, way: str) -> str:
        card = self.shown[way]
        assert card is not None, f"no card for what was {way}"
        return card.words


def play(stage: Stage, kind: str, mode: str) -> Played:
    """Everything is asked for at once, and then goes its way."""
    sandbox = stage.sandbox("ann", "ben", watch_as=mode)
    played = Played(sandbox, DESKS[kind], mode)
    for way, facts in WAYS.items():
        played.requests[way] = ask(played, **facts)
    specials(played)
    decide(played)
    watch(played)
    return played


def ask(played: Played, **facts: object) -> str:
    if facts.pop("start", False):
        facts["start"] = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    where = played.where
    asked: Json = {"kind": where.kind, "scope": where.scope, "ticket": {"number": "REQ-1", "system": "ServiceNow"}}
    return played.sandbox.ask("rita", where.role, **{**asked, **facts})


def specials(played: Played) -> None:
    """What is no ordinary request: without an open step, without an approver, an extension."""
    where, sandbox = played.where, played.sandbox
    played.requests["stale"] = ask(played, stale=True)
    asked = {"kind": where.kind, "scope": where.ownerless_scope}
    played.requests["ownerless"] = sandbox.ask("rita", where.ownerless_role, **asked)
    played.requests["extension"] = ask(played, action="selfExtend")


def decide(played: Played) -> None:
    sandbox, requests = played.sandbox, played.requests
    cards = {way: sandbox.posted(requests[way]) for way in WAYS}
    for way in ("over", "approved", "scheduled"):
        sandbox.submit("ann", sandbox.form("ann", cards[way], APPROVE), f"Fine: {way}")
        assert "You approved" in sandbox.outcome("ann")
    sandbox.ended(requests["over"], "Active since", seconds=40)  # its end is told only of what was seen to begin
    sandbox.submit("ann", sandbox.form("ann", cards["denied"], DENY), "Say more about why", block="reason")
    assert "You denied" in sandbox.outcome("ann")
    sandbox.withdraw(requests["withdrawn"])
    sandbox.decide_in_portal(requests["decided elsewhere"], "ben", "deny", "Not today")


def watch(played: Played) -> None:
    """What every card says once it is over."""
    sandbox, requests = played.sandbox, played.requests
    until: dict[str, str] = {
        "approved": "Active since",
        "denied": "Denied by Ann Alder in Slack",
        "withdrawn": "withdrawn by the requestor",
        "decided elsewhere": "Denied by Ben Brook in the portal",
        "scheduled": "Starts ",
        "expired": "Expired",
        "over": "Active from",
    }
    for way, words in until.items():
        played.shown[way] = sandbox.ended(requests[way], words, seconds=60)
    for way in ("ownerless", "extension", "stale"):
        played.shown[way] = next(iter(sandbox.cards(requests[way])), None)


SCENES: dict[str, Scene] = {f"{kind}-{mode}": partial(play, kind=kind, mode=mode) for kind in DESKS for mode in MODES}


@pytest.fixture(scope="module", params=list(SCENES))
def played(request: pytest.FixtureRequest, scenes: Scenes) -> Iterator[Played]:
    yield from scenes.watch(request.module, request.param)


@pytest.mark.parametrize("way, verdict", [("approved", "approve"), ("scheduled", "approve"), ("denied", "deny")])
def test_microsoft_records_the_human_who_clicked(played: Played, way: str, verdict: str) -> None:
    row = played.sandbox.request(played.requests[way])
    assert (row["reviewed_by"], row["verdict"]) == ("ann", verdict)


def test_an_approved_role_says_since_and_until_when_it_is_held(played: Played) -> None:
    assert "Approved by Ann Alder in Slack" in played.words("approved")
    assert ", until " in played.words("approved")


def test_a_role_that_starts_later_says_when(played: Played) -> None:
    assert "Approved by Ann Alder in Slack" in played.words("scheduled")
    assert "Starts " in played.words("scheduled")


def test_a_role_that_is_over_says_from_and_until_when_it_was_held(played: Played) -> None:
    assert "; ended " in played.words("over")


def test_a_denial_says_why(played: Played) -> None:
    assert "Say more about why" in played.words("denied")


def test_a_decision_elsewhere_says_who_and_why_and_counts_as_theirs(played: Played) -> None:
    assert "Not today" in played.words("decided elsewhere")
    assert "Denied by Ben Brook in the portal" in played.sandbox.command("ben", "approved").words


def test_a_request_without_an_open_step_has_no_card_and_is_counted(played: Played) -> None:
    assert played.shown["stale"] is None
    assert "hidden: Microsoft lists as pending" in played.sandbox.command("ann", "pending").words


def test_what_nobody_is_named_to_approve_is_said_or_not_shown_to_anybody(played: Played) -> None:
    """In approvers mode nobody's list holds it on Azure and groups; Entra's administrators see it there."""
    card = played.shown["ownerless"]
    if played.where.kind == "entra":
        # As an approver only Ben sees it, and he is asked every few minutes.
        assert card is not None or played.mode == "approvers"
        assert card is None or "no approver is named" in card.words
    elif played.mode == "application":
        assert card is not None
        assert "name no approver" in card.words
        assert not card.decidable
    else:
        assert card is None


def test_an_extension_leads_to_the_portal_and_has_no_buttons(played: Played) -> None:
    """In approvers mode an extension stands in nobody's list of what they may approve."""
    card = played.shown["extension"]
    if card is None:
        assert played.mode == "approvers"
        return
    assert "can only be decided in the portal" in card.words
    assert not card.decidable


def test_expired_and_withdrawn_requests_say_so(played: Played) -> None:
    assert "nobody decided in time" in played.words("expired")
    assert "withdrawn by the requestor" in played.words("withdrawn")


def test_no_two_cards_and_no_second_decision(played: Played) -> None:
    for way, request in played.requests.items():
        assert len(played.sandbox.cards(request)) <= 1, way
