"""The menu beside the buttons of a card: "I'm looking at it", Ask, Details. Nothing in it decides anything."""

from __future__ import annotations

from dataclasses import dataclass

from app.decisions.opening import Openings
from app.decisions.values import Press
from app.domain.policy import Policy
from app.domain.ruling import Refused
from app.ports import Clock
from blocks import ids
from blocks.modal import details_modal
from handlers.payloads import Action
from handlers.questions import QuestionForms
from handlers.reception import Reception
from handlers.removals import RemovalForms


@dataclass(kw_only=True, slots=True)
class Menu:
    """What was chosen, carried out after the ack."""

    reception: Reception
    openings: Openings
    questions: QuestionForms
    removals: RemovalForms
    clock: Clock
    policy: Policy = Policy()

    async def chosen(self, action: Action) -> str:
        """One entry; the portal's opens an address by itself."""
        press = Press(action.team, action.user, action.channel, action.ts, action.value)
        if action.choice == ids.ASK:
            return await self.questions.begin(action, press)
        if action.choice == ids.LOOKING:
            return await self._look(action, press)
        return await self._details(action, press) if action.choice == ids.DETAILS else "address opened"

    async def _look(self, action: Action, press: Press) -> str:
        """The card itself says it, so nothing is answered."""
        row = await self.openings.look(press)
        if isinstance(row, Refused):
            return await self.reception.answers.refuse(action, row)
        self.reception.wake()
        return "looking"

    async def _details(self, action: Action, press: Press) -> str:
        row, answers = await self.openings.details(press), self.reception.answers
        if isinstance(row, Refused):
            return await answers.refuse(action, row)
        ticket = self.policy.ticket_facts(row.request.ticket)
        view = details_modal(row, now=self.clock(), portal=answers.portal, ticket=ticket)
        return await answers.open(action, view)
