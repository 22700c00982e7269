"""The log of a real bot: JSON, and one correlation from a click to what Microsoft called its answer."""

from __future__ import annotations

import json
from typing import Any

from journeys.driver import Sandbox


def lines(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every line of the bot's log; one that is not JSON would fail."""
    return [json.loads(line) for line in sandbox.log.read_text(encoding="utf-8").splitlines()]


def with_field(sandbox: Sandbox, name: str, after: int) -> list[dict[str, Any]]:
    return [line for line in lines(sandbox)[after:] if line.get(name)]


def test_a_click_is_found_again_from_slack_to_microsoft(shared: Sandbox) -> None:
    before = len(lines(shared))
    _, card = shared.waiting()
    assert "approved" in shared.approve("ann", card)
    (sent,) = with_field(shared, "request_id", before)

    def answered() -> list[dict[str, Any]]:
        told = with_field(shared, "outcome", before)
        return [line for line in told if line["correlation"] == sent["correlation"]]

    (told,) = shared.until(answered, "the end of the delivery")
    people = {person["id"]: person["slack"] for person in shared.world()["people"]}
    assert (told["slack_user"], told["outcome"]) == (people["ann"], "done")
    assert sent["client_request_id"]
