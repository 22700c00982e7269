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
    """Keeps the notes. `channel`: where they stand; `as_application`: nobody's sign-in would help then.

    All desks that nobody can see share one note. `_sees` is what is known of each since the start: None is an outage.
    """

    outbox: Outbox
    sights: Sights
    clock: Clock
    channel: str
    as_application: bool
    _troubles: dict[Kind, str] = field(init=False, default_factory=dict)
    _sees: dict[Kind, bool | None] = field(init=False, default_factory=dict)
    _lost: set[Kind] = field(init=False, default_factory=set)
    _found: int = field(init=False, default=0)

    def troubles(self) -> list[str]:
        """One sentence for each desk that could not be asked at the last poll."""
        return list(self._troubles.values())

    async def note(self, desk: Desk, look: Look, arrived: int) -> None:
        """What this look means for those who read; `arrived` requests were new in it."""
        if look.listing is not None and look.listing.complete:
            await self.sights.seen(desk.kind, self.clock())
        self._note_blindness(desk.kind, look, arrived)
        if look.listing is not None or look.blind:
            await self._stand_full(desk.kind, full=look.listing is not None and look.listing.full_page)

    def note_trouble(self, desk: Desk, look: Look) -> None:
        """Log once when a desk goes away and once when it is back."""
        if look.listing is None and look.failures:
            if desk.kind not in self._troubles:
                log.warning("The %s desk cannot be read: %s", desk.kind, look.failures[0])
            self._troubles[desk.kind] = f"{notices.desk_name(desk.kind)} requests cannot be read: {look.failures[0]}"
        elif self._troubles.pop(desk.kind, None) and look.listing is not None:
            log.warning("The %s desk can be read again.", desk.kind)

    async def stand(self) -> None:
        """After every desk: the one note about those that nobody can see, edited as things change, never repeated.

        Right after a start it may stand from before: it is taken back for the desks that are seen, as soon as one is.
        """
        blind = [kind for kind in Kind if self._sees.get(kind) is False]
        seen = [kind for kind in Kind if self._sees.get(kind)]
        if not blind and not seen:
            return
        said, over = (self._blind_words(blind), "") if blind else ("", self._sighted_words(seen))
        await self.outbox.put_note("blind", said, over=over, button=not self.as_application, channel=self.channel)
        if not blind:
            self._lost.clear()
            self._found = 0

    def _blind_words(self, blind: list[Kind]) -> str:
        words = notices.refused_words if self.as_application else notices.blind_words
        return words(blind)

    def _sighted_words(self, seen: list[Kind]) -> str:
        back = [kind for kind in seen if kind in self._lost] or seen
        return notices.sighted_words(back, self._found)

    def _note_blindness(self, kind: Kind, look: Look, arrived: int) -> None:
        """An outage changes nothing. What arrives at a desk that was blind, or for all we know was, had been missed."""
        if look.blind:
            self._sees[kind] = False
            self._lost.add(kind)
        elif look.listing is not None:
            self._found += arrived if kind in self._lost or self._sees.get(kind) is None else 0
            self._sees[kind] = True
        self._sees.setdefault(kind, None)

    async def _stand_full(self, kind: Kind, *, full: bool) -> None:
        """One standing note for each full list."""
        words = notices.incomplete_words(kind) if full else ""
        over = notices.complete_words(kind)
        await self.outbox.put_note(f"full:{kind}", words, over=over, button=False, channel=self.channel)
