"""What our OpenAPI promises, tried out: statuses, headers, shapes are documented, and what does not fit is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_rig import ApiRig
from build import REPORTS_READER, a_request
from openapi_run import run
from people import ann
from use_cases.house import House

from app.api.buckets import Rate
from app.domain.request import PolicyFacts
from app.domain.risk import Level, Risk

NO_LIMIT = Rate(burst=10**9, per_second=1.0)


@pytest.fixture
def api(house: House) -> ApiRig:
    """Nobody calls too often here: a 429 would hide what is behind it."""
    return ApiRig(house, reads=NO_LIMIT, decides=NO_LIMIT)


async def test_the_api_keeps_what_its_page_promises(api: ApiRig, house: House, tmp_path: Path) -> None:
    optional = PolicyFacts(comment_required=False)
    request = await house.ask(a_request(role=REPORTS_READER), approvers=(ann,), risk=Risk(Level.LOW), policy=optional)
    outcome = await run(api, tmp_path, 20, request.key.id, phases="fuzzing")
    assert outcome.code == 0, outcome.words
    assert "Tested: 7" in outcome.words
    assert len(house.desk.sent) == 1  # it was decided once, and refused ever after


async def test_a_broken_promise_would_be_found(api: ApiRig, house: House, tmp_path: Path) -> None:
    await house.ask()
    house.caller_lookups.book = Broken()
    outcome = await run(api, tmp_path, 1, phases="fuzzing")
    assert outcome.code == 1
    assert "500" in outcome.words


class Broken:
    """A defect."""

    def __getattr__(self, name: str) -> object:
        raise ZeroDivisionError
