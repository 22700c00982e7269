"""What commands share: the settings, the database they name, and who types. It prints nothing."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from app.domain.errors import BadSettings

if TYPE_CHECKING:
    from app.identity.keyring import Keyring
    from app.settings import Settings
    from app.store.request_book import StoredRequests
    from app.store.writer import Store

T = TypeVar("T")


def with_store(work: Callable[[Settings, Store, Keyring], Awaitable[T]]) -> T:
    """Do something with the database and the keys of the settings. BadSettings unless it is up to date."""
    from app.identity.keyring import Keyring  # noqa: PLC0415 - `keys new` and `--help` need none of the bot
    from app.settings import load_settings  # noqa: PLC0415 - the same
    from app.store.engine import open_engine  # noqa: PLC0415 - the same
    from app.store.migrate import state  # noqa: PLC0415 - the same
    from app.store.writer import Store  # noqa: PLC0415 - the same

    async def opened() -> T:
        settings = load_settings()
        if await state(settings.database_url) != "current":
            raise BadSettings("The database is not up to date. Run `pim-approvals db upgrade` first.")
        store = Store(open_engine(settings.database_url))
        try:
            return await work(settings, store, Keyring.parse(settings.keys.get_secret_value()))
        finally:
            await store.aclose()

    return asyncio.run(opened())


def book_of(settings: Settings, store: Store, keyring: Keyring) -> StoredRequests:
    """The requests of an opened database."""
    from app.main.rooms import new_token  # noqa: PLC0415 - `keys new` and `--help` need none of the bot
    from app.store.audit import AuditTrail  # noqa: PLC0415 - the same
    from app.store.remember import Posting  # noqa: PLC0415 - the same
    from app.store.request_book import StoredRequests  # noqa: PLC0415 - the same

    posting = Posting(settings.approvers_channel, new_token, new_token)
    return StoredRequests(store, AuditTrail(store, keyring.chain_key()), posting)


def operator() -> str:
    """Who acts, for the audit trail: the name of the account that runs this command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's bare user id
        name = "unknown"
    return f"os:{name}"
