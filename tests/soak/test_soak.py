"""A bounded soak: people decide, withdraw and race while everything breaks and the bot is killed; then all must agree.

`SOAK_SEED` and `SOAK_SECONDS` choose another run. The figures are printed.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from journeys.driver import APPROVE, DENY, DESKS, Json, Sandbox, Shown, concurrently, only, running, shown, until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
SEED = int(os.environ.get("SOAK_SEED", "20261123"))
SECONDS = float(os.environ.get("SOAK_SECONDS", "200"))
QUIET = 150.0  # seconds to converge in: Slack takes one post a second, a dead process holds the rounds for 15
FORM_SECONDS = 3.0
MOST_WAITING = 25  # requests; Slack takes one card a second, so that more would only stand in line
APPROVERS = {"ann": "Ann Alder", "ben": "Ben Brook"}
NAMES = {**APPROVERS, "cleo": "Cleo Clay"}
ROLES: tuple[Json, ...] = (
    {"role": "Reports Reader"},
    {"role": "Teams Administrator"},
    {"role": "Exchange Administrator"},
    {"role": "Global Administrator"},
    {"role": "User Administrator"},
    {"kind": "azure", "role": "Contributor", "scope": "rg-web"},
    {"kind": "azure", "role": "Owner", "scope": "Prod"},
    {"kind": "group", "role": "member", "scope": "prod-db-admins"},
)
EXPIRED = ("Failed", "TimedOut")
TOLD = "pim_notice"  # what somebody is told once; other messages follow their request
FINAL = {
    "Provisioned": "Approved",
    "Denied": "Denied",
    "Canceled": "withdrawn",
    **dict.fromkeys(EXPIRED, "nobody decided in time"),
}
DECISION, STAGE = "/(steps|stages)/", "/stages/"

FAULTS: tuple[Json, ...] = (
    {"service": "graph", "path": "ScheduleRequests", "do": "answer", "status": 503, "headers": {"Retry-After": "1"}},
    {"service": "graph", "path": "ScheduleRequests", "do": "answer", "status": 429, "headers": {"Retry-After": "2"}},
    {"service": "graph", "path": "ScheduleRequests", "do": "drop_before"},
    {"service": "graph", "path": "ScheduleRequests$", "do": "answer", "status": 200, "body": "<html></html>"},
    {"service": "graph", "path": "Approvals", "method": "GET", "do": "answer", "status": 500},
    {"service": "graph", "path": DECISION, "method": "PATCH", "do": "drop_before"},
    {"service": "graph", "path": DECISION, "method": "PATCH", "do": "drop_after"},
    {"service": "graph", "path": DECISION, "method": "PATCH", "do": "slow", "seconds": 1.5},
    {"service": "graph", "path": DECISION, "method": "PATCH", "do": "answer", "status": 500},
    {"service": "graph", "path": DECISION, "method": "PATCH", "do": "answer", "status": 429},
    {"service": "graph", "path": DECISION, "method": "PATCH", "do": "answer", "status": 409, "body": {"error": {}}},
    {"service": "arm", "path": "ScheduleRequests", "do": "answer", "status": 503, "headers": {"Retry-After": "1"}},
    {"service": "arm", "path": "ScheduleRequests", "do": "drop_before"},
    {"service": "arm", "path": "Approvals", "method": "GET", "do": "answer", "status": 500},
    {"service": "arm", "path": STAGE, "method": "PUT", "do": "drop_before"},
    {"service": "arm", "path": STAGE, "method": "PUT", "do": "drop_after"},
    {"service": "arm", "path": STAGE, "method": "PUT", "do": "answer", "status": 403},
    {"service": "arm", "path": STAGE, "method": "PUT", "do": "answer", "status": 429},
    {"service": "slack", "path": "chat.postMessage", "do": "drop_after"},
    {"service": "slack", "path": "chat.postMessage", "do": "drop_before"},
    {"service": "slack", "path": "chat.postMessage", "do": "answer", "status": 500},
    {"service": "slack", "path": "chat.update", "do": "drop_after"},
    {"service": "slack", "path": "chat.update", "do": "answer", "status": 429, "headers": {"Retry-After": "1"}},
    {"service": "slack", "path": "views", "do": "drop_after"},
    {"service": "slack", "path": "conversations", "do": "answer", "status": 500},
    {"service": "slack", "path": "users", "do": "answer", "status": 500},
    {"service": "login", "path": "/token$", "do": "answer", "status": 503},
)


@dataclass
class Soak:
    """One run: what is done is drawn from `dice`, and counted."""

    sandbox: Sandbox
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)
    number: int = 0

    def run(self, seconds: float) -> None:
        """Do something, again and again."""
        acts: dict[Callable[[], None], int] = {
            self.ask: 6,
            self.decide: 8,
            self.race: 3,
            self.portal: 2,
            self.withdraw: 1,
            self.disturb: 6,
            self.look: 2,
            self.kill: 1,
        }
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            (act,) = self.dice.choices(list(acts), list(acts.values()))
            self.done[act.__name__] += 1
            act()

    def ask(self) -> None:
        waiting = sum(row["status"] == "PendingApproval" for row in self.sandbox.requests())
        for _ in range(self.dice.randint(1, 2) if waiting < MOST_WAITING else 0):
            age = "PT23H59M15S" if self.dice.random() < 0.1 else "PT1M"
            requestor = self.dice.choice(("rob", "rob", "rita", "rita", "ann"))
            self.sandbox.ask(requestor, **self.dice.choice(ROLES), age=age)

    def decide(self) -> None:
        card = self.any_card()
        if card is not None:
            self.try_to(self.dice.choice(list(APPROVERS)), card)

    def race(self) -> None:
        card = self.any_card()
        if card is not None:
            concurrently(*[lambda user=user: self.try_to(user, card) for user in APPROVERS])

    def portal(self) -> None:
        request = self.any_request()
        if request is not None:
            verdict = self.dice.choice(("approve", "deny"))
            body = {"by": "cleo", "verdict": verdict, "comment": self.words("portal")}
            self.attempt(f"requests/{request['id']}/decide", body)

    def withdraw(self) -> None:
        request = self.any_request()
        if request is not None:
            self.attempt(f"requests/{request['id']}/cancel", {})

    def disturb(self) -> None:
        fault = {**self.dice.choice(FAULTS), "times": self.dice.randint(1, 3)}
        self.sandbox.post("faults", [fault])

    def look(self) -> None:
        self.attempt("command", {"user": self.dice.choice(list(APPROVERS)), "text": self.dice.choice(("", "history"))})

    def kill(self) -> None:
        """End it with SIGKILL in the middle of a submission, or whenever."""
        card, pause = self.any_card(), self.dice.uniform(0, 1.5)
        if card is not None:
            concurrently(lambda: self.try_to("ann", card), lambda: self.kill_after(pause))
        else:
            self.kill_after(0)
        if self.dice.random() < 0.5:
            self.portal()
        self.sandbox.http.delete(f"{self.sandbox.world_url}/control/faults")  # a start must find Slack
        self.sandbox.bot("start")

    def kill_after(self, pause: float) -> None:
        time.sleep(pause)  # a random moment is the point
        self.sandbox.bot("kill")

    # --- the small print of doing ---

    def try_to(self, user: str, card: Shown) -> None:
        """Press and submit; whatever gets in the way is part of the soak."""
        action, block = self.dice.choice(((APPROVE, "comment"), (DENY, "reason")))
        before = self.sandbox.modal(user)
        place = {"user": user, "action_id": action, "channel": card.channel, "ts": card.id}
        if not self.attempt("click", place):
            return
        deadline = time.monotonic() + FORM_SECONDS
        form = self.sandbox.modal(user)
        while form == before and time.monotonic() < deadline:
            time.sleep(0.1)
            form = self.sandbox.modal(user)
        if form is not None and form.kind == "pim_decide":
            body = {"user": user, "view_id": form.id, "values": {block: self.words(user)}}
            self.done["submissions"] += self.attempt("submit", body)

    def attempt(self, path: str, body: Json) -> bool:
        """Whether the world let us do it."""
        return self.sandbox.http.post(f"{self.sandbox.world_url}/control/{path}", json=body).is_success

    def words(self, who: str) -> str:
        """A reason nobody gave before."""
        self.number += 1
        return f"Reason {self.number:05d} of {who}"

    def any_card(self) -> Shown | None:
        cards = [message for message in self.sandbox.channel() if message.decidable]
        return self.dice.choice(cards) if cards else None

    def any_request(self) -> Json | None:
        rows = [row for row in self.sandbox.requests() if row["status"] == "PendingApproval"]
        return self.dice.choice(rows) if rows else None


@dataclass(frozen=True)
class Ending:
    """The world after the storm: Microsoft's requests, their cards, who got a decision accepted, who was told what."""

    requests: list[Json]
    cards: dict[str, list[Shown]]
    accepted: dict[str, list[str]]
    directs: dict[str, list[str]]
    health: Json

    def card(self, row: Json) -> Shown | None:
        return only(self.cards[row["id"]])

    @property
    def final(self) -> list[Json]:
        """Requests that ended and have a card; what began and ended between two polls was never seen by the bot."""
        return [row for row in self.requests if row["status"] in FINAL and self.cards[row["id"]]]

    @property
    def open(self) -> list[Json]:
        return [row for row in self.requests if row["status"] == "PendingApproval"]

    @property
    def decided(self) -> list[Json]:
        return [row for row in self.final if row["reviewed_by"]]


