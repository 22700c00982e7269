"""Ports to Slack: who people are, and what one person sees right now. No behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.match import Match
from app.domain.request import Person

View = dict[str, Any]  # a Block Kit view, ready for Slack
Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """A Slack account as Slack describes it right now."""

    id: str
    team: str
    name: str
    mail: str
    member: bool  # a full member: not deleted, bot, guest or stranger
    zone: str = ""  # the name of their time zone


class People(Protocol):
    """Who people are in Slack. Raises Unavailable or SlackFailed."""

    async def person(self, user: str) -> SlackPerson | None:
        """Fresh from Slack; None when unknown."""

    async def by_mail(self, mail: str) -> str | None:
        """The Slack user id with this address, for direct messages only, never for reading or deciding."""

    async def channels_of(self, user: str) -> frozenset[str]:
        """Which of the bot's own channels this person is a member of."""


class Matching(Protocol):
    """Which Slack account a Microsoft account belongs to. Raises Unavailable or SlackFailed."""

    async def match(self, person: Person) -> Match:
        """For telling and refusing only: nothing is ever allowed because of it."""


class Screens(Protocol):
    """What one person sees right after they did something. Raises Unavailable or SlackFailed."""

    async def open_modal(self, trigger_id: str, view: View) -> str:
        """views.open within Slack's 3 seconds; returns the view id."""

    async def update_modal(self, view_id: str, view: View) -> bool:
        """Show this in the open modal; False when it was closed meanwhile."""

    async def whisper(self, response_url: str, text: str, blocks: Sequence[Block], *, replace: bool = False) -> None:
        """A message only the person who acted sees; with `replace` in place of the one they clicked."""

    async def publish_home(self, user: str, view: View) -> None:
        """Their App Home."""
