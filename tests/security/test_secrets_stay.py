"""Secrets never leave: one bot lives through sign-ins, decisions and the worst answers, and everything it said is read.

Every secret is known here: the configured ones, and by a tap on the wire whatever passed between the bot and Microsoft.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from journeys.driver import Sandbox, running
from security.tap import Answer, Spoken, Tap, graph_echo, graph_refusal, html_page, login_refusal, tapped

from app.sandbox.people import CAST, Person
from app.sandbox.sign_in_walk import walk

CONFIGURED = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_CLIENT_SECRET", "CLIENT_SECRET", "KEYS")
PAGES = ("/healthz", "/readyz", "/docs", "/openapi.json", "/nowhere", "/sign-in/confirm", "/sign-in/microsoft/callback")


@dataclass
class Evidence:
    """Everything one bot was told in confidence, and everything it said. `browser`: what only a browser may hold."""

    secrets: dict[str, set[str]]
    browser: dict[str, set[str]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    outcomes: list[str] = field(default_factory=list)
    database: bytes = b""
    rudely_answered: int = 0

    def found_in(self, text: str, secrets: Mapping[str, set[str]]) -> list[str]:
        """The kinds of secrets in a text, also as addresses and JSON write them."""
        return [
            kind
            for kind, values in secrets.items()
            if any(form in text for value in values for form in (value, quote(value, safe=""), json.dumps(value)[1:-1]))
        ]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    data = tmp_path_factory.mktemp("secrets")
    with tapped() as tap:
        with running(data, login_url=f"{tap.url}/login", graph_url=f"{tap.url}/graph") as sandbox:
            tap.upstream = sandbox.world_url
            life = Life(sandbox, tap, Evidence(tap.secrets))
            life.live()
            found = life.collect(data)
        found.said["the log"] = (data / "bot.log").read_text(encoding="utf-8")
        found.said["the sandbox's log"] = (data / "sandbox.log").read_text(encoding="utf-8")
    return found


@dataclass
class Life:
    """A bot's life, from the first sign-in to the worst day."""

    sandbox: Sandbox
    tap: Tap
    evidence: Evidence

    def live(self) -> None:
        for name in CONFIGURED:
            value = str(self.sandbox.settings["env"][f"PIM_{name}"])
            self.tap.note(name, value)
            self.tap.note(name, value.partition(":")[2])  # a key without its name
        self.sandbox.until_well()
        assert self.sign_in() == "linked"
        self.decide_well()
        self.decide_badly()
        self.sign_in_badly()
        self.knock()
        self.sandbox.until_well()

    # --- what happens ---

    def decide_well(self) -> None:
        outcome = self.sandbox.approve("ann", self.sandbox.posted(self.sandbox.ask()))
        assert "You approved" in outcome
        self.evidence.outcomes.append(outcome)

    def decide_badly(self) -> None:
        for how in (graph_echo, graph_refusal, html_page):
            request = self.sandbox.ask()
            form = self.sandbox.form("ann", self.sandbox.posted(request))
            with self.rude(f"(GET|PATCH) .*{request}", how):
                self.sandbox.submit("ann", form, "Go ahead")
                self.evidence.outcomes.append(self.sandbox.outcome("ann"))
        with self.rude("GET .*filterByCurrentUser|GET .*ScheduleRequests", graph_refusal):
            self.sandbox.until_note("cannot be read")
            self.evidence.said["a note in /readyz"] = json.dumps(self.sandbox.ready())

    def sign_in_badly(self) -> None:
        for how in (login_refusal, html_page):
            with self.rude("POST .*/token", how):
                self.evidence.outcomes.append(self.sign_in())
        with self.rude("GET .*/me", graph_echo):
            self.evidence.outcomes.append(self.sign_in())
        with self.rude("GET .*/me", graph_refusal):
            self.evidence.outcomes.append(self.sign_in())

    def knock(self) -> None:
        """Strangers at the door, who bring secrets along."""
        loud = "&".join(sorted(value for values in self.tap.secrets.values() for value in map(quote, values)))[:6000]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        bot = self.sandbox.settings["bot_url"]
        with httpx.Client(trust_env=False, base_url=bot, event_hooks={"response": [self.heard]}) as http:
            for path in PAGES:
                http.get(path)
            http.post(
                "/slack/events", content=f"payload={loud}", headers={**form, "X-Slack-Signature": f"v0={loud[:64]}"}
            )
            http.get(f"/sign-in/slack/callback?error={loud[:3000]}&code=x&state=x")
            http.post(f"/sign-in/start/{loud[:500]}")
            described = f"error=access_denied&error_description={loud}&state=x"
            http.post("/sign-in/microsoft/callback", content=described, headers=form)
            http.post("/sign-in/confirm", content=f"token={loud}", headers=form)

    def sign_in(self) -> str:
        """Walk the pages as Ann; the last page's outcome. The browser's own secrets are kept aside."""
        button = self.sandbox.command("ann", "sign-in").buttons["pim_sign_in_page"]
        self.browser_secret("the one-time address", urlsplit(str(button["url"])).path.rpartition("/")[2])
        return asyncio.run(self._walk(str(button["url"])))

    async def _walk(self, start: str) -> str:
        async def heard(response: httpx.Response) -> None:
            await response.aread()
            self.heard(response)

        def ann(url: str) -> Person | None:
            return None if url.startswith(self.sandbox.settings["bot_url"]) else CAST["ann"]

        async with httpx.AsyncClient(trust_env=False, timeout=30, event_hooks={"response": [heard]}) as client:
            walked = await walk(client, start, ann, lambda: datetime.now(UTC))
        return str(walked.outcome)

    # --- what is kept ---

    def heard(self, response: httpx.Response) -> None:
        """An answer to a browser: the bot's are evidence, and every address and cookie may hold a secret."""
        request = response.request
        query = dict(parse_qsl(request.url.query.decode()))
        if len(query.get("state", "")) > 1:
            self.browser_secret("state", query["state"])
            self.tap.note("a code of Slack", query.get("code", "") if "slack" in request.url.path else "")
        if not str(request.url).startswith(self.sandbox.settings["bot_url"]):
            return
        response.read()
        for header in response.headers.get_list("set-cookie"):
            self.browser_secret("cookie", header.partition("=")[2].partition(";")[0].strip('"'))
        headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
        place = f"{len(self.evidence.said)}: {request.method} {request.url.path}"
        self.evidence.said[place] = f"{response.status_code} {headers} {response.text}"

    def browser_secret(self, kind: str, value: str) -> None:
        if value:
            self.evidence.browser.setdefault(kind, set()).add(value)

    def collect(self, data: Path) -> Evidence:
        """Slack as everybody sees it, the database as it lies on the disk."""
        self.evidence.said["Slack"] = json.dumps(self.sandbox.world(), ensure_ascii=False)
        self.evidence.database = b"".join(path.read_bytes() for path in sorted(data.glob("pim.db*")))
        self.evidence.rudely_answered = self.tap.rudely_answered
        return self.evidence

    @contextmanager
    def rude(self, what: str, how: Callable[[Spoken], Answer]) -> Iterator[None]:
        """While it lasts, matching calls are answered rudely; at least one must come."""
        rule, before = (re.compile(what), how), self.tap.rudely_answered
        self.tap.rude.append(rule)
        yield
        self.tap.rude.remove(rule)
        assert self.tap.rudely_answered > before, f"nobody called {what}"