def look(sandbox: Sandbox) -> Ending:
    """Everything at one moment, so that nothing expires between two looks."""
    world, health = sandbox.world(), sandbox.ready()
    requests = [row for row in world["requests"] if row["kind"] in DESKS]
    posted = {
        channel["with"] or channel["id"]: [shown(m) for m in channel["messages"]] for channel in world["channels"]
    }
    cards = [message for message in posted[sandbox.settings["channel"]] if message.kind == "pim_card"]
    sent = [call for call in sandbox.get("log") if call["method"] in ("PATCH", "PUT") and was_accepted(call)]
    return Ending(
        requests,
        {row["id"]: [card for card in cards if row["id"] in card.words] for row in requests},
        {row["id"]: [call["who"] for call in sent if is_about(call, row)] for row in requests},
        {user: [one.words for one in posted.get(user, []) if one.kind == TOLD] for user in ("rob", "rita", "ann")},
        health,
    )


def was_accepted(call: Json) -> bool:
    """Whether Microsoft took it; a call whose connection broke before it was read has no status."""
    return 200 <= (call["status"] or 0) < 300


def is_about(call: Json, row: Json) -> bool:
    """Whether this decision was made on it. An Azure approval has an id of its own, but a reason was given once."""
    if row["kind"] == "azure":
        return call["service"] == "arm" and bool(row["comment"]) and row["comment"] in str(call["body"])
    return row["id"] in call["path"]


