from __future__ import annotations

import asyncio
import socket

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "graph.microsoft.com"])
def test_other_machines_cannot_be_reached(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as stranger, pytest.raises(RuntimeError, match="only talk to this machine"):
        stranger.connect((host, 443))


async def test_names_of_other_machines_are_not_even_looked_up() -> None:
    with pytest.raises(RuntimeError, match="only talk to this machine"):
        await asyncio.open_connection("slack.com", 443)


async def test_this_machine_can_be_reached() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
    assert await reader.read() == b""
    writer.close()
    server.close()
    await server.wait_closed()
