"""The composition root: the only place that names concrete classes and connects them. It contains no rule.

Production, the sandbox and the journeys of the test suite all open the bot here; only settings differ.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import uvicorn

from app.domain.errors import BotError
from app.identity.keyring import Keyring
from app.main import logs
from app.main.connecting import Bot, connect
from app.main.rooms import Rooms, open_memory, open_microsoft, open_slack
from app.settings import Settings

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Serve until told to stop. SIGTERM and Ctrl-C finish what is being answered first."""
    logs.configure(settings)
    try:
        await _serve(settings)
    except BotError:
        raise  # a sentence for the operator
    except Exception:  # the process's edge: what Python prints by itself goes past the log's filter
        log.exception("PIM Approvals stopped, and this is a defect.")
        raise SystemExit(1) from None


async def _serve(settings: Settings) -> None:
    async with open_bot(settings) as bot:
        config = uvicorn.Config(
            bot.door,
            settings.host,
            settings.port,
            lifespan="off",
            access_log=False,
            log_level="warning",
            log_config=None,  # its own handlers would go past the filter
            ws="none",  # nobody opens a websocket to us
        )
        await _Server(config).serve()


class _Server(uvicorn.Server):
    """uvicorn, but a stop is ours: left to itself it dies of the signal before anything here could be closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop serving at SIGTERM and Ctrl-C, and go on behind `serve`; a second signal ends the process at once."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Bot]:
    """Open everything, start the rounds, and close it all in reverse order."""
    async with AsyncExitStack() as stack:
        keyring = Keyring.parse(settings.keys.get_secret_value())
        policy = settings.policy()
        memory = await open_memory(settings, keyring, stack)
        slack = await open_slack(settings, policy, memory, stack)
        microsoft = await open_microsoft(settings, keyring, memory, slack.me.team, stack)
        bot = await connect(Rooms(settings, memory, slack, microsoft, policy), stack)
        bot.schedule.start()
        stack.push_async_callback(bot.schedule.stop)
        if bot.socket is not None:
            listening = asyncio.create_task(bot.socket.run())
            stack.push_async_callback(_ended, listening)
            await bot.socket.attempted.wait()  # whoever sees us serve may press a button
        yield bot


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
