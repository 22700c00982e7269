"""The suite on several workers: nothing is left out, and what takes long begins at once and stays with one worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shares import PLAYED, Shares, share_of, workers_for

ROOT = Path(__file__).parents[1]
STORY = ["tests/journeys/test_story.py::test_a[sqlite::x]", "tests/journeys/test_crashes.py::test_b"]
OTHERS = ["tests/journeys/test_api.py::test_c", "tests/browser/test_story_in_browser.py::test_d"]
RULES = [f"tests/domain/test_risk.py::test_rule[{n}]" for n in range(9)]
TEXTS = ["tests/blocks/test_text.py::test_c", "tests/blocks/test_text.py::TestMarks::test_d"]
COLLECTED = [*TEXTS, *RULES, *OTHERS, *STORY]


@dataclass(eq=False)
class Worker:
    """A worker as the library sees it; it notes what it is given."""

    gateway: SimpleNamespace
    given: list[str] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.given += [COLLECTED[n] for n in indexes]

    def shutdown(self) -> None:
        self.shutting_down = True


def shared_out() -> list[list[str]]:
    """What three workers are given that run it until nothing is left."""
    config: Any = SimpleNamespace(option=SimpleNamespace(loadscopereorder=True), getvalue=lambda _: ["popen"] * 3)
    shares, workers = Shares(config), [Worker(SimpleNamespace(id=str(n))) for n in range(3)]
    for worker in workers:
        node: Any = worker
        shares.add_node(node)
        shares.add_node_collection(node, COLLECTED)
    shares.schedule()
    done: set[str] = set()
    while shares.has_pending:
        for worker in workers:
            for test in [test for test in worker.given if test not in done]:
                done.add(test)
                shares.mark_test_complete(worker, COLLECTED.index(test))  # type: ignore[arg-type] # a double
    return [worker.given for worker in workers]


def test_every_test_is_run_once() -> None:
    assert sorted(test for given in shared_out() for test in given) == sorted(COLLECTED)


def test_what_takes_long_begins_at_once_and_stays_with_one_worker() -> None:
    first, second, third = shared_out()
    assert (first[:2], second[:2], third[:9]) == (STORY, OTHERS, RULES)


def test_all_that_look_at_scenes_are_known() -> None:
    """Else two workers would play all of them."""
    journeys = (ROOT / "tests" / "journeys").glob("test_*.py")
    assert {str(path.relative_to(ROOT)) for path in journeys if "\nSCENES" in path.read_text()} == set(PLAYED)


@pytest.mark.parametrize("test", TEXTS)
def test_a_file_is_a_share(test: str) -> None:
    assert share_of(test) == "tests/blocks/test_text.py"


def test_workers_are_for_the_whole_of_the_tests_only() -> None:
    assert workers_for(["tests"], ["tests"]) == 3
    assert workers_for(["tests/domain/test_risk.py"], ["tests"]) == 0
