"""The scopes of the app's bot token, and what Slack says when one is missing. Constants and one check."""

from __future__ import annotations

from app.sandbox.slack_calls import SlackError

SCOPES = (
    *("chat:write", "commands", "im:write", "im:history", "users:read", "users:read.email"),
    *("groups:read", "groups:history", "files:write"),
)

# Methods an app like this one might reach for, and the scope it would need but does not have.
NOT_GRANTED = {
    "chat.unfurl": "links:write",
    "conversations.create": "groups:write",
    "conversations.invite": "groups:write",
    "conversations.join": "channels:join",
    "conversations.list": "channels:read",
    "files.info": "files:read",
    "files.list": "files:read",
    "pins.add": "pins:write",
    "reactions.add": "reactions:write",
    "reactions.get": "reactions:read",
    "team.info": "team:read",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "users.profile.get": "users.profile:read",
}


def require(scope: str) -> None:
    """Raise Slack's `missing_scope`, with `needed` and `provided`, unless the token has `scope`."""
    if scope and scope not in SCOPES:
        raise SlackError("missing_scope", needed=scope, provided=",".join(SCOPES))
