"""`policy explain` and `history replay`: why a level, and what other rules would make of history."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from build import EXCHANGE, REPORTS_READER, a_request, decided, seen
from people import rita, rob
from surroundings import surround
from typer.testing import CliRunner, Result

from app import cli
from app.cli.judging import replayed
from app.cli.opening import book_of
from app.domain.pattern import Pattern
from app.domain.request import Person, PolicyFacts, Role, Status, Ticket
from app.domain.risk import Circumstances, Level, Risk, RiskPolicy, assess
from app.identity.keyring import Keyring
from app.ports import Seen
from app.settings import load_settings
from app.store.engine import open_engine
from app.store.request_book import StoredRequests
from app.store.writer import Store

KEYS = "k1:" + "A" * 43
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bot's surroundings with a migrated database; nothing else of this machine reaches a test."""
    surround(monkeypatch, tmp_path, KEYS=KEYS, DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/pim.db")
    assert run("db", "upgrade").exit_code == 0


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def in_book(work: Callable[[StoredRequests], Awaitable[T]]) -> T:
    """Use the database between two commands."""

    async def opened() -> T:
        settings = load_settings()
        store = Store(open_engine(settings.database_url))
        try:
            return await work(book_of(settings, store, Keyring.parse(KEYS)))
        finally:
            await store.aclose()

    return asyncio.run(opened())


def remember(*requests: Seen) -> None:
    in_book(lambda book: book.remember(requests, NOW))


def deny(one: Seen, at: datetime) -> None:
    in_book(lambda book: book.settle(one.request.key, Status.DENIED, decided(at=at, comment="no"), None, at))


def lines(answer: Result) -> list[list[str]]:
    return [line.split() for line in answer.stdout.splitlines()]


def snapshot(tmp_path: Path) -> list[str]:
    """Everything the database holds, however it is laid out on disk."""
    with contextlib.closing(sqlite3.connect(tmp_path / "pim.db")) as connection:
        return list(connection.iterdump())


BARE = a_request(role=REPORTS_READER, ticket=Ticket(), created=NOW - HOUR)


# --- policy explain ---


def test_the_rules_that_fired_stand_beside_what_today_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(seen(BARE, risk=assess(BARE)))
    (tmp_path / "policy.toml").write_text("[risk.weights]\nticket_missing = 2\n", encoding="utf-8")
    monkeypatch.setenv("PIM_POLICY_FILE", "policy.toml")
    answer = run("policy", "explain", BARE.key.id)
    assert answer.exit_code == 0
    first, then, today, *rules = answer.stdout.splitlines()
    assert first.startswith("Reports Reader on Whole directory for Rob Reyes, asked ")
    assert first.endswith(", pending.")
    assert then == "Then: Medium, by version 3 of the rules."
    assert today == "Today: Medium, by version 3; the role starts at Low."
    assert [line.strip().split(maxsplit=3) for line in rules if line] == [
        ["Rule", "Then", "Today", "What it says"],
        ["role_ordinary", "fired", "start", "Reports Reader is not a privileged role"],
        ["ticket_missing", "fired", "+2", "No ticket number"],
    ]


def test_a_rule_that_is_switched_off_today_is_told_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(seen(BARE, risk=assess(BARE)))
    (tmp_path / "policy.toml").write_text("[risk.weights]\nticket_missing = 0\n", encoding="utf-8")
    monkeypatch.setenv("PIM_POLICY_FILE", "policy.toml")
    answer = run("policy", "explain", f"entra/{BARE.key.id.upper()}")
    assert "Today: Low, by version 3; the role starts at Low." in answer.stdout
    assert lines(answer)[-1][:3] == ["ticket_missing", "fired", "No"]


def test_what_was_known_then_is_what_today_judges_by() -> None:
    habits = Pattern(denials=1, counted=1)
    remember(seen(BARE, risk=assess(BARE, circumstances=Circumstances(pattern=habits)), pattern=habits))
    rules = {words[0]: words[1:3] for words in lines(run("policy", "explain", BARE.key.id)) if len(words) > 2}
    assert rules["denials"] == ["fired", "+1"]


def test_an_old_judgement_without_rules_is_judged_by_what_history_shows() -> None:
    denied = seen(a_request(created=NOW - 5 * HOUR, role=EXCHANGE))
    remember(denied)
    deny(denied, NOW - 4 * HOUR)
    remember(seen(BARE, risk=Risk(Level.LOW, ("as it was",), 1)))
    answer = run("policy", "explain", BARE.key.id)
    assert "Then: Low, by version 1 of the rules." in answer.stdout
    rules = [(words[0], words[1]) for words in lines(answer)[5:]]
    assert rules == [("role_ordinary", "?"), ("ticket_missing", "?"), ("denials", "?"), ("?", "fired")]


def test_an_unknown_request_is_exit_code_1() -> None:
    answer = run("policy", "explain", "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00")
    assert answer.exit_code == 1
    assert "is remembered here" in answer.stderr


def test_names_cannot_steer_the_terminal() -> None:
    odd = a_request(role=Role(EXCHANGE.id, "\x1b[31mRed\x1b[0m"), requestor=Person(rob.id, "[bold]Rob[/bold]\x07"))
    remember(seen(odd, risk=assess(odd)))
    answer = run("policy", "explain", odd.key.id)
    assert "\x1b" not in answer.stdout
    assert "\x07" not in answer.stdout
    assert "[bold]Rob[/bold]" in answer.stdout


# --- history replay ---


def test_a_policy_is_tried_on_history_and_nothing_is_written(tmp_path: Path) -> None:
    tidy = a_request(role=REPORTS_READER, created=NOW - 2 * HOUR, requestor=rita)
    old = a_request(role=REPORTS_READER, ticket=Ticket(), created=NOW - 9 * DAY)
    remember(*(seen(one, risk=assess(one)) for one in (BARE, tidy, old)))
    (tmp_path / "tried.toml").write_text("[risk]\nticket_expected = false\n", encoding="utf-8")
    before = snapshot(tmp_path)
    answer = run("history", "replay", "--since", "5", "--policy", "tried.toml")
    assert answer.exit_code == 0
    told = [line for line in lines(answer) if line]
    assert answer.stdout.startswith(
        "2 requests of the last 5 days judged anew: 1 keep their level, 0 raised, 1 lowered."
    )
    assert told[1:3] == [["Level", "then", "Level", "now", "Requests"], ["Medium", "Low", "1"]]
    assert told[4:6] == [["role_ordinary", "2", "2", "0", "0"], ["ticket_missing", "1", "0", "0", "1"]]
    assert told[-1][:3] == [str(BARE.key), "Medium", "Low"]
    assert told[-1][-4:] == ["Reports", "Reader", "Rob", "Reyes"]
    assert snapshot(tmp_path) == before


def test_the_same_policy_changes_nothing() -> None:
    remember(seen(BARE, risk=assess(BARE)))
    answer = run("history", "replay")
    assert answer.stdout.startswith("1 requests of the last 30 days judged anew: 1 keep their level, 0 raised")
    assert "Changed" not in answer.stdout
    assert "Level then" not in answer.stdout


def test_no_history_is_one_line() -> None:
    assert run("history", "replay", "--since", "1").stdout == (
        "0 requests of the last 1 days judged anew: 0 keep their level, 0 raised, 0 lowered.\n"
    )


def test_a_wrong_policy_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "tried.toml").write_text("[risk.weights]\nguest = 9\n", encoding="utf-8")
    answer = run("history", "replay", "--policy", "tried.toml")
    assert answer.exit_code == 1
    assert "guest must weigh 0" in str(answer.exception)


