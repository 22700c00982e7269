"""Keys can be rotated under a running bot, and a key that is gone costs only those it belongs to: both databases."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

import pytest
from fakes_identity import ANN, ANN_SLACK, BEN, BEN_SLACK, a_link
from sqlalchemy import select, update

from app.domain.request import Person
from app.identity.keyring import Keyring, key_name
from app.identity.sign_in import cache_context
from app.identity.tokens import CACHE
from app.main.keys import Move, census, rotate
from app.ports import Link, SealedCache
from app.store.audit import AuditTrail
from app.store.flows import StoredFlows
from app.store.links import StoredLinks
from app.store.sealed import PAGE
from app.store.tables import links as table
from app.store.writer import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def key(number: int) -> str:
    return f"k{number}:{base64.urlsafe_b64encode(bytes([number]) * 32).decode()}"


OLD = Keyring.parse(key(1))
BOTH = Keyring.parse(f"{key(2)},{key(1)}")
NEW = Keyring.parse(key(2))


class Vault:
    """The links table, and what is sealed in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.links = StoredLinks(store, AuditTrail(store, b"a key"), token_urlsafe)

    async def put(self, keyring: Keyring, plain: str, person: Person = ANN, user: str = ANN_SLACK) -> Link:
        link = a_link(person, user)
        context = cache_context(link, 1)
        assert await self.links.save(link, keyring.seal(CACHE, context, plain), 1, NOW)
        return link

    async def read(self, keyring: Keyring, link: Link) -> tuple[str, str]:
        """Which key it is under, and its content."""
        stored = await self.stored(link)
        context = cache_context(link, stored.version)
        return key_name(stored.sealed), keyring.open(CACHE, context, stored.sealed)

    async def stored(self, link: Link) -> SealedCache:
        stored = await self.links.load_cache(link.id)
        assert stored is not None
        return stored

    async def spoil(self, link: Link, sealed: str) -> None:
        change = update(table).where(table.c.id == link.id).values(sealed=sealed)
        await self.store.write(lambda connection: connection.execute(change))


@pytest.fixture
def vault(store: Store) -> Vault:
    return Vault(store)


# Rotation


async def test_every_session_moves_to_the_first_key_and_opens_without_the_old_one(vault: Vault) -> None:
    ann, ben = await vault.put(OLD, "ann's"), await vault.put(OLD, "ben's", BEN, BEN_SLACK)
    done = await rotate(vault.store, BOTH)
    assert (done.moves, done.lost) == ({Move.DONE: 2}, [])
    assert [await vault.read(NEW, link) for link in (ann, ben)] == [("k2", "ann's"), ("k2", "ben's")]


async def test_rotating_again_finds_nothing_to_do(vault: Vault) -> None:
    ann = await vault.put(OLD, "x")
    await rotate(vault.store, BOTH)
    before = await vault.stored(ann)
    assert (await rotate(vault.store, BOTH)).moves == {Move.RIGHT: 1}
    assert await vault.stored(ann) == before


async def test_more_sessions_than_a_page_all_move(vault: Vault) -> None:
    people = [(Person(f"00000000-0000-4000-8000-{n:012}", f"P{n}"), f"U{n:08}") for n in range(PAGE + 5)]
    await asyncio.gather(*(vault.put(OLD, "x", person, user) for person, user in people))
    assert (await rotate(vault.store, BOTH)).moves == {Move.DONE: PAGE + 5}


async def test_without_sessions_there_is_nothing_to_rotate(vault: Vault) -> None:
    assert (await rotate(vault.store, BOTH)).moves == {}


async def test_a_refresh_that_read_before_the_rotation_is_not_made_to_lose(vault: Vault) -> None:
    """Where refresh tokens are used once, a refresh whose save is refused has thrown the session away."""
    ann = await vault.put(OLD, "before")
    read_by_the_bot = await vault.stored(ann)
    await rotate(vault.store, BOTH)
    fresh = BOTH.seal(CACHE, cache_context(ann, 2), "refreshed")
    assert await vault.links.save_cache(read_by_the_bot, fresh)
    assert await vault.read(NEW, ann) == ("k2", "refreshed")


async def test_a_session_saved_while_it_was_rotated_keeps_the_newer_content(vault: Vault) -> None:
    ann = await vault.put(OLD, "before")
    stored = await vault.stored(ann)
    fresh = OLD.seal(CACHE, cache_context(ann, 2), "refreshed")
    done = await rotate_while(vault, lambda: vault.links.save_cache(stored, fresh))
    assert done == {Move.DONE: 1}
    assert await vault.read(NEW, ann) == ("k2", "refreshed")


async def test_a_sign_out_during_the_rotation_stays_a_sign_out(vault: Vault) -> None:
    ann = await vault.put(OLD, "before")
    assert await rotate_while(vault, lambda: vault.links.remove(ann, NOW)) == {Move.RIGHT: 1}
    assert await vault.links.load_cache(ann.id) is None


async def test_a_bot_that_still_writes_with_the_old_key_is_told_about(vault: Vault) -> None:
    ann = await vault.put(OLD, "0")

    async def save_again() -> None:
        stored = await vault.stored(ann)
        context = cache_context(ann, stored.version + 1)
        await vault.links.save_cache(stored, OLD.seal(CACHE, context, "again"))

    assert await rotate_while(vault, *[save_again] * 3) == {Move.BUSY: 1}
    assert await vault.read(OLD, ann) == ("k1", "again")


