"""Uploaded files of the emulated Slack: announced, brought to `/slack/upload/…` once, fetched by who may see them.

Everything stays in memory, so that there are few files and none is large.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.sandbox.slack_records import Json
    from app.sandbox.world import World

LARGEST = 20_000_000  # bytes; Slack's own limit is a gigabyte
KEPT = 50
NAME_LIMIT = 255


@dataclass(slots=True)
class File:
    """A file; `content` is None until it was uploaded, `channel` until it was completed ("": private)."""

    id: str
    ticket: str
    name: str
    length: int
    title: str = ""
    content: bytes | None = None
    channel: str | None = None

    def wire(self) -> Json:
        """What a message tells of it."""
        return {"id": self.id, "name": self.name, "title": self.title, "size": self.length}


@dataclass(slots=True)
class Files:
    """The newest files of a workspace."""

    by_id: dict[str, File] = field(default_factory=dict)

    def announce(self, name: str, length: int) -> File:
        """A file that is to be uploaded; the oldest one makes room."""
        while len(self.by_id) >= KEPT:
            self.by_id.pop(next(iter(self.by_id)))
        file = File(f"F{secrets.token_hex(5).upper()}", secrets.token_urlsafe(24), name, length)
        self.by_id[file.id] = file
        return file

    def by_ticket(self, ticket: str) -> File | None:
        """The file that is awaited at this address."""
        waiting = (file for file in self.by_id.values() if file.content is None)
        return next((file for file in waiting if secrets.compare_digest(file.ticket, ticket)), None)


def routes(world: World) -> list[BaseRoute]:
    """Where bytes are brought, and where the page fetches them."""

    async def upload(request: Request) -> Response:
        request.state.who = "bot"
        file = world.workspace.files.by_ticket(request.path_params["ticket"].encode("ascii", "replace").decode())
        if file is None:
            return PlainTextResponse("no such upload", status_code=404)
        content = await request.body()
        if len(content) != file.length:
            return PlainTextResponse("another length was announced", status_code=400)
        file.content = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def download(request: Request) -> Response:
        person = world.person(request.query_params.get("user", ""))
        file = world.workspace.files.by_id.get(request.path_params["file"])
        channel = world.workspace.channels.get(file.channel or "") if file is not None else None
        if file is None or person is None or channel is None or person.slack not in channel.members:
            return JSONResponse({"error": "There is no such file, or not for this person."}, status_code=404)
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return Response(file.content, media_type="application/octet-stream", headers=headers)

    return [
        Route("/slack/upload/{ticket}", upload, methods=["POST"]),
        Route("/page/download/{file}", download),
    ]
