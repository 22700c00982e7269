"""Figures over the wire: what a real bot tells Prometheus of what just happened."""

from __future__ import annotations

from journeys.calling import Caller
from journeys.driver import Sandbox
from prometheus_client.parser import text_string_to_metric_families


def figures(sandbox: Sandbox) -> dict[str, float]:
    """Every sample, by name and the values of its labels."""
    answer = sandbox.http.get(f"{sandbox.settings['bot_url']}/metrics")
    assert answer.is_success, answer.text
    return {
        f"{one.name}{sorted(one.labels.values()) or ''}": one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_what_happens_shows_in_the_figures(shared: Sandbox) -> None:
    before = figures(shared)
    request, card = shared.waiting()
    assert "approved" in shared.approve("ann", card)
    other, _ = shared.waiting()
    assert Caller(shared, "cleo").approve(other).status_code == 200
    shared.ended(request, "Approved by Ann Alder in Slack")
    after = figures(shared)
    grown = {name for name, value in after.items() if value > before.get(name, 0)}
    assert grown >= {
        "pim_click_to_final_seconds_count['done', 'slack']",
        "pim_click_to_final_seconds_count['api', 'done']",
        "pim_polls_total['answered', 'entra']",
    }
    assert after["pim_request_to_card_seconds_count"] > 0
    assert (after["pim_lease_held"], after["pim_database_up"]) == (1, 1)
    assert after["pim_links['active']"] >= 2
