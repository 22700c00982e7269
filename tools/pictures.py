"""Makes the pictures of README and docs from the sandbox, so that none is older than what it shows.

It starts a sandbox of its own, lets Ann sign in and decide, and photographs the page. Nothing is drawn by hand.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from living import World, sandbox
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
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
WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
COLOURS = 64
FRAME_MS = 2600
_SCROLL = """at => {
  const message = document.querySelector(at);
  message.scrollIntoView({block: "center"});
  return message.getBoundingClientRect().toJSON();
}"""


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is needed for pictures: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sandbox() as world, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=list(BROWSER_FLAGS))
        take_story(browser, world)
        browser.close()


# --- the story of the README ---


def take_story(browser: Browser, world: World) -> None:
    """The channel, a card, the form, what became of it, App Home, direct messages, a phone; and all of it moving."""
    entra, azure = world.card("Global Administrator"), world.card("Owner on")
    page = opened(browser, WIDE, scale=1)
    show(page, world, "ann", entra["ts"])
    frames = [shot(page)]
    photograph(page, entra["ts"], "card.png")
    photograph(page, azure["ts"], "card-azure.png")
    phone(browser, world, "ben", entra["ts"], "phone.png")
    frames += decide(page, world, entra)
    photograph(page, entra["ts"], "card-approved.png")
    frames.append(told(browser, world))
    save_moving(frames, "story.gif")
    home(page, "home.png")
    narrow = opened(browser, PHONE, scale=1)
    narrow.goto(f"{world.url}/?user=ann")
    narrow.get_by_role("button", name="Channels").click()
    home(narrow, "home-phone.png")


def decide(page: Page, world: World, card: dict[str, Any]) -> list[bytes]:
    """Ann approves, and waits until Microsoft says that the role is active; a frame of each step."""
    world.post("sign-in", user="ann")
    world.post("click", user="ann", action_id="pim_approve", channel=card["channel"], ts=card["ts"])
    dialog = page.locator("dialog[open]")
    dialog.locator("textarea").wait_for()
    save(dialog.screenshot(), "form.png")
    dialog.locator("textarea").fill("INC-20391 is open; go ahead")
    frames = [shot(page)]
    dialog.get_by_role("button", name="Approve", exact=True).click()
    page.wait_for_selector("dialog[open] >> text=You approved")
    frames.append(shot(page))
    save(dialog.screenshot(), "outcome.png")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{place(card['ts'])} >> text=Active since")
    box_of(page, card["ts"])
    return [*frames, shot(page)]


def told(browser: Browser, world: World) -> bytes:
    """What the requestor reads, beside the role that counts down."""
    page = opened(browser, WIDE, scale=1)
    page.goto(f"{world.url}/?user=rob")
    page.get_by_role("button", name="PIM Approvals").first.click()
    message = page.locator("article.message").filter(has_text="Approved").last
    message.wait_for()
    save(message.screenshot(), "requestor.png")
    page.mouse.move(0, 0)
    return shot(page)


def home(page: Page, name: str) -> None:
    """Ann's App Home, from the top."""
    page.get_by_role("button", name="PIM Approvals").first.click()
    page.get_by_role("button", name="Home", exact=True).click()
    page.wait_for_selector("text=Requests you decided")
    save(page.locator("#messages").screenshot(), name)


def phone(browser: Browser, world: World, person: str, ts: str, name: str) -> None:
    """The whole window of a phone."""
    page = opened(browser, PHONE, scale=1)
    show(page, world, person, ts)
    save(page.screenshot(), name)


# --- the camera ---


def opened(browser: Browser, viewport: ViewportSize, *, scale: float) -> Page:
    """A fresh window of somebody who put the tour away."""
    context: BrowserContext = browser.new_context(
        viewport=viewport, device_scale_factor=scale, timezone_id="UTC", locale="en-GB"
    )
    context.add_init_script("localStorage.setItem('tour-is-away', 'yes')")
    return context.new_page()


def show(page: Page, world: World, person: str, ts: str) -> None:
    """Open the workspace as somebody, with the card in sight."""
    page.goto(f"{world.url}/?user={person}")
    page.wait_for_selector(place(ts))
    box_of(page, ts)


def photograph(page: Page, ts: str, name: str) -> float:
    """One message alone, and how tall it is. The page redraws itself, so the picture is cut out of the whole."""
    page.mouse.move(0, 0)
    box = box_of(page, ts)
    save(page.screenshot(clip={key: box[key] for key in ("x", "y", "width", "height")}), name)
    return float(box["height"])


def box_of(page: Page, ts: str) -> Any:  # noqa: ANN401 - a DOMRect
    """Bring a message into sight and say where it is."""
    return page.evaluate(_SCROLL, place(ts))


def place(ts: str) -> str:
    """The selector of a message."""
    return f'[data-ts="{ts.replace(".", "")}"]'


def shot(page: Page) -> bytes:
    """The window as it is."""
    page.wait_for_timeout(300)
    return page.screenshot()


def small(png: bytes) -> Image.Image:
    """The picture in few colours: text and flat areas look the same, and it weighs a third."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    return picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def save(png: bytes, name: str) -> None:
    """Into docs/pictures."""
    small(png).save(PICTURES / name, optimize=True)


def save_moving(frames: list[bytes], name: str) -> None:
    """The frames one after the other, for ever, each long enough to read."""
    first, *rest = (small(frame) for frame in frames)
    first.save(PICTURES / name, save_all=True, append_images=rest, duration=FRAME_MS, loop=0, optimize=True)


if __name__ == "__main__":
    main()
