"""The composition root: the only place that names concrete classes and connects them. It contains no rule.

Production, the sandbox and the journeys of the test suite all open the bot here; only settings differ.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn

from app.identity.keyring import Keyring
from app.main.connecting import Bot, connect
from app.main.rooms import Rooms, open_memory, open_microsoft, open_slack
from app.settings import Settings


async def run(settings: Settings) -> None:
    """Serve until told to stop. SIGTERM and Ctrl-C finish what is being answered first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore", "slack_bolt", "slack_sdk", "msal"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # they log whole addresses and bodies below that
    # The rounds report their own failures; it warns at each tick of a long one, and mourns those that a stop cuts off.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    async with open_bot(settings) as bot:
        config = uvicorn.Config(
            bot.door, settings.host, settings.port, lifespan="off", access_log=False, log_level="warning"
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
        memory = await open_memory(settings, keyring, stack)
        slack = await open_slack(settings, stack)
        microsoft = await open_microsoft(settings, keyring, memory, slack.me, stack)
        bot = await connect(Rooms(settings, memory, slack, microsoft), stack)
        bot.schedule.start()
        stack.push_async_callback(bot.schedule.stop)
        yield bot
