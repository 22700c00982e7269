"""What one person sees right after they did something: modals, whispers, their Home. Nothing here is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import SlackFailed
from app.notifier.gateway import Gateway
from app.ports import Block, View


@dataclass(kw_only=True, slots=True)
class SlackScreens:
    """The Screens port over Slack's Web API."""

    gateway: Gateway

    async def open_modal(self, trigger_id: str, view: View) -> str:
        """views.open: a trigger works once and for three seconds."""
        opened = await self.gateway.call("views_open", trigger_id=trigger_id, view=view)
        return str((opened.get("view") or {}).get("id") or "")

    async def update_modal(self, view_id: str, view: View) -> bool:
        """views.update; False when the person closed the modal meanwhile."""
        try:
            await self.gateway.call("views_update", view_id=view_id, view=view)
        except SlackFailed as failure:
            if failure.code == "not_found":
                return False
            raise
        return True

    async def whisper(self, response_url: str, text: str, blocks: Sequence[Block], *, replace: bool = False) -> None:
        """A message only the person who acted sees; a response_url works even where the bot is not a member."""
        await self.gateway.respond(response_url, text, blocks, replace=replace)

    async def publish_home(self, user: str, view: View) -> None:
        """views.publish."""
        await self.gateway.call("views_publish", user_id=user, view=view)