def test_history_is_judged_by_what_was_known_at_each_moment() -> None:
    """A denial counts for what was asked after it, within a week, and not for what was asked before."""
    moments = (NOW - 9 * DAY, NOW - 3 * DAY, NOW - HOUR)
    first, denied, last = (
        seen(a_request(role=role, created=at))
        for role, at in zip((REPORTS_READER, EXCHANGE, REPORTS_READER), moments, strict=True)
    )
    remember(first, denied, last)
    deny(denied, NOW - 2 * DAY)

    async def fired(book: StoredRequests) -> list[tuple[str, ...]]:
        return [one.now.risk.fired async for one in replayed(book, RiskPolicy(), NOW - 30 * DAY)]

    assert in_book(fired) == [("role_ordinary",), ("role_high",), ("role_ordinary", "denials")]


def test_a_long_history_is_read_page_by_page() -> None:
    many = [a_request(created=NOW - timedelta(minutes=n), role=REPORTS_READER) for n in range(1, 451)]
    remember(*(seen(one, risk=Risk(Level.LOW), policy=PolicyFacts()) for one in many))

    async def count(book: StoredRequests) -> list[datetime]:
        return [one.row.request.created async for one in replayed(book, RiskPolicy(), NOW - DAY)]

    moments = in_book(count)
    assert len(moments) == 450
    assert moments == sorted(moments)
