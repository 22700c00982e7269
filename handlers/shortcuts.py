"""The global shortcut "What waits for me": a modal at once, filled as soon as we know. It shows rows, no more."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import BotError
from app.lookups import Lookups, Nothing
from app.ports import Clock, Screens, View
from blocks import lists, modal
from blocks.lists import Sheet
from blocks.rows import Waiting
from handlers.payloads import Body, Shortcut, parse_shortcut
from handlers.reception import Ack, Reception

FAILED = "That could not be looked up just now. Nothing was changed; try again in a moment, or type /pim pending."


@dataclass(kw_only=True, slots=True)
class Shortcuts:
    """Listener for the shortcut."""

    reception: Reception
    lookups: Lookups
    screens: Screens
    clock: Clock

    async def waiting(self, ack: Ack, body: Body) -> None:
        """Slack gives no response_url here: whatever there is to say stands in the modal."""
        shortcut = parse_shortcut(body)
        first = await self.reception.first(shortcut, "shortcut", "")
        await ack()
        if first:
            self.reception.work(shortcut, self._answer(shortcut), self.reception.sorry(""))

    async def _answer(self, shortcut: Shortcut) -> str:
        """The trigger works for three seconds, and a lookup may ask Slack first: hence the modal before the answer."""
        view_id = await self.screens.open_modal(shortcut.trigger_id, modal.looking_modal())
        try:
            view = await self._view(shortcut)
        except BotError:
            view = modal.refused_modal(FAILED)
        await self.screens.update_modal(view_id, view)
        return "shortcut answered"

    async def _view(self, shortcut: Shortcut) -> View:
        found = await self.lookups.pending(shortcut.team, shortcut.user)
        if isinstance(found, Nothing):
            return modal.sign_in_modal(await self.reception.answers.linking.begin(shortcut.team, shortcut.user))
        places = await self.lookups.card_addresses(found.rows)
        waiting = [Waiting(row, places.get(row.key, "")) for row in found.rows]
        total, now = len(found.rows) + found.more, self.clock()
        sheet = Sheet("pending")  # without buttons: a modal has nothing to replace a whisper with
        return modal.list_modal(lists.pending_list(waiting, sheet, now=now, total=total, hidden=found.hidden))
