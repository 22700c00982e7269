"""Any story of people, portal, faults, time and crashes ends with Microsoft's truth; and each seeded defect shows.

`SOAK_STORIES` tells the soak how many stories to try.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from model.defects import DEFECTS
from model.model import model

STORIES = int(os.environ.get("SOAK_STORIES", "40"))
TRIED = 200  # stories in which a defect must show; most do within ten
COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)


def test_any_story_ends_with_microsofts_truth(sqlite_template: Path) -> None:
    run_state_machine_as_test(model(sqlite_template), settings=settings(COMMON, max_examples=6, stateful_step_count=25))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_many_long_stories_end_with_microsofts_truth(sqlite_template: Path) -> None:
    long = settings(COMMON, max_examples=STORIES, stateful_step_count=60)
    run_state_machine_as_test(model(sqlite_template), settings=long)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_the_model_finds_every_seeded_defect(sqlite_template: Path, defect: str) -> None:
    bites = settings(
        COMMON, max_examples=TRIED, stateful_step_count=30, phases=[Phase.generate], database=None, derandomize=True
    )
    seeded = DEFECTS[defect]
    mistaken = model(sqlite_template, seeded.rooms)
    with pytest.raises((AssertionError, Flaky)):
        run_state_machine_as_test(mistaken, settings=bites)
    assert any(words in found for found in mistaken.FOUND for words in seeded.found_by), mistaken.FOUND
