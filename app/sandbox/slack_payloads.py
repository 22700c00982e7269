"""The bodies Slack sends to an app, field by field, and their signature. Pure: nothing is sent or stored here."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from app.sandbox.slack_methods_people import DOMAIN
from app.sandbox.slack_methods_views import view_wire

if TYPE_CHECKING:
    from datetime import datetime

    from app.sandbox.people import Person, Settings
    from app.sandbox.slack_records import Channel, Json, View

LEGACY_TOKEN = "legacy-verification-token"
FORM = "application/x-www-form-urlencoded"


def signed(body: bytes, content_type: str, secret: str, now: datetime) -> dict[str, str]:
    """The headers of a request from Slack: HMAC-SHA256 over version, time (Unix seconds) and the raw body."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest.hexdigest()}",
    }


def as_form(payload: Json) -> bytes:
    """An interaction as Slack posts it: one form field named payload."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def common(settings: Settings, person: Person) -> Json:
    """What every interaction says: who, in which workspace, to which app."""
    user = {"id": person.slack, "username": person.id, "name": person.id, "team_id": settings.team}
    return {
        "team": {"id": settings.team, "domain": DOMAIN},
        "user": user,
        "api_app_id": settings.app_id,
        "token": LEGACY_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def pressed(element: Json, block_id: str, chosen: Json, now: datetime) -> Json:
    """One entry of `actions`: the element as Slack repeats it, with what was chosen and when."""
    kept = ("type", "action_id", "text", "value", "style", "url", "placeholder")
    action = {name: element[name] for name in kept if name in element}
    return action | chosen | {"block_id": block_id, "action_ts": f"{now.timestamp():.6f}"}


def channel_part(channel: Channel) -> Json:
    """A channel as interactions name it: DMs and private channels do not show their names."""
    return {"id": channel.id, "name": channel_name(channel)}


def channel_name(channel: Channel) -> str:
    """The name Slack gives in commands and interactions; `privategroup` is what private channels are called."""
    if channel.kind == "dm":
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


def submission(settings: Settings, person: Person, view: View, trigger_id: str) -> Json:
    """A view_submission; the view carries what was entered."""
    return common(settings, person) | {
        "type": "view_submission",
        "trigger_id": trigger_id,
        "response_urls": [],
        "view": view_wire(view, settings),
    }


def closing(settings: Settings, person: Person, view: View, *, is_cleared: bool) -> Json:
    """A view_closed; it has no trigger_id."""
    wire = view_wire(view, settings)
    return common(settings, person) | {"type": "view_closed", "view": wire, "is_cleared": is_cleared}


def shortcut(callback_id: str, trigger_id: str, now: datetime) -> Json:
    """What a global shortcut adds to what every interaction says."""
    chosen = {"type": "shortcut", "callback_id": callback_id, "trigger_id": trigger_id}
    return chosen | {"action_ts": f"{now.timestamp():.6f}"}


def command_form(settings: Settings, person: Person, channel: Channel, text: str) -> dict[str, str]:
    """The form fields of `/pim`; trigger_id and response_url are added by the caller."""
    return {
        "token": LEGACY_TOKEN,
        "team_id": settings.team,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": person.slack or "",
        "user_name": person.id,
        "command": "/pim",
        "text": text,
        "api_app_id": settings.app_id,
        "is_enterprise_install": "false",
    }


def home_opened(settings: Settings, person: Person, channel: Channel, now: datetime) -> Json:
    """The event that somebody opened the App Home."""
    event: Json = {"type": "app_home_opened", "user": person.slack, "channel": channel.id, "tab": "home"}
    event["event_ts"] = f"{now.timestamp():.6f}"
    authorization = {"enterprise_id": None, "team_id": settings.team, "user_id": settings.bot_user}
    return {
        "type": "event_callback",
        "token": LEGACY_TOKEN,
        "team_id": settings.team,
        "api_app_id": settings.app_id,
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(now.timestamp()),
        "is_ext_shared_channel": False,
        "authorizations": [authorization | {"is_bot": True, "is_enterprise_install": False}],
        "event": event,
    }
