"""`pim-approvals history export`: a stream on standard output, what it covers on standard error."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from build import NOW, a_request, seen
from security.canaries import secret
from surroundings import surround
from typer.testing import CliRunner, Result

from app import cli
from app.domain.request import ActivationRequest, Kind
from app.store.audit import AuditTrail
from app.store.engine import open_engine
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.writer import Store

KEY = secret(f"k1:{base64.urlsafe_b64encode(b'k1' * 16).decode()}", "the key of an export")
DAYS = 3


async def _filled(url: str) -> list[ActivationRequest]:
    store = Store(open_engine(url))
    try:
        book = StoredRequests(store, AuditTrail(store, b"a key of tests"), Posting("C1", str, str))
        asked = [a_request(created=NOW + timedelta(days=day)) for day in range(DAYS)]
        for request in asked:
            await book.remember([seen(request, stale=True)], NOW)
        await StoredSights(store).seen(Kind.ENTRA, NOW)
        return asked
    finally:
        await store.aclose()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path) -> list[ActivationRequest]:
    """A database with one request a day, and the settings that name it."""
    url = f"sqlite+aiosqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'pim.db')}"
    surround(monkeypatch, tmp_path, DATABASE_URL=url, KEYS=KEY)
    return asyncio.run(_filled(url))


def exported(*options: str) -> Result:
    return CliRunner().invoke(cli.app, ["history", "export", *options])


def test_csv_is_the_default_newest_first(asked: list[ActivationRequest]) -> None:
    ended = exported()
    assert ended.exit_code == 0, ended.output
    rows = list(csv.DictReader(io.StringIO(ended.stdout_bytes.decode(), newline="")))
    assert [row["request"] for row in rows] == [request.key.id for request in reversed(asked)]
    assert ended.stderr == f"Entra roles: complete since {NOW:%Y-%m-%d %H:%M} UTC.\n"


def test_who_took_it_is_in_the_audit_trail(asked: list[ActivationRequest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ops")
    assert exported("--since", f"{NOW + timedelta(days=1):%Y-%m-%d}").exit_code == 0
    with closing(sqlite3.connect("pim.db")) as database:
        [(who, facts)] = database.execute("SELECT who, facts FROM audit WHERE what = 'exported'").fetchall()
    since = f"{NOW + timedelta(days=1):%Y-%m-%d}T00:00:00Z"
    assert who == "os:ops"
    assert json.loads(facts) == {
        "form": "csv",
        "rows": str(len(asked) - 1),
        "to": "standard output",
        "since": since,
    }


def test_jsonl_begins_with_what_it_covers(asked: list[ActivationRequest]) -> None:
    first, *rest = [json.loads(line) for line in exported("--format", "jsonl").stdout.splitlines()]
    assert [desk["desk"] for desk in first["coverage"]] == ["entra"]
    assert len(rest) == len(asked)


@pytest.mark.parametrize(
    "since, until, days",
    [
        (1, None, [2, 1]),
        (None, 1, [1, 0]),  # a day belongs as a whole
        (1, 1, [1]),
    ],
)
def test_a_time_narrows_it(
    asked: list[ActivationRequest], since: int | None, until: int | None, days: list[int]
) -> None:
    options = [("--since", since), ("--until", until)]
    words = [
        part for name, day in options if day is not None for part in (name, f"{NOW + timedelta(days=day):%Y-%m-%d}")
    ]
    lines = exported("--format", "jsonl", *words).stdout.splitlines()[1:]
    assert [json.loads(line)["request"] for line in lines] == [asked[day].key.id for day in days]


@pytest.mark.parametrize(
    "options", [("--since", "yesterday"), ("--until", "2026-13-01"), ("--since", "2026-11-02", "--until", "2026-11-01")]
)
def test_a_time_that_is_none_is_refused(asked: list[ActivationRequest], options: tuple[str, ...]) -> None:
    assert asked
    ended = exported(*options)
    assert (ended.exit_code, ended.stdout) == (2, "")
