"""The camera of `make pictures`: windows of Chromium, what is cut out of them, and small files of that."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from living import World
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, ViewportSize

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Tall enough for one whole message, form or home.
TALL: ViewportSize = {"width": 1280, "height": 2000}
TALL_PHONE: ViewportSize = {"width": 390, "height": 2600}
COLOURS = 64
FRAME_MS = 2600
DIALOG = "dialog[open]"
_INTO_SIGHT = """part => {
  part.scrollIntoView({block: "center"});
  return part.getBoundingClientRect().toJSON();
}"""
_UNFOLD = "dialog => { dialog.style.maxHeight = 'none'; }"


def opened(browser: Browser, viewport: ViewportSize, *, at: str = "") -> Page:
    """A fresh window of somebody who put the tour away; `at` stops the browser's clock."""
    context: BrowserContext = browser.new_context(
        viewport=viewport, device_scale_factor=1, timezone_id="UTC", locale="en-GB"
    )
    context.add_init_script("localStorage.setItem('tour-is-away', 'yes')")
    page = context.new_page()
    if at:
        page.clock.set_fixed_time(at)
    return page


def show(page: Page, world: World, person: str, ts: str) -> None:
    """Open the workspace as somebody, with the card in sight."""
    page.goto(f"{world.url}/?user={person}")
    page.wait_for_selector(place(ts))
    box_of(page.locator(place(ts)))


def talk(page: Page, world: World, person: str) -> None:
    """Open somebody's direct messages with the app."""
    page.goto(f"{world.url}/?user={person}")
    if page.viewport_size and page.viewport_size["width"] == PHONE["width"]:
        page.get_by_role("button", name="Channels").click()
    page.get_by_role("button", name="PIM Approvals").first.click()


def place(ts: str) -> str:
    """The selector of a message."""
    return f'[data-ts="{ts.replace(".", "")}"]'


def photograph(page: Page, part: Locator, name: str) -> float:
    """One part of the page alone, and how tall it is. The page redraws itself, so it is cut out of the whole."""
    page.mouse.move(0, 0)
    part.wait_for()
    box = box_of(part)
    save(page.screenshot(clip=box), name)
    return box["height"]


def photograph_form(page: Page, name: str) -> None:
    """The form on the screen, whole; Slack scrolls inside it."""
    page.locator(f"{DIALOG} textarea, {DIALOG} input, {DIALOG} select").first.wait_for()
    page.locator(DIALOG).evaluate(_UNFOLD)
    photograph(page, page.locator(DIALOG), name)


def box_of(part: Locator) -> FloatRect:
    """Bring a part into sight and say where it is; one redrawn meanwhile has no size, and is looked for again."""
    box: dict[str, Any] = part.evaluate(_INTO_SIGHT)
    while not box["width"]:
        box = part.evaluate(_INTO_SIGHT)
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def shot(page: Page) -> bytes:
    """The window as it is."""
    page.wait_for_timeout(300)
    return page.screenshot()


def save(png: bytes, name: str) -> None:
    """Into docs/pictures."""
    _small(png).save(PICTURES / name, optimize=True)


def save_moving(frames: list[bytes], name: str) -> None:
    """The frames one after the other, for ever, each long enough to read."""
    first, *rest = (_small(frame) for frame in frames)
    first.save(PICTURES / name, save_all=True, append_images=rest, duration=FRAME_MS, loop=0, optimize=True)


def _small(png: bytes) -> Image.Image:
    """The picture in few colours: text and flat areas look the same, and it weighs a third."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    return picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
