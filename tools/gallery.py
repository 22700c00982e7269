"""The pictures of docs/cards.md: every drawing the tests hold, and forms, lists and direct messages of a real run."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from camera import DIALOG, TALL, TALL_PHONE, opened, photograph, photograph_form, place, show, talk
from living import World
from playwright.sync_api import Browser, Page

GOLDEN = Path(__file__).parent.parent / "tests" / "blocks" / "golden"
GOLDEN_NOW = "2026-11-23T09:05:00Z"  # the time of day in the golden drawings
SCREEN = 645 - 22  # points that one screen of Slack shows of a channel, less the sender's name
SHOWN_AS = "rita"  # the drawings are posted to her
# By the picture's name: the golden drawing it shows.
STATES = {
    "pending": "pending_critical",
    "pending-known": "pending_known",
    "first-use": "pending_first_use",
    "again": "pending_again",
    "starts-later": "pending_starts_later",
    "looking": "pending_looked_at",
    "asked": "pending_answered",
    "away": "pending_everybody_away",
    "last-minutes": "pending_last_minutes",
    "deciding": "deciding",
    "verifying": "pending_verifying",
    "scheduled": "approved_scheduled",
    "active": "approved",
    "removing": "approved_being_removed",
    "removed": "approved_removed",
    "ended": "approved_ended",
    "ended-early": "approved_early",
    "in-portal": "approved_in_portal",
    "denied": "denied",
    "expired": "expired",
    "canceled": "canceled",
    "failed": "failed",
    "needs-portal": "undecidable",
    "nobody-approves": "nobody_approves",
    "uncheckable": "uncheckable",
}
# Messages of their own, at a phone's width.
MESSAGES = {
    "own-pending": "own/pending",
    "own-nudged": "own/nudged",
    "own-deciding": "own/deciding",
    "own-dying": "own/dying",
    "own-approved": "own/approved",
    "own-denied": "own/denied",
    "own-expired": "own/expired",
    "own-ending": "own/ending",
    "reminder": "directs/pending_last_minutes",
    "reminders": "directs/several",
    "weekly": "weekly/busy",
}
# What only the asker sees, by the picture's name.
COMMANDS = {"overview": "", "waiting": "pending", "history": "history", "decided": "approved", "sign-in": "sign-in"}


# --- drawings that the tests hold ---


def take_drawings(browser: Browser, world: World) -> None:
    """Each state as wide as on a desk and as narrow as on a phone; one that is taller than a screen is named."""
    states = {f"state-{name}": world.say_to(SHOWN_AS, drawing(golden)) for name, golden in STATES.items()}
    messages = {name: world.say_to(SHOWN_AS, drawing(golden)) for name, golden in MESSAGES.items()}
    for viewport, shown, suffix in ((TALL, states, ""), (TALL_PHONE, states, "-phone"), (TALL_PHONE, messages, "")):
        page = opened(browser, viewport, at=GOLDEN_NOW)
        talk(page, world, SHOWN_AS)
        for name, ts in shown.items():
            height = photograph(page, page.locator(place(ts)), f"{name}{suffix}.png")
            if height > SCREEN:
                sys.stderr.write(f"{name}{suffix}: {height:.0f} points below the sender; one screen has {SCREEN}\n")
        page.context.close()


def drawing(golden: str) -> dict[str, Any]:
    """The message as the bot's own tests hold it."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{golden}.json").read_text(encoding="utf-8"))
    return found


# --- forms, lists and direct messages of a real run ---


def take_talk(browser: Browser, world: World, approved: str) -> None:
    """What Ann and Rob see at a phone's width once Ann is signed in; `approved` is the card of an active role."""
    waiting = world.card("Owner on")["ts"]
    ann, rob = opened(browser, TALL_PHONE), opened(browser, TALL_PHONE)
    show(ann, world, "ann", waiting)
    forms(ann, waiting, approved)
    ask(ann, waiting)
    answer(rob, world)
    lists(ann)
    world.post("command", user="ann", text="history 7d export")
    talk(ann, world, "ann")
    for name, words in {"answer": "answers about", "export": ".csv", "signed-in": "You are signed in"}.items():
        photograph(ann, said(ann, words), f"{name}.png")


def forms(page: Page, waiting: str, approved: str) -> None:
    """Each form that a card opens, and that of one's settings."""
    for name, ts, button in (
        ("form-phone", waiting, "Approve"),
        ("form-deny", waiting, "Deny"),
        ("form-remove", approved, "Remove"),
    ):
        page.locator(place(ts)).get_by_role("button", name=re.compile(f"^{button} ")).click()
        photograph_form(page, f"{name}.png")
        close(page)
    choose(page, waiting, "Details")
    page.wait_for_selector(f"{DIALOG} >> text=Justification")
    photograph(page, page.locator(DIALOG), "details.png")
    close(page)
    typed(page, "settings")
    photograph_form(page, "form-settings.png")
    close(page)


def ask(page: Page, waiting: str) -> None:
    """A question to the requestor."""
    choose(page, waiting, "Ask the requestor…")
    page.locator(f"{DIALOG} textarea").fill("Which vaults, and who holds the old keys?")
    photograph_form(page, "form-ask.png")
    page.locator(DIALOG).get_by_role("button", name="Send").click()
    page.locator(place(waiting)).filter(has_text="asked the requestor").wait_for()
    close(page)


def answer(page: Page, world: World) -> None:
    """The question as Rob gets it, and his answer."""
    talk(page, world, "rob")
    question = said(page, "asks about your request")
    photograph(page, question, "question.png")
    question.get_by_role("button", name=re.compile("^Answer")).click()
    page.locator(f"{DIALOG} textarea").fill("kv-prod and kv-pay; nobody but the contractor")
    photograph_form(page, "form-answer.png")
    page.locator(DIALOG).get_by_role("button", name="Send").click()
    page.wait_for_timeout(2000)  # what follows is drawn in another window
    close(page)


def lists(page: Page) -> None:
    """What the commands answer, each once it is there."""
    for name, words in COMMANDS.items():
        answers = page.locator("article.only-you")
        before = answers.count()
        typed(page, words)
        answers.nth(before).wait_for()
        photograph(page, answers.last, f"list-{name}.png")


def said(page: Page, words: str) -> Any:  # noqa: ANN401 - a Locator
    """The last message that says so."""
    return page.locator("article.message").filter(has_text=words).last


def typed(page: Page, words: str) -> None:
    """`/pim` with these words."""
    page.get_by_label("Message, or a command").fill(f"/pim {words}".strip())
    page.keyboard.press("Enter")


def choose(page: Page, ts: str, words: str) -> None:
    """Something of the menu beside a card's buttons."""
    page.locator(place(ts)).get_by_label("More actions").click()
    page.locator(place(ts)).get_by_role("button", name=words).click()


def close(page: Page) -> None:
    """Put away whatever form is open."""
    while page.locator(DIALOG).count():
        page.keyboard.press("Escape")
        page.wait_for_timeout(200)
