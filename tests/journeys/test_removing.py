"""Remove access, end to end: who may not is told who can, and who may ends the role for everybody to see."""

from __future__ import annotations

from journeys.driver import Sandbox, Shown

REMOVE = "pim_remove"


def active(sandbox: Sandbox) -> tuple[str, Shown]:
    """A request that Ann approved, and its card once Microsoft shows the role as held."""
    request, card = sandbox.waiting()
    sandbox.submit("ann", sandbox.form("ann", card), "Looks right")
    assert "You approved" in sandbox.outcome("ann")
    sandbox.ended(request, "Active since")
    return request, sandbox.until(
        lambda: next((card for card in sandbox.cards(request) if REMOVE in card.buttons), None), "the way back"
    )


def take_away(sandbox: Sandbox, user: str, card: Shown, until: str) -> None:
    form = sandbox.form(user, card, REMOVE)
    sandbox.post("submit", {"user": user, "view_id": form.id, "values": {"words": "I pressed the wrong button"}})

    def said() -> bool:
        modal = sandbox.modal(user)
        return modal is not None and until in modal.words

    sandbox.until(said, f"a form of {user} that says {until!r}")


def test_a_mis_click_is_taken_back_by_who_has_the_right(shared: Sandbox) -> None:
    request, card = active(shared)
    take_away(shared, "ann", card, "A Privileged Role Administrator can take it away")
    assert shared.request(request)["active"] is not None
    take_away(shared, "ben", card, "Microsoft takes the role away now")
    assert shared.request(request)["active"] is None
    ended = shared.ended(request, "Taken away by Ben Brook")
    assert REMOVE not in ended.buttons
    shared.told("rob", "took away your role", "I pressed the wrong button")
