from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from build import NOW
from sqlalchemy import Engine, event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import BadSettings, Unavailable
from app.store import group_writer
from app.store.engine import WRITING, open_engine
from app.store.tables import inbox
from app.store.writer import Store


async def put(connection: AsyncConnection, key: str) -> str:
    await connection.execute(insert(inbox).values(key=key, what="click", slack_user="U0", taken=NOW))
    return key


async def put_badly(connection: AsyncConnection) -> None:
    await put(connection, "half done")
    raise LookupError("not mine")


async def keys(store: Store) -> list[str]:
    found = await store.read(lambda connection: connection.scalars(select(inbox.c.key).order_by(inbox.c.key)))
    return list(found)


def commits_of(engine: Engine) -> list[None]:
    seen: list[None] = []
    event.listen(engine, "commit", lambda _connection: seen.append(None))
    return seen


def savepoints_of(engine: Engine) -> list[str]:
    seen: list[str] = []
    event.listen(engine, "savepoint", lambda _connection, name: seen.append(name))
    return seen


async def test_a_write_gives_its_answer_after_it_is_committed(store: Store) -> None:
    assert await store.write(lambda connection: put(connection, "a")) == "a"
    assert await keys(store) == ["a"]


async def test_a_read_leaves_nothing_behind(store: Store) -> None:
    await store.read(lambda connection: put(connection, "a"))
    assert await keys(store) == []


async def test_one_failing_write_hurts_nobody_else(store: Store) -> None:
    results = await asyncio.gather(
        store.write(lambda connection: put(connection, "a")),
        store.write(put_badly),
        store.write(lambda connection: put(connection, "b")),
        return_exceptions=True,
    )
    assert isinstance(results[1], LookupError)
    assert [results[0], results[2]] == ["a", "b"]
    assert await keys(store) == ["a", "b"]


