"""The Slack Web API at `/slack/api/*`: token, scope, rate and arguments, then the method. It holds no state.

Answers are Slack's: HTTP 200 with `ok` and `error`; 429 with Retry-After for what is called too fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from app.sandbox import (
    slack_methods_chat,
    slack_methods_conversations,
    slack_methods_files,
    slack_methods_people,
    slack_methods_views,
    slack_openid,
    slack_socket,
)
from app.sandbox.slack_calls import Call, SlackError, convert, read_arguments
from app.sandbox.slack_scopes import NOT_GRANTED, SCOPES, require
from app.sandbox.wire import JsonAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.sandbox.slack_calls import Method
    from app.sandbox.slack_records import Json
    from app.sandbox.slack_state import Workspace
    from app.sandbox.world import World

METHODS: Mapping[str, Method] = {
    **slack_methods_chat.METHODS,
    **slack_methods_conversations.METHODS,
    **slack_methods_files.METHODS,
    **slack_methods_people.METHODS,
    **slack_methods_views.METHODS,
}


def routes(world: World) -> list[BaseRoute]:
    """The routes below `/slack/api/`; each call looks up the world's present workspace."""

    async def answer(request: Request) -> JsonAnswer:
        name = request.path_params["method"]
        try:
            raw = await read_arguments(request)
            return _ok(run(world.workspace, name, raw, request))
        except SlackError as refusal:
            return _refused(refusal)

    return [Route("/slack/api/{method}", answer, methods=["GET", "POST"])]


def run(workspace: Workspace, name: str, raw: Json, request: Request) -> Json:
    """Check token, scope, pace and arguments in Slack's order, then run the method.

    Raises `SlackError` with Slack's own code for the first thing that is wrong.
    """
    if name in slack_openid.METHODS:
        return slack_openid.run(workspace, name, raw, request)
    token = _token(raw, request)
    if name in slack_socket.METHODS:
        request.state.who = "app"
        return slack_socket.run(workspace, token)
    _check_token(workspace, token, request)
    require(NOT_GRANTED.get(name, ""))
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    require(method.scope)
    wait = workspace.pace.wait(name, method.per_minute, method.per_minute, workspace.clock())
    if wait:
        raise SlackError("ratelimited", retry_after=wait)
    return method.run(Call(workspace, convert(method, raw), token))


def _token(raw: Json, request: Request) -> str:
    """The bearer token; Slack also takes it as an argument, but never inside a JSON body."""
    given = raw.pop("token", "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    is_json = request.headers.get("content-type", "").startswith("application/json")
    return "" if is_json else str(given)


def _check_token(workspace: Workspace, token: str, request: Request) -> None:
    if not token:
        raise SlackError("not_authed")
    if token in workspace.sign_ins.tokens:
        raise SlackError("not_allowed_token_type")
    if token != workspace.settings.bot_token:
        raise SlackError("invalid_auth")
    request.state.who = "bot"


def _ok(answer: dict[str, Any]) -> JsonAnswer:
    return JsonAnswer(answer, headers={"x-oauth-scopes": ",".join(SCOPES)})


def _refused(refusal: SlackError) -> JsonAnswer:
    more = dict(refusal.more)
    wait = more.pop("retry_after", None)
    body = {"ok": False, "error": refusal.error, **more}
    if wait is None:
        return JsonAnswer(body, headers={"x-oauth-scopes": ",".join(SCOPES)})
    return JsonAnswer(body, status_code=429, headers={"retry-after": str(wait)})
