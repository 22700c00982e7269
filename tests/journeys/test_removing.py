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
    sandbox.press(user, card, REMOVE)

    def top(kind: str, words: str) -> Shown | None:
        modal = sandbox.modal(user)
        return modal if modal is not None and modal.kind == kind and words in modal.words else None

    form = sandbox.until(lambda: top(REMOVE, ""), f"a form for {user}")
    sandbox.submit(user, form, "I pressed the wrong button", block="words")
    sandbox.until(lambda: top("pim_result", until), f"a modal of {user} that says {until!r}")


def test_a_mis_click_is_taken_back_by_who_has_the_right(shared: Sandbox) -> None:
    request, card = active(shared)
    take_away(shared, "ann", card, "A Privileged Role Administrator can take it away")
    assert shared.request(request)["active"] is not None
    take_away(shared, "ben", card, "Microsoft takes the role away now")
    shared.until(lambda: shared.request(request)["active"] is None, "Microsoft to take the role away")
    ended = shared.ended(request, "Taken away by Ben Brook")
    assert REMOVE not in ended.buttons
    shared.told("rob", "took away your role", "I pressed the wrong button")