async def test_a_broken_constraint_is_told_to_its_own_caller(store: Store) -> None:
    results = await asyncio.gather(
        *(store.write(lambda connection: put(connection, "same")) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "IntegrityError", "str"]


async def test_a_cancelled_caller_does_not_break_the_group(store: Store) -> None:
    impatient = asyncio.create_task(store.write(lambda connection: put(connection, "a")))
    patient = asyncio.create_task(store.write(lambda connection: put(connection, "b")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == "b"
    assert "b" in await keys(store)


async def test_nothing_is_taken_after_closing_and_what_was_taken_is_finished(database_url: str) -> None:
    store = Store(open_engine(database_url))
    accepted = asyncio.create_task(store.write(lambda connection: put(connection, "a")))
    await asyncio.sleep(0)
    if database_url.startswith("sqlite"):
        await store.aclose()
        assert await accepted == "a"
        with pytest.raises(Unavailable):
            await store.write(lambda connection: put(connection, "b"))
    else:
        assert await accepted == "a"
        await store.aclose()


@pytest.mark.parametrize("dialect", ["sqlite"])
class TestGroups:
    """SQLite only: PostgreSQL commits each write by itself."""

    async def test_everything_waiting_is_one_commit(self, database_url: str) -> None:
        engine = open_engine(database_url)
        commits, store = commits_of(engine), Store(engine)
        await asyncio.gather(*(store.write(lambda connection, n=n: put(connection, f"{n:03}")) for n in range(50)))
        assert len(commits) == 1
        assert len(await keys(store)) == 50
        await store.aclose()

    async def test_savepoints_are_paid_for_only_when_somebody_failed(self, database_url: str) -> None:
        engine = open_engine(database_url)
        marked, store = savepoints_of(engine), Store(engine)
        await asyncio.gather(*(store.write(lambda connection, n=n: put(connection, f"{n}")) for n in range(3)))
        assert marked == []
        calls = [store.write(lambda connection, n=n: put(connection, f"{n}")) for n in (2, 3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(results[0], IntegrityError)
        assert (results[1], len(marked)) == ("3", 2)
        await store.aclose()

    async def test_what_must_outlive_a_power_cut_is_flushed_and_the_rest_is_not(self, store: Store) -> None:
        async def synchronous(connection: AsyncConnection) -> int:
            return int(await connection.scalar(text("PRAGMA synchronous")))

        levels = [await store.write(synchronous, flush=flush) for flush in (False, True, False)]
        assert levels == [1, 2, 1]  # NORMAL, FULL, NORMAL
        together = (store.write(synchronous), store.write(synchronous, flush=True))
        assert await asyncio.gather(*together) == [2, 2]

    async def test_a_failing_commit_reaches_every_caller(self, store: Store) -> None:
        async def break_the_commit(connection: AsyncConnection) -> None:
            # The violation is noticed when the transaction ends.
            await connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            await connection.execute(
                text("INSERT INTO sightings (kind, request_id, oid, requested) VALUES ('entra', 'none', 'x', 'y')")
            )

        results = await asyncio.gather(
            store.write(lambda connection: put(connection, "a")),
            store.write(break_the_commit),
            store.write(lambda connection: put(connection, "b")),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [IntegrityError] * 3
        assert await keys(store) == []
        assert await store.write(lambda connection: put(connection, "c")) == "c"

    async def test_a_group_that_sqlite_rolled_back_by_itself_is_lost_for_everybody(self, store: Store) -> None:
        async def lose_the_transaction(connection: AsyncConnection) -> None:
            await connection.exec_driver_sql("ROLLBACK")  # what SQLite does on some full disks and read errors
            raise LookupError

        results = await asyncio.gather(
            store.write(lambda connection: put(connection, "a")),
            store.write(lose_the_transaction),
            store.write(lambda connection: put(connection, "b")),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [Unavailable] * 3
        assert await keys(store) == []

    async def test_a_cancelled_writer_leaves_nobody_waiting_and_starts_again(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def be_cancelled(_connection: AsyncConnection) -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(group_writer, "GROUP", 2)
        results = await asyncio.gather(
            store.write(lambda connection: put(connection, "a")),
            store.write(be_cancelled),
            store.write(lambda connection: put(connection, "in the next group")),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [Unavailable] * 3
        assert await store.write(lambda connection: put(connection, "b")) == "b"
        assert await keys(store) == ["b"]

    async def test_a_full_disk_is_an_outage_and_passes(self, database_url: str) -> None:
        engine = open_engine(database_url)

        # Fewer pages than there are: SQLite then takes the present number as the limit.
        limit = "PRAGMA max_page_count = 1"
        event.listen(engine, "connect", lambda connection, _: connection.cursor().execute(limit))
        store = Store(engine)
        with pytest.raises(Unavailable):
            await store.write(lambda connection: put(connection, "x" * 1_000_000))
        assert await store.write(lambda connection: put(connection, "small")) == "small"
        assert await keys(store) == ["small"]
        await store.aclose()

    async def test_a_writer_waits_its_turn_behind_another_process(self, database_url: str) -> None:
        here, elsewhere = Store(open_engine(database_url)), Store(open_engine(database_url))
        await asyncio.gather(
            *(store.write(lambda connection, n=n: put(connection, f"{n}")) for n in range(10) for store in [here]),
            *(
                store.write(lambda connection, n=n: put(connection, f"{n}"))
                for n in range(10, 20)
                for store in [elsewhere]
            ),
        )
        assert len(await keys(here)) == 20
        await here.aclose()
        await elsewhere.aclose()

    async def test_writers_take_the_lock_at_once_and_readers_never(self, database_url: str) -> None:
        engine = open_engine(database_url)
        statements: list[str] = []

        @event.listens_for(engine, "before_cursor_execute")
        def _note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        with engine.connect() as reader, engine.execution_options(**WRITING).connect() as writer:
            reader.execute(text("SELECT 1"))
            writer.execute(text("SELECT 1"))
        assert [statement for statement in statements if "BEGIN" in statement] == ["BEGIN DEFERRED", "BEGIN IMMEDIATE"]
        engine.dispose()


async def test_readers_go_on_while_somebody_writes(store: Store, dialect: str) -> None:
    loop = asyncio.get_running_loop()

    async def read_meanwhile(connection: AsyncConnection) -> list[str]:
        await put(connection, "a")
        if dialect == "postgresql":
            return await keys(store)
        return asyncio.run_coroutine_threadsafe(keys(store), loop).result(timeout=20)

    assert await store.write(read_meanwhile) == []
    assert await keys(store) == ["a"]


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_transaction_that_waits_for_something_else_is_a_mistake_and_blocks_nobody(store: Store) -> None:
    async def wait_for_the_world(connection: AsyncConnection) -> None:
        await put(connection, "a")
        await asyncio.sleep(0)

    for call in (store.read, store.write):
        with pytest.raises(RuntimeError, match="for nothing else"):
            await call(wait_for_the_world)
    assert await keys(store) == []


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite:////nowhere/at/all/pim.db",
        "postgresql+psycopg://postgres@/pim?host=/nowhere",
        "postgresql+psycopg://postgres@127.0.0.1:1/pim",
    ],
)
async def test_a_database_that_is_not_there_is_unavailable_in_plain_words(url: str) -> None:
    store = Store(open_engine(url))
    for call in (store.read, store.write):
        with pytest.raises(Unavailable, match="database cannot be used right now"):
            await call(lambda connection: put(connection, "a"))
    await store.aclose()


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "pim.db").write_bytes(b"not a database at all" * 100)
    store = Store(open_engine(f"sqlite+aiosqlite:///{tmp_path / 'pim.db'}"))
    with pytest.raises(Unavailable):
        await store.read(lambda connection: connection.scalars(select(inbox.c.key)))
    await store.aclose()


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_a_server_that_went_away_is_unavailable_and_comes_back(store: Store) -> None:
    async def pull_the_plug(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable):
        await store.write(pull_the_plug)
    assert await store.write(lambda connection: put(connection, "a")) == "a"


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_wrong_sql_is_our_mistake_and_no_outage(store: Store) -> None:
    with pytest.raises(OperationalError):
        await store.read(lambda connection: connection.execute(text("SELECT nonsense FROM nowhere")))


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "sqlite:///pim.db", "sqlite+aiosqlite://", "postgresql://me:secret@host/pim", "mysql://host/db"],
)
def test_other_databases_are_refused_in_one_sentence_without_the_password(url: str) -> None:
    with pytest.raises(BadSettings, match="PIM_DATABASE_URL must look like") as refused:
        open_engine(url)
    assert "secret" not in str(refused.value)
