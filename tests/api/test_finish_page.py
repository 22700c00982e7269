"""The page that finishes a decision: it names it, its one button sends it once, and it believes no other browser."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from api.test_pages import Parsed
from build import a_request, a_row, decided
from fakes_identity import (
    ANN,
    ANN_SLACK,
    BEN,
    PUBLIC,
    TEAM,
    TENANT,
    FakeClock,
    FakeDecisions,
    FakeFlows,
    FakeLinks,
    FakeSignIn,
    a_link,
)
from fastapi import FastAPI

from app.api.pages import COOKIE, sign_in_pages
from app.decisions.sending import Fate
from app.decisions.values import Done, Verify, Waiting
from app.domain.errors import Unavailable
from app.domain.request import Status, Verdict
from app.domain.ruling import Refused, Why
from app.identity.origins import Origins
from app.linking import Linking
from app.ports import LinkState, WaitingDecision
from blocks.links import Portal

CALLBACK = "/sign-in/microsoft/callback"
FINISH = "/sign-in/finish"
PORTAL = Portal("https://portal.azure.us")
CLAIMS = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
ROW = a_row()


def a_waiting(**over: object) -> WaitingDecision:
    facts: dict[str, Any] = {
        "id": "what-waits",
        "key": ROW.key,
        "verdict": Verdict.APPROVE,
        "comment": "Seen the <b>ticket</b>",
        "digest": ROW.request.digest,
        "team": TEAM,
        "slack_user": ANN_SLACK,
        "tenant": TENANT,
        "person": ANN,
        "asked_at": FakeClock()(),
        "expires": FakeClock()() + timedelta(minutes=10),
        **over,
    }
    return WaitingDecision(**facts)


class Rig:
    """The pages with their doubles, one browser, and Ann linked since long."""

    def __init__(self) -> None:
        numbers = itertools.count()
        self.sign_in, self.flows, self.links, self.decisions = FakeSignIn(), FakeFlows(), FakeLinks(), FakeDecisions()
        self.clock, self.wakes = FakeClock(), 0
        self.linking = Linking(
            self.sign_in,
            self.flows,
            self.links,
            self.clock,
            lambda: f"token-{next(numbers)}",
            PUBLIC,
            TEAM,
        )
        self.decisions.shown = Verify(ROW, a_waiting(), "")
        self.decisions.fate = Done(replace(ROW, status=Status.APPROVED, decided=decided()))
        self.app = FastAPI()
        pages = sign_in_pages(self.linking, self.decisions, Origins().form_targets(), PORTAL, self._wake)
        self.app.include_router(pages)
        self.browser = self.new_browser()

    def _wake(self) -> None:
        self.wakes += 1

    def new_browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=PUBLIC)

    async def to_microsoft(self) -> str:
        """From the modal's address to Microsoft's page; the state it was given."""
        address = await self.linking.verify(a_waiting(), CLAIMS)
        started = await self.browser.post(address)
        state = started.next_request.url.params["state"]  # type: ignore[union-attr]  # a redirect has one
        page = await self.browser.get("/sign-in/slack/callback", params={"code": "slack-code", "state": state})
        return Parsed(page.text).fields["state"]

    async def last_page(self) -> httpx.Response:
        state = await self.to_microsoft()
        return await self.browser.post(CALLBACK, data={"code": "c", "state": state})

    async def press(self, browser: httpx.AsyncClient | None = None) -> httpx.Response:
        form = Parsed((await self.last_page()).text)
        return await (browser or self.browser).post(form.action, data=form.fields)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    await rig.links.save(replace(a_link(), generation=4), "sealed", 1, rig.clock())
    rig.links.told.clear()
    yield rig
    await rig.browser.aclose()


async def test_the_page_names_the_decision_and_has_one_way_on(rig: Rig) -> None:
    page = await rig.last_page()
    found = Parsed(page.text)
    assert (page.status_code, found.outcome, found.action) == (200, "finish", PUBLIC + FINISH)
    assert found.tags.count("form") == found.tags.count("button") == 1
    for fact in ("Approve", "Exchange Administrator", "Rob Reyes", "rob@acme.example", "2 h", "Ann Alder"):
        assert fact in page.text
    assert "Seen the &lt;b&gt;ticket&lt;/b&gt;" in page.text


async def test_the_challenge_and_the_expected_name_go_to_microsoft(rig: Rig) -> None:
    await rig.to_microsoft()
    assert rig.sign_in.begun == [(CLAIMS, ANN.upn)]


async def test_a_challenge_is_not_stored_in_the_clear(rig: Rig) -> None:
    await rig.linking.verify(a_waiting(), CLAIMS)
    assert not [sealed for sealed, _ in rig.flows.rows.values() if "acrs" in sealed or "what-waits" in sealed]


async def test_looking_at_the_page_sends_nothing_and_renews_nothing(rig: Rig) -> None:
    await rig.last_page()
    assert rig.decisions.finished == []
    assert rig.links.rows[a_link().id].link.generation == 4


async def test_the_button_renews_the_link_and_carries_out_what_waited(rig: Rig) -> None:
    page = await rig.press()
    assert (page.status_code, Parsed(page.text).outcome) == (200, "decided")
    assert "You approved this request" in page.text
    ((waiting, link),) = rig.decisions.finished
    assert (waiting, link.person, link.generation, link.state) == ("what-waits", ANN, 5, LinkState.ACTIVE)
    assert link.signed_in_at == rig.clock()
    assert rig.links.rows[link.id].link == link
    assert (rig.links.told, rig.wakes) == ([("linked", ANN_SLACK)], 1)


@pytest.mark.parametrize(
    "fate,outcome,status,words",
    [
        (Done(replace(ROW, status=Status.DENIED)), "decided", 200, "You denied this request"),
        (Waiting(ROW), "waiting", 200, "Nothing is sent twice"),
        (Refused(Why.ALREADY_DECIDED, "Ben already <i>denied</i> it."), "refused", 400, "Ben already &lt;i&gt;denied"),
        (Verify(ROW, a_waiting(), "again"), "refused", 400, "Microsoft asks for more"),
    ],
    ids=["denied", "waiting", "refused", "again"],
)
async def test_the_result_page_says_what_became_of_it(
    rig: Rig, fate: Fate | Verify, outcome: str, status: int, words: str
) -> None:
    rig.decisions.fate = fate
    page = await rig.press()
    assert (page.status_code, Parsed(page.text).outcome, words in page.text) == (status, outcome, True)
    assert "form" not in Parsed(page.text).tags


async def test_a_failure_on_the_way_never_claims_that_nothing_was_sent(rig: Rig) -> None:
    rig.decisions.failure = Unavailable("hiccup")
    page = await rig.press()
    assert (page.status_code, Parsed(page.text).outcome) == (200, "waiting")
    assert "hiccup" not in page.text
    assert "Nothing was changed" not in page.text


async def test_what_cannot_be_finished_is_said_before_any_button(rig: Rig) -> None:
    rig.decisions.shown = Refused(Why.ALREADY_DECIDED, "Ben already approved it. Nothing was changed.")
    page = await rig.last_page()
    assert (page.status_code, Parsed(page.text).outcome) == (400, "refused")
    assert "form" not in Parsed(page.text).tags


async def test_the_button_works_once(rig: Rig) -> None:
    form = Parsed((await rig.last_page()).text)
    answers = [await rig.browser.post(form.action, data=form.fields) for _ in range(3)]
    assert [Parsed(answer.text).outcome for answer in answers] == ["decided", "failed", "failed"]
    assert len(rig.decisions.finished) == 1


async def test_another_browser_cannot_press_it_and_it_is_spent(rig: Rig) -> None:
    async with rig.new_browser() as other:
        other.cookies.set(COOKIE, "made-up", domain="pim.example")
        assert Parsed((await rig.press(other)).text).outcome == "failed"
    assert rig.decisions.finished == []


async def test_a_page_of_a_plain_sign_in_finishes_nothing(rig: Rig) -> None:
    form = Parsed((await rig.last_page()).text)
    page = await rig.browser.post("/sign-in/confirm", data=form.fields)
    assert (page.status_code, Parsed(page.text).outcome) == (400, "failed")
    assert rig.decisions.finished == []


async def test_the_finish_address_takes_no_other_token(rig: Rig) -> None:
    for data in ({}, {"token": ""}, {"token": "what-waits"}, {"token": "x" * 500}):
        page = await rig.browser.post(FINISH, data=data)
        assert (page.status_code, Parsed(page.text).outcome) == (400, "failed")
    assert (await rig.browser.get(FINISH)).status_code == 400
    assert rig.decisions.finished == []


async def test_another_microsoft_account_gets_no_button(rig: Rig) -> None:
    rig.sign_in.microsoft = BEN
    page = await rig.last_page()
    assert (page.status_code, Parsed(page.text).outcome) == (400, "failed")


async def test_the_page_grows_too_old(rig: Rig) -> None:
    form = Parsed((await rig.last_page()).text)
    rig.clock.pass_by(timedelta(minutes=11))
    page = await rig.browser.post(form.action, data=form.fields)
    assert (Parsed(page.text).outcome, rig.decisions.finished) == ("failed", [])


async def test_every_page_has_the_headers(rig: Rig) -> None:
    for page in (await rig.last_page(), await rig.press(), await rig.browser.get(FINISH)):
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert (page.headers["cache-control"], page.headers["x-frame-options"]) == ("no-store", "DENY")


async def test_a_plain_sign_in_finishes_nothing(rig: Rig) -> None:
    address = await rig.linking.begin(TEAM, ANN_SLACK)
    started = await rig.browser.post(address)
    state = started.next_request.url.params["state"]  # type: ignore[union-attr]  # a redirect has one
    page = await rig.browser.get("/sign-in/slack/callback", params={"code": "slack-code", "state": state})
    page = await rig.browser.post(CALLBACK, data={"code": "c", "state": Parsed(page.text).fields["state"]})
    form = Parsed(page.text)
    assert form.outcome == "confirm"
    assert Parsed((await rig.browser.post(form.action, data=form.fields)).text).outcome == "linked"
    assert rig.decisions.finished == []


async def test_hostile_facts_are_shown_inert(rig: Rig) -> None:
    request = a_request(
        justification="x", requestor=replace(ANN, name="<img src=x onerror=alert(1)>", upn='"><script>')
    )
    rig.decisions.shown = Verify(replace(ROW, request=request), a_waiting(comment="</main><script>"), "")
    page = await rig.last_page()
    assert not {"script", "img"} & set(Parsed(page.text).tags)
