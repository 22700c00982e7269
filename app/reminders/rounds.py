"""The round of reminders: look at what is due, owe one message to each person, write down when to look again.

A crash between two steps loses nothing: what was not written down as told is found by the next look; what was is not
told again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.reminding import TOGETHER, Reminders
from app.domain.request import RequestKey
from app.ports import Cards, Clock, Notice, Outbox, Reminder, Reminding
from app.reminders.looking import Look, Wish, look_at
from app.reminders.recipients import Recipients

BATCH = 200  # requests looked at in one round; the rest is for the next one


@dataclass(kw_only=True, slots=True)
class Rounds:
    """Reminds approvers before requests expire or were to start."""

    rows: Reminding
    recipients: Recipients
    cards: Cards
    outbox: Outbox
    clock: Clock
    policy: Reminders

    async def tick(self) -> bool:
        """Look at what is due now or soon; whether anybody is to be told of anything."""
        now = self.clock()
        watched = await self.rows.due(now + TOGETHER, BATCH)
        looks = [look_at(one, await self.recipients.of(one.row), now, self.policy) for one in watched]
        told = await self._remind([wish for look in looks for wish in look.wishes], now)
        for one, look in zip(watched, looks, strict=True):
            told |= await self._tell_channel(one.row.key, look, now)
            await self.rows.looked(one.row.key, look.again, look.away)
        return told

    async def _remind(self, wishes: Iterable[Wish], now: datetime) -> bool:
        """What is due soon comes along with what is due now, and is no reason for a message by itself."""
        mail: defaultdict[str, list[Reminder]] = defaultdict(list)
        urgent: set[str] = set()
        for wish in wishes:
            mail[wish.user].append(wish.reminder)
            urgent |= {wish.user} if wish.urgent else set()
        told = [await self.rows.remind(user, mail[user], now, now - TOGETHER) for user in sorted(urgent)]
        return any(told)

    async def _tell_channel(self, key: RequestKey, look: Look, now: datetime) -> bool:
        """Nobody can be told in person: say so below the card, once. Without a card it is looked at again later."""
        if look.nobody is None or not await self.cards.places([key]):
            return False
        dedupe = f"unreachable:{key}"
        return await self.outbox.owe(Notice(dedupe, "unreachable", key, facts={"why": look.nobody}), dedupe, now)
