"""A file into somebody's direct messages: Slack names an address, takes the bytes there, then shows them.

Nothing is tried again here: whoever asked for a file asks again.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.notifier.gateway import Gateway


@dataclass(frozen=True, slots=True)
class SlackFiles:
    """Implements `ports.Files`."""

    gateway: Gateway

    async def deliver(self, user: str, name: str, content: bytes, words: str) -> None:
        """Unavailable and SlackFailed say that it is not there, or that nobody can tell."""
        channel = await self.gateway.conversation(user)
        place = await self.gateway.call("files_getUploadURLExternal", filename=name, length=len(content))
        await self.gateway.upload(str(place.get("upload_url") or ""), content)
        shown = [{"id": str(place.get("file_id") or ""), "title": name}]
        await self.gateway.call("files_completeUploadExternal", files=shown, channel_id=channel, initial_comment=words)
