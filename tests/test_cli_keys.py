"""`pim-approvals keys`: what each key is needed for, who must sign in again, and putting all under the first key."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar

import pytest
from fakes_identity import ANN, ANN_SLACK, BEN, BEN_SLACK, a_link
from security.canaries import secret
from surroundings import surround
from typer.testing import CliRunner

from app import cli
from app.domain.request import Person
from app.identity.keyring import Keyring
from app.identity.sign_in import cache_context
from app.identity.tokens import CACHE
from app.store.audit import AuditTrail
from app.store.engine import open_engine
from app.store.flows import StoredFlows
from app.store.links import StoredLinks
from app.store.writer import Store

T = TypeVar("T")
KEYS = {
    name: secret(f"{name}:{base64.urlsafe_b64encode(name.encode() * 16).decode()}", f"the key {name}")
    for name in ("k1", "k2", "k3")
}
CHAIN = "The audit chain's key is made from {}, the last one: keep it in PIM_KEYS, and keep it last."
LOST = "What is stored for {} does not open: they must sign in again, unless k1 is put back into PIM_KEYS."


class Desk:
    """A database, and the program run with rings of keys over it."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = url
        self.set = monkeypatch.setenv

    def run(self, ring: str, *arguments: str) -> tuple[int, list[str]]:
        """Exit code and lines; `ring`: names of keys, the writing one first."""
        self.set("PIM_KEYS", ",".join(KEYS[name] for name in ring.split()))
        ended = CliRunner().invoke(cli.app, ["keys", *arguments])
        assert not any(key.partition(":")[2].rstrip("=") in ended.output for key in KEYS.values())
        return ended.exit_code, ended.stdout.splitlines()

    def sign_in(self, ring: str, person: Person = ANN, user: str = ANN_SLACK) -> None:
        link = a_link(person, user)
        sealed = Keyring.parse(KEYS[ring]).seal(CACHE, cache_context(link, 1), "tokens")
        trail_key = b"a key of tests"
        assert self.work(
            lambda store: StoredLinks(store, AuditTrail(store, trail_key), token_urlsafe).save(
                link, sealed, 1, datetime.now(UTC)
            )
        )

    def start_signing_in(self, ring: str) -> None:
        sealed = Keyring.parse(KEYS[ring]).seal("sign-in: start", "x", "facts")
        expires = datetime.now(UTC) + timedelta(minutes=10)
        self.work(lambda store: StoredFlows(store).put("x", sealed, expires))

    def work(self, act: Callable[[Store], Awaitable[T]]) -> T:
        async def opened() -> T:
            store = Store(open_engine(self.url))
            try:
                return await act(store)
            finally:
                await store.aclose()

        return asyncio.run(opened())


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path) -> Desk:
    url = f"sqlite+aiosqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'pim.db')}"
    surround(monkeypatch, tmp_path, DATABASE_URL=url)
    monkeypatch.delenv("PIM_KEYS")  # each run gives its own
    return Desk(url, monkeypatch)


def test_a_new_bots_key_writes_and_keeps_the_audit_chain(desk: Desk) -> None:
    assert desk.run("k1", "status") == (0, ["k1: writes; 0 sign-ins.", CHAIN.format("k1")])


def test_each_key_is_told_with_what_it_is_needed_for(desk: Desk) -> None:
    desk.sign_in("k1")
    desk.sign_in("k3", BEN, BEN_SLACK)
    desk.start_signing_in("k1")
    assert desk.run("k3 k2 k1", "status") == (
        0,
        [
            "k3: writes; 1 sign-in.",
            "k2: reads, and may be removed; 0 sign-ins.",
            "k1: reads; 1 sign-in, and 1 under way for ten minutes at most.",
            CHAIN.format("k1"),
        ],
    )


def test_a_key_removed_while_in_use_names_who_must_sign_in_again(desk: Desk) -> None:
    desk.sign_in("k1")
    desk.sign_in("k1", BEN, BEN_SLACK)
    assert desk.run("k2", "status") == (
        1,
        [
            "k2: writes; 0 sign-ins.",
            "k1: NOT in PIM_KEYS; 2 sign-ins.",
            CHAIN.format("k2"),
            LOST.format(f"{ANN.name} and {BEN.name}"),
        ],
    )


def test_nothing_is_lost_when_the_key_comes_back(desk: Desk) -> None:
    desk.sign_in("k1")
    assert desk.run("k2", "status")[0] == 1
    assert desk.run("k2 k1", "status")[0] == 0


def test_the_last_key_is_never_said_to_be_removable(desk: Desk) -> None:
    _, lines = desk.run("k2 k1", "status")
    assert lines[:2] == ["k2: writes; 0 sign-ins.", "k1: reads; 0 sign-ins."]


def test_a_whole_rotation(desk: Desk) -> None:
    desk.sign_in("k2")
    assert desk.run("k3 k2 k1", "rotate") == (0, ["1 sign-in encrypted anew, 0 already right."])
    assert desk.run("k3 k2 k1", "rotate") == (0, ["0 sign-ins encrypted anew, 1 already right."])
    assert desk.run("k3 k2 k1", "status")[1][1] == "k2: reads, and may be removed; 0 sign-ins."
    assert desk.run("k3 k1", "status")[0] == 0


def test_a_rotation_names_whom_it_could_not_move(desk: Desk) -> None:
    desk.sign_in("k1")
    desk.sign_in("k2", BEN, BEN_SLACK)
    assert desk.run("k3 k2", "rotate") == (
        1,
        [
            "1 sign-in encrypted anew, 0 already right.",
            f"What is stored for {ANN.name} does not open and was left as it is: they must sign in again.",
        ],
    )


@pytest.mark.parametrize("command", ["status", "rotate"])
def test_a_database_of_another_version_is_not_touched(desk: Desk, tmp_path: Path, command: str) -> None:
    desk.set("PIM_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    desk.set("PIM_KEYS", KEYS["k1"])
    ended = CliRunner().invoke(cli.app, ["keys", command])
    assert "db upgrade" in str(ended.exception)
