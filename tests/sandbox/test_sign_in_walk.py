"""The small browser keeps cookies, reads forms and obeys policies the way real browsers do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from app.sandbox.browser import Jar, Page, may_submit
from app.sandbox.people import CAST, Person
from app.sandbox.sign_in_walk import walk

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
Sitting = Callable[[str], Person | None]
BOT = "http://localhost:8766/sign-in/x"


def nobody(_url: str) -> Person | None:
    return None


def ann(_url: str) -> Person | None:
    return CAST["ann"]


def sent(header: str, url: str = BOT, method: str = "GET", *, set_by: str = BOT, cross: bool = False) -> str:
    jar = Jar()
    jar.store(set_by, [header], NOW)
    return jar.header(url, method, is_cross_site=cross)


@pytest.mark.parametrize(
    "header, method, cross, arrives",
    [
        ("a=1; Path=/; SameSite=Lax", "GET", True, True),
        ("a=1; Path=/; SameSite=Lax", "POST", True, False),
        ("a=1; Path=/; SameSite=Lax", "POST", False, True),
        ("a=1; Path=/; SameSite=Strict", "GET", True, False),
        ("a=1; Path=/; SameSite=Strict", "POST", False, True),
        ("a=1; Path=/; SameSite=None; Secure", "POST", True, True),
        ("a=1; Path=/; SameSite=None", "GET", False, False),
        ("a=1; Path=/", "POST", True, False),
        ("a=1; Path=/other", "GET", False, False),
        ("a=1; Path=/sign-in", "GET", False, True),
        ("a=1; Path=/; Max-Age=0", "GET", False, False),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "GET", False, False),
        ("a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "GET", False, True),
        ("a=1; Path=/; Domain=example.org", "GET", False, False),
        ("__Host-a=1; Path=/; Secure", "GET", False, True),
        ("__Host-a=1; Path=/", "GET", False, False),
        ("__Host-a=1; Path=/x; Secure", "GET", False, False),
        ("__Host-a=1; Path=/; Secure; Domain=localhost", "GET", False, False),
    ],
)
def test_cookie_goes_where_it_may(header: str, method: str, *, cross: bool, arrives: bool) -> None:
    assert bool(sent(header, method=method, cross=cross)) is arrives


def test_cookies_know_hosts_but_not_ports() -> None:
    assert sent("a=1; Path=/", "http://localhost:9999/") == "a=1"
    assert sent("a=1; Path=/", "http://127.0.0.1:8766/") == ""


def test_a_later_cookie_replaces_and_deletes() -> None:
    jar = Jar()
    jar.store(BOT, ["a=1; Path=/", "a=2; Path=/", "b=1; Path=/", "b=; Path=/; Max-Age=0"], NOW)
    assert jar.header(BOT, "GET", is_cross_site=False) == "a=2"


def test_page_gives_forms_buttons_and_outcome() -> None:
    page = Page(
        '<main data-outcome="refused"><form method=post action="/x"><input type=hidden name=a value="1&amp;2">'
        "<input type=checkbox name=no><input type=checkbox name=yes value=y checked>"
        "<button type=button>No</button><button name=go value=1>Go <b>on</b></button></form></main>"
    )
    form = page.forms[0]
    assert (page.outcome, form.method, form.action) == ("refused", "POST", "/x")
    assert form.fields == [("a", "1&2"), ("yes", "y")]
    assert [(button.name, button.text) for button in form.buttons] == [("go", "Go on")]


@pytest.mark.parametrize(
    "policy, target, allowed",
    [
        ("", "http://127.0.0.1/", True),
        ("default-src 'none'", "http://127.0.0.1/", True),
        ("form-action 'self'", "http://localhost:8766/y", True),
        ("form-action 'self'", "http://127.0.0.1:8765/", False),
        ("form-action 'none'", "http://localhost:8766/y", False),
        ("form-action 'self' http://127.0.0.1:8765", "http://127.0.0.1:8765/x", True),
        ("form-action https:", "https://slack.com/openid", True),
    ],
)
def test_form_action_policy_is_obeyed(policy: str, target: str, *, allowed: bool) -> None:
    assert may_submit(policy, BOT, target) is allowed


async def walked(
    pages: dict[str, httpx.Response], person_at: Sitting = nobody
) -> tuple[bool, str | None, list[object]]:
    transport = httpx.MockTransport(lambda request: pages[request.url.path])
    async with httpx.AsyncClient(transport=transport) as client:
        result = await walk(client, BOT, person_at, lambda: NOW)
    return result.ok, result.outcome, [page["status"] for page in result.pages]


async def test_linked_page_must_have_answered_200() -> None:
    page = httpx.Response(403, html='<main data-outcome="linked"></main>')
    assert await walked({"/sign-in/x": page}) == (False, "linked", [403])


async def test_endless_forms_end() -> None:
    page = httpx.Response(200, html='<form method="post"><button>Again</button></form>')
    ok, _, statuses = await walked({"/sign-in/x": page})
    assert (ok, len(statuses)) == (False, 25)


async def test_missing_person_stops_at_the_picker() -> None:
    page = httpx.Response(200, html="<form method=post><button name=person value=ben>Ben</button></form>")
    ok, outcome, statuses = await walked({"/sign-in/x": page}, ann)
    assert (ok, statuses) == (False, [200])
    assert outcome
    assert "cannot be picked" in outcome


async def test_dead_bot_is_told_as_no_answer() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        result = await walk(client, BOT, nobody, lambda: NOW)
    assert (result.ok, result.pages) == (False, [{"url": BOT, "status": 0}])


@pytest.mark.parametrize(
    "policy, origin", [("", "http://localhost:8766"), ("no-referrer", "null"), ("same-origin", "http://localhost:8766")]
)
async def test_origin_header_follows_the_referrer_policy(policy: str, origin: str) -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("origin"))
        form = '<form method="post" action="/done"></form>' if request.method == "GET" else "<p>End</p>"
        return httpx.Response(200, html=form, headers={"referrer-policy": policy})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        await walk(client, BOT, nobody, lambda: NOW)
    assert seen == [None, origin]
