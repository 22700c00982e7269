"""Deliveries from elsewhere, signed with our secret: an audit row each. It judges nothing."""

from __future__ import annotations

from datetime import datetime

from app.store.audit import AuditTrail, Entry
from app.store.link_news import THE_BOT
from app.store.writer import Store


class StoredStrangers:
    """Implements `ports.Strangers`."""

    def __init__(self, store: Store, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def turned_away(self, app: str, team: str, now: datetime) -> None:
        """Written in a transaction of its own: nothing else came of it."""
        entry = Entry(now, "delivery_refused", None, THE_BOT, {"app": app, "team": team})
        await self._store.write(lambda connection: self._trail.append(connection, entry))
