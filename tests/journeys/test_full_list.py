"""Sixty requests wait and Microsoft shows fifty to a person: said so, nothing removed, nothing lost, and it ends."""

from __future__ import annotations

from itertools import product

import pytest
from journeys.driver import OLDER, Sandbox, Shown, only

from app.sandbox.roles import ROLES

SETTINGS = {"watch_as": "approvers"}
FULL, OVER = "Microsoft shows at most 50 to a person", "is complete again"
WAITING = 60


@pytest.fixture(scope="module", autouse=True)
def requests(own: Sandbox) -> list[str]:
    """Sixty for Entra roles, no two of the same person and role."""
    first = [row for row in own.requests() if row["kind"] == "entra"]
    taken = {(row["role"], row["requestor"]) for row in first}
    pairs = [pair for pair in product((role.name for role in ROLES.values()), ("rob", "rita")) if pair not in taken]
    more = [own.ask(requestor, role) for role, requestor in pairs[: WAITING - len(first)]]
    return [*(row["id"] for row in first), *more]


def pending(sandbox: Sandbox) -> int:
    """What `/pim` counts, without the two other desks, whose few requests just wait."""
    others = sum(row["kind"] != "entra" for row in sandbox.requests())
    return int(sandbox.command("ann", "").text.split(",")[0].removeprefix("Pending now: ")) - others


def notes(sandbox: Sandbox) -> list[Shown]:
    return [m for m in sandbox.channel() if m.kind == "pim_note" and (FULL in m.words or OVER in m.words)]


def test_a_full_list_is_said_once_in_the_channel_and_to_the_operator(own: Sandbox) -> None:
    own.until_note(FULL)
    own.until(lambda: notes(own), "a note in the channel")
    assert FULL in only(notes(own)).words
    assert own.ready()["status"] == "degraded"
    own.until(lambda: pending(own) == 50, "fifty known requests")


def test_a_decision_does_not_wait_behind_the_posts_of_a_flood(own: Sandbox) -> None:
    card = own.until(lambda: next((m for m in own.channel() if m.decidable), None), "the first card")
    assert "You approved" in own.approve("ann", card)
    request = card.words.split("ID ")[-1]
    own.ended(request, "Approved by Ann Alder")
    assert sum(message.kind == "pim_card" for message in own.channel()) < 45


def test_history_pages_through_everything_known_once(own: Sandbox) -> None:
    rows: list[str] = []
    page = own.command("ann", "history")
    while page.text not in rows:
        rows += page.text.splitlines()[1:]
        if OLDER not in page.buttons:
            break
        own.press("ann", page, OLDER)
        page = own.until(lambda page=page: turned(own, page), "the older page")
    assert len(rows) == len(set(rows)) >= 50


def test_the_end_of_a_full_list_brings_the_rest_and_ends_the_note(own: Sandbox, requests: list[str]) -> None:
    waiting = [id_ for id_ in requests if own.request(id_)["status"] == "PendingApproval"]
    for request in waiting[:15]:
        own.decide_in_portal(request, "cleo", "approve")
    own.until(lambda: OVER in only(notes(own)).words, "the end of the note")
    # One card a second: the list of the burst stands as long as some have none yet.
    own.until(lambda: own.ready()["status"] == "ok", "/readyz without notes", seconds=100)
    own.until(lambda: pending(own) == len(waiting) - 15, "the rest, and nothing else")
    assert "Approved, last 7 days: 16" in own.command("ann", "").text


def turned(sandbox: Sandbox, page: Shown) -> Shown | None:
    now = [note for note in sandbox.whispers("ann") if note.id == page.id and note.text != page.text]
    return now[0] if now else None
