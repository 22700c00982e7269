"""What people read in the page: every `/pim` command, App Home, the guided tour, a phone, a keyboard alone."""

from __future__ import annotations

import re

import pytest
from browser.windows import PHONE, Window, fits, message
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
# Between the last and the first control the browser's own bar has the focus.
INSIDE = "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
COMMANDS = {
    "": "Pending now",
    "pending": "Waiting",
    "history": "History, newest first",
    "mine": "request",
    "approved": "request",
    "sign-in": "Sign in",
    "help": "/pim history",
    "nonsense": "/pim history",
    "sign-out": "sign",
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda word: word or "alone")
def test_every_command_is_typed_and_answered(window: Window, command: str) -> None:
    if command in ("mine", "approved"):  # these two are of a Microsoft account
        window.sandbox.signed_in("ben")
    page = window.look_as("ben")
    before = page.locator("article.only-you").count()
    page.get_by_label("Message, or a command").fill(f"/pim {command}".strip())
    page.keyboard.press("Enter")
    expect(page.locator("article.only-you")).to_have_count(before + 1)
    expect(page.locator("article.only-you").last).to_contain_text(re.compile(COMMANDS[command], re.IGNORECASE))


def test_settings_are_a_form(window: Window) -> None:
    page = window.look_as("ben")
    page.get_by_label("Message, or a command").fill("/pim settings")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Away until")
    expect(page.locator(".unknown")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_composer_knows_every_command_of_the_help(window: Window) -> None:
    page = window.look_as("rita")
    page.get_by_label("Message, or a command").fill("/")
    offered = set(page.locator("#hints b").all_inner_texts())
    page.get_by_label("Message, or a command").fill("/pim help")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    words = message(page, "/pim sign-out").inner_text()
    told = {f"/pim {word}" for word in re.findall(r"/pim ([a-z][a-z-]+)", words)}
    assert told <= offered, told - offered


def test_app_home_says_what_waits_and_leads_to_the_card(window: Window) -> None:
    window.sandbox.signed_in("ann")
    request = window.sandbox.ask("rob", "Compliance Administrator", justification="Hold a mailbox", age="PT4H")
    window.sandbox.posted(request)
    ann = window.look_as("ann")
    ann.get_by_role("button", name="PIM Approvals").first.click()
    ann.get_by_role("button", name="Home", exact=True).click()
    home = ann.locator(".home")
    expect(home).to_contain_text("Compliance Administrator")
    expect(home.locator(".unknown")).to_have_count(0)
    form, approve = ann.get_by_role("dialog"), home.get_by_role("button", name=re.compile("^Approve Compliance Admin"))
    approve.click()
    expect(form).to_contain_text(re.compile("Hold a mailbox|out of date"))
    if "out of date" in form.inner_text():  # the tab was drawn anew under the mouse: a person presses again
        form.get_by_role("button", name="Close").last.click()
        approve.click()
    expect(form).to_contain_text("Hold a mailbox")


def test_the_tour_ticks_itself_off_and_can_be_put_away(window: Window) -> None:
    window.sandbox.command("ben", "sign-out")
    page = window.look_as("ben")
    tour = page.get_by_label("Your first minute")
    expect(tour.locator("li").first).to_contain_text("You are Ben Brook")
    tour.get_by_role("button", name="Put away").click()
    expect(tour).to_be_hidden()
    page.reload()
    expect(page.locator(".message").first).to_be_visible()
    expect(tour).to_be_hidden()


def test_escape_closes_and_tab_stays_inside_a_modal(window: Window) -> None:
    window.sandbox.signed_in("ann")
    request = window.sandbox.ask("rita", "Power Platform Administrator")
    window.sandbox.posted(request)
    page = window.look_as("ann")
    button = message(page, request).get_by_role("button", name=re.compile("^Deny "))
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(INSIDE)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    menu = message(page, request).get_by_label("More actions")
    menu.focus()
    page.keyboard.press("Enter")
    expect(message(page, request).get_by_role("button", name="Details")).to_be_visible()
    page.keyboard.press("Escape")
    expect(message(page, request).get_by_role("button", name="Details")).to_be_hidden()
    expect(menu).to_be_focused()


def test_each_pane_fits_a_phone(window: Window) -> None:
    phone = window.context.new_page()
    phone.set_viewport_size(PHONE)
    window.look_as("ann", phone)
    for pane in ("PIM portal", "Channels", "Slack"):
        phone.get_by_role("navigation", name="Parts of the page").get_by_role("button", name=pane).click()
        fits(phone)
    box = message(phone, "Approve").bounding_box()
    assert box is not None
    assert box["width"] <= PHONE["width"]
