"""Socket Mode: `apps.connections.open`, the websockets an app opens, and deliveries through them.

As in life an envelope goes to one of the app's connections, and only an acknowledgement is an answer.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from app.sandbox.faults import take_fault
from app.sandbox.slack_calls import SlackError

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from app.sandbox.slack_records import Json, Sockets
    from app.sandbox.slack_state import Workspace
    from app.sandbox.world import World

METHODS = ("apps.connections.open",)
MOST_CONNECTIONS = 10
PATH = "/socket"  # below Slack's root: what faults call the deliveries


class NoSocket(Exception):
    """The app has no connection, or lost it before it acknowledged."""


def routes(world: World) -> list[BaseRoute]:
    """The address that `apps.connections.open` gives out, good for one connection."""

    async def serve(socket: WebSocket) -> None:
        sockets = world.workspace.sockets
        ticket = socket.path_params["ticket"]
        if ticket not in sockets.tickets or len(sockets.connections) >= MOST_CONNECTIONS:
            await socket.close()
            return
        sockets.tickets.discard(ticket)
        await socket.accept()
        sockets.connections.append(socket)
        try:
            await _converse(world, socket, sockets)
        finally:
            if socket in sockets.connections:
                sockets.connections.remove(socket)

    return [WebSocketRoute(f"/slack{PATH}/{{ticket}}", serve)]


def run(workspace: Workspace, token: str) -> Json:
    """Give out the address of one connection, for the app-level token only."""
    if not token:
        raise SlackError("not_authed")
    if not token.startswith("xapp-"):
        raise SlackError("not_allowed_token_type")
    if token != workspace.settings.app_token:
        raise SlackError("invalid_auth")
    ticket = secrets.token_urlsafe(16)
    workspace.sockets.tickets.add(ticket)
    root = workspace.settings.world_url.replace("http://", "ws://")
    return {"ok": True, "url": f"{root}/slack{PATH}/{ticket}"}


async def deliver(world: World, kind: str, payload: Json) -> object:
    """One envelope, through the connection that served longest ago; returns the acknowledgement's payload, or "".

    `kind`: interactive, slash_commands or events_api. Raises NoSocket; the caller sets the time limit.
    """
    sockets = world.workspace.sockets
    fault = take_fault(world.faults, "slack", "SOCKET", PATH)
    if not sockets.connections:
        raise NoSocket
    socket = sockets.connections.pop(0)
    sockets.connections.append(socket)
    if fault is not None and fault.do == "drop_before":
        await _hang_up(sockets, socket)
        raise NoSocket
    known = secrets.token_hex(16)
    answered = sockets.awaited[known] = asyncio.get_running_loop().create_future()
    try:
        envelope: Json = {"envelope_id": known, "type": kind, "payload": payload}
        await socket.send_json(envelope | {"accepts_response_payload": kind != "events_api"})
        if fault is not None and fault.do == "drop_after":
            await _hang_up(sockets, socket)
            raise NoSocket
        return await answered
    finally:
        del sockets.awaited[known]


async def _converse(world: World, socket: WebSocket, sockets: Sockets) -> None:
    app = {"app_id": world.settings.app_id}
    await socket.send_json({"type": "hello", "num_connections": len(sockets.connections), "connection_info": app})
    with suppress(WebSocketDisconnect):
        while True:
            answer = await socket.receive_json()
            waiting = sockets.awaited.get(answer.get("envelope_id"))
            if waiting is not None and not waiting.done():
                waiting.set_result(answer.get("payload") or "")


async def _hang_up(sockets: Sockets, socket: WebSocket) -> None:
    sockets.connections.remove(socket)
    await socket.close()
