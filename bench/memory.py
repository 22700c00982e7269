"""What a poll of 1, 100 and 10,000 pending requests takes, and how memory stands after 180 of them back to back.

Microsoft's answer is made beforehand, in this very process: its bytes count too. It asserts nothing.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
import time
from pathlib import Path

from canned import Canned, polled, watching

import app.main  # noqa: F401 - all of the bot is in memory, as in life
from app.watcher import Watcher

PENDING = (1, 100, 10_000)
POLLS = 180
STEP = 30  # polls between two looks at the memory


def resident() -> float:
    """Megabytes of this process in memory, now."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def timed(watcher: Watcher) -> float:
    """Seconds of one poll."""
    began = time.perf_counter()
    await polled(watcher)
    return time.perf_counter() - began


async def stretch(microsoft: Canned, watcher: Watcher, pending: int) -> None:
    """The first poll, in which all are new, and one in which nothing is."""
    microsoft.hold(pending)
    first, again = await timed(watcher), await timed(watcher)
    print(f"poll of {pending:6,} pending:  all new {first * 1000:8.1f} ms   nothing new {again * 1000:8.1f} ms")


async def main() -> None:
    """Print both."""
    logging.disable(logging.CRITICAL)
    print(f"memory of the bot without any request: {resident():.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        for pending in PENDING:
            async with watching(Path(folder)) as (microsoft, watcher):
                await stretch(microsoft, watcher, pending)
                if pending == PENDING[-1]:
                    await keep_on(microsoft, watcher)


async def keep_on(microsoft: Canned, watcher: Watcher) -> None:
    """The same again and again: memory must not grow with it."""
    answer = len(microsoft.body) / 1e6
    print(f"memory with {PENDING[-1]:,} open requests: {resident():.0f} MB, {answer:.0f} MB of it the answer")
    for number in range(1, POLLS + 1):
        await polled(watcher)
        if number % STEP == 0:
            print(f"  after {number:3} polls back to back: {resident():.0f} MB")


if __name__ == "__main__":
    asyncio.run(main())
