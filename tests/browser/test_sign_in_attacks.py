"""Sign-in attacked in Chromium: a forwarded link, two tabs, a replayed callback, somebody else's cookie."""

from __future__ import annotations

import pytest
from browser.windows import Window, forgive_status, through_microsoft, through_slack
from journeys.driver import Sandbox
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
LINK_BUTTON = "pim_sign_in_page"


def verification(sandbox: Sandbox, user: str = "ann") -> tuple[str, str]:
    """A decision of theirs on a Critical role, which wants a new sign-in; the request, and the address in the modal."""
    if not linked(sandbox, user):
        sandbox.signed_in(user)
    request = sandbox.ask("rob", "Global Administrator", ticket={"number": "INC-1", "system": "ServiceNow"})
    sandbox.submit(user, sandbox.form(user, sandbox.posted(request)), "Checked with Rob on the phone")
    assert "Nothing was sent yet" in sandbox.outcome(user)
    modal = sandbox.modal(user)
    assert modal is not None
    return request, str(modal.buttons[LINK_BUTTON]["url"])


def new_address(sandbox: Sandbox, user: str) -> str:
    return str(sandbox.command(user, "sign-in").buttons[LINK_BUTTON]["url"])


def failed(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.locator("main")).to_contain_text(words)
    expect(page.locator("form")).to_have_count(0)


def callback_of(attacker: Window, address: str) -> str:
    """Where Slack sends a browser in which Rita signed in, without going there: the attacker keeps it unused."""
    page = attacker.context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Continue with Slack").click()
    button = page.get_by_role("button", name="Rita Rowe")
    name, value, action = (
        str(button.evaluate(f"button => {found}")) for found in ("button.name", "button.value", "button.form.action")
    )
    hidden = page.locator("input[type=hidden]").evaluate_all("found => found.map(one => [one.name, one.value])")
    answer = attacker.context.request.post(action, form={**dict(hidden), name: value}, max_redirects=0)
    return answer.headers["location"]


def linked(sandbox: Sandbox, user: str) -> bool:
    return "Signed in to Microsoft as" in sandbox.command(user, "").words


