"""Puts the emulated world together and runs it with the bot as its child, until Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from asyncio import Future
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import BaseRoute

from app.sandbox import (
    arm,
    control,
    graph,
    login,
    page,
    slack_api,
    slack_files,
    slack_openid,
    slack_response,
    slack_socket,
)
from app.sandbox.bot_process import BotProcess
from app.sandbox.control import Bot, BotFailure
from app.sandbox.faults import FaultGate
from app.sandbox.keeping import Keeper, WorldUnreadable, keep_saving, load
from app.sandbox.people import Settings
from app.sandbox.world import World

HOST = "127.0.0.1"
# No other name reaches the world, so that no web page can make a browser's DNS point at it.
NAMES = [HOST, "localhost", "testserver"]
ACT_SECONDS = 30.0
LAST_SECONDS = 1
KEPT = "world.json"
OTHER_PORTS = 'Choose another with {}, for example: make demo ARGS="--port 8865 --bot-port 8866"'


def build(port: int, bot_port: int, data_dir: Path, environ: Mapping[str, str]) -> Starlette:
    """The whole world as one ASGI application; its `state.bot` is the child process, not started."""
    settings = Settings(port=port, bot_port=bot_port, app_token=environ.get("PIM_SLACK_APP_TOKEN", ""))
    return assemble(World(settings), BotProcess(settings, data_dir, environ, new_client))


def assemble(world: World, bot: Bot, client: Callable[[], httpx.AsyncClient] | None = None) -> Starlette:
    """The application around a given world and bot; `client` makes the clients that reach the bot and its pages."""
    services: list[list[BaseRoute]] = [
        graph.routes(world),
        arm.routes(world),
        login.routes(world),
        slack_api.routes(world),
        slack_files.routes(world),
        slack_openid.routes(world),
        slack_response.routes(world),
        slack_socket.routes(world),
        control.routes(world, client or new_client, bot),
        page.routes(world),
    ]
    application = Starlette(
        routes=[route for routes in services for route in routes],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=NAMES),
            Middleware(FaultGate, world=world),
        ],
    )
    application.state.world = world
    application.state.bot = bot
    return application


def new_client() -> httpx.AsyncClient:
    """A client for calls on this machine: no proxy, no redirects, patience for 30 s."""
    return httpx.AsyncClient(trust_env=False, timeout=ACT_SECONDS)


def run(*, port: int = 8765, bot_port: int = 8766, open_browser: bool = True, data: Path | None = None) -> None:
    """Run world and bot until Ctrl-C or SIGTERM. Ends with exit code 1 and a sentence if either cannot start.

    World and bot live in `data` and go on where they stopped, or in a fresh directory that vanishes afterwards.
    """
    with _directory(data) as directory, _listening(port, "--port") as listener:
        with _listening(bot_port, "--bot-port"):
            pass  # only to say early and plainly that the bot's port is taken
        application = build(port, bot_port, directory, os.environ)
        asyncio.run(_kept(application, listener, directory / KEPT if data else None, open_browser=open_browser))


class _Server(uvicorn.Server):
    """uvicorn, but signals are ours: left to itself it dies of a SIGTERM before the bot could be ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave every signal handler as it is."""
        yield


async def _kept(application: Starlette, listener: socket.socket, path: Path | None, *, open_browser: bool) -> None:
    """Live, with the world of the last run and for the next one where there is a file for it."""
    if path is None:
        await _live(application, listener, open_browser=open_browser)
        return
    world: World = application.state.world
    try:
        load(world, path)
    except WorldUnreadable as problem:
        _say(str(problem), sys.stderr)
        raise SystemExit(1) from problem
    keeper = Keeper(world, path, lambda words: _say(words, sys.stderr))
    saving = asyncio.create_task(keep_saving(keeper))
    try:
        await _live(application, listener, open_browser=open_browser)
    finally:
        saving.cancel()
        keeper.save()


async def _live(application: Starlette, listener: socket.socket, *, open_browser: bool) -> None:
    world: World = application.state.world
    bot: Bot = application.state.bot
    stop = _stop_signal()
    config = uvicorn.Config(
        application,
        log_level="error",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        if await _unless(stop, bot.start()):
            _announce(world.settings, open_browser=open_browser)
            await _unless(stop, asyncio.shield(serving))
    except BotFailure as problem:
        _say(str(problem), sys.stderr)
        raise SystemExit(1) from problem
    finally:
        await bot.stop()
        # Pages that still listen for changes are cut off now; uvicorn would report each as an error.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        server.should_exit = True
        await serving


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, object] | Future[Any]) -> bool:
    """Wait for the work or the order to stop; True when the work was done first."""
    task, order = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, order}, return_when=asyncio.FIRST_COMPLETED)
    order.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return False


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def _announce(settings: Settings, *, open_browser: bool) -> None:
    _say(f"Open {settings.world_url}   (Slack as each person sees it, and the requestor's side of PIM)")
    _say(f"The bot itself answers at {settings.bot_url}")
    _say("Stop with Ctrl-C.")
    if open_browser:
        webbrowser.open(settings.world_url)


def _say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream or sys.stdout, flush=True)


@contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="pim-sandbox-") as fresh:
        yield Path(fresh)


@contextmanager
def _listening(port: int, option: str) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except OSError as problem:
            reason = problem.strerror or problem
            _say(f"Port {port} on {HOST} cannot be used ({reason}). {OTHER_PORTS.format(option)}", sys.stderr)
            raise SystemExit(1) from problem
        yield listener
