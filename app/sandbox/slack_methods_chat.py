"""Web API methods of the `chat` family: post, update, delete, whisper, permalink. They never call the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.sandbox.slack_calls import SPECIAL, TIER_3, TIER_4, Call, Method, SlackError
from app.sandbox.slack_limits import (
    POST_CHARACTERS,
    UPDATE_CHARACTERS,
    are_blocks_too_long,
    check_blocks,
    check_metadata,
)

if TYPE_CHECKING:
    from app.sandbox.people import Settings
    from app.sandbox.slack_records import Channel, Json, Message

POSTS_PER_MINUTE = 60
POSTS_AT_ONCE = 5


def message_wire(message: Message, settings: Settings, *, with_metadata: bool = True) -> Json:
    """A message as Slack sends it; without `with_metadata` only the event type of its metadata is told."""
    wire: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    wire["team"] = settings.team
    if message.user == settings.bot_user:
        wire |= {"bot_id": settings.bot_id, "app_id": settings.app_id}
    if message.blocks:
        wire["blocks"] = message.blocks
    if message.thread_ts:
        wire["thread_ts"] = message.thread_ts
    if message.metadata:
        kept = message.metadata if with_metadata else {"event_type": message.metadata["event_type"]}
        wire["metadata"] = kept
    if message.files:
        wire["files"] = message.files
    return wire


def sound_blocks(call: Call) -> list[Json]:
    """The `blocks` argument, or Slack's refusal of it."""
    blocks: Any = call.args.get("blocks", [])
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = check_blocks(blocks, "message")
    if problems:
        raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": problems})
    if are_blocks_too_long(blocks):
        raise SlackError("msg_blocks_too_long")
    return blocks


def _post_message(call: Call) -> Json:
    channel = _target(call)
    wait = call.workspace.pace.wait(f"post {channel.id}", POSTS_PER_MINUTE, POSTS_AT_ONCE, call.workspace.clock())
    if wait:
        raise SlackError("ratelimited", retry_after=wait)
    _must_be_in(call, channel)
    blocks, metadata = sound_blocks(call), _sound_metadata(call)
    _must_say_something(call, blocks)
    thread = _thread(call, channel)
    text = call.text("text")[:POST_CHARACTERS]
    message = call.workspace.post(channel, text, blocks, metadata=metadata or None, thread_ts=thread)
    answer: Json = {"ok": True, "channel": channel.id, "ts": message.ts}
    answer["message"] = message_wire(message, call.workspace.settings)
    if len(call.text("text")) > POST_CHARACTERS:
        answer["response_metadata"] = {"warnings": ["message_truncated"]}
    return answer


def _update(call: Call) -> Json:
    message = _own_message(call, "cant_update_message")
    blocks, metadata = sound_blocks(call), _sound_metadata(call)
    _must_say_something(call, blocks)
    if len(call.text("text")) > UPDATE_CHARACTERS:
        raise SlackError("msg_too_long")
    if blocks and _has_rich_text(message.blocks) and not _has_rich_text(blocks):
        raise SlackError("block_mismatch")
    # Metadata that is not sent stays; an empty object removes it.
    if metadata is not None:
        message.metadata = metadata or None
    call.workspace.edit(message, call.text("text"), blocks)
    wire = message_wire(message, call.workspace.settings)
    return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text, "message": wire}


def _delete(call: Call) -> Json:
    message = _own_message(call, "cant_delete_message")
    call.workspace.remove(message)
    return {"ok": True, "channel": message.channel, "ts": message.ts}


def _post_ephemeral(call: Call) -> Json:
    channel = call.channel()
    _must_be_in(call, channel)
    user = call.text("user")
    if user not in channel.members or user in call.workspace.deleted:
        raise SlackError("user_not_in_channel")
    blocks = sound_blocks(call)
    _must_say_something(call, blocks)
    note = call.workspace.whisper(channel.id, user, call.text("text"), blocks)
    return {"ok": True, "message_ts": note.ts}


def _permalink(call: Call) -> Json:
    channel = call.channel()
    ts = call.text("message_ts")
    if ts not in channel.messages:
        raise SlackError("message_not_found")
    # The page of the emulated world opens it: a link to slack.com would leave the machine.
    link = f"{call.workspace.settings.world_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"ok": True, "channel": channel.id, "permalink": link}


def _target(call: Call) -> Channel:
    wanted = call.text("channel")
    if wanted in call.workspace.deleted:
        raise SlackError("channel_not_found")
    if wanted in call.workspace.members:
        return call.workspace.direct(wanted)
    return call.channel()


def _must_be_in(call: Call, channel: Channel) -> None:
    if call.workspace.settings.bot_user not in channel.members:
        raise SlackError("not_in_channel")


def _must_say_something(call: Call, blocks: list[Json]) -> None:
    if not call.text("text") and not blocks:
        raise SlackError("no_text")


def _sound_metadata(call: Call) -> Json | None:
    metadata: Json | None = call.args.get("metadata")
    problem = check_metadata(metadata) if metadata else ""
    if problem:
        raise SlackError(problem)
    return metadata


def _thread(call: Call, channel: Channel) -> str | None:
    thread = call.text("thread_ts")
    if not thread:
        return None
    if thread not in channel.messages:
        raise SlackError("thread_not_found")
    return channel.messages[thread].thread_ts or thread


def _own_message(call: Call, refusal: str) -> Message:
    message = call.channel().messages.get(call.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != call.workspace.settings.bot_user:
        raise SlackError(refusal)
    return message


def _has_rich_text(blocks: list[Json]) -> bool:
    return any(block["type"] == "rich_text" for block in blocks)


_SAID = "text blocks:json metadata:json mrkdwn:bool parse link_names:bool"
_SHOWN = "unfurl_links:bool unfurl_media:bool username icon_emoji icon_url as_user:bool"
METHODS: dict[str, Method] = {
    "chat.postMessage": Method(
        _post_message,
        f"channel! {_SAID} {_SHOWN} thread_ts reply_broadcast:bool",
        SPECIAL,
        "chat:write",
    ),
    "chat.update": Method(_update, f"channel! ts! {_SAID} as_user:bool reply_broadcast:bool", TIER_3, "chat:write"),
    "chat.delete": Method(_delete, "channel! ts! as_user:bool", TIER_3, "chat:write"),
    "chat.postEphemeral": Method(_post_ephemeral, f"channel! user! {_SAID} {_SHOWN} thread_ts", TIER_4, "chat:write"),
    "chat.getPermalink": Method(_permalink, "channel! message_ts!", SPECIAL),
}
