"""Long scenes, played in the background: their tests only look at how they ended.

A module lists its scenes as `SCENES`, by name. Each is played once, on a sandbox of its own that stays up until the
module's tests have looked.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from journeys.driver import ROOT, Sandbox, environment, running

from app.sandbox.bot_process import bot_environment
from app.sandbox.people import Settings

ACTORS = 3  # scenes played at the same time, while the tests wait; more would starve the machine

Scene = Callable[["Stage"], Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one scene is played; `new_database` gives the address of an empty PostgreSQL database."""

    folder: Path
    new_database: Callable[[], str]
    stack: ExitStack = field(default_factory=ExitStack)

    def sandbox(self, *signed_in: str, **settings: str) -> Sandbox:
        """A sandbox that lives as long as the stage, these people signed in."""
        sandbox = self.stack.enter_context(running(self.folder, **settings))
        sandbox.signed_in(*signed_in)
        return sandbox

    def postgresql(self) -> str:
        """A PostgreSQL database, brought up to date as an operator does it."""
        url = self.new_database()
        env = environment() | bot_environment(Settings(), self.folder, environment(database_url=url))
        command = [sys.executable, "-m", "app", "db", "upgrade"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        assert done.returncode == 0, done.stderr
        return url


@dataclass(slots=True)
class Scenes:
    """All scenes of this session, by module and name."""

    new_stage: Callable[[], Stage]
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ACTORS))
    played: dict[tuple[str, str], tuple[Stage, Future[Any]]] = field(default_factory=dict)

    def begin(self, module: str, scenes: Mapping[str, Scene]) -> None:
        """Have them played as soon as an actor is free."""
        for name, scene in scenes.items():
            stage = self.new_stage()
            self.played[module, name] = (stage, self.pool.submit(scene, stage))

    def watch(self, module: ModuleType, name: str) -> Iterator[Any]:
        """How the scene ended, and its sandbox still there; a body for a fixture."""
        stage, scene = self.played[module.__name__, name]
        with stage.stack:
            yield scene.result()

    def close(self) -> None:
        """End whatever nobody came to watch."""
        self.pool.shutdown(cancel_futures=True)
        for stage, _ in self.played.values():
            stage.stack.close()
