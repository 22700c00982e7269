"""How fast history leaves as a file, and whether memory stays flat: ten thousand rows beside many, in one run.

`python bench/exporting.py [ROWS]` fills a database of its own with copies of one decided request and runs the real
command on it, as a process. Prints rows a second and the peak of resident memory for both sizes.
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from build import a_request, seen  # noqa: E402 - found by the path above
from sqlalchemy import insert, select  # noqa: E402 - the same

from app.domain.request import Status  # noqa: E402 - the same
from app.store.audit import AuditTrail  # noqa: E402 - the same
from app.store.engine import open_engine  # noqa: E402 - the same
from app.store.migrate import upgrade  # noqa: E402 - the same
from app.store.remember import Posting  # noqa: E402 - the same
from app.store.request_book import StoredRequests  # noqa: E402 - the same
from app.store.tables import requests  # noqa: E402 - the same
from app.store.writer import Store  # noqa: E402 - the same

SMALL, MANY = 10_000, 1_000_000
CHUNK = 5000
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
GUID = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"


def main() -> None:
    """Both sizes, and the ratio of their memories."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    peaks = [_measured(rows) for rows in (SMALL, many)]
    print(f"memory of {many} rows / of {SMALL}: {peaks[1] / peaks[0]:.2f}")


def _measured(rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/pim.db"
        asyncio.run(_fill(url, rows))
        began = time.monotonic()
        command = [sys.executable, "-m", "app", "history", "export", "--format", "jsonl"]
        with Path(folder, "out").open("wb") as out:
            process = subprocess.Popen(command, stdout=out, env=_environment(url), cwd=ROOT)  # noqa: S603 - our own
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        with Path(folder, "out").open("rb") as written:
            lines = sum(1 for _ in written)
        if status or lines != rows + 1:
            raise SystemExit(f"exit {status}, {lines} lines")
    peak = usage.ru_maxrss / 1024
    print(f"{rows} rows: {seconds:.1f} s, {rows / seconds:.0f} rows a second, at most {peak:.0f} MB")
    return peak


async def _fill(url: str, rows: int) -> None:
    await upgrade(url)
    store = Store(open_engine(url))
    try:
        book = StoredRequests(store, AuditTrail(store, b"bench"), Posting("C1", str, str))
        await book.remember([seen(a_request(), stale=True)], FIRST)
        model = await store.read(_model)
        for start in range(0, rows, CHUNK):
            copies = [_copy(model, number) for number in range(start, min(start + CHUNK, rows)) if number]
            await store.write(lambda connection, copies=copies: connection.execute(insert(requests), copies))
    finally:
        await store.aclose()


async def _model(connection: Any) -> dict[str, Any]:  # noqa: ANN401 - a bench
    return dict((await connection.execute(select(requests))).mappings().one())


def _copy(model: dict[str, Any], number: int) -> dict[str, Any]:
    own = {"id": f"{number:036}", "requested": FIRST + timedelta(seconds=number), "status": Status.DENIED}
    return {**model, **own, "decided_at": FIRST + timedelta(seconds=number + 60), "decided_where": "slack"}


def _environment(url: str) -> dict[str, str]:
    values = {
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "bench",
        "SLACK_CLIENT_ID": "123.456",
        "SLACK_CLIENT_SECRET": "bench",
        "APPROVERS_CHANNEL": "C0123456789",
        "TENANT_ID": GUID,
        "CLIENT_ID": GUID,
        "CLIENT_SECRET": "bench",
        "PUBLIC_URL": "https://pim.example.com",
        "DATABASE_URL": url,
        "KEYS": f"k1:{base64.urlsafe_b64encode(b'bench key of 32 bytes, no secret').decode()}",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIM_")}
    return kept | {f"PIM_{name}": value for name, value in values.items()}


if __name__ == "__main__":
    main()
