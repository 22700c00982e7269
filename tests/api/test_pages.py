"""The sign-in pages over HTTP: headers, cookie, caps, and that looking at a page uses nothing up."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fakes_identity import (
    ANN,
    ANN_SLACK,
    BEN_SLACK,
    PUBLIC,
    TEAM,
    FakeClock,
    FakeDecisions,
    FakeFlows,
    FakeLinks,
    FakeSignIn,
    a_link,
)
from fastapi import FastAPI

from app.api.forms import LARGEST
from app.api.html import confirm_page, failed_page, slack_page, style_source
from app.api.pages import COOKIE, sign_in_pages
from app.domain.errors import Unavailable
from app.domain.request import Kind
from app.identity.origins import Origins
from app.identity.refusals import refused
from app.linking import Confirm, Linking, SlackProven
from app.ports import MicrosoftIdentity, SlackIdentity
from blocks.links import Portal

FORM = "application/x-www-form-urlencoded"
CALLBACK = "/sign-in/microsoft/callback"
PORTAL = Portal("https://portal.azure.us")


class Parsed(HTMLParser):
    """The outcome, the first form and every tag of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outcome = ""
        self.action = ""
        self.method = ""
        self.fields: dict[str, str] = {}
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "main":
            self.outcome = found["data-outcome"]
        if tag == "form":
            self.action, self.method = found["action"], found["method"]
        if tag == "input":
            self.fields[found["name"]] = found["value"]


class Rig:
    """The pages with their doubles, and one browser."""

    def __init__(self) -> None:
        numbers = itertools.count()
        self.sign_in, self.flows, self.links = FakeSignIn(), FakeFlows(), FakeLinks()
        self.linking = Linking(
            self.sign_in,
            self.flows,
            self.links,
            FakeClock(),
            lambda: f"token-{next(numbers)}",
            PUBLIC,
            TEAM,
        )
        self.app = FastAPI()
        self.app.include_router(sign_in_pages(self.linking, FakeDecisions(), Origins().form_targets(), PORTAL))
        self.browser = self.new_browser()

    def new_browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=PUBLIC)

    async def start(self) -> httpx.Response:
        address = await self.linking.begin(TEAM, ANN_SLACK)
        return await self.browser.post(address)

    async def slack(self) -> httpx.Response:
        state = (await self.start()).next_request.url.params["state"]  # type: ignore[union-attr]  # a redirect has one
        return await self.browser.get("/sign-in/slack/callback", params={"code": "slack-code", "state": state})

    async def microsoft(self, browser: httpx.AsyncClient | None = None) -> httpx.Response:
        form = Parsed((await self.slack()).text)
        return await (browser or self.browser).post(CALLBACK, data={"code": "c", "state": form.fields["state"]})

    async def linked(self) -> httpx.Response:
        form = Parsed((await self.microsoft()).text)
        return await self.browser.post(form.action, data=form.fields)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.browser.aclose()


async def test_a_browser_walks_from_the_link_to_the_last_page(rig: Rig) -> None:
    address = await rig.linking.begin(TEAM, ANN_SLACK)
    shown = Parsed((await rig.browser.get(address)).text)
    assert (shown.outcome, shown.method, shown.action) == ("start", "post", address)
    assert Parsed((await rig.slack()).text).outcome == "slack"
    confirm = Parsed((await rig.microsoft()).text)
    assert (confirm.outcome, confirm.method) == ("confirm", "post")
    linked = await rig.linked()
    assert (linked.status_code, Parsed(linked.text).outcome) == (200, "linked")
    assert [row.link.person for row in rig.links.rows.values()] == [ANN]


async def test_looking_at_the_link_uses_nothing_up(rig: Rig) -> None:
    address = await rig.linking.begin(TEAM, ANN_SLACK)
    kept = dict(rig.flows.rows)
    for _ in range(3):
        shown = await rig.browser.get(address)
        assert "set-cookie" not in shown.headers
        assert "with /pim sign-in or by pressing a button in Slack" in shown.text
    assert rig.flows.rows == kept
    assert (await rig.browser.post(address)).status_code == 303


async def test_the_start_button_sends_the_browser_to_slack_with_the_cookie(rig: Rig) -> None:
    response = await rig.start()
    assert response.status_code == 303
    assert response.headers["location"].startswith("https://slack.com/openid/connect/authorize?")
    name, *attributes = response.headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=token-")
    assert {part.lower() for part in attributes} == {"httponly", "secure", "samesite=none", "path=/", "max-age=3600"}


