"""What stops the examination before Microsoft is asked: a database that does not open, sessions that no key opens."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from build import a_link
from people import ann
from surroundings import surround

from app.domain.findings import Finding, Grade
from app.main.doctor import diagnose
from app.settings import load_settings
from app.store.audit import AuditTrail
from app.store.engine import open_engine
from app.store.links import StoredLinks
from app.store.writer import Store

NOBODY = "http://127.0.0.1:9"  # where nobody listens


def sound(monkeypatch: pytest.MonkeyPatch, folder: Path, database: Path) -> None:
    """Sound settings for a machine without Slack and Microsoft."""
    away = {name: f"{NOBODY}/{name.lower()}" for name in ("GRAPH_URL", "ARM_URL", "LOGIN_URL", "SLACK_API_URL")}
    ours = {"DATABASE_URL": f"sqlite+aiosqlite:///{database}", "PUBLIC_URL": "http://localhost:1"}
    surround(monkeypatch, folder, ENVIRONMENT="sandbox", **away, **ours)


async def found(about: str) -> Finding:
    """The first finding about it; the examination goes no further."""
    async for finding in diagnose(load_settings(), ()):
        if finding.about == about:
            return finding
    raise AssertionError(f"nothing was found about {about}")


async def test_a_database_that_does_not_open_is_wrong_and_ends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sound(monkeypatch, tmp_path, tmp_path / "nowhere" / "pim.db")
    finding = await found("database")
    assert (finding.grade, "db upgrade" in finding.fix) == (Grade.WRONG, True)


async def test_a_session_that_no_key_opens_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path
) -> None:
    database = Path(shutil.copyfile(sqlite_template, tmp_path / "pim.db"))
    sound(monkeypatch, tmp_path, database)
    store = Store(open_engine(f"sqlite+aiosqlite:///{database}"))
    links = StoredLinks(store, AuditTrail(store, b"a key of tests"), lambda: "receipt")
    await links.save(a_link(ann), "v1.k9.c2VhbGVk", 1, datetime.now(UTC))
    await store.aclose()
    finding = await found("keys")
    assert finding.grade is Grade.WRONG
    assert "cannot be opened" in finding.words
    assert "keys status" in finding.fix
