"""Which worker runs what when all tests run: two hooks of pytest-xdist. They decide nothing about a test itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

WORKERS = 3  # for two cores: two of them mostly wait for processes that they started
PROCESSES = ("tests/journeys/", "tests/browser/")
PLAYED = tuple(f"tests/journeys/test_{name}.py" for name in ("crashes", "every_desk", "graph_faults", "story"))


def workers_for(asked: Sequence[str], everything: Sequence[str]) -> int:
    """How many workers these paths are worth: a few files are sooner done without any."""
    return WORKERS if list(asked) == list(everything) else 0


def share_of(test: str) -> str:
    """What a test must stay together with, by its node id.

    Of the tests that start processes, those that look at scenes are one share, since each worker would play all scenes
    again. The others are one more, so that never more than these two starve each other. Any other file is by itself.
    """
    if test.startswith(PLAYED):
        return "scenes"
    return "processes" if test.startswith(PROCESSES) else test.partition("::")[0]


class Shares(LoadScopeScheduling):
    """Large shares first, as it finds them; before them all the two that no other worker can shorten."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:  # noqa: ANN401 - the library's
        for long in ("processes", "scenes"):
            if long in self.workqueue:
                self.workqueue.move_to_end(long, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means here."""
    return workers_for(config.args, config.getini("testpaths"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:  # noqa: ANN401 - the library's
    """Who hands out the tests."""
    return Shares(config, log)
