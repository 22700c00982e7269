"""Reading a body as bytes before anything parses it, capped while it streams, and handing the very bytes on."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Message, Receive


async def read_body(receive: Receive, largest: int) -> bytes | None:
    """The whole body, or None as soon as it is larger than so many bytes or the sender is gone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > largest:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)


def replay(body: bytes) -> Receive:
    """The body once more, and nothing after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def single(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name; one that is sent twice counts as missing, since two readers could believe different ones."""
    found: dict[bytes, bytes] = {}
    twice: set[bytes] = set()
    for name, value in headers:
        twice.update({name} & found.keys())
        found[name] = value
    return {name: value for name, value in found.items() if name not in twice}
