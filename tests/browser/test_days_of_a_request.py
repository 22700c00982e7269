"""What becomes of requests, all of it done with a mouse: every way one can end, two at once, verified and finished."""

from __future__ import annotations

import re

import pytest
from browser.windows import Window, forgive_status, message, through_microsoft, through_slack
from journeys.driver import Sandbox
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
MINUTES_LEFT = "PT23H50M"
SECONDS_LEFT = "PT23H59M54S"


def signed_in(sandbox: Sandbox, *users: str) -> None:
    for user in users:
        if "Signed in to Microsoft as" not in sandbox.command(user, "").words:
            sandbox.signed_in(user)


def asked(window: Window, role: str, why: str, page: Page | None = None) -> tuple[Page, str]:
    """Rob asks for a role in the portal; his page, and the request."""
    rob = window.look_as("rob", page)
    before = {row["id"] for row in window.sandbox.requests()}
    form = rob.locator("#ask")
    form.get_by_label("Role").select_option(role)
    form.get_by_label("Justification").fill(why)
    form.get_by_role("button", name="Activate", exact=True).click()
    expect(rob.locator("#mine article").first).to_contain_text(why)
    (request,) = {row["id"] for row in window.sandbox.requests()} - before
    return rob, str(request)


def opened(window: Window, page: Page, request: str, word: str) -> Locator:
    """The form behind a button of its card."""
    window.sandbox.posted(request)
    card = message(page, request)
    card.get_by_role("button", name=re.compile(f"^{word} ")).click()
    form = page.get_by_role("dialog")
    expect(form.locator("textarea").first).to_be_visible()
    return form


def decided(window: Window, page: Page, request: str, word: str, why: str) -> None:
    form = opened(window, page, request, word)
    form.locator("textarea").last.fill(why)
    form.get_by_role("button", name=word, exact=True).click()
    expect(form).to_contain_text("this request")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_denied_with_a_reason_and_asked_again_better(window: Window) -> None:
    signed_in(window.sandbox, "ann")
    rob, first = asked(window, "Teams Administrator", "need admin access")
    ann = window.look_as("ann")
    decided(window, ann, first, "Deny", "Which team, and until when?")
    expect(message(ann, first)).to_contain_text("Denied by Ann Alder in Slack")
    expect(rob.locator("#mine article").first).to_contain_text("Which team, and until when?")
    rob.get_by_role("button", name="PIM Approvals").first.click()
    told = message(rob, "Which team, and until when?")
    expect(told).to_contain_text("Teams Administrator")
    _, second = asked(window, "Teams Administrator", "Rename the Finance team after the merger, until noon", rob)
    again = message(ann, second)
    expect(again).to_contain_text("Which team, and until when?")  # what was denied before stands on the new card
    decided(window, ann, second, "Approve", "Clear now, thank you")
    expect(rob.locator("#active")).to_contain_text("Teams Administrator")
    expect(rob.locator("#active .clock")).to_have_text(re.compile(r"0[12]:\d\d:\d\d"))


def test_withdrawn_in_the_portal_the_buttons_go(window: Window) -> None:
    rob, request = asked(window, "Groups Administrator", "Merge two groups of the sales people")
    ann = window.look_as("ann")
    expect(message(ann, request).get_by_role("button", name=re.compile("^Approve "))).to_be_visible()
    rob.locator("#mine article").first.get_by_role("button", name="Withdraw").click()
    expect(message(ann, request)).to_contain_text("Canceled")
    expect(message(ann, request).get_by_role("button")).to_have_count(0)


def test_an_approver_is_reminded_and_decides_right_there(window: Window) -> None:
    signed_in(window.sandbox, "ann")
    request = window.sandbox.ask("rita", "Directory Readers", age=MINUTES_LEFT)
    ann = window.look_as("ann")
    ann.get_by_role("button", name="PIM Approvals").first.click()
    reminder = message(ann, "Directory Readers")
    expect(reminder).to_contain_text("Rita Rowe")
    reminder.get_by_role("button", name=re.compile("^Approve Directory Readers")).click()
    form = ann.get_by_role("dialog")
    form.locator("textarea").last.fill("Seen in the reminder")
    form.get_by_role("button", name="Approve", exact=True).click()
    expect(form).to_contain_text("You approved this request")
    ann.keyboard.press("Escape")
    expect(message(ann, "Directory Readers")).to_contain_text("Approved by Ann Alder in Slack")
    assert window.sandbox.request(request)["reviewed_by"] == "ann"


def test_nobody_decides_and_the_card_says_so(window: Window) -> None:
    request = window.sandbox.ask("rita", "Guest Inviter", age=SECONDS_LEFT)
    ann = window.look_as("ann")
    card = message(ann, request)
    expect(card).to_contain_text("Expired")
    expect(card.get_by_role("button", name=re.compile("^(Approve|Deny) "))).to_have_count(0)


