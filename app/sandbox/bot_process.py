"""The bot as a child process of the sandbox: its environment, its start, its end.

It knows the bot by command line and HTTP only.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import httpx

from app.sandbox.control import BotFailure
from app.sandbox.people import Settings

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 15.0
LOG_LINES = 12
OK = 200


def bot_environment(settings: Settings, data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Every `PIM_*` variable the bot runs with: as in production but for addresses; the caller's own win."""
    world = settings.world_url
    ours = {
        "PIM_ENVIRONMENT": "sandbox",
        "PIM_SLACK_BOT_TOKEN": settings.bot_token,
        "PIM_SLACK_SIGNING_SECRET": settings.signing_secret,
        "PIM_SLACK_CLIENT_ID": settings.slack_client_id,
        "PIM_SLACK_CLIENT_SECRET": settings.slack_client_secret,
        "PIM_SLACK_APP_ID": settings.app_id,
        "PIM_APPROVERS_CHANNEL": settings.channel,
        "PIM_TENANT_ID": settings.tenant,
        "PIM_CLIENT_ID": settings.client_id,
        "PIM_CLIENT_SECRET": settings.client_secret,
        "PIM_PUBLIC_URL": settings.bot_url,
        "PIM_DATABASE_URL": f"sqlite+aiosqlite:///{_database(data)}",
        "PIM_KEYS": _keys(data),
        "PIM_GRAPH_URL": f"{world}/graph",
        "PIM_ARM_URL": f"{world}/arm",
        "PIM_LOGIN_URL": f"{world}/login",
        "PIM_SLACK_API_URL": f"{world}/slack/api",
        "PIM_HOST": "127.0.0.1",
        "PIM_PORT": str(settings.bot_port),
        "PIM_WATCH_AS": "application",
        "PIM_POLL_SECONDS": "2",
        "PIM_SETTLE_SECONDS": "5",
    }
    if settings.app_token:
        del ours["PIM_SLACK_SIGNING_SECRET"]  # nothing is signed in Socket Mode
    return ours | {name: value for name, value in environ.items() if name.startswith("PIM_")}


class BotProcess:
    """One child process at most; calls to it wait for each other."""

    def __init__(
        self,
        settings: Settings,
        data: Path,
        environ: Mapping[str, str],
        new_client: Callable[[], httpx.AsyncClient],
        command: tuple[str, ...] = (sys.executable, "-m", "app", "serve"),
    ) -> None:
        self.env = bot_environment(settings, data, environ)
        self.log = data / "bot.log"
        self._health = f"{settings.bot_url}/healthz"
        self._data = data
        self._outer = {name: value for name, value in environ.items() if not name.startswith("PIM_")}
        self._new_client = new_client
        self._command = command
        self._child: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> int:
        """Start unless it runs; returns the process id once `/healthz` answers 200. Raises BotFailure after 60 s."""
        async with self._lock:
            if self._child is None or self._child.returncode is not None:
                self._child = await self._spawn()
            await self._ready(self._child)
            return self._child.pid

    async def stop(self, *, kill: bool = False) -> int | None:
        """End the child: SIGTERM and 15 s of patience, or SIGKILL at once. Returns the id it had."""
        async with self._lock:
            child, self._child = self._child, None
            if child is None or child.returncode is not None:
                return None
            child.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()
            return child.pid

    async def forget(self) -> None:
        """Delete the sandbox's own database. One that the caller named is theirs and stays."""
        main = _database(self._data)
        for path in (main, Path(f"{main}-wal"), Path(f"{main}-shm"), Path(f"{main}-journal")):
            path.unlink(missing_ok=True)

    async def _spawn(self) -> asyncio.subprocess.Process:
        with _appending(self.log) as log:
            # Its own session: Ctrl-C in the terminal reaches the sandbox alone, which then ends the bot in order.
            return await asyncio.create_subprocess_exec(
                *self._command,
                env={**self._outer, **self.env, "PYTHONPATH": _python_path(self._outer)},
                cwd=self._data,  # a real .env beside the code must not reach an emulated bot
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def _ready(self, child: asyncio.subprocess.Process) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS), self._new_client() as client:
                while child.returncode is None:
                    if await _answers(client, self._health):
                        return
                    await asyncio.sleep(0.1)
        how = "did not answer in time" if child.returncode is None else f"ended with exit code {child.returncode}"
        raise BotFailure(f"The bot {how}. The end of its log ({self.log}):\n{_tail(self.log)}")


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == OK
    except httpx.TransportError:
        return False


def _database(data: Path) -> Path:
    return data / "pim.db"


def _keys(data: Path) -> str:
    """The bot's encryption key: made once per data directory, so that stored links stay readable."""
    path = data / "keys"
    if not path.exists():
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        path.touch(mode=0o600)
        path.write_text(f"k1:{secret}", encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def _appending(path: Path) -> BinaryIO:
    return path.open("ab")


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:])


def _python_path(environ: Mapping[str, str]) -> str:
    return os.pathsep.join(filter(None, (str(ROOT), environ.get("PYTHONPATH", ""))))