def test_every_kind_of_secret_was_there_to_be_lost(evidence: Evidence) -> None:
    assert set(evidence.secrets) >= {
        *CONFIGURED,
        "bearer",
        "access_token",
        "refresh_token",
        "id_token",
        "code",
        "code_verifier",
        "client_secret",
        "a code of Slack",
    }
    assert set(evidence.browser) == {"the one-time address", "state", "cookie"}


def test_the_worst_answers_were_given_and_people_heard_sentences(evidence: Evidence) -> None:
    assert evidence.rudely_answered >= 7
    assert len(evidence.outcomes) == 8
    assert evidence.outcomes[-4:] == ["failed"] * 4


def test_nothing_the_bot_said_holds_a_secret(evidence: Evidence) -> None:
    found = {place: evidence.found_in(text, evidence.secrets) for place, text in evidence.said.items()}
    assert {place: kinds for place, kinds in found.items() if kinds} == {}
    assert len(evidence.said) > len(PAGES)


def test_no_outcome_that_people_saw_holds_a_secret(evidence: Evidence) -> None:
    assert evidence.found_in("\n".join(evidence.outcomes), evidence.secrets) == []


def test_what_only_a_browser_may_know_is_neither_logged_nor_stored(evidence: Evidence) -> None:
    assert evidence.found_in(evidence.said["the log"], evidence.browser) == []
    assert evidence.found_in(evidence.database.decode("latin-1"), evidence.browser) == []


def test_only_the_starters_own_address_is_shown_in_slack(evidence: Evidence) -> None:
    assert evidence.found_in(evidence.said["Slack"], evidence.browser) == ["the one-time address"]


def test_the_database_holds_sealed_texts_only(evidence: Evidence) -> None:
    assert b"v1.k1." in evidence.database
    assert evidence.found_in(evidence.database.decode("latin-1"), evidence.secrets) == []


def test_the_log_is_there_to_be_read(evidence: Evidence) -> None:
    assert "A request to the Slack door was refused" in evidence.said["the log"]
    assert "desk cannot be read" in evidence.said["the log"]
