from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from app.store.engine import open_engine


def test_two_processes_that_open_a_new_file_at_once_both_succeed(tmp_path: Path) -> None:
    """SQLite refuses the second one's switch of the journal at once, and does not wait for the first."""
    path, statements = tmp_path / "new.db", list[str]()
    first = sqlite3.connect(path, isolation_level=None)
    first.execute("BEGIN IMMEDIATE")

    def finish_first(statement: str) -> None:
        statements.append(statement)
        if statement == "BEGIN IMMEDIATE":  # the second one begins to wait
            first.execute("ROLLBACK")

    engine = open_engine(f"sqlite+aiosqlite:///{path}")
    assert isinstance(engine, Engine)
    event.listen(engine, "connect", lambda second, _: _trace(second, finish_first), insert=True)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    assert statements.count("PRAGMA journal_mode=WAL") == 2
    engine.dispose()
    first.close()


def _trace(connection: Any, hear: Any) -> None:  # noqa: ANN401 - SQLAlchemy's wrapper of the driver's connection
    connection.set_trace_callback(hear)
