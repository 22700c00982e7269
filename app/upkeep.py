"""What time alone changes: fuses that burn down, and people who said that they are looking. It asks nobody."""

from __future__ import annotations

from dataclasses import dataclass

from app.ports import Clock, Looks


@dataclass(kw_only=True, slots=True)
class Upkeep:
    """One round over the deadlines that stand in rows."""

    looks: Looks
    clock: Clock

    async def tick(self) -> bool:
        """Whether any card has to be painted anew."""
        now = self.clock()
        lapsed = await self.looks.lapse(now)
        return bool(await self.looks.burn(now) + lapsed)