def expected(ending: Ending, row: Json) -> str:
    """What the card of a request that ended must say."""
    if not row["reviewed_by"]:
        return FINAL[row["status"]]
    place = "in Slack" if ending.accepted[row["id"]] else "in the portal"
    return f"{FINAL[row['status']]} by {NAMES[row['reviewed_by']]} {place}"


def times_told(ending: Ending, row: Json) -> int:
    return sum(row["comment"] in words for words in ending.directs[row["requestor"]])


def is_quiet(ending: Ending) -> bool:
    """Whether nothing is left to do, however it was done."""
    shown_ends = [card for row in ending.final for card in ending.cards[row["id"]]]
    settled = not any(card.decidable or "is deciding this right now" in card.words for card in shown_ends)
    waiting = all(any(card.decidable for card in ending.cards[row["id"]]) for row in ending.open)
    told = all(times_told(ending, row) for row in ending.decided)
    return settled and waiting and told and expiries_told(ending) and ending.health["status"] == "ok"


def expiries_told(ending: Ending) -> bool:
    """Whether each expiry that the bot saw was told once; what began and ended between two polls may be told or not."""
    seen = Counter(row["requestor"] for row in ending.final if row["status"] in EXPIRED)
    every = Counter(row["requestor"] for row in ending.requests if row["status"] in EXPIRED)
    told = {user: sum("nobody decided in time" in words for words in said) for user, said in ending.directs.items()}
    return all(seen[user] <= told[user] <= every[user] for user in told)


@pytest.fixture(scope="module")
def soak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    with running(tmp_path_factory.mktemp("soak")) as sandbox:
        sandbox.signed_in(*APPROVERS)
        soak = Soak(sandbox, random.Random(SEED))  # noqa: S311 - dice, no secrets
        soak.run(SECONDS)
        sandbox.mend()
        yield soak


@pytest.fixture(scope="module")
def ending(soak: Soak) -> Ending:
    """The first quiet moment; without one the last look, and the tests say what is missing."""
    looks: list[Ending] = []

    def quiet() -> bool:
        looks[:] = [look(soak.sandbox)]
        return is_quiet(looks[0])

    with suppress(AssertionError):
        until(quiet, QUIET)
    return looks[0]


def test_the_storm_was_one(soak: Soak, ending: Ending, capsys: pytest.CaptureFixture[str]) -> None:
    states = Counter(row["status"] for row in ending.requests)
    with capsys.disabled():
        print(f"\nsoak, seed {SEED}: {len(ending.requests)} requests {dict(states)}, done {dict(soak.done)}")  # noqa: T201 - the figures
    assert min(soak.done[act] for act in ("ask", "decide", "race", "portal", "disturb", "kill", "submissions")) > 0
    assert any(ending.accepted.values())


def test_no_request_has_two_cards(ending: Ending) -> None:
    assert [row["id"] for row in ending.requests if len(ending.cards[row["id"]]) > 1] == []


def test_whatever_waits_can_be_decided(ending: Ending) -> None:
    assert [row["id"] for row in ending.open if not (ending.card(row) and ending.card(row).decidable)] == []


def test_whatever_ended_has_no_buttons(ending: Ending) -> None:
    assert [row["id"] for row in ending.final if ending.card(row).decidable] == []


def test_every_card_says_who_and_where_as_microsoft_does(ending: Ending) -> None:
    wrong = [
        f"{expected(ending, row)}? {ending.card(row).words}"
        for row in ending.final
        if expected(ending, row) not in ending.card(row).words
    ]
    assert wrong == [], "\n".join(wrong)


def test_at_most_one_decision_was_accepted_for_each_request(ending: Ending) -> None:
    assert [id_ for id_, people in ending.accepted.items() if len(people) > 1] == []


def test_every_decision_was_told_to_its_requestor_once(ending: Ending) -> None:
    counts = {row["id"]: times_told(ending, row) for row in ending.decided}
    assert {id_: count for id_, count in counts.items() if count != 1} == {}


def test_every_expiry_was_told_to_its_requestor_once(ending: Ending) -> None:
    assert expiries_told(ending)


def test_the_bot_is_well(ending: Ending) -> None:
    assert ending.health == {"status": "ok", "notes": []}