async def test_the_form_to_microsoft_carries_the_whole_question(rig: Rig) -> None:
    form = Parsed((await rig.slack()).text)
    assert form.method == "get"
    assert form.action.startswith("https://login.microsoftonline.com/")
    assert "?" not in form.action
    assert set(form.fields) == {"client_id", "state"}


async def test_the_last_page_takes_the_cookie_away(rig: Rig) -> None:
    assert "max-age=0" in (await rig.linked()).headers["set-cookie"].lower()


async def every_page(rig: Rig) -> dict[str, httpx.Response]:
    address = await rig.linking.begin(TEAM, ANN_SLACK)
    return {
        "show": await rig.browser.get(address),
        "start": await rig.browser.post(address),
        "slack": await rig.slack(),
        "confirm": await rig.microsoft(),
        "linked": await rig.linked(),
        "failed": await rig.browser.post("/sign-in/confirm", data={"token": "x"}),
        "stray": await rig.browser.get(CALLBACK),
        "stray confirm": await rig.browser.get("/sign-in/confirm"),
        "large": await rig.browser.post(CALLBACK, content=b"x" * (LARGEST + 1), headers={"content-type": FORM}),
        "no form": await rig.browser.post(CALLBACK, json={"state": "x"}),
    }


async def test_every_page_has_every_header(rig: Rig) -> None:
    for name, response in (await every_page(rig)).items():
        policy = response.headers["content-security-policy"].split("; ")
        assert policy == [
            "default-src 'none'",
            f"style-src {style_source()}",
            "form-action 'self' https://slack.com https://*.slack.com https://login.microsoftonline.com",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ], name
        assert response.headers["x-frame-options"] == "DENY", name
        assert response.headers["cache-control"] == "no-store", name
        assert response.headers["referrer-policy"] == "no-referrer", name
        assert response.headers["x-content-type-options"] == "nosniff", name


async def test_no_page_runs_script_or_loads_anything(rig: Rig) -> None:
    for name, response in (await every_page(rig)).items():
        if response.status_code == 303:
            continue
        page = Parsed(response.text)
        assert not {"script", "img", "link", "iframe", "object", "base"} & set(page.tags), name
        assert not [key for key, _ in page.attributes if key in ("src", "style", "href") or key.startswith("on")], name
        assert page.outcome in {"start", "slack", "confirm", "linked", "failed"}, name


def test_the_style_is_the_one_the_policy_allows() -> None:
    page = failed_page("x")
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    assert "prefers-color-scheme:dark" in style[1]
    assert style_source().startswith("'sha256-")


async def test_a_failure_is_a_plain_page_with_status_400(rig: Rig) -> None:
    response = await rig.browser.post("/sign-in/start/made-up")
    assert (response.status_code, Parsed(response.text).outcome) == (400, "failed")
    assert "Nothing was changed." in response.text
    assert "/pim sign-in" in response.text


async def test_a_callback_without_its_cookie_says_which_browsers_work(rig: Rig) -> None:
    async with rig.new_browser() as other:
        response = await rig.microsoft(other)
    assert response.status_code == 400
    assert "private mode" in response.text
    assert "Chrome, Edge, Firefox or Safari" in response.text
    assert rig.sign_in.redeemed == ["slack-code"]


async def test_the_confirm_button_without_cookie_or_token_links_nothing(rig: Rig) -> None:
    form = Parsed((await rig.microsoft()).text)
    async with rig.new_browser() as other:
        assert (await other.post("/sign-in/confirm", data=form.fields)).status_code == 400
    assert (await rig.browser.post("/sign-in/confirm")).status_code == 400
    assert (await rig.browser.post("/sign-in/confirm", data={"token": ""})).status_code == 400
    assert rig.links.rows == {}


async def test_a_forwarded_link_ends_on_a_page_that_says_so(rig: Rig) -> None:
    rig.sign_in.slack = SlackIdentity(TEAM, BEN_SLACK, "Ben B")
    response = await rig.slack()
    assert response.status_code == 400
    assert "do not use it" in response.text


async def test_microsofts_callback_opened_by_hand_is_a_plain_page(rig: Rig) -> None:
    response = await rig.browser.get(CALLBACK, params={"code": "c", "state": "s"})
    assert (response.status_code, Parsed(response.text).outcome) == (400, "failed")
    assert rig.sign_in.redeemed == []


@pytest.mark.parametrize("path", ["/sign-in/start/x", CALLBACK, "/sign-in/confirm"])
@pytest.mark.parametrize("length", [None, str(10**9)])
async def test_too_large_a_form_is_refused_unread(rig: Rig, path: str, length: str | None) -> None:
    taken: list[bytes] = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            taken.append(b"x" * 8192)
            yield taken[-1]

    headers = {"content-type": FORM} | ({"content-length": length} if length else {})
    response = await rig.browser.post(path, content=endless(), headers=headers)
    assert (response.status_code, Parsed(response.text).outcome) == (413, "failed")
    assert len(b"".join(taken)) <= (0 if length else LARGEST + 8192)


