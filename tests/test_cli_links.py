"""The operator's commands: who is signed in, ending that, and the off switch. Each leaves a name in the audit trail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar

import pytest
from build import NOW, a_link
from people import ann, ben, slack_of
from security.canaries import secret
from surroundings import surround
from typer.testing import CliRunner, Result

from app import cli
from app.cli import opening
from app.identity.keyring import Keyring
from app.ports import LinkState
from app.store.audit import AuditRow, AuditTrail
from app.store.engine import open_engine
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.writer import Store

KEYS = secret("k1:" + "A" * 43)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A bot's surroundings with a migrated database; nothing else of this machine reaches a test."""
    url = f"sqlite+aiosqlite:///{tmp_path}/pim.db"
    surround(monkeypatch, tmp_path, KEYS=KEYS, DATABASE_URL=url)
    monkeypatch.setenv("LOGNAME", "ops")
    assert run("db", "upgrade").exit_code == 0
    return url


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def look(database: str, work: Callable[[Store], Awaitable[T]]) -> T:
    """Look into the database between two commands."""

    async def opened() -> T:
        store = Store(open_engine(database))
        try:
            return await work(store)
        finally:
            await store.aclose()

    return asyncio.run(opened())


def links_of(store: Store) -> StoredLinks:
    return StoredLinks(store, AuditTrail(store, Keyring.parse(KEYS).chain_key()), token_urlsafe)


def states(database: str) -> dict[str, LinkState]:
    async def read(store: Store) -> dict[str, LinkState]:
        found = [await links_of(store).by_slack(a_link(one).team, slack_of(one)) for one in (ann, ben)]
        return {link.person.name: link.state for link in found if link is not None}

    return look(database, read)


def audit(database: str) -> list[AuditRow]:
    """What operators did."""
    trail = lambda store: AuditTrail(store, Keyring.parse(KEYS).chain_key())  # noqa: E731 - one place, one line
    assert look(database, lambda store: trail(store).verify()) is None
    return [row for row in look(database, lambda store: trail(store).rows(0, 100)) if row.who.startswith("os:")]


@pytest.fixture
def signed_in(database: str) -> None:
    async def save(store: Store) -> None:
        for person in (ann, ben):
            assert await links_of(store).save(a_link(person), "sealed", 1, NOW)

    look(database, save)


# --- links list ---


def test_nobody_signed_in_is_said_to_be_nobody() -> None:
    assert run("links", "list").stdout == "Nobody has signed in yet.\n"
    assert json.loads(run("links", "list", "--json").stdout) == []


@pytest.mark.usefixtures("signed_in")
def test_everybody_signed_in_is_one_line() -> None:
    title, first, second = run("links", "list").stdout.splitlines()
    assert title.split()[:2] == ["Slack", "user"]
    assert first.split() == ["U0ANN00001", ann.upn, "active", "2026-11-23", "09:30", "UTC", "never"]
    assert second.split()[:3] == ["U0BEN00001", ben.upn, "active"]


@pytest.mark.usefixtures("signed_in")
def test_the_same_as_json() -> None:
    first, _ = json.loads(run("links", "list", "--json").stdout)
    assert first == {
        "slack_user": "U0ANN00001",
        "upn": ann.upn,
        "oid": ann.id,
        "state": "active",
        "signed_in_at": "2026-11-23T09:30:00+00:00",
        "last_decision": None,
    }


# --- links revoke ---


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("whose", ["U0ANN00001", "u0ann00001", ann.upn, ann.upn.upper(), ann.id])
def test_one_person_s_session_is_ended(database: str, whose: str) -> None:
    answer = run("links", "revoke", whose, "--reason", "lost phone")
    assert (answer.exit_code, answer.stdout) == (
        0,
        "ann@acme.example (Slack U0ANN00001): session ended, must sign in again.\n",
    )
    assert states(database) == {ann.name: LinkState.SUSPENDED, ben.name: LinkState.ACTIVE}
    (row,) = audit(database)
    assert (row.what, row.who, json.loads(row.facts)["reason"]) == ("link_revoked", "os:ops", "lost phone")


@pytest.mark.usefixtures("signed_in")
def test_everybody_s_session_is_ended(database: str) -> None:
    assert len(run("links", "revoke", "--all").stdout.splitlines()) == 2
    assert set(states(database).values()) == {LinkState.SUSPENDED}
    again = run("links", "revoke", "--all")
    assert (again.exit_code, again.stdout) == (0, "There was no live session to end. Nothing was changed.\n")
    assert len(audit(database)) == 2


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("words", [[], ["U0ANN00001", "--all"]])
def test_whose_session_is_said_exactly_once(database: str, words: list[str]) -> None:
    answer = run("links", "revoke", *words)
    assert (answer.exit_code, answer.stderr) == (2, "Name one person, or say --all.\n")
    assert set(states(database).values()) == {LinkState.ACTIVE}


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("command", ["revoke", "remove"])
def test_somebody_unknown_is_exit_code_1(database: str, command: str) -> None:
    answer = run("links", command, "U0NOBODY01")
    assert answer.exit_code == 1
    assert "Nobody here is U0NOBODY01. Nothing was changed" in answer.stderr
    assert audit(database) == []


# --- links remove ---


@pytest.mark.usefixtures("signed_in")
def test_accounts_are_unlinked(database: str) -> None:
    answer = run("links", "remove", ann.upn, "--reason", "was not her")
    assert (answer.exit_code, answer.stdout) == (0, "ann@acme.example (Slack U0ANN00001): unlinked.\n")
    assert states(database) == {ben.name: LinkState.ACTIVE}
    (row,) = audit(database)
    assert (row.what, row.who, json.loads(row.facts)["oid"]) == ("link_removed", "os:ops", ann.id)


# --- the off switch ---


def notes(database: str) -> list[str]:
    return list(look(database, lambda store: StoredOutbox(store).standing_notes()))


def test_a_pause_is_said_in_the_channel_and_audited(database: str) -> None:
    answer = run("pause", "a stolen laptop.")
    assert (answer.exit_code, answer.stdout.split(".")[0]) == (0, "Paused")
    (note,) = notes(database)
    assert note.startswith("Decisions in Slack are paused: a stolen laptop. Every card")
    (row,) = audit(database)
    assert (row.what, row.who, json.loads(row.facts)["reason"]) == ("pause_on", "os:ops", "a stolen laptop.")


def test_resuming_ends_the_note(database: str) -> None:
    run("pause", "a drill")
    assert run("resume", "over").stdout == "Resumed. The buttons are back.\n"
    assert notes(database) == []
    assert [row.what for row in audit(database)] == ["pause_on", "pause_off"]


def test_what_is_so_already_is_said_to_be_so(database: str) -> None:
    assert "was not paused" in run("resume", "over").stdout
    run("pause", "a drill")
    assert "paused already" in run("pause", "a drill").stdout
    assert len(audit(database)) == 1


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_reason_is_demanded(database: str, command: str) -> None:
    assert run(command).exit_code == 2
    blank = run(command, "  ")
    assert (blank.exit_code, blank.stderr) == (2, "Say why: everybody in the approvers channel reads it.\n")
    assert audit(database) == []


# --- surroundings ---


def test_a_database_that_is_not_up_to_date_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIM_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    answer = run("links", "list")
    assert answer.exit_code == 1
    assert "pim-approvals db upgrade" in str(answer.exception)


def test_an_account_without_a_name_is_audited_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr(opening.getpass, "getuser", nameless)
    assert opening.operator() == "os:unknown"
