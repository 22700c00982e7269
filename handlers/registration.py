"""Every id the bot listens to, on one screen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slack_bolt.async_app import AsyncApp

from blocks import ids
from handlers.buttons import Buttons
from handlers.commands import Commands
from handlers.failures import Failures
from handlers.home import Home
from handlers.modals import Modals
from handlers.place import Place
from handlers.shortcuts import Shortcuts


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who listens to what Slack delivers."""

    buttons: Buttons
    modals: Modals
    commands: Commands
    home: Home
    shortcuts: Shortcuts


def register(bolt: AsyncApp, place: Place, listeners: Listeners) -> None:
    """Connect listeners to ids. Plain calls, so that every listener can be called from a test too."""
    buttons = listeners.buttons
    bolt.use(place.check)
    for action_id in sorted(ids.ACTIONS - ids.LINK_ACTIONS):
        bolt.action(action_id)(buttons.pressed)
    for action_id in sorted(ids.LINK_ACTIONS):
        bolt.action(action_id)(buttons.opened_address)
    bolt.view(ids.DECIDE_MODAL)(listeners.modals.submitted)
    questions = buttons.menu.questions
    bolt.view(ids.ASK_MODAL)(questions.asked)
    bolt.view(ids.ANSWER_MODAL)(questions.answered)
    bolt.view(ids.REMOVE_MODAL)(buttons.menu.removals.submitted)
    bolt.view(ids.SETTINGS_MODAL)(listeners.commands.settings.submitted)
    bolt.command("/pim")(listeners.commands.typed)
    bolt.shortcut(ids.WAITING)(listeners.shortcuts.waiting)
    bolt.event("app_home_opened")(listeners.home.opened)
    bolt.action(re.compile(r".*"))(buttons.opened_address)  # a button of an older version: an ack, and nothing believed
    bolt.error(Failures(answers=place.answers).failed)