async def test_a_form_just_under_the_cap_is_read(rig: Rig) -> None:
    state = Parsed((await rig.slack()).text).fields["state"]
    response = await rig.browser.post(CALLBACK, data={"code": "c" * (LARGEST - 200), "state": state})
    assert Parsed(response.text).outcome == "confirm"


BAD_FORMS: list[dict[str, Any]] = [
    {"content": b"state=a&state=b", "headers": {"content-type": FORM}},
    {"content": b"\xff\xfe", "headers": {"content-type": FORM}},
    {"content": b"&".join(b"f%d=1" % n for n in range(40)), "headers": {"content-type": FORM}},
    {"content": b"state=a", "headers": {"content-type": "text/plain"}},
    {"files": {"state": b"a"}},
]


@pytest.mark.parametrize("body", BAD_FORMS)
async def test_what_is_no_plain_form_is_refused(rig: Rig, body: dict[str, Any]) -> None:
    response = await rig.browser.post(CALLBACK, **body)
    assert (response.status_code, Parsed(response.text).outcome) == (400, "failed")
    assert "something else than the form" in response.text


@pytest.mark.parametrize("extra", ["next=https://evil.example", "next=//evil.example", "redirect_uri=\\\\evil"])
async def test_no_parameter_decides_where_the_browser_goes(rig: Rig, extra: str) -> None:
    address = await rig.linking.begin(TEAM, ANN_SLACK)
    assert "evil" not in (await rig.browser.get(f"{address}?{extra}")).text
    assert "evil" not in str((await rig.browser.post(f"{address}?{extra}")).headers)


@pytest.mark.parametrize("token", ['"><script>x', "a b", "%2e%2e", "é"])
async def test_a_hostile_start_address_is_shown_inert(rig: Rig, token: str) -> None:
    response = await rig.browser.get(httpx.URL(PUBLIC).copy_with(path="/").join("/sign-in/start/" + _quoted(token)))
    page = Parsed(response.text)
    assert "script" not in page.tags
    assert re.fullmatch(rf"{PUBLIC}/sign-in/start/[A-Za-z0-9%._-]+", page.action)


def _quoted(token: str) -> str:
    return "".join(f"%{byte:02x}" for byte in token.encode())


def test_hostile_names_are_shown_inert() -> None:
    link = a_link(replace(ANN, name="<img src=x onerror=alert(1)>", upn='"><script>'))
    pages = (
        confirm_page(Confirm('"><b>', "</main><script>", link), f"{PUBLIC}/sign-in/confirm"),
        slack_page(SlackProven("<script>", 'https://login.microsoftonline.com/a"b?c="><script>')),
        failed_page("<script>"),
    )
    for page in pages:
        assert not {"script", "img", "b"} & set(Parsed(page).tags)


async def test_an_outage_is_a_page_with_status_503(rig: Rig) -> None:
    async def away(_state: str, **_: str) -> tuple[str, dict[str, Any]]:
        raise Unavailable("canary")

    rig.sign_in.microsoft_begin = away  # type: ignore[assignment,method-assign]  # Microsoft is down
    response = await rig.slack()
    assert (response.status_code, Parsed(response.text).outcome) == (503, "failed")
    assert "canary" not in response.text
    assert "Nothing was changed." in response.text


@pytest.mark.parametrize("number", [53000, 53001, 53003])
async def test_a_managed_device_is_demanded_with_the_way_to_the_portal(rig: Rig, number: int) -> None:
    async def refuse(*_: object) -> MicrosoftIdentity:
        raise refused({"error": "interaction_required", "error_codes": [number]})

    rig.sign_in.microsoft_identity = refuse  # type: ignore[assignment,method-assign]  # Conditional Access says no
    page = await rig.microsoft()
    assert (page.status_code, Parsed(page.text).outcome) == (400, "failed")
    assert "only from a managed device" in page.text
    assert "Nothing was changed." in page.text
    assert f'<a href="{PORTAL.decide(Kind.ENTRA)}">Open the portal</a>' in page.text


async def test_the_confirm_page_names_both_accounts(rig: Rig) -> None:
    text = (await rig.microsoft()).text
    assert not [word for word in ("Ann A", ANN_SLACK, ANN.name, ANN.upn) if word not in text]


async def test_the_pages_stay_out_of_the_api_description(rig: Rig) -> None:
    assert rig.app.openapi()["paths"] == {}
