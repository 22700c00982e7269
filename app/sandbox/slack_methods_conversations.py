"""Web API methods of the `conversations` family: open a DM, read channels, members and history."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from app.sandbox.slack_calls import TIER_3, TIER_4, Call, Method, SlackError, page_of
from app.sandbox.slack_methods_chat import message_wire
from app.sandbox.slack_scopes import require

if TYPE_CHECKING:
    from app.sandbox.slack_records import Channel, Json, Message


def _open(call: Call) -> Json:
    users = [user for user in call.text("users").split(",") if user]
    if call.text("channel"):
        return {"ok": True, "no_op": True, "already_open": True, "channel": {"id": call.channel().id}}
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        require("mpim:write")
    if users[0] not in call.workspace.members:
        raise SlackError("user_not_found")
    if users[0] in call.workspace.deleted:
        raise SlackError("user_disabled")
    was_open = f"D0{users[0][2:]}" in call.workspace.channels
    channel = call.workspace.direct(users[0])
    return {"ok": True, "no_op": was_open, "already_open": was_open, "channel": _described(call, channel)}


def _info(call: Call) -> Json:
    channel = _readable(call, "read")
    described = _described(call, channel)
    if call.args.get("include_num_members"):
        described["num_members"] = len(channel.members)
    return {"ok": True, "channel": described}


def _members(call: Call) -> Json:
    page, after = page_of(call, sorted(_readable(call, "read").members), 100)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": after}}


def _history(call: Call) -> Json:
    channel = _readable(call, "history")
    told = [m for m in channel.messages.values() if m.thread_ts in {None, m.ts} and _in_range(call, m)]
    return _messages(call, told[::-1])


def _replies(call: Call) -> Json:
    channel = _readable(call, "history")
    parent = channel.messages.get(call.text("ts"))
    if parent is None:
        raise SlackError("thread_not_found")
    told = [parent, *(m for m in channel.replies(parent.ts) if _in_range(call, m))]
    return _messages(call, told)


def _messages(call: Call, told: list[Message]) -> Json:
    page, after = page_of(call, told, 100)
    in_full = bool(call.args.get("include_all_metadata"))
    settings = call.workspace.settings
    return {
        "ok": True,
        "messages": [message_wire(m, settings, with_metadata=in_full) for m in page],
        "has_more": bool(after),
        "response_metadata": {"next_cursor": after},
    }


def _in_range(call: Call, message: Message) -> bool:
    oldest, latest = _moment(call, "oldest", "0"), _moment(call, "latest", "99999999999")
    at = Decimal(message.ts)
    if call.args.get("inclusive"):
        return oldest <= at <= latest
    return oldest < at < latest


def _moment(call: Call, name: str, default: str) -> Decimal:
    try:
        return Decimal(call.text(name) or default)
    except InvalidOperation:
        raise SlackError(f"invalid_ts_{name}") from None


def _readable(call: Call, right: str) -> Channel:
    """The channel, if the app may read it: each kind of channel has a scope of its own."""
    channel = call.channel()
    kind = "im" if channel.kind == "dm" else "groups" if channel.is_private else "channels"
    require(f"{kind}:{right}")
    return channel


def _described(call: Call, channel: Channel) -> Json:
    settings = call.workspace.settings
    common: Json = {"id": channel.id, "created": 0, "is_archived": False, "context_team_id": settings.team}
    if channel.kind == "dm":
        partner = next(iter(channel.members - {settings.bot_user}))
        return common | {"is_im": True, "user": partner, "is_user_deleted": partner in call.workspace.deleted}
    shared = dict.fromkeys(("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared"), False)
    return (
        common
        | shared
        | {
            "name": channel.name,
            "is_channel": not channel.is_private,
            "is_group": channel.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": channel.is_private,
            "is_general": channel.id == settings.general_channel,
            "is_member": settings.bot_user in channel.members,
        }
    )


_RANGE = "cursor limit:int oldest latest inclusive:bool include_all_metadata:bool"
METHODS: dict[str, Method] = {
    "conversations.open": Method(_open, "users channel return_im:bool prevent_creation:bool", TIER_3, "im:write"),
    "conversations.info": Method(_info, "channel! include_locale:bool include_num_members:bool", TIER_3),
    "conversations.members": Method(_members, "channel! cursor limit:int", TIER_4),
    "conversations.history": Method(_history, f"channel! {_RANGE}", TIER_3),
    "conversations.replies": Method(_replies, f"channel! ts! {_RANGE}", TIER_3),
}
