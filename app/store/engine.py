"""How the database is opened. It knows the two databases' manners and never runs a query of ours."""

from __future__ import annotations

from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.domain.errors import BadSettings

BUSY_TIMEOUT = 5.0  # seconds a SQLite writer waits for another process's lock
POOL_TIMEOUT = 5.0  # seconds to wait for a free connection before saying that the database is unavailable
READERS = 4  # threads that read SQLite; each keeps a connection, and the writer's thread another

# Execution options that are read when a transaction begins: it writes; it must outlive a power cut.
WRITING = {"pim_writing": True}
FLUSHING = {"pim_flushing": True}


def open_engine(url: str, *, patience: float = BUSY_TIMEOUT) -> Engine | AsyncEngine:
    """An engine for `sqlite+aiosqlite:///path` or `postgresql+psycopg://...`; BadSettings for anything else.

    `patience`: seconds to wait for another SQLite writer. Nothing is connected yet. Parameters never reach logs or
    error texts: they are other people's words and tokens.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadSettings(_WHAT_IS_EXPECTED) from error
    if parsed.drivername == "sqlite+aiosqlite" and parsed.database not in (None, "", ":memory:"):
        return _open_sqlite(parsed, patience)
    if parsed.drivername == "postgresql+psycopg":
        return _open_postgresql(parsed)
    raise BadSettings(_WHAT_IS_EXPECTED)


_WHAT_IS_EXPECTED = (
    "PIM_DATABASE_URL must look like sqlite+aiosqlite:///path/to/file or postgresql+psycopg://user@host/db."
)


def _open_sqlite(url: URL, patience: float) -> Engine:
    # isolation_level=None: the driver must not begin transactions by itself, `_begin` does.
    connect_args: dict[str, Any] = {"timeout": patience, "isolation_level": None}
    engine = create_engine(
        url.set(drivername="sqlite"),  # the standard library's driver, in threads of our own
        connect_args=connect_args,
        pool_size=READERS + 1,
        pool_timeout=POOL_TIMEOUT,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection has no public type
    try:
        _set_pragmas(connection)
    except Exception:
        # The pool forgets a connection that fails here, and its thread would outlive the event loop.
        connection.close()
        raise


def _set_pragmas(connection: Any) -> None:  # noqa: ANN401 - the same
    cursor = connection.cursor()
    _write_ahead(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: Any) -> None:  # noqa: ANN401 - the same
    """Switch the file to its write-ahead log, once and for all; nothing happens when it has one."""
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except OperationalError:
        # Of two that switch a new file at the same moment SQLite refuses one at once, whatever the busy timeout says.
        # Taking the writer's lock does wait, and by then the other one has switched.
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
        cursor.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another writer is busy, whatever the busy
    # timeout says: its snapshot is old. So writers take the lock first, and readers never do.
    options = connection.get_execution_options()
    if not options.get("pim_writing", False):
        connection.exec_driver_sql("BEGIN DEFERRED")
        return
    # In WAL mode NORMAL never loses a commit to a crash of the process, only (some of the last ones) to a power cut,
    # and never corrupts. Clicks are written so: a lost one is pressed again. What is about to leave for Microsoft, and
    # what came of it, is flushed.
    wanted = "FULL" if options.get("pim_flushing", False) else "NORMAL"
    if connection.info.get("pim_synchronous") != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["pim_synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _open_postgresql(url: URL) -> AsyncEngine:
    connect_args: dict[str, Any] = {
        "application_name": "pim-approvals",
        "connect_timeout": 5,  # seconds
        "tcp_user_timeout": 10_000,  # milliseconds until a silent server counts as gone
        # A replica that was stopped in the middle of a transaction must not hold everybody's locks.
        "options": "-c idle_in_transaction_session_timeout=15000 -c lock_timeout=5000",
    }
    chosen = {name: value for name, value in connect_args.items() if name not in url.query}
    return create_async_engine(
        url, connect_args=chosen, pool_pre_ping=True, pool_timeout=POOL_TIMEOUT, hide_parameters=True
    )
