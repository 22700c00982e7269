"""The sandbox starts, watches and ends a real child process, and takes no port or database that is not its own."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.bot_process import BotProcess, bot_environment
from app.sandbox.control import BotFailure
from app.sandbox.people import Settings
from app.sandbox.server import new_client, run

SERVE = """
import http.server, os, signal, sys
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ["PIM_WATCH_AS"].encode())
    def log_message(self, *_): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("127.0.0.1", int(os.environ["PIM_PORT"])), Healthy).serve_forever()
"""
FAIL = "import sys; print('PIM_TENANT_ID is missing.'); sys.exit(2)"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def process(data: Path, code: str, **environ: str) -> BotProcess:
    settings = Settings(bot_port=free_port())
    command = (sys.executable, "-c", code)
    return BotProcess(settings, data, {**os.environ, **environ}, new_client, command)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotProcess]:
    child = process(tmp_path, SERVE, PIM_WATCH_AS="approvers")
    yield child
    await child.stop(kill=True)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_started_bot_answers_with_its_environment(bot: BotProcess) -> None:
    pid = await bot.start()
    async with new_client() as client:
        answer = await client.get(f"http://localhost:{bot.env['PIM_PORT']}/healthz")
    assert (answer.text, alive(pid)) == ("approvers", True)


async def test_starting_twice_keeps_the_process(bot: BotProcess) -> None:
    assert await bot.start() == await bot.start()


@pytest.mark.parametrize("kill", [True, False])
async def test_stopped_bot_is_gone_and_can_start_again(bot: BotProcess, *, kill: bool) -> None:
    first = await bot.start()
    assert await bot.stop(kill=kill) == first
    assert not alive(first)
    assert await bot.stop() is None
    assert await bot.start() != first


async def test_bot_that_ends_at_once_says_why(tmp_path: Path) -> None:
    with pytest.raises(BotFailure, match=r"(?s)exit code 2.*PIM_TENANT_ID is missing"):
        await process(tmp_path, FAIL).start()


async def test_only_the_sandboxs_own_database_is_forgotten(tmp_path: Path) -> None:
    other, own = tmp_path / "mine.db", tmp_path / "pim.db"
    for path in (other, own, tmp_path / "pim.db-wal"):
        path.touch()
    await process(tmp_path, FAIL, PIM_DATABASE_URL=f"sqlite+aiosqlite:///{other}").forget()
    assert (other.exists(), own.exists(), (tmp_path / "pim.db-wal").exists()) == (True, False, False)


def test_callers_variables_win_and_others_stay_out(tmp_path: Path) -> None:
    env = bot_environment(Settings(), tmp_path, {"PIM_POLL_SECONDS": "1", "PATH": "/bin"})
    assert (env["PIM_POLL_SECONDS"], env["PIM_GRAPH_URL"]) == ("1", "http://127.0.0.1:8765/graph")
    assert "PATH" not in env


def test_encryption_key_outlives_the_process(tmp_path: Path) -> None:
    first = bot_environment(Settings(), tmp_path, {})["PIM_KEYS"]
    assert bot_environment(Settings(), tmp_path, {})["PIM_KEYS"] == first
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("option", ["--port", "--bot-port"])
def test_taken_port_ends_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"--port": free_port(), "--bot-port": free_port(), option: taken.getsockname()[1]}
        with pytest.raises(SystemExit) as ended:
            run(port=ports["--port"], bot_port=ports["--bot-port"], open_browser=False, data=tmp_path)
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert f'Choose another with {option}, for example: make demo ARGS="--port 8865 --bot-port 8866"' in said.err
    assert said.out == ""