async def test_under_load_every_save_of_a_bot_survives_a_rotation(vault: Vault) -> None:
    """Bots refresh without pause while keys are rotated: nobody's newest session is lost, all end under the new key."""
    people = [(Person(f"00000000-0000-4000-8000-{n:012}", f"P{n}"), f"U{n:08}") for n in range(20)]
    linked = await asyncio.gather(*(vault.put(OLD, "0", person, user) for person, user in people))
    newest = dict.fromkeys((link.id for link in linked), "0")

    async def refresh(link: Link, turn: int) -> None:
        stored = await vault.stored(link)
        context = cache_context(link, stored.version + 1)
        if await vault.links.save_cache(stored, BOTH.seal(CACHE, context, str(turn))):
            newest[link.id] = str(turn)

    for turn in range(1, 4):
        await asyncio.gather(rotate(vault.store, BOTH), *(refresh(link, turn) for link in linked))
    assert (await rotate(vault.store, BOTH)).moves == {Move.RIGHT: 20}
    assert [await vault.read(NEW, link) for link in linked] == [("k2", newest[link.id]) for link in linked]
    assert set(newest.values()) == {"3"}  # no refresh was made to lose


# A store that runs something of somebody else's just before it writes.


async def rotate_while(vault: Vault, *meanwhile: Callable[[], Awaitable[object]]) -> dict[Move, int]:
    """Rotate; before each write of the rotation the next of these happens."""
    waiting = list(meanwhile)
    write = vault.store.write

    async def interrupted(work: Callable[..., Awaitable[object]], *, flush: bool) -> object:
        if waiting:
            act = waiting.pop(0)
            vault.store.write = write  # type: ignore[method-assign]  # whoever meddles is not meddled with
            await act()
            vault.store.write = interrupted  # type: ignore[assignment, method-assign]  # the same
        return await write(work, flush=flush)

    vault.store.write = interrupted  # type: ignore[assignment, method-assign]  # the same
    return dict((await rotate(vault.store, BOTH)).moves)


# What does not open


BROKEN: dict[str, Callable[[str], str]] = {
    "truncated": lambda sealed: sealed[:-8],
    "a bit flipped": lambda sealed: sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BA"),
    "relabelled": lambda sealed: sealed.replace(".k1.", ".k2."),
    "empty": lambda _: "",
    "no sealed text": lambda _: "plain tokens",
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_row_that_does_not_open_is_named_left_alone_and_stops_nobody_else(vault: Vault, how: str) -> None:
    ann, ben = await vault.put(OLD, "ann's"), await vault.put(OLD, "ben's", BEN, BEN_SLACK)
    broken = BROKEN[how]((await vault.stored(ann)).sealed)
    await vault.spoil(ann, broken)
    # A text that names the first key already is where it belongs as far as a rotation can see.
    done = await rotate(vault.store, Keyring.parse(f"{key(3)},{key(2)},{key(1)}"))
    assert (done.lost, done.moves[Move.DONE]) == ([ANN.name], 1)
    assert (await vault.stored(ann)).sealed == broken
    assert (await vault.read(Keyring.parse(key(3)), ben))[1] == "ben's"


async def test_a_session_swapped_into_another_row_is_lost_for_both(vault: Vault) -> None:
    ann, ben = await vault.put(OLD, "ann's"), await vault.put(OLD, "ben's", BEN, BEN_SLACK)
    mine, theirs = await vault.stored(ann), await vault.stored(ben)
    await vault.spoil(ann, theirs.sealed)
    await vault.spoil(ben, mine.sealed)
    assert sorted((await census(vault.store, BOTH, NOW)).lost) == [ANN.name, BEN.name]


# The census


async def test_what_is_under_which_key_is_counted(vault: Vault) -> None:
    await vault.put(OLD, "x")
    await vault.put(BOTH, "x", BEN, BEN_SLACK)
    flows = StoredFlows(vault.store)
    await flows.put("fresh", OLD.seal("sign-in: start", "fresh", "x"), NOW + timedelta(minutes=5))
    await flows.put("over", NEW.seal("sign-in: start", "over", "x"), NOW - timedelta(minutes=5))
    found = await census(vault.store, BOTH, NOW)
    assert (found.ring, found.sessions, found.pages) == (("k2", "k1"), {"k1": 1, "k2": 1}, {"k1": 1})
    assert (found.missing, found.lost, found.warning()) == ((), [], "")


async def test_a_key_removed_while_in_use_is_a_warning_that_names_it_and_nobody(vault: Vault) -> None:
    await vault.put(OLD, "x")
    found = await census(vault.store, NEW, NOW)
    assert (found.missing, found.lost) == (("k1",), [ANN.name])
    assert found.warning().startswith("PIM_KEYS lacks k1, so one person's stored session cannot be opened")
    assert ANN.name not in found.warning()


async def test_another_key_under_the_same_name_is_noticed(vault: Vault) -> None:
    await vault.put(OLD, "x")
    imposter = Keyring.parse(key(9).replace("k9", "k1"))
    found = await census(vault.store, imposter, NOW)
    assert (found.missing, found.lost) == ((), [ANN.name])
    assert found.warning().startswith("one person's stored session cannot be opened")


async def test_suspended_sessions_need_no_key(vault: Vault) -> None:
    ann = await vault.put(OLD, "x")
    await vault.links.suspend(ann, "over", NOW)
    assert (await census(vault.store, NEW, NOW)).sessions == {}


async def test_the_database_holds_no_plain_text(vault: Vault) -> None:
    await vault.put(OLD, "canary-refresh-token")
    await rotate(vault.store, BOTH)
    rows = await vault.store.read(lambda connection: connection.execute(select(table)))
    assert "canary" not in repr([dict(row) for row in rows.mappings()])
