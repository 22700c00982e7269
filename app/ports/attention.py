"""Port to what people do around a request without deciding it. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from app.domain.request import Person, RequestKey


class Looks(Protocol):
    """Who is looking at a request, and the words on cards that time alone changes. It never blocks anybody."""

    async def look(self, key: RequestKey, person: Person, since: datetime, until: datetime) -> bool:
        """Somebody is looking, anew if they said so before; False when it is not pending. Cards are repainted."""

    async def lapse(self, now: datetime) -> int:
        """Forget those whose time is over; how many. Cards are repainted."""

    async def burn(self, now: datetime) -> int:
        """Cards whose fuse reads differently by now are to be repainted; how many requests that were."""
