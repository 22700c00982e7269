"""One's own settings: the form, out of our memory within three seconds, and what was kept. No rule lives here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from app.domain.errors import BotError
from app.domain.preferences import Wishes
from app.ports import Screens
from app.reminders import OwnSettings
from blocks import ids
from blocks.modal import refused_modal
from blocks.settings import ON, saved_modal, saving_modal, settings_form
from handlers.payloads import Body, Chosen, parse_chosen
from handlers.reception import Ack, Reception

NOT_SAVED = "Your settings could not be saved, and are as they were. Close this and try again in a moment."


@dataclass(kw_only=True, slots=True)
class SettingsForm:
    """Opens the form, and listens to what is submitted."""

    reception: Reception
    settings: OwnSettings
    screens: Screens

    async def open(self, trigger_id: str, team: str, user: str) -> bool:
        """Show the form; False when Slack did not open it in time."""
        preference = await self.settings.of(team, user)
        try:
            await self.screens.open_modal(trigger_id, settings_form(preference, self.settings.company))
        except BotError:
            return False
        return True

    async def submitted(self, ack: Ack, body: Body) -> None:
        """Say in the form what is missing, or keep it after the ack: Slack is asked for the person's clock."""
        chosen = parse_chosen(body)
        wishes = _wishes(chosen)
        if wishes.flaw:
            await ack(response_action="errors", errors={ids.UNTIL_BLOCK: wishes.flaw})
            return
        try:
            first = await self.reception.take(chosen, "settings")
        except BotError:
            await ack(response_action="update", view=refused_modal(NOT_SAVED))
            return
        await ack(response_action="update", view=saving_modal())
        if first:
            self.reception.work(chosen, self._keep(chosen, wishes), self.reception.sorry(""))

    async def _keep(self, chosen: Chosen, wishes: Wishes) -> str:
        try:
            preference = await self.settings.keep(chosen.team, chosen.user, wishes)
        except BotError:
            await self.screens.update_modal(chosen.view_id, refused_modal(NOT_SAVED))
            return "settings not saved"
        await self.screens.update_modal(chosen.view_id, saved_modal(preference, self.settings.company))
        return "settings saved"


def _wishes(chosen: Chosen) -> Wishes:
    values = chosen.values
    return Wishes(
        back_on=_day(values.get(ids.AWAY_BLOCK, "")),
        reminders=values.get(ids.REMINDERS_BLOCK, ON) == ON,
        since=_time(values.get(ids.SINCE_BLOCK, "")),
        until=_time(values.get(ids.UNTIL_BLOCK, "")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None
