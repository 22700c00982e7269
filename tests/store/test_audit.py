"""The audit trail: one chain whoever writes at once, and the first row that is not as it was written is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from build import NOW, a_key
from people import ann
from sqlalchemy.exc import IntegrityError

from app.domain.anchors import Anchor
from app.store import audit
from app.store.audit import AuditTrail, Entry
from app.store.chain import AuditRow, Break, seal, verify
from app.store.engine import open_engine
from app.store.writer import Store

Change = Callable[[str], Awaitable[None]]
KEY = b"a key that is not in the database"


def at(found: Break | None) -> int | None:
    """The row that is named, and some words about it."""
    assert found is None or found.why
    return found.n if found is not None else None


async def write(store: Store, trail: AuditTrail, count: int) -> None:
    entry = Entry(NOW, "approved", a_key(), ann.id, {"comment": "Ünïcode, \x00 and \ud800", "a": "1"})
    await asyncio.gather(*(store.write(lambda connection: trail.append(connection, entry)) for _ in range(count)))


@pytest.fixture
async def written(store: Store, trail: AuditTrail) -> list[AuditRow]:
    """Five rows, numbered from one."""
    await write(store, trail, 5)
    return list(await trail.rows(0, 10))


async def test_rows_written_at_the_same_time_are_one_unbroken_chain(store: Store, trail: AuditTrail) -> None:
    await write(store, trail, 40)
    rows = await trail.rows(0, 100)
    assert [row.n for row in rows] == list(range(1, 41))
    assert verify(rows, KEY) is None
    assert await trail.verify() is None


async def test_writers_that_share_nothing_but_the_database_do_not_fork_the_chain(
    database_url: str, trail: AuditTrail
) -> None:
    """As two processes would: each has connections, and on SQLite a writer, of its own."""
    others = [Store(open_engine(database_url)) for _ in range(3)]
    await asyncio.gather(*(write(store, AuditTrail(store, KEY), 15) for store in others))
    for store in others:
        await store.aclose()
    rows = await trail.rows(0, 100)
    assert [row.n for row in rows] == list(range(1, 46))
    assert len({row.prev_mac for row in rows}) == 45
    assert await trail.verify() is None


async def test_an_empty_trail_holds(trail: AuditTrail) -> None:
    assert await trail.verify() is None
    assert await trail.head() == Anchor()


@pytest.mark.parametrize("field", ["at", "what", "kind", "request_id", "who", "facts", "mac"])
async def test_editing_any_field_breaks_the_chain_there(written: list[AuditRow], field: str) -> None:
    written[2] = replace(written[2], **{field: "edited"})
    assert at(verify(written, KEY)) == 3


@pytest.mark.parametrize("gone", [1, 3, 4])
async def test_a_deleted_row_is_missed_by_its_number(written: list[AuditRow], gone: int) -> None:
    del written[gone - 1]
    assert at(verify(written, KEY)) == gone


async def test_swapped_rows_break_the_chain_at_the_first_of_them(written: list[AuditRow]) -> None:
    written[1], written[3] = replace(written[3], n=2), replace(written[1], n=4)
    assert at(verify(written, KEY)) == 2


async def test_another_key_fits_no_row(written: list[AuditRow]) -> None:
    assert at(verify(written, b"guessed")) == 1


async def test_rows_recomputed_without_the_key_are_found(written: list[AuditRow]) -> None:
    forged = replace(written[4], who="nobody")
    assert at(verify([*written[:4], replace(forged, mac=written[4].mac)], KEY)) == 5


def sealed(row: AuditRow) -> AuditRow:
    """As somebody with the key would write it."""
    return replace(row, mac=seal(row, KEY))


async def test_a_fork_breaks_the_chain_although_each_row_is_sealed(written: list[AuditRow]) -> None:
    other_second = sealed(replace(written[1], who="somebody else"))
    fork = sealed(replace(written[2], prev_mac=other_second.mac))
    assert at(verify([*written[:2], fork], KEY)) == 3


async def test_a_skipped_number_breaks_the_chain_although_each_row_is_sealed(written: list[AuditRow]) -> None:
    assert at(verify([*written[:2], sealed(replace(written[2], n=4))], KEY)) == 3


async def test_a_chain_can_be_continued_from_an_anchor(written: list[AuditRow]) -> None:
    anchor = Anchor(2, written[1].mac)
    assert verify(written[2:], KEY, after=anchor) is None
    assert at(verify(written[2:], KEY)) == 1


async def test_a_row_that_is_no_text_at_all_is_named(written: list[AuditRow]) -> None:
    written[3] = replace(written[3], facts=b"\x00")  # type: ignore[arg-type]  # SQLite keeps it
    assert at(verify(written, KEY)) == 4


ROW_TWO = "(n, at, what, kind, request_id, who, facts, prev_mac, mac) VALUES (2, '', '', '', '', 'x', '{}', '', '')"
REPLACED = {
    "sqlite": f"INSERT OR REPLACE INTO audit {ROW_TWO}",
    "postgresql": f"INSERT INTO audit {ROW_TWO} ON CONFLICT (n) DO UPDATE SET who = 'x'",
}


async def test_the_database_refuses_to_replace_a_row(
    written: list[AuditRow], trail: AuditTrail, change: Change, dialect: str
) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        await change(REPLACED[dialect])
    assert await trail.rows(0, 10) == written


@pytest.mark.parametrize("change_row", ["UPDATE audit SET who = 'x' WHERE n = 2", "DELETE FROM audit WHERE n = 2"])
async def test_the_database_refuses_to_change_the_trail(
    written: list[AuditRow], trail: AuditTrail, change: Change, change_row: str
) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        await change(change_row)
    assert await trail.rows(0, 10) == written


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_the_trail_cannot_be_truncated(written: list[AuditRow], trail: AuditTrail, change: Change) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        await change("TRUNCATE audit")
    assert await trail.rows(0, 10) == written


@pytest.mark.parametrize("dialect", ["sqlite"])
class TestPastTheTriggers:
    """Whoever may change the schema can drop the triggers; the chain still tells."""

    @pytest.fixture(autouse=True)
    async def _without_triggers(self, written: list[AuditRow], change: Change) -> None:
        assert len(written) == 5
        await change("DROP TRIGGER audit_no_update")
        await change("DROP TRIGGER audit_no_delete")
        await change("DROP TRIGGER audit_no_replace")

    async def test_an_edited_row_is_named(self, trail: AuditTrail, change: Change) -> None:
        await change("""UPDATE audit SET facts = 'no JSON any more' WHERE n = 4""")
        assert at(await trail.verify()) == 4

    async def test_a_cut_off_tail_is_missed(self, trail: AuditTrail, change: Change) -> None:
        await change("DELETE FROM audit WHERE n > 3")
        assert at(await trail.verify()) == 4

    async def test_a_tail_cut_off_together_with_the_head_shows_against_an_anchor(
        self, trail: AuditTrail, change: Change
    ) -> None:
        anchor = await trail.head()
        await change("DELETE FROM audit WHERE n > 3")
        await change("UPDATE audit_head SET n = 3, mac = (SELECT mac FROM audit WHERE n = 3)")
        assert await trail.verify() is None
        assert at(await trail.verify([anchor])) == 4

    @pytest.mark.parametrize("gone", [1, 3, 5])
    async def test_a_deleted_row_is_named(self, trail: AuditTrail, change: Change, gone: int) -> None:
        await change(f"DELETE FROM audit WHERE n = {gone}")  # noqa: S608 - a number of the table above
        assert at(await trail.verify()) == gone

    async def test_exchanged_rows_are_named_by_the_first_of_them(self, trail: AuditTrail, change: Change) -> None:
        await change("UPDATE audit SET n = n + 100 WHERE n IN (2, 4)")
        await change("UPDATE audit SET n = 4 WHERE n = 102")
        await change("UPDATE audit SET n = 2 WHERE n = 104")
        assert [row.n for row in await trail.rows(0, 10)] == [1, 2, 3, 4, 5]
        assert at(await trail.verify()) == 2

    async def test_a_fork_is_named_where_it_begins_although_every_row_is_sealed(
        self, trail: AuditTrail, change: Change, written: list[AuditRow]
    ) -> None:
        """Whoever writes without looking at the head continues from a row that already has a successor."""
        fork = sealed(replace(written[3], who="somebody else", prev_mac=written[1].mac))
        for column in ("who", "prev_mac", "mac"):
            await change(f"UPDATE audit SET {column} = '{getattr(fork, column)}' WHERE n = 4")  # noqa: S608 - our own
        assert at(await trail.verify()) == 4

    async def test_a_trail_emptied_with_its_head_shows_against_an_anchor(
        self, trail: AuditTrail, change: Change
    ) -> None:
        anchor = await trail.head()
        await change("DELETE FROM audit")
        await change("DELETE FROM audit_head")
        assert await trail.verify() is None
        assert at(await trail.verify([anchor])) == 1

    async def test_a_row_before_the_first_is_no_row_of_the_trail(self, trail: AuditTrail, change: Change) -> None:
        await change("INSERT INTO audit " + ROW_TWO.replace("VALUES (2", "VALUES (-7"))
        assert at(await trail.verify()) == 1

    async def test_a_number_that_is_none_is_named(self, trail: AuditTrail, change: Change) -> None:
        await change("INSERT INTO audit " + ROW_TWO.replace("VALUES (2", "VALUES ('six'"))
        assert at(await trail.verify()) == 6

    async def test_anchors_that_contradict_each_other_are_not_both_believed(
        self, trail: AuditTrail, written: list[AuditRow]
    ) -> None:
        assert at(await trail.verify([Anchor(2, written[1].mac), Anchor(2, "f" * 64)])) == 2

    async def test_a_rewritten_row_shows_against_an_anchor_even_to_those_who_have_the_key(
        self, trail: AuditTrail, change: Change
    ) -> None:
        anchors = [Anchor(2, "f" * 64)]
        await change("UPDATE audit SET who = who WHERE n = 2")
        assert at(await trail.verify(anchors)) == 2


async def test_a_head_that_was_put_back_is_named_before_it_forks_the_trail(
    written: list[AuditRow], trail: AuditTrail, change: Change
) -> None:
    await change(f"UPDATE audit_head SET n = 3, mac = '{written[2].mac}'")  # noqa: S608 - our own
    assert at(await trail.verify()) == 4


async def test_rows_added_while_it_reads_do_no_harm(
    store: Store, trail: AuditTrail, written: list[AuditRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    pages: list[tuple[int, int]] = []
    looked = trail.rows

    async def rows(after: int, limit: int) -> object:
        if after == 2:
            await write(store, trail, 2)
        return await looked(after, limit)

    monkeypatch.setattr(trail, "rows", rows)
    assert await trail.verify(tell=lambda done, of: pages.append((done, of))) is None
    assert pages == [(2, 5), (4, 5), (6, 6), (7, 7)]
    assert len(written) == 5


async def test_a_write_that_fails_leaves_no_audit_row(store: Store, trail: AuditTrail, written: list[AuditRow]) -> None:
    async def append_and_fail(connection: object) -> None:
        await trail.append(connection, Entry(NOW, "approved", a_key(), ann.id, {}))  # type: ignore[arg-type]
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(append_and_fail)
    await write(store, trail, 1)
    assert [row.n for row in await trail.rows(0, 10)] == [*(row.n for row in written), 6]
    assert await trail.verify() is None
