"""Web API methods of the `files` family: an address to upload to, and showing what came. They never call the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox.slack_calls import TIER_4, Call, Method, SlackError
from app.sandbox.slack_files import LARGEST, NAME_LIMIT

if TYPE_CHECKING:
    from app.sandbox.slack_files import File
    from app.sandbox.slack_records import Channel, Json


def _upload_url(call: Call) -> Json:
    name, length = call.text("filename"), call.args["length"]
    if not 0 < len(name) <= NAME_LIMIT:
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid `filename`"]})
    if length < 1:
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] `length` must be above 0"]})
    if length > LARGEST:
        raise SlackError("file_upload_size_restricted")
    file = call.workspace.files.announce(name, length)
    address = f"{call.workspace.settings.world_url}/slack/upload/{file.ticket}"
    return {"ok": True, "upload_url": address, "file_id": file.id}


def _complete(call: Call) -> Json:
    files = [_uploaded(call, one) for one in call.args["files"]]
    if not files:
        raise SlackError("invalid_arguments")
    channel = call.channel("channel_id") if call.text("channel_id") else None
    for file in files:
        file.channel = channel.id if channel is not None else ""
    if channel is not None:
        _share(call, channel, files)
    return {"ok": True, "files": [{"id": file.id, "title": file.title} for file in files]}


def _uploaded(call: Call, named: object) -> File:
    """The file, once its bytes have come and nobody has shown it yet."""
    wanted = named if isinstance(named, dict) else {}
    file = call.workspace.files.by_id.get(str(wanted.get("id", "")))
    if file is None or file.content is None or file.channel is not None:
        raise SlackError("file_not_found")
    file.title = str(wanted.get("title") or file.name)
    return file


def _share(call: Call, channel: Channel, files: list[File]) -> None:
    if call.workspace.settings.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    call.workspace.post(channel, call.text("initial_comment"), [], files=[file.wire() for file in files])


METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": Method(
        _upload_url, "filename! length!:int alt_txt snippet_type", TIER_4, "files:write"
    ),
    "files.completeUploadExternal": Method(
        _complete, "files!:json channel_id initial_comment thread_ts", TIER_4, "files:write"
    ),
}
