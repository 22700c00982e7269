"""Makes the pictures of README and docs from the sandbox, so that none is older than what it shows.

It starts a sandbox of its own, lets Ann sign in and decide, and photographs the page. Nothing is drawn by hand.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
READY_WITHIN = 30.0  # seconds
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SCROLL = """at => {
  const message = document.querySelector(at);
  message.scrollIntoView({block: "center"});
  return message.getBoundingClientRect().toJSON();
}"""
WIDE = {"width": 1280, "height": 1060}
SHARP = 2  # pixels per point
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """Take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is needed for pictures: apt-get install chromium")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sandbox() as world, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=list(BROWSER_FLAGS))
        take_pictures(browser, world)
        browser.close()


def take_pictures(browser: Browser, world: str) -> None:
    """Cards of two desks, a phone, the form, the outcome, the final card, App Home."""
    entra = until(lambda: card_of(world, "Global Administrator"))
    azure = until(lambda: card_of(world, "Owner on"))
    page = browser.new_page(viewport=WIDE, device_scale_factor=SHARP)
    show(page, world, "ann", entra["ts"])
    photograph(page, entra["ts"], "card.png")
    photograph(page, azure["ts"], "card-azure.png")
    phone = browser.new_page(viewport=PHONE, device_scale_factor=SHARP)
    show(phone, world, "ben", entra["ts"])
    phone.screenshot(path=PICTURES / "phone.png")
    decide(page, world, entra)
    photograph(page, entra["ts"], "card-approved.png")
    page.get_by_role("button", name="PIM Approvals").first.click()
    page.get_by_role("button", name="Home", exact=True).click()
    page.wait_for_selector("text=Requests you decided")
    page.locator("#messages").screenshot(path=PICTURES / "home.png")


def decide(page: Page, world: str, card: dict[str, Any]) -> None:
    """Ann approves, and waits until Microsoft says that the role is active."""
    control(world, "sign-in", user="ann")
    control(world, "click", user="ann", action_id="pim_approve", channel=card["channel"], ts=card["ts"])
    page.wait_for_selector("dialog[open] textarea")
    page.locator("dialog[open]").screenshot(path=PICTURES / "form.png")
    view = until(lambda: ask(world, "world")["modals"])[-1]
    control(world, "submit", user="ann", view_id=view["view_id"], values={"comment": "INC-20391 is open; go ahead"})
    page.wait_for_selector("dialog[open] >> text=You approved")
    page.locator("dialog[open]").screenshot(path=PICTURES / "outcome.png")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{place(card['ts'])} >> text=Active since")


def show(page: Page, world: str, person: str, ts: str) -> None:
    """Open the workspace as somebody, with the card in sight."""
    page.goto(f"{world}/?user={person}")
    page.wait_for_selector(place(ts))
    box_of(page, ts)


def photograph(page: Page, ts: str, name: str) -> None:
    """One message alone. The page redraws itself as the world changes, so the picture is cut out of the whole."""
    box = box_of(page, ts)
    page.screenshot(path=PICTURES / name, clip={key: box[key] for key in ("x", "y", "width", "height")})


def box_of(page: Page, ts: str) -> Any:  # noqa: ANN401 - a DOMRect
    """Bring a message into sight and say where it is."""
    return page.evaluate(_SCROLL, place(ts))


def place(ts: str) -> str:
    """The selector of a message."""
    return f'[data-ts="{ts.replace(".", "")}"]'


def card_of(world: str, words: str) -> dict[str, Any] | None:
    """The card in the approvers' channel whose sentence holds these words; None while there is none."""
    rooms = (room for room in ask(world, "world")["channels"] if room["kind"] == "channel")
    found = [one for room in rooms for one in room["messages"] if words in one["text"]]
    return found[0] if found else None


def ask(world: str, path: str) -> Any:  # noqa: ANN401 - JSON
    """GET something of /control."""
    with urllib.request.urlopen(f"{world}/control/{path}", timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def control(world: str, path: str, **body: object) -> None:
    """POST something to /control."""
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{world}/control/{path}", data=data, headers=headers)  # noqa: S310 - loopback
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - loopback


def until(look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is waited for
    """What `look` finds, once it finds something; TimeoutError when it takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError


@contextmanager
def sandbox() -> Iterator[str]:
    """A sandbox of our own, ended by its own process id."""
    world, bot = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "app", "sandbox", "--no-browser", "--data", folder]
        child = subprocess.Popen([*command, "--port", str(world), "--bot-port", str(bot)])  # noqa: S603 - ourselves
        try:
            until(lambda: answers(f"http://127.0.0.1:{bot}/healthz"))
            yield f"http://127.0.0.1:{world}"
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(20)


def answers(url: str) -> bool:
    """Whether somebody listens there."""
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
