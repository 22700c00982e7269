"""What people set for themselves, one row each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.preferences import Preference
from app.store.reminder_tables import preferences
from app.store.rows import chunks
from app.store.upserts import insert_into
from app.store.writer import Store


class StoredPreferences:
    """Implements `ports.Preferences`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, team: str, users: Collection[str]) -> Mapping[str, Preference]:
        """Those of these accounts that ever set anything."""
        return await self._store.read(lambda connection: _of(connection, team, users))

    async def put(self, team: str, user: str, preference: Preference) -> None:
        """Keep it in place of what was there."""
        await self._store.write(lambda connection: _put(connection, team, user, preference))


async def _of(connection: AsyncConnection, team: str, users: Collection[str]) -> Mapping[str, Preference]:
    found: dict[str, Preference] = {}
    for chunk in chunks(sorted(users)):
        wanted = select(preferences).where(preferences.c.team == team, preferences.c.slack_user.in_(chunk))
        for row in (await connection.execute(wanted)).mappings():
            back_on = date.fromisoformat(row["back_on"]) if row["back_on"] is not None else None
            found[row["slack_user"]] = Preference(row["away_until"], back_on, row["reminders"], row["quiet"])
    return found


async def _put(connection: AsyncConnection, team: str, user: str, preference: Preference) -> None:
    values = {
        "away_until": preference.away_until,
        "back_on": preference.back_on.isoformat() if preference.back_on is not None else None,
        "reminders": preference.reminders,
        "quiet": preference.quiet,
    }
    new = insert_into(connection, preferences).values(team=team, slack_user=user, **values)
    await connection.execute(new.on_conflict_do_update(index_elements=["team", "slack_user"], set_=values))
