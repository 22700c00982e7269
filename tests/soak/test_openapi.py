"""A long run of what `tests/api/test_openapi.py` does: every phase, with made-up ids and with one that exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_rig import ApiRig
from build import NOW, REPORTS_READER, a_request
from openapi_run import run
from people import ann
from use_cases.house import House

from app.api.buckets import Rate
from app.domain.request import PolicyFacts
from app.domain.risk import Level, Risk
from app.store.writer import Store

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
NO_LIMIT = Rate(burst=10**9, per_second=1.0)
EXAMPLES = 150  # for each operation


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_the_api_keeps_what_its_page_promises(store: Store, tmp_path: Path, known: bool) -> None:  # noqa: FBT001 - both
    house = House(store)
    low, optional = Risk(Level.LOW), PolicyFacts(comment_required=False)
    for minutes in range(30):
        made = a_request(role=REPORTS_READER, created=NOW.replace(minute=minutes))
        request = await house.ask(made, approvers=(ann,), risk=low, policy=optional)
    api = ApiRig(house, reads=NO_LIMIT, decides=NO_LIMIT)
    outcome = await run(api, tmp_path, EXAMPLES, request.key.id if known else "")
    assert outcome.code == 0, outcome.words
    assert "Tested: 7" in outcome.words
