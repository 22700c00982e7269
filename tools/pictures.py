"""Makes the pictures of README and docs from the sandbox, so that none is older than what it shows.

It starts a sandbox of its own, lets Ann sign in and decide, and photographs the page; then `gallery` takes every form,
list, message and state. Nothing is drawn by hand.
"""

from __future__ import annotations

import shutil
import sys
from typing import Any

from camera import (
    DIALOG,
    PHONE,
    PICTURES,
    TALL,
    TALL_PHONE,
    WIDE,
    box_of,
    opened,
    photograph,
    photograph_form,
    place,
    save,
    save_moving,
    shot,
    show,
    talk,
)
from gallery import take_drawings, take_talk
from living import World, sandbox
from playwright.sync_api import Browser, Page, sync_playwright

BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is needed for pictures: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sandbox() as world, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=list(BROWSER_FLAGS))
        approved = take_story(browser, world)
        take_talk(browser, world, approved)
        take_drawings(browser, world)
        browser.close()


def take_story(browser: Browser, world: World) -> str:
    """The channel, a card, the form, what became of it, App Home, direct messages, a phone; and all of it moving.

    Returns the ts of the card that was approved.
    """
    entra, azure = world.card("Global Administrator"), world.card("Owner on")
    page = opened(browser, WIDE)
    show(page, world, "ann", entra["ts"])
    frames = [shot(page)]
    card = page.locator(place(entra["ts"]))
    photograph(page, card, "card.png")
    photograph(page, page.locator(place(azure["ts"])), "card-azure.png")
    phone(browser, world, "ben", entra["ts"])
    world.post("sign-in", user="ann")
    form(browser, world, entra)
    frames += decide(page, world, entra)
    photograph(page, card, "card-approved.png")
    frames.append(told(browser, world))
    save_moving(frames, "story.gif")
    for viewport, name in ((TALL, "home.png"), (TALL_PHONE, "home-phone.png")):
        home(opened(browser, viewport), world, name)
    return str(entra["ts"])


def form(browser: Browser, world: World, card: dict[str, Any]) -> None:
    """The whole form of an approval, in a window that is tall enough."""
    page = opened(browser, TALL)
    show(page, world, "ann", card["ts"])
    press_approve(world, card)
    photograph_form(page, "form.png")
    page.keyboard.press("Escape")
    page.wait_for_selector(DIALOG, state="detached")


def press_approve(world: World, card: dict[str, Any]) -> None:
    """Ann's click on a card."""
    world.post("click", user="ann", action_id="pim_approve", channel=card["channel"], ts=card["ts"])


def decide(page: Page, world: World, card: dict[str, Any]) -> list[bytes]:
    """Ann approves, and waits until Microsoft says that the role is active; a frame of each step."""
    press_approve(world, card)
    dialog = page.locator(DIALOG)
    dialog.locator("textarea").fill("INC-20391 is open; go ahead")
    frames = [shot(page)]
    dialog.get_by_role("button", name="Approve", exact=True).click()
    page.wait_for_selector(f"{DIALOG} >> text=You approved")
    frames.append(shot(page))
    save(dialog.screenshot(), "outcome.png")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{place(card['ts'])} >> text=Active since")
    box_of(page.locator(place(card["ts"])))
    return [*frames, shot(page)]


def told(browser: Browser, world: World) -> bytes:
    """What the requestor reads, beside the role that counts down."""
    page = opened(browser, WIDE)
    talk(page, world, "rob")
    message = page.locator("article.message").filter(has_text="Approved").last
    photograph(page, message, "requestor.png")
    return shot(page)


def home(page: Page, world: World, name: str) -> None:
    """Ann's App Home, whole."""
    talk(page, world, "ann")
    page.get_by_role("button", name="Home", exact=True).click()
    page.wait_for_selector("text=Requests you decided")
    photograph(page, page.locator(".home"), name)
    page.context.close()


def phone(browser: Browser, world: World, person: str, ts: str) -> None:
    """The whole window of a phone."""
    page = opened(browser, PHONE)
    show(page, world, person, ts)
    save(page.screenshot(), "phone.png")


if __name__ == "__main__":
    main()
