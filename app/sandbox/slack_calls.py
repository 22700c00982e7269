"""One call of a Slack Web API method: how arguments are declared, read and converted. Names no method."""

from __future__ import annotations

import json
from dataclasses import dataclass
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from app.sandbox.slack_records import Channel, Json
    from app.sandbox.slack_state import Workspace

TIER_2, TIER_3, TIER_4, SPECIAL = 20, 50, 100, 600
MOST_PER_PAGE = 1000


class SlackError(Exception):
    """An answer with ok:false; `error` is Slack's code, `more` the fields beside it."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose token, scope and arguments are sound."""

    workspace: Workspace
    args: dict[str, Any]
    token: str

    def text(self, name: str) -> str:
        """A string argument, empty if it was not given."""
        return str(self.args.get(name, ""))

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by an argument, if the app can see it; public channels are visible to all."""
        channel = self.workspace.channels.get(self.text(name))
        if channel is None:
            raise SlackError("channel_not_found")
        if channel.is_private and self.workspace.settings.bot_user not in channel.members:
            raise SlackError("channel_not_found")
        return channel


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what runs, its scope ("" for none), its tier in calls a minute, its arguments.

    `takes` lists the arguments as words: `name`, `name!` (required), `name:bool|int|json`.
    """

    run: Callable[[Call], Json]
    takes: str
    per_minute: int
    scope: str = ""


async def read_arguments(request: Request) -> Json:
    """The raw arguments from query, form or JSON body, whichever the caller used.

    Raises `SlackError` with Slack's codes for a body it cannot read.
    """
    query: Json = dict(request.query_params)
    if request.method == "GET":
        return query
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent == "application/json":
        return query | _json_object(await request.body())
    if sent in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        form = await request.form()
        return query | {name: value for name, value in form.items() if isinstance(value, str)}
    if await request.body():
        raise SlackError("invalid_post_type" if sent else "missing_post_type")
    return query


def convert(method: Method, raw: Json) -> dict[str, Any]:
    """The arguments in the types the method declares; other names are refused (stricter than Slack)."""
    declared = dict(_declared(method.takes))
    problems = [f"[ERROR] unknown argument: {name}" for name in raw if name not in declared]
    args: dict[str, Any] = {}
    for name, (wanted, is_required) in declared.items():
        if name not in raw:
            problems += [f"[ERROR] missing required field: {name}"] if is_required else []
            continue
        try:
            args[name] = _CONVERTERS[wanted](raw[name])
        except (TypeError, ValueError):
            if name in _FORMAT_ERRORS:
                raise SlackError(_FORMAT_ERRORS[name]) from None
            problems.append(f"[ERROR] must be of type {wanted} [json-pointer:/{name}]")
    if problems:
        raise SlackError("invalid_arguments", response_metadata={"messages": problems})
    return args


def page_of(call: Call, items: list[Any], default: int) -> tuple[list[Any], str]:
    """One page of `items` by `limit` and `cursor`, and the cursor of the next page ("" at the end)."""
    cursor = call.text("cursor") or "next:0"
    start = cursor.removeprefix("next:")
    if not cursor.startswith("next:") or not start.isdecimal():
        raise SlackError("invalid_cursor")
    limit = call.args.get("limit", default) or default
    if not 0 < limit <= MOST_PER_PAGE:
        raise SlackError("invalid_limit")
    end = int(start) + limit
    return items[int(start) : end], f"next:{end}" if end < len(items) else ""


def _json_object(body: bytes) -> Json:
    try:
        parsed = json.loads(body or b"{}")
    except (JSONDecodeError, UnicodeDecodeError):
        raise SlackError("invalid_json") from None
    if not isinstance(parsed, dict):
        raise SlackError("json_not_object")
    return parsed


def _declared(takes: str) -> list[tuple[str, tuple[str, bool]]]:
    words = [word.partition(":") for word in takes.split()]
    return [(name.rstrip("!"), (wanted or "string", name.endswith("!"))) for name, _, wanted in words]


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bool(value: object) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError
    return known[value.lower()]


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _json(value: object) -> object:
    parsed = json.loads(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict | list):
        raise TypeError
    return parsed


_CONVERTERS: dict[str, Callable[[object], object]] = {
    "string": _string,
    "bool": _bool,
    "int": _int,
    "json": _json,
}
_FORMAT_ERRORS = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}
