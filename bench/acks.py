"""How fast a click is acknowledged with its durable row, beside a bare Bolt app that only acknowledges, in one run.

Both run as processes of their own behind uvicorn on loopback. Every point is bounded to a few seconds. Nothing here
asserts: it prints figures and their ratio.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

SECONDS = 3.0  # per point
CONCURRENCY = (1, 16, 64)
PACED = 100  # clicks a second, the rate of the quality bar
READY_WITHIN = 30.0  # seconds
REST = 10.0  # seconds between points, in which the bot answers the clicks that it has taken
BARE = """
import sys, uvicorn
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
async def authorize():
    return AuthorizeResult(enterprise_id=None, team_id="T", bot_id="B", bot_user_id="U", bot_token="x")
bolt = AsyncApp(signing_secret=sys.argv[2], authorize=authorize, process_before_response=True)
async def only_ack(ack):
    await ack()
bolt.action("pim_approve")(only_ack)
app = AsyncSlackRequestHandler(bolt)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="error")
"""


@dataclass(frozen=True)
class Target:
    """A server under load: where it listens, and what a click must carry to be believed."""

    url: str
    secret: str
    app: str
    team: str


@dataclass(frozen=True)
class Point:
    """What one point measured: clicks a second, and latencies in milliseconds."""

    rate: float
    latencies: list[float]
    failed: int

    def shown(self) -> str:
        """One cell of the table."""
        p50, p95, p99 = (percentile(self.latencies, share) for share in (0.5, 0.95, 0.99))
        wrong = f"  {self.failed} FAILED" if self.failed else ""
        return f"{self.rate:7.0f}/s  p50 {p50:6.2f}  p95 {p95:6.2f}  p99 {p99:6.2f} ms{wrong}"


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def click(target: Target, number: int) -> tuple[bytes, dict[str, str]]:
    """A signed press on a card that does not exist: gate, place, durable row, ack, and one look-up behind it."""
    payload = {
        "type": "block_actions",
        "api_app_id": target.app,
        "team": {"id": target.team, "domain": "bench"},
        "user": {"id": "U0ANNALDER", "team_id": target.team},
        "container": {"type": "message", "channel_id": "C0APPROVE1", "message_ts": "1.1"},
        "trigger_id": f"{number}.bench",
        "actions": [
            {"type": "button", "action_id": "pim_approve", "block_id": "pim_x", "value": "t", "action_ts": f"{number}"}
        ],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    now = str(int(time.time()))
    mac = hmac.new(target.secret.encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256).hexdigest()
    return body, {
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={mac}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def press(session: aiohttp.ClientSession, target: Target, number: int) -> tuple[float, bool]:
    """One click: its latency in milliseconds, and whether it was acknowledged."""
    body, headers = click(target, number)
    started = time.perf_counter()
    async with session.post(f"{target.url}/slack/events", data=body, headers=headers) as response:
        await response.read()
        return (time.perf_counter() - started) * 1000, response.ok


async def closed_loop(target: Target, workers: int, numbers: Callable[[], int]) -> Point:
    """So many clients, each pressing again as soon as it was answered."""
    results: list[tuple[float, bool]] = []
    until = time.perf_counter() + SECONDS

    async with aiohttp.ClientSession() as session:

        async def worker() -> None:
            while time.perf_counter() < until:
                results.append(await press(session, target, numbers()))

        await asyncio.gather(*(worker() for _ in range(workers)))
    return measured(results, SECONDS)


async def paced(target: Target, numbers: Callable[[], int]) -> Point:
    """A steady rate, whatever the answers take."""
    async with aiohttp.ClientSession() as session:
        tasks = []
        for _ in range(int(PACED * SECONDS)):
            tasks.append(asyncio.create_task(press(session, target, numbers())))
            await asyncio.sleep(1 / PACED)
        return measured(list(await asyncio.gather(*tasks)), SECONDS)


def measured(results: list[tuple[float, bool]], seconds: float) -> Point:
    """Fold single results into a point."""
    return Point(len(results) / seconds, [ms for ms, _ in results], sum(not acked for _, acked in results))


def free_port() -> int:
    """A port nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def process(*command: str) -> AsyncIterator[None]:
    """A child that is ended by its own id."""
    quiet = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        child.send_signal(signal.SIGINT)
        await asyncio.wait_for(child.wait(), 20)


async def answering(url: str) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + READY_WITHIN
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)


@asynccontextmanager
async def ours() -> AsyncIterator[Target]:
    """The bot, as a process, against the emulated world."""
    world, bot = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "app", "sandbox", "--no-browser", "--port", str(world))
        async with process(*command, "--bot-port", str(bot), "--data", folder):
            await answering(f"http://127.0.0.1:{bot}/healthz")
            async with aiohttp.ClientSession() as session:
                told = await (await session.get(f"http://127.0.0.1:{world}/control/settings")).json()
            secret = told["env"]["PIM_SLACK_SIGNING_SECRET"]
            yield Target(f"http://127.0.0.1:{bot}", secret, told["app_id"], told["team"])


@asynccontextmanager
async def bare() -> AsyncIterator[Target]:
    """A Bolt app that does nothing but acknowledge."""
    port = free_port()
    async with process(sys.executable, "-c", BARE, str(port), "secret"):
        await answering(f"http://127.0.0.1:{port}/")
        yield Target(f"http://127.0.0.1:{port}", "secret", "A", "T")


async def main() -> None:
    """Measure both at each point, one right after the other, and print them side by side."""
    numbers = itertools.count(time.time_ns()).__next__
    async with ours() as mine, bare() as theirs:
        for target in (mine, theirs):
            await closed_loop(target, 4, numbers)
        print(f"{'':14}  {'ours: gate, durable row, ack':58}  bare Bolt: ack only")
        ratios = []
        for workers in CONCURRENCY:
            pair = [await closed_loop(target, workers, numbers) for target in (theirs, mine)][::-1]
            await shown(f"{workers} at once", pair)
            ratios.append(pair[0].rate / pair[1].rate)
        await shown(f"{PACED} a second", [await paced(target, numbers) for target in (theirs, mine)][::-1])
        words = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"throughput, ours / bare: {words} (median {statistics.median(ratios):.2f})")


async def shown(name: str, pair: list[Point]) -> None:
    """Print a line, then let the bot answer the clicks it has taken."""
    print(f"{name:14}  {pair[0].shown():58}  {pair[1].shown()}")
    await asyncio.sleep(REST)


if __name__ == "__main__":
    asyncio.run(main())
