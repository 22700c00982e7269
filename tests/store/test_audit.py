from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from build import NOW, a_key
from people import ann
from sqlalchemy.exc import IntegrityError

from app.store.audit import Anchor, AuditRow, AuditTrail, Entry, seal, verify
from app.store.writer import Store

Change = Callable[[str], Awaitable[None]]
KEY = b"a key that is not in the database"


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


async def test_an_empty_trail_holds(trail: AuditTrail) -> None:
    assert await trail.verify() is None
    assert await trail.head() == Anchor()


@pytest.mark.parametrize("field", ["at", "what", "kind", "request_id", "who", "facts", "mac"])
async def test_editing_any_field_breaks_the_chain_there(written: list[AuditRow], field: str) -> None:
    written[2] = replace(written[2], **{field: "edited"})
    assert verify(written, KEY) == 3


@pytest.mark.parametrize("gone", [1, 3, 4])
async def test_a_deleted_row_is_missed_by_its_number(written: list[AuditRow], gone: int) -> None:
    del written[gone - 1]
    assert verify(written, KEY) == gone


async def test_swapped_rows_break_the_chain_at_the_first_of_them(written: list[AuditRow]) -> None:
    written[1], written[3] = replace(written[3], n=2), replace(written[1], n=4)
    assert verify(written, KEY) == 2


async def test_another_key_fits_no_row(written: list[AuditRow]) -> None:
    assert verify(written, b"guessed") == 1


async def test_rows_recomputed_without_the_key_are_found(written: list[AuditRow]) -> None:
    forged = replace(written[4], who="nobody")
    assert verify([*written[:4], replace(forged, mac=written[4].mac)], KEY) == 5


def sealed(row: AuditRow) -> AuditRow:
    """As somebody with the key would write it."""
    return replace(row, mac=seal(row, KEY))


async def test_a_fork_breaks_the_chain_although_each_row_is_sealed(written: list[AuditRow]) -> None:
    other_second = sealed(replace(written[1], who="somebody else"))
    fork = sealed(replace(written[2], prev_mac=other_second.mac))
    assert verify([*written[:2], fork], KEY) == 3


async def test_a_skipped_number_breaks_the_chain_although_each_row_is_sealed(written: list[AuditRow]) -> None:
    assert verify([*written[:2], sealed(replace(written[2], n=4))], KEY) == 3


async def test_a_chain_can_be_continued_from_an_anchor(written: list[AuditRow]) -> None:
    anchor = Anchor(2, written[1].mac)
    assert verify(written[2:], KEY, after=anchor) is None
    assert verify(written[2:], KEY) == 1


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

    async def test_an_edited_row_is_named(self, trail: AuditTrail, change: Change) -> None:
        await change("""UPDATE audit SET facts = 'no JSON any more' WHERE n = 4""")
        assert await trail.verify() == 4

    async def test_a_cut_off_tail_is_missed(self, trail: AuditTrail, change: Change) -> None:
        await change("DELETE FROM audit WHERE n > 3")
        assert await trail.verify() == 4

    async def test_a_tail_cut_off_together_with_the_head_shows_against_an_anchor(
        self, trail: AuditTrail, change: Change
    ) -> None:
        anchor = await trail.head()
        await change("DELETE FROM audit WHERE n > 3")
        await change("UPDATE audit_head SET n = 3, mac = (SELECT mac FROM audit WHERE n = 3)")
        assert await trail.verify() is None
        assert await trail.verify([anchor]) == 4

    async def test_a_rewritten_row_shows_against_an_anchor_even_to_those_who_have_the_key(
        self, trail: AuditTrail, change: Change
    ) -> None:
        anchors = [Anchor(2, "f" * 64)]
        await change("UPDATE audit SET who = who WHERE n = 2")
        assert await trail.verify(anchors) == 2


async def test_a_write_that_fails_leaves_no_audit_row(store: Store, trail: AuditTrail, written: list[AuditRow]) -> None:
    async def append_and_fail(connection: object) -> None:
        await trail.append(connection, Entry(NOW, "approved", a_key(), ann.id, {}))  # type: ignore[arg-type]
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(append_and_fail)
    await write(store, trail, 1)
    assert [row.n for row in await trail.rows(0, 10)] == [*(row.n for row in written), 6]
    assert await trail.verify() is None
