"""axe looks at every page, light and dark: nothing that somebody who sees or moves differently would be shut out by."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.windows import PHONE, Window, forgive_status, message
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
AXE = Axe()
Step = Callable[[Window, Page], None]


def looked_at(page: Page, what: str) -> None:
    found = AXE.run(page).response["violations"]
    wrong = [(rule["id"], [node["html"][:160] for node in rule["nodes"]][:4]) for rule in found]
    assert wrong == [], f"{what}: {json.dumps(wrong, indent=1)}"


def channel(window: Window, page: Page) -> None:
    window.look_as("ann", page)
    page.locator("summary", has_text="Break something").click()
    page.locator("summary", has_text="What the bot calls").click()
    expect(page.locator("#calls li").first).to_be_visible()


def command(window: Window, page: Page) -> None:
    window.look_as("ann", page)
    page.get_by_label("Message, or a command").fill("/pim history")
    page.keyboard.press("Enter")
    expect(message(page, "History, newest first")).to_be_visible()
    page.get_by_label("Message, or a command").fill("/pim")
    expect(page.locator("#hints")).to_be_visible()


def direct(window: Window, page: Page) -> None:
    window.look_as("ann", page)
    page.get_by_role("button", name="PIM Approvals").first.click()
    expect(page.locator(".message").first).to_be_visible()


def home(window: Window, page: Page) -> None:
    direct(window, page)
    page.get_by_role("button", name="Home", exact=True).click()
    expect(page.locator(".home")).to_be_visible()


def form(window: Window, page: Page) -> None:
    if "Signed in to Microsoft as" not in window.sandbox.command("ann", "").words:
        window.sandbox.signed_in("ann")
    request = window.sandbox.ask("rob", "SharePoint Administrator")
    window.look_as("ann", page)
    window.sandbox.posted(request)
    message(page, request).get_by_role("button", name=re.compile("^Deny ")).click()
    expect(page.get_by_role("dialog").locator("textarea").first).to_be_visible()


def requestor(window: Window, page: Page) -> None:
    window.look_as("rob", page)
    expect(page.locator("#mine article").first).to_be_visible()


def phone(window: Window, page: Page) -> None:
    page.set_viewport_size(PHONE)
    window.look_as("ann", page)
    expect(page.locator(".message").first).to_be_visible()


PLACES: dict[str, Step] = {step.__name__: step for step in (channel, command, direct, home, form, requestor, phone)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_a_place_of_the_page_keeps_nobody_out(window: Window, place: str, scheme: str) -> None:
    page = window.context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    PLACES[place](window, page)
    looked_at(page, place)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_pages_keep_nobody_out(window: Window, scheme: str) -> None:
    page = window.context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    window.sandbox.command("rita", "sign-out")
    address = str(window.sandbox.command("rita", "sign-in").buttons["pim_sign_in_page"]["url"])
    page.goto(address)
    looked_at(page, "the first page")
    page.get_by_role("button", name="Continue with Slack").click()
    expect(page.get_by_role("button", name="Rita Rowe")).to_be_visible()
    looked_at(page, "Slack's page")
    page.get_by_role("button", name="Rita Rowe").click()
    page.get_by_role("button", name="Continue with Microsoft").click()
    expect(page.get_by_role("button", name=re.compile(r"^Rita Rowe\s"))).to_be_visible()
    looked_at(page, "Microsoft's page")
    page.get_by_role("button", name=re.compile(r"^Rita Rowe\s")).click()
    expect(page.get_by_role("heading", name="Are both of these you?")).to_be_visible()
    looked_at(page, "the question at the end")
    page.get_by_role("button", name="Link these two accounts").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    looked_at(page, "the last page")
    page.goto(address)
    page.get_by_role("button", name="Continue with Slack").click()
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    looked_at(page, "the page that says what went wrong")
    forgive_status(window, 400)
