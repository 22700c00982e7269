"""The README's story in Chromium: people press, sign in on both providers' pages, decide, and read what became of it.

Real cookies, real redirects, real content security policies; nothing leaves this machine.
"""

from __future__ import annotations

import re

import pytest
from browser.windows import PHONE, Window, fits, forgive_status, message
from journeys.driver import Sandbox
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
COMMENT = "Rob showed me the alert"


def walk(page: Page, slack: str, microsoft: str) -> None:
    """From the start page to the last one, one click a page."""
    page.get_by_role("button", name="Continue with Slack").click()
    page.get_by_role("button", name=slack).click()
    page.get_by_role("button", name="Continue with Microsoft").click()
    page.get_by_role("button", name=re.compile(f"^{microsoft}\\s")).click()
    page.get_by_role("button", name="Link these two accounts").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()


def test_the_story_of_the_readme(window: Window) -> None:
    window.sandbox.command("ann", "sign-out")
    request = window.sandbox.ask("rob", "Security Administrator", duration="PT4H")
    window.sandbox.posted(request)
    ann = window.look_as("ann")
    card = message(ann, request)
    card.get_by_role("button", name="Approve Security Administrator").click()
    whisper = message(ann, "Only visible to you")
    with window.context.expect_page() as opened:
        whisper.get_by_role("link", name="Sign in").click()
    walk(opened.value, "Ann Alder", "Ann Alder")
    opened.value.close()
    card.get_by_role("button", name="Approve Security Administrator").click()
    form = ann.get_by_role("dialog")
    form.get_by_label("Comment").fill(COMMENT)
    form.get_by_role("button", name="Approve", exact=True).click()
    expect(form).to_contain_text("You approved this request")
    form.get_by_role("button", name="Close").last.click()
    expect(card).to_contain_text("Approved by Ann Alder in Slack")
    expect(card).to_contain_text(COMMENT)
    for decision in ("Approve", "Deny"):  # what is left is for taking the role away again
        expect(card.get_by_role("button", name=decision)).to_have_count(0)
    rob = window.look_as("rob", ann)
    rob.get_by_role("button", name="PIM Approvals").click()
    expect(message(rob, "Security Administrator")).to_contain_text("Approved by Ann Alder in Slack")
    expect(rob.locator("#mine")).to_contain_text("Active")


def test_history_is_typed_and_read(window: Window) -> None:
    sandbox = window.sandbox
    sandbox.signed_in("ann")
    sandbox.deny("ann", sandbox.posted(sandbox.ask("rita", "Fabric Administrator")), "Which workspace?")
    page = window.look_as("ben")  # Ann's form is still on her screen
    page.get_by_label("Message, or a command").fill("/pim history")
    page.keyboard.press("Enter")
    answer = message(page, "History, newest first")
    expect(answer).to_contain_text("Denied by Ann Alder in Slack")
    expect(answer).to_contain_text("Which workspace?")


def start_address(sandbox: Sandbox, user: str) -> str:
    sandbox.command(user, "sign-out")
    return str(sandbox.command(user, "sign-in").buttons["pim_sign_in_page"]["url"])


def signed_in(sandbox: Sandbox, user: str) -> bool:
    return "Signed in to Microsoft as" in sandbox.command(user, "").words


def test_a_forwarded_link_is_refused_in_another_persons_browser(window: Window) -> None:
    page = window.context.new_page()
    page.goto(start_address(window.sandbox, "rita"))
    page.get_by_role("button", name="Continue with Slack").click()
    page.get_by_role("button", name="Olga Oake").click()
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Nothing was changed")
    assert not signed_in(window.sandbox, "rita")
    forgive_status(window, 400)


def test_a_page_that_was_used_cannot_be_used_again(window: Window) -> None:
    page = window.context.new_page()
    address = start_address(window.sandbox, "rita")
    page.goto(address)
    walk(page, "Rita Rowe", "Rita Rowe")
    page.goto(address)
    page.get_by_role("button", name="Continue with Slack").click()
    expect(page.locator("main")).to_contain_text("too old, or was already used")
    assert signed_in(window.sandbox, "rita")
    forgive_status(window, 400)


def test_cancelling_at_either_provider_links_nobody(window: Window) -> None:
    for leg in ("Slack", "Microsoft"):
        page = window.context.new_page()
        page.goto(start_address(window.sandbox, "rita"))
        page.get_by_role("button", name="Continue with Slack").click()
        if leg == "Microsoft":
            page.get_by_role("button", name="Rita Rowe").click()
            page.get_by_role("button", name="Continue with Microsoft").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("main")).to_contain_text("Nothing was changed")
        assert not signed_in(window.sandbox, "rita")
    forgive_status(window, 400)


def test_a_browser_without_our_cookie_is_told_so(window: Window) -> None:
    page = window.context.new_page()
    page.goto(start_address(window.sandbox, "rita"))
    page.get_by_role("button", name="Continue with Slack").click()
    window.context.clear_cookies()
    page.get_by_role("button", name="Rita Rowe").click()
    expect(page.locator("main")).to_contain_text("did not bring back the cookie")
    assert not signed_in(window.sandbox, "rita")
    forgive_status(window, 400)


def test_the_cookie_is_out_of_reach_of_scripts_and_of_plain_http(window: Window) -> None:
    page = window.context.new_page()
    page.goto(start_address(window.sandbox, "rita"))
    page.get_by_role("button", name="Continue with Slack").click()
    (cookie,) = [cookie for cookie in window.context.cookies() if cookie["name"].startswith("__Host-")]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "None")


def test_a_phone_is_wide_enough_to_sign_in_and_decide(window: Window) -> None:
    sandbox = window.sandbox
    request = sandbox.ask("rob", "Intune Administrator", justification="x" * 400)
    sandbox.posted(request)
    phone = window.context.new_page()
    phone.set_viewport_size(PHONE)
    phone.goto(start_address(sandbox, "ben"))
    fits(phone)
    walk(phone, "Ben Brook", "Ben Brook")
    fits(phone)
    window.look_as("ben", phone)
    card = message(phone, request)
    card.get_by_role("button", name="Deny Intune Administrator").click()
    form = phone.get_by_role("dialog")
    form.get_by_label("In your own words").fill("Say it shorter")
    fits(phone)
    form.get_by_role("button", name="Deny", exact=True).click()
    expect(form).to_contain_text("You denied this request")
    form.get_by_role("button", name="Close").last.click()
    expect(card).to_contain_text("Denied by Ben Brook")
    fits(phone)
