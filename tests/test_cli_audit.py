"""`pim-approvals audit`: the first bad row by name and exit code, anchors of any source, and events as JSON lines."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from build import NOW, a_key
from people import ann
from test_cli_links import KEYS, database, look, run

from app.cli import audit
from app.domain.anchors import Anchor
from app.domain.errors import Unavailable
from app.identity.keyring import Keyring
from app.store.audit import AuditTrail, Entry
from app.store.chain import AuditRow
from app.store.writer import Store

__all__ = ["database"]  # a fixture that every test here uses
T = TypeVar("T")
KEY = a_key()


def trail_of(store: Store) -> AuditTrail:
    return AuditTrail(store, Keyring.parse(KEYS).chain_key())


def ask(database: str, question: Callable[[AuditTrail], Awaitable[T]]) -> T:
    return look(database, lambda store: question(trail_of(store)))


@pytest.fixture
def written(database: str) -> Sequence[AuditRow]:
    """Five events."""

    async def write(store: Store) -> Sequence[AuditRow]:
        trail = trail_of(store)
        for number in range(5):
            entry = Entry(NOW, "approved", KEY, ann.id, {"comment": f"Nr. {number}, Ünïcode\nand a line"})
            await store.write(lambda connection, entry=entry: trail.append(connection, entry))
        return await trail.rows(0, 10)

    return look(database, write)


def tamper(database: str, *changes: str) -> None:
    """As somebody with the file in hand would."""
    with sqlite3.connect(database.removeprefix("sqlite+aiosqlite:///")) as connection:
        for name in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER audit_no_{name}")
        for change in changes:
            connection.execute(change)
    connection.close()


def end(row: AuditRow) -> Anchor:
    return Anchor(row.n, row.mac)


CUT_OFF = (
    "DELETE FROM audit WHERE n > 3",
    "UPDATE audit_head SET n = 3, mac = (SELECT mac FROM audit WHERE n = 3)",
)
TAMPERED = {
    "edit": (("UPDATE audit SET who = 'nobody' WHERE n = 4",), 4),
    "delete": (("DELETE FROM audit WHERE n = 2",), 2),
    "reorder": (("UPDATE audit SET n = 9 WHERE n = 2", "UPDATE audit SET n = 2 WHERE n = 3"), 2),
    "truncate": (CUT_OFF[:1], 4),
    "fork": (("UPDATE audit SET prev_mac = (SELECT mac FROM audit WHERE n = 1) WHERE n = 3",), 3),
}


# verify


def test_an_unbroken_trail_is_said_with_its_end(written: Sequence[AuditRow]) -> None:
    result = run("audit", "verify")
    assert (result.exit_code, result.stdout.splitlines()) == (0, ["5 rows, unbroken.", str(end(written[4]))])


@pytest.mark.usefixtures("database")
def test_an_empty_trail_is_unbroken() -> None:
    result = run("audit", "verify")
    assert (result.exit_code, result.stdout) == (0, "There is no row yet.\n")


@pytest.mark.parametrize("how", TAMPERED)
@pytest.mark.usefixtures("written")
def test_the_first_bad_row_is_named(database: str, how: str) -> None:
    changes, n = TAMPERED[how]
    tamper(database, *changes)
    result = run("audit", "verify")
    assert result.exit_code == audit.BROKEN
    assert result.stdout.startswith(f"Row {n} ")


def test_for_programs_it_is_json(database: str, written: Sequence[AuditRow]) -> None:
    told = json.loads(run("audit", "verify", "--json").stdout)
    assert told == {"unbroken": True, "first_bad": None, "head": {"n": 5, "mac": written[4].mac}, "anchors": 0}
    tamper(database, "DELETE FROM audit WHERE n = 2")
    result = run("audit", "verify", "--json")
    assert (result.exit_code, json.loads(result.stdout)["first_bad"]["n"]) == (audit.BROKEN, 2)


@pytest.mark.parametrize("kept", ["in a log", "as text"])
def test_a_tail_cut_off_with_its_head_shows_against_an_anchor(
    database: str, written: Sequence[AuditRow], tmp_path: Path, kept: str
) -> None:
    anchor = f"2026-11-25 19:00:01 INFO app.anchoring: {end(written[4])}"
    if kept == "in a log":
        (tmp_path / "bot.log").write_text(f"something else\n{anchor}\n{anchor}\n", encoding="utf-8")
        anchor = str(tmp_path / "bot.log")
    result = run("audit", "verify", "--anchor", anchor)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "5 rows, unbroken, and against 1 anchors.")
    tamper(database, *CUT_OFF)
    assert run("audit", "verify").exit_code == 0
    result = run("audit", "verify", "--anchor", anchor)
    assert (result.exit_code, result.stdout[:6]) == (audit.BROKEN, "Row 4 ")


@pytest.mark.parametrize("word", ["no-such-file.log", "empty.log", "audit_anchor 5", "."])
def test_an_anchor_that_is_none_is_a_mistake_and_not_a_check(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert database
    (tmp_path / "empty.log").write_text("nothing", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["pim-approvals", "audit", "verify", "--anchor", word])
    from app.cli import SETTINGS_WRONG, main  # noqa: PLC0415 - its own name for the code

    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == SETTINGS_WRONG
    assert "--anchor" in capsys.readouterr().err


# export


def test_every_event_is_one_json_line(written: Sequence[AuditRow]) -> None:
    lines = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [line["n"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0] == {
        "n": 1,
        "at": NOW.isoformat(),
        "what": "approved",
        "kind": "entra",
        "request_id": KEY.id,
        "who": ann.id,
        "facts": {"comment": "Nr. 0, Ünïcode\nand a line"},
        "prev_mac": "",
        "mac": written[0].mac,
    }


@pytest.mark.usefixtures("written")
def test_it_goes_on_behind_the_last_one_seen() -> None:
    assert [json.loads(line)["n"] for line in run("audit", "export", "--after", "3").stdout.splitlines()] == [4, 5]
    assert run("audit", "export", "--after", "5").stdout == ""


@pytest.mark.usefixtures("written")
def test_garbled_facts_are_told_as_they_are(database: str) -> None:
    tamper(database, "UPDATE audit SET facts = 'no JSON' WHERE n = 2")
    assert json.loads(run("audit", "export").stdout.splitlines()[1])["facts"] == "no JSON"


class Growing:
    """A trail that gets its rows one look after the other; the database is away at the second look."""

    def __init__(self, rows: Sequence[AuditRow]) -> None:
        self.rows_ = list(rows)
        self.looks: list[int] = []

    async def rows(self, after: int, limit: int) -> Sequence[AuditRow]:
        assert limit
        self.looks.append(after)
        if len(self.looks) == 2:
            raise Unavailable("The database is away.")
        return [row for row in self.rows_ if row.n == after + 1]


async def test_following_goes_on_through_an_outage_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit, "LOOK_EVERY", 0.0)
    trail = Growing([AuditRow(n, "", "", "", "", "", "{}", "") for n in range(1, 4)])
    pages = audit._pages(trail, 0, follow=True)  # noqa: SLF001 - without an end from outside
    seen = [[row.n for row in await anext(pages)] for _ in range(3)]
    waiting = asyncio.ensure_future(anext(pages))
    await asyncio.sleep(0)
    waiting.cancel()
    assert (seen, trail.looks[:4]) == ([[1], [2], [3]], [0, 1, 1, 2])
    assert "Row 1 was the last one" in caplog.text


async def test_without_following_an_outage_is_an_error() -> None:
    trail = Growing([])
    trail.looks = [0]
    with pytest.raises(Unavailable):
        await anext(audit._pages(trail, 0, follow=False))  # noqa: SLF001 - as above