def test_decided_in_the_portal_by_somebody_without_slack(window: Window) -> None:
    request = window.sandbox.ask("rob", "License Administrator", justification="Forty seats for the new office")
    ann, cleo = window.look_as("ann"), window.look_as("cleo")
    expect(message(ann, request).get_by_role("button", name=re.compile("^Approve "))).to_be_visible()
    expect(cleo.get_by_text("Cleo Clay has no Slack account.")).to_be_visible()
    row = cleo.locator("#waiting article").filter(has_text="Forty seats for the new office")
    row.get_by_label("Justification of the decision").fill("Budget is there")
    row.get_by_role("button", name="Approve").click()
    expect(message(ann, request)).to_contain_text("Approved by Cleo Clay")
    expect(message(ann, request).get_by_role("button", name=re.compile("^Approve "))).to_have_count(0)


def test_two_approvers_press_at_once_and_one_decision_is_sent(window: Window, other: Window) -> None:
    sandbox = window.sandbox
    signed_in(sandbox, "ann", "ben")
    request = sandbox.ask("rita", "Fabric Administrator")
    ann, ben = window.look_as("ann"), other.look_as("ben")
    forms = [opened(window, page, request, "Approve") for page in (ann, ben)]
    for form in forms:
        form.locator("textarea").last.fill("Checked, go ahead")
    for form in forms:  # neither waits for the other's answer
        form.get_by_role("button", name="Approve", exact=True).dispatch_event("click")
    for form in forms:
        expect(form.locator("textarea")).to_have_count(0)
        expect(form).not_to_contain_text("Sending to Microsoft")
    said = [form.inner_text() for form in forms]
    assert sum("You approved this request" in words for words in said) == 1, said
    assert [call["status"] for call in sandbox.sent(request)] == [204]
    winner = "Ann Alder" if "You approved" in said[0] else "Ben Brook"
    expect(message(ben, request)).to_contain_text(f"Approved by {winner} in Slack")
    assert other.complaints == []


def test_microsoft_wants_a_stronger_sign_in_and_the_decision_is_finished_on_our_page(window: Window) -> None:
    sandbox = window.sandbox
    signed_in(sandbox, "ann")
    request = sandbox.ask("rob", "Billing Administrator")
    ann = window.look_as("ann")
    ann.locator("summary", has_text="Break something").click()
    ann.get_by_label("Microsoft wants a stronger sign-in").check()
    form = opened(window, ann, request, "Approve")
    form.locator("textarea").last.fill("Checked, go ahead")
    form.get_by_role("button", name="Approve", exact=True).click()
    with window.context.expect_page() as tab:
        form.get_by_role("link", name=re.compile("^Verify")).click()
    page = tab.value
    through_slack(page, "Ann Alder")
    through_microsoft(page, "Ann Alder")
    expect(page.get_by_role("heading", name="Approve this request?")).to_be_visible()
    page.get_by_role("button", name="Approve as Ann Alder").click()
    expect(page.get_by_role("heading", name="You approved this request")).to_be_visible()
    expect(message(ann, request)).to_contain_text("Approved by Ann Alder in Slack")
    expect(ann.get_by_label("Microsoft wants a stronger sign-in")).not_to_be_checked()
    assert [call["status"] for call in sandbox.sent(request)] == [401, 204]


def test_a_lost_answer_is_read_back_not_sent_again(window: Window) -> None:
    sandbox = window.sandbox
    signed_in(sandbox, "ann")
    request = sandbox.ask("rita", "Service Support Administrator")
    ann = window.look_as("ann")
    ann.locator("summary", has_text="Break something").click()
    switch = ann.get_by_label("Answers to decisions get lost")
    switch.check()
    form = opened(window, ann, request, "Approve")
    form.locator("textarea").last.fill("Checked, go ahead")
    form.get_by_role("button", name="Approve", exact=True).click()
    expect(form).to_contain_text("You approved this request")
    ann.keyboard.press("Escape")
    switch.uncheck()
    expect(message(ann, request)).to_contain_text("Approved by Ann Alder in Slack")
    assert len(sandbox.sent(request)) == 1


def test_what_pim_demands_is_refused_in_words(window: Window) -> None:
    rob = window.look_as("rob")
    rob.get_by_role("button", name="Activate Global Administrator", exact=True).click()
    expect(rob.locator("#demands")).to_contain_text("a justification, a ticket, MFA")
    rob.locator("#ask").get_by_label("Justification").fill("Restore federation")
    rob.get_by_role("button", name="Activate", exact=True).click()
    expect(rob.get_by_role("alert").filter(has_text="needs a ticket number")).to_be_visible()
    forgive_status(window, 400)
