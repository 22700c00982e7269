"""schemathesis against our own OpenAPI, over loopback and with a token: examples that fit, and examples that do not."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from api_rig import ApiRig

SEED = 20261123


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and what it said."""

    code: int
    words: str


# A digest that does not fit is a fair question too.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "5xx"]
"""
NAMED = """
[parameters]
"path.id" = "{}"
"""


async def run(
    api: ApiRig, folder: Path, examples: int, request_id: str = "", *, phases: str = "examples,coverage,fuzzing"
) -> Outcome:
    """One run as Ann, an auditor, with so many examples for each operation.

    `request_id` is asked about in place of made-up ones.
    """
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG + (NAMED.format(request_id) if request_id else ""), encoding="utf-8")
    async with _served(api) as url:
        command = ["--config-file", str(config), "run", f"{url}/openapi.json", "-H", "Authorization: Bearer ann.audit"]
        bounds = ["--max-examples", str(examples), "--seed", str(SEED), "--phases", phases]
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", *command, *bounds),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await child.communicate()
    return Outcome(child.returncode or 0, said.decode())


@asynccontextmanager
async def _served(api: ApiRig) -> AsyncIterator[str]:
    """The API on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(api.door, lifespan="off", log_level="critical", log_config=None))
        serving = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving
