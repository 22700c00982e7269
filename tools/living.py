"""A sandbox of one's own for tools that look at it: started, asked, told, and ended by its own process id."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

READY_WITHIN = 60.0  # seconds
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class World:
    """The emulated world behind its address."""

    url: str

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """GET something of /control."""
        with urllib.request.urlopen(f"{self.url}/control/{path}", timeout=30) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def post(self, path: str, **body: object) -> None:
        """POST something to /control."""
        self._send(f"/control/{path}", body, {})

    def card(self, words: str) -> dict[str, Any]:
        """The card in the approvers' channel whose sentence holds these words, once it is there."""
        found: dict[str, Any] = until(lambda: self._card(words))
        return found

    def say_to(self, person: str, message: dict[str, Any]) -> str:
        """Have the app write to somebody, through Slack's own interface; the message's ts."""
        slack = next(one["slack"] for one in self.get("world")["people"] if one["id"] == person)
        channel = self._slack("conversations.open", {"users": slack})["channel"]["id"]
        return str(self._slack("chat.postMessage", {**message, "channel": channel})["ts"])

    def _card(self, words: str) -> dict[str, Any] | None:
        rooms = (room for room in self.get("world")["channels"] if room["kind"] == "channel")
        found = [one for room in rooms for one in room["messages"] if words in one["text"]]
        return found[0] if found else None

    def _slack(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        token = self.get("settings")["env"]["PIM_SLACK_BOT_TOKEN"]
        answer = self._send(f"/slack/api/{method}", fields, {"Authorization": f"Bearer {token}"})
        if not answer["ok"]:
            raise ValueError(f"{method}: {answer}")
        return answer

    def _send(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        all_headers = {"Content-Type": "application/json; charset=utf-8", **headers}
        request = urllib.request.Request(f"{self.url}{path}", data=json.dumps(body).encode(), headers=all_headers)  # noqa: S310 - loopback
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                    found: dict[str, Any] = json.load(answer)
                    return found
            except urllib.error.HTTPError as refused:
                if refused.code != TOO_MANY:
                    raise
                time.sleep(float(refused.headers["Retry-After"]))


@contextmanager
def sandbox() -> Iterator[World]:
    """A sandbox with a fresh world, until the block ends."""
    world, bot = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "app", "sandbox", "--no-browser", "--data", folder]
        child = subprocess.Popen([*command, "--port", str(world), "--bot-port", str(bot)])  # noqa: S603 - ourselves
        try:
            until(lambda: answers(f"http://127.0.0.1:{bot}/healthz"))
            yield World(f"http://127.0.0.1:{world}")
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(READY_WITHIN)


def until(look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is waited for
    """What `look` finds, once it finds something; TimeoutError when it takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError


def answers(url: str) -> bool:
    """Whether somebody listens there."""
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
