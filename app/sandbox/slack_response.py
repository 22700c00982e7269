"""The response_url endpoint `/slack/response/{id}`: five answers in thirty minutes, then it is gone."""

from __future__ import annotations

import json
from json import JSONDecodeError
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.sandbox.slack_limits import check_blocks

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.sandbox.slack_records import Hook, Json
    from app.sandbox.slack_state import Workspace
    from app.sandbox.world import World

FIELDS = frozenset(
    (
        *("text", "blocks", "response_type", "replace_original", "delete_original", "thread_ts"),
        *("metadata", "unfurl_links", "unfurl_media", "mrkdwn", "attachments", "parse", "link_names"),
    )
)


def routes(world: World) -> list[BaseRoute]:
    """The one route of response_urls."""

    async def respond(request: Request) -> Response:
        request.state.who = "bot"
        answer = _parsed(await request.body())
        problem = _problem(answer)
        if problem:
            return JSONResponse(problem, status_code=400)
        hook = world.workspace.use_hook(request.path_params["hook"])
        if isinstance(hook, str):
            return JSONResponse({"ok": False, "error": hook}, status_code=404)
        return _applied(world.workspace, hook, answer or {})

    return [Route("/slack/response/{hook}", respond, methods=["POST"])]


def say(workspace: Workspace, channel: str, user: str, answer: Json) -> None:
    """Show a new message: to `user` alone unless `response_type` is "in_channel"."""
    text, blocks = answer.get("text", ""), answer.get("blocks") or []
    if answer.get("response_type") == "in_channel":
        workspace.post(workspace.channels[channel], text, blocks)
    else:
        workspace.whisper(channel, user, text, blocks)


def _parsed(body: bytes) -> Json | None:
    try:
        answer = json.loads(body)
    except (JSONDecodeError, UnicodeDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def _problem(answer: Json | None) -> Json | None:
    if answer is None:
        return {"ok": False, "error": "invalid_payload"}
    unknown = sorted(set(answer) - FIELDS)
    if unknown:
        return {"ok": False, "error": "invalid_payload", "messages": [f"unknown field: {unknown[0]}"]}
    problems = check_blocks(answer.get("blocks") or [], "message")
    if problems:
        return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": problems}}
    if not answer.get("delete_original") and not answer.get("text") and not answer.get("blocks"):
        return {"ok": False, "error": "no_text"}
    return None


def _applied(workspace: Workspace, hook: Hook, answer: Json) -> Response:
    # What a command opened has no original: Slack then shows the answer as a new message.
    has_original = hook.source_ts is not None
    if has_original and answer.get("delete_original"):
        found = _delete(workspace, hook)
    elif has_original and answer.get("replace_original"):
        found = _replace(workspace, hook, answer)
    else:
        say(workspace, hook.channel, hook.user, answer)
        found = True
    if not found:
        return JSONResponse({"ok": False, "error": "message_not_found"}, status_code=404)
    return PlainTextResponse("ok")


def _delete(workspace: Workspace, hook: Hook) -> bool:
    note = workspace.whispered(hook.channel, hook.source_ts or "")
    message = workspace.channels[hook.channel].messages.get(hook.source_ts or "")
    if note:
        workspace.dismiss(note)
    elif message:
        workspace.remove(message)
    return bool(note or message)


def _replace(workspace: Workspace, hook: Hook, answer: Json) -> bool:
    text, blocks = answer.get("text", ""), answer.get("blocks") or []
    note = workspace.whispered(hook.channel, hook.source_ts or "")
    message = workspace.channels[hook.channel].messages.get(hook.source_ts or "")
    if note:
        note.text, note.blocks = text, workspace.with_ids(blocks)
        workspace.touch()
    elif message:
        workspace.edit(message, text, blocks)
    return bool(note or message)
