"""Saying what cannot be seen: standing notes in the channel, sentences for readiness, and what history covers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from app.domain.request import Kind
from app.ports import Clock, Desk, Outbox, Sights
from app.watcher.looking import Look
from blocks import notices

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Sight:
    """Keeps the notes. `channel`: where they stand; `as_application`: nobody's sign-in would help then."""

    outbox: Outbox
    sights: Sights
    clock: Clock
    channel: str
    as_application: bool
    _troubles: dict[Kind, str] = field(init=False, default_factory=dict)

    def troubles(self) -> list[str]:
        """One sentence for each desk that could not be asked at the last poll."""
        return list(self._troubles.values())

    async def note(self, desk: Desk, look: Look, arrived: int) -> None:
        """What this look means for those who read; `arrived` requests were new in it."""
        if look.listing is not None and look.listing.complete:
            await self.sights.seen(desk.kind, self.clock())
        await self._stand(desk, look, arrived)

    def note_trouble(self, desk: Desk, look: Look) -> None:
        """Log once when a desk goes away and once when it is back."""
        if look.listing is None and look.failures:
            if desk.kind not in self._troubles:
                log.warning("The %s desk cannot be read: %s", desk.kind, look.failures[0])
            self._troubles[desk.kind] = f"{notices.desk_name(desk.kind)} requests cannot be read: {look.failures[0]}"
        elif self._troubles.pop(desk.kind, None) and look.listing is not None:
            log.warning("The %s desk can be read again.", desk.kind)

    async def _stand(self, desk: Desk, look: Look, arrived: int) -> None:
        """One standing note for a blind desk and one for a full list: edited as things change, never repeated."""
        if look.listing is None and not look.blind:
            return  # an outage: nothing is known to have changed
        words = notices.refused_words if self.as_application else notices.blind_words
        blind = words(desk.kind) if look.blind else ""
        over = notices.sighted_words(desk.kind, arrived)
        button = not self.as_application
        await self.outbox.put_note(f"blind:{desk.kind}", blind, over=over, button=button, channel=self.channel)
        full = look.listing is not None and look.listing.full_page
        words_full = notices.incomplete_words(desk.kind) if full else ""
        over = notices.complete_words(desk.kind)
        await self.outbox.put_note(f"full:{desk.kind}", words_full, over=over, button=False, channel=self.channel)
