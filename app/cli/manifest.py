"""`pim-approvals manifest`: the Slack app's manifest for one address. It asks nobody and needs no settings.

The text is YAML, which Slack takes; every string that could be read as something else is quoted as JSON is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from blocks import ids

SLACK_PATH = "/slack/events"
REDIRECT_PATH = "/sign-in/slack/callback"
HEAD = "# The Slack app. Print it for your own address: pim-approvals manifest --url https://your-address [--socket]"
LONG = (
    "PIM Approvals watches Microsoft Entra Privileged Identity Management for activation requests that wait for an "
    "approver, posts each as a card with justification, ticket and a risk level that explains itself, and carries the "
    "approver's decision to Microsoft with the approver's own sign-in. Microsoft records the human who clicked."
)
BOT_SCOPES = (
    *("chat:write", "commands", "im:write", "im:history", "users:read", "users:read.email"),
    *("groups:read", "groups:history", "files:write"),
)
_PLAIN = re.compile(r"[A-Za-z_][\w.:/ -]*(?<![: ])")  # what YAML reads as this very text, but for these words
_NOT_PLAIN = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def manifest(
    url: Annotated[str, typer.Option(help="The https address at which browsers, and by HTTP Slack, reach the bot.")],
    socket: Annotated[bool, typer.Option("--socket", help="For Socket Mode (PIM_SLACK_APP_TOKEN).")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print the manifest of the Slack app."""
    from app.settings import public_mistake  # noqa: PLC0415 - `--help` needs none of the bot

    mistake = public_mistake(url, sandbox=False)
    if mistake:
        raise typer.BadParameter(f"{mistake}.", param_hint="--url")
    typer.echo("\n".join([HEAD, *lines(app_manifest(url, socket=socket))]))


def app_manifest(url: str, *, socket: bool) -> dict[str, Any]:
    """The manifest as a value. In Socket Mode Slack posts nowhere, so that only browsers need the address."""
    posted = {} if socket else {"request_url": f"{url}{SLACK_PATH}"}
    command = {
        "command": "/pim",
        **({} if socket else {"url": f"{url}{SLACK_PATH}"}),
        "description": "PIM requests that wait, and what became of them",
        "usage_hint": "pending | history | mine | approved | sign-in | sign-out | help",
        "should_escape": True,
    }
    shortcut = {
        "name": "What waits for me",
        "type": "global",
        "callback_id": ids.WAITING,
        "description": "PIM requests that wait for a decision",
    }
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "PIM Approvals",
            "description": "Decide Microsoft Entra PIM activation requests where you already are",
            "background_color": "#1b1f3b",
            "long_description": LONG,
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "pim", "always_online": True},
            "shortcuts": [shortcut],
            "slash_commands": [command],
        },
        "oauth_config": {
            "redirect_urls": [f"{url}{REDIRECT_PATH}"],
            "scopes": {"user": ["openid", "email", "profile"], "bot": list(BOT_SCOPES)},
        },
        "settings": {
            "event_subscriptions": {**posted, "bot_events": ["app_home_opened"]},
            "interactivity": {"is_enabled": True, **posted},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }


def lines(value: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A nested value as lines of YAML: tables, lists of tables or words, words, numbers, true and false."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield f"{indent}{name}:"
            yield from lines(inner, f"{indent}  ")
        elif isinstance(inner, list):
            yield f"{indent}{name}:"
            yield from _items(inner, f"{indent}  ")
        else:
            yield f"{indent}{name}: {_scalar(inner)}"


def _items(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if not isinstance(item, dict):
            yield f"{indent}- {_scalar(item)}"
            continue
        first, *rest = lines(item, f"{indent}  ")
        yield f"{indent}- {first.lstrip()}"
        yield from rest


def _scalar(value: str | int) -> str:
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _NOT_PLAIN
    return str(value) if plain and ": " not in str(value) else json.dumps(value)