def test_verify_and_finish_in_a_real_browser(window: Window) -> None:
    request, address = verification(window.sandbox)
    page = window.context.new_page()
    page.goto(address)
    through_slack(page, "Ann Alder")
    through_microsoft(page, "Ann Alder")
    expect(page.get_by_role("heading", name="Approve this request?")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Rob Reed")
    assert window.sandbox.sent(request) == []
    page.get_by_role("button", name="Approve as Ann Alder").click()
    expect(page.get_by_role("heading", name="You approved this request")).to_be_visible()
    window.sandbox.ended(request, "Approved by Ann Alder in Slack")


# --- a forwarded link ---


def test_a_forwarded_verification_is_refused_at_the_slack_page(window: Window) -> None:
    request, address = verification(window.sandbox)
    page = window.context.new_page()
    page.goto(address)
    through_slack(page, "Ben Brook")
    failed(page, "another account than the one that asked")
    assert window.sandbox.sent(request) == []
    forgive_status(window, 400)


def test_a_forwarded_verification_finished_with_another_microsoft_account_is_refused(window: Window) -> None:
    request, address = verification(window.sandbox)
    page = window.context.new_page()
    page.goto(address)
    through_slack(page, "Ann Alder")
    through_microsoft(page, "Ben Brook")
    failed(page, "Nothing was changed")
    assert window.sandbox.sent(request) == []
    forgive_status(window, 400)


# --- two tabs ---


def test_of_two_tabs_the_newer_one_goes_on_and_the_older_one_says_why_not(window: Window) -> None:
    old, new = window.context.new_page(), window.context.new_page()
    old.goto(new_address(window.sandbox, "rita"))
    old.get_by_role("button", name="Continue with Slack").click()
    new.goto(new_address(window.sandbox, "rita"))
    through_slack(new, "Rita Rowe")
    old.get_by_role("button", name="Rita Rowe").click()
    failed(old, "Use one window")
    through_microsoft(new, "Rita Rowe")
    new.get_by_role("button", name="Link these two accounts").click()
    expect(new.get_by_role("heading", name="You are signed in")).to_be_visible()
    forgive_status(window, 400)


def test_two_people_in_one_browser_are_not_mixed(window: Window) -> None:
    """A cookie holds one sign-in together: Olga's pages do not finish what Rita began."""
    sandbox = window.sandbox
    sandbox.command("rita", "sign-out")
    sandbox.command("olga", "sign-out")
    rita, olga = window.context.new_page(), window.context.new_page()
    rita.goto(new_address(sandbox, "rita"))
    through_slack(rita, "Rita Rowe")
    olga.goto(new_address(sandbox, "olga"))
    through_slack(olga, "Olga Oake")
    through_microsoft(rita, "Rita Rowe")
    failed(rita, "Use one window")
    assert not linked(sandbox, "rita")
    forgive_status(window, 400)


def test_the_last_button_pressed_in_two_tabs_sends_one_decision(window: Window) -> None:
    request, address = verification(window.sandbox)
    page = window.context.new_page()
    page.goto(address)
    through_slack(page, "Ann Alder")
    through_microsoft(page, "Ann Alder")
    token = page.locator("input[name=token]").get_attribute("value")
    page.get_by_role("button", name="Approve as Ann Alder").click()
    expect(page.get_by_role("heading", name="You approved this request")).to_be_visible()
    answer = window.context.request.post(page.url, form={"token": str(token)})
    assert (answer.status, 'data-outcome="failed"' in answer.text()) == (400, True)
    assert len(window.sandbox.sent(request)) == 1


# --- a replayed callback ---


def test_a_callback_that_was_used_is_worth_nothing(window: Window) -> None:
    callbacks: list[str] = []
    page = window.context.new_page()
    page.on("request", lambda sent: callbacks.append(sent.url) if "/slack/callback" in sent.url else None)
    page.goto(new_address(window.sandbox, "rita"))
    through_slack(page, "Rita Rowe")
    expect(page.get_by_role("heading", name="Next: Microsoft")).to_be_visible()
    page.goto(callbacks[0])
    failed(page, "too old, or was already used")
    forgive_status(window, 400)


def test_microsofts_answer_posted_again_is_worth_nothing(window: Window) -> None:
    posted: list[tuple[str, str]] = []
    page = window.context.new_page()
    page.on("request", lambda sent: posted.append((sent.url, sent.post_data or "")) if sent.method == "POST" else None)
    request, address = verification(window.sandbox)
    page.goto(address)
    through_slack(page, "Ann Alder")
    through_microsoft(page, "Ann Alder")
    expect(page.get_by_role("heading", name="Approve this request?")).to_be_visible()
    url, body = next((url, body) for url, body in posted if url.endswith("/sign-in/microsoft/callback"))
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = window.context.request.post(url, data=body, headers=form)
    assert (answer.status, 'data-outcome="failed"' in answer.text()) == (400, True)
    assert window.sandbox.sent(request) == []


# --- a page somebody changed ---


def test_an_old_session_is_no_sign_in_when_the_page_was_changed_so_that_nobody_is_asked(window: Window) -> None:
    """An unlocked browser: whoever sits there takes `prompt=login`, and the question for the time, out of the page."""
    page = window.context.new_page()
    page.goto(new_address(window.sandbox, "rita"))
    through_slack(page, "Rita Rowe")
    through_microsoft(page, "Rita Rowe")
    expect(page.get_by_role("heading", name="Are both of these you?")).to_be_visible()  # Microsoft's session stays
    page.goto(new_address(window.sandbox, "rita"))
    through_slack(page, "Rita Rowe")
    page.locator("input[name=prompt], input[name=claims]").evaluate_all("found => found.forEach(one => one.remove())")
    page.get_by_role("button", name="Continue with Microsoft").click()
    failed(page, "Microsoft did not say when you signed in")
    forgive_status(window, 400)


# --- somebody else's cookie ---


def test_an_attackers_cookie_and_callback_link_nobody(window: Window, other: Window) -> None:
    """Login CSRF: the attacker signs in halfway and lets the victim's browser, with its own cookie, go on."""
    sandbox = window.sandbox
    sandbox.command("rita", "sign-out")
    victim = window.context.new_page()
    victim.goto(callback_of(other, new_address(sandbox, "rita")))  # no cookie at all
    failed(victim, "did not bring back the cookie")
    victim.goto(new_address(sandbox, "olga"))
    victim.get_by_role("button", name="Continue with Slack").click()  # now a cookie of their own
    expect(victim.get_by_role("button", name="Olga Oake")).to_be_visible()
    victim.goto(callback_of(other, new_address(sandbox, "rita")))
    failed(victim, "did not bring back the cookie")
    assert not linked(sandbox, "rita")
    forgive_status(window, 400)


def test_a_cookie_of_another_sign_in_does_not_open_this_one(window: Window, other: Window) -> None:
    sandbox = window.sandbox
    request, address = verification(sandbox)
    page, stranger = window.context.new_page(), other.context.new_page()
    stranger.goto(new_address(sandbox, "ben"))
    stranger.get_by_role("button", name="Continue with Slack").click()
    page.goto(address)
    page.get_by_role("button", name="Continue with Slack").click()
    window.context.clear_cookies()
    window.context.add_cookies(other.context.cookies())  # type: ignore[arg-type]  # what it gives is what it takes
    page.get_by_role("button", name="Ann Alder").click()
    failed(page, "did not bring back the cookie")
    assert sandbox.sent(request) == []
    forgive_status(window, 400)
