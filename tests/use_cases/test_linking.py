"""Linking: page after page, each believed once, in one browser, by the Slack account that asked."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes_identity import (
    ANN,
    ANN_SLACK,
    BEN,
    BEN_SLACK,
    PUBLIC,
    TEAM,
    TENANT,
    FakeClock,
    FakeFlows,
    FakeLinks,
    FakeSignIn,
)

from app.domain.errors import SignInFailed
from app.identity.sign_in import cache_context
from app.linking import CACHE, Confirm, Going, Linked, Linking, SlackProven
from app.ports import LinkState, SlackIdentity

START = f"{PUBLIC}/sign-in/start/"


@dataclass
class Walk:
    """One linking with its doubles, and a browser's steps through it."""

    sign_in: FakeSignIn = field(default_factory=FakeSignIn)
    flows: FakeFlows = field(default_factory=FakeFlows)
    links: FakeLinks = field(default_factory=FakeLinks)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        numbers = itertools.count()
        self.linking = Linking(
            self.sign_in,
            self.flows,
            self.links,
            self.clock,
            lambda: f"token-{next(numbers)}",
            PUBLIC,
            TEAM,
        )

    async def to_slack(self, user: str = ANN_SLACK) -> Going:
        address = await self.linking.begin(TEAM, user)
        return await self.linking.start(address.removeprefix(START))

    async def back_from_slack(self, user: str = ANN_SLACK) -> tuple[Going, SlackProven]:
        going = await self.to_slack(user)
        query = {"code": "slack-code", "state": state_of(going.address)}
        return going, await self.linking.slack_returned(query, going.cookie)

    async def to_confirm(self, user: str = ANN_SLACK) -> tuple[Going, Confirm]:
        going, proven = await self.back_from_slack(user)
        form = {"code": "ms-code", "state": state_of(proven.address)}
        return going, await self.linking.microsoft_returned(form, going.cookie)

    async def all_the_way(self, user: str = ANN_SLACK) -> Linked:
        going, confirm = await self.to_confirm(user)
        return await self.linking.confirm(confirm.token, going.cookie)

    def become_ben(self) -> None:
        self.sign_in.slack = SlackIdentity(TEAM, BEN_SLACK, "Ben B")
        self.sign_in.microsoft = BEN


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


@pytest.fixture
def walk() -> Walk:
    return Walk()


async def test_the_whole_way_makes_an_active_link(walk: Walk) -> None:
    linked = await walk.all_the_way()
    link = await walk.links.by_slack(TEAM, ANN_SLACK)
    assert link == linked.link
    assert link is not None
    assert (link.tenant, link.person, link.state, link.generation) == (TENANT, ANN, LinkState.ACTIVE, 1)
    assert link.signed_in_at == walk.clock()


async def test_the_cache_is_sealed_for_its_owner_and_version(walk: Walk) -> None:
    link = (await walk.all_the_way()).link
    row = walk.links.rows[link.id]
    assert walk.sign_in.open(CACHE, cache_context(link, row.version), row.sealed) == "canary, the plain cache"


async def test_the_slack_account_is_told(walk: Walk) -> None:
    await walk.all_the_way()
    assert walk.links.told == [("linked", ANN_SLACK)]


async def test_nothing_is_linked_before_the_last_button(walk: Walk) -> None:
    _, confirm = await walk.to_confirm()
    assert (confirm.link.slack_user, confirm.slack_name, confirm.link.person) == (ANN_SLACK, "Ann A", ANN)
    assert walk.links.rows == {}
    assert walk.links.told == []


async def test_the_start_address_is_good_once(walk: Walk) -> None:
    token = (await walk.linking.begin(TEAM, ANN_SLACK)).removeprefix(START)
    await walk.linking.start(token)
    with pytest.raises(SignInFailed, match="already used"):
        await walk.linking.start(token)


async def test_a_forwarded_link_is_refused_and_both_sides_hear_of_it(walk: Walk) -> None:
    """Somebody starts, and an approver opens the address and signs in to Slack as who they are."""
    walk.become_ben()
    with pytest.raises(SignInFailed, match="another account"):
        await walk.back_from_slack(ANN_SLACK)
    assert walk.links.rows == {}
    assert walk.flows.rows == {}
    assert walk.links.told == [("link_refused", ANN_SLACK), ("link_refused", BEN_SLACK)]


async def test_the_same_user_id_of_another_workspace_is_refused(walk: Walk) -> None:
    walk.sign_in.slack = SlackIdentity("T0OTHER", ANN_SLACK)
    with pytest.raises(SignInFailed, match="another account"):
        await walk.back_from_slack()


async def test_another_workspace_cannot_begin(walk: Walk) -> None:
    with pytest.raises(SignInFailed, match="another Slack workspace"):
        await walk.linking.begin("T0OTHER", ANN_SLACK)
    assert walk.flows.rows == {}


@pytest.mark.parametrize("cookie", ["", "token-0", "another", "é"])
async def test_slacks_answer_in_another_browser_redeems_nothing(walk: Walk, cookie: str) -> None:
    going = await walk.to_slack()
    query = {"code": "slack-code", "state": state_of(going.address)}
    with pytest.raises(SignInFailed, match="cookie"):
        await walk.linking.slack_returned(query, cookie)
    assert walk.sign_in.redeemed == []
    with pytest.raises(SignInFailed, match="already used"):
        await walk.linking.slack_returned(query, going.cookie)


@pytest.mark.parametrize("cookie", ["", "another"])
async def test_microsofts_answer_in_another_browser_redeems_nothing(walk: Walk, cookie: str) -> None:
    _, proven = await walk.back_from_slack()
    form = {"code": "ms-code", "state": state_of(proven.address)}
    with pytest.raises(SignInFailed, match="cookie"):
        await walk.linking.microsoft_returned(form, cookie)
    assert walk.sign_in.redeemed == ["slack-code"]


@pytest.mark.parametrize("cookie", ["", "another"])
async def test_the_last_button_in_another_browser_links_nothing(walk: Walk, cookie: str) -> None:
    _, confirm = await walk.to_confirm()
    with pytest.raises(SignInFailed, match="cookie"):
        await walk.linking.confirm(confirm.token, cookie)
    assert walk.links.rows == {}


async def test_another_flows_cookie_does_not_fit(walk: Walk) -> None:
    others = await walk.to_slack(BEN_SLACK)
    going = await walk.to_slack()
    with pytest.raises(SignInFailed, match="cookie"):
        await walk.linking.slack_returned({"code": "c", "state": state_of(going.address)}, others.cookie)


async def test_every_state_is_good_once_even_at_the_same_moment(walk: Walk) -> None:
    going, proven = await walk.back_from_slack()
    form = {"code": "ms-code", "state": state_of(proven.address)}
    tries = [walk.linking.microsoft_returned(form, going.cookie) for _ in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Confirm) for result in results) == 1
    assert walk.sign_in.redeemed == ["slack-code", "ms-code"]


async def test_the_last_button_works_once(walk: Walk) -> None:
    going, confirm = await walk.to_confirm()
    await walk.linking.confirm(confirm.token, going.cookie)
    with pytest.raises(SignInFailed, match="already used"):
        await walk.linking.confirm(confirm.token, going.cookie)
    assert walk.links.told == [("linked", ANN_SLACK)]


async def test_a_page_left_open_too_long_is_refused(walk: Walk) -> None:
    going, confirm = await walk.to_confirm()
    walk.clock.pass_by(timedelta(minutes=10))
    with pytest.raises(SignInFailed, match="too old"):
        await walk.linking.confirm(confirm.token, going.cookie)
    token = (await walk.linking.begin(TEAM, ANN_SLACK)).removeprefix(START)
    walk.clock.pass_by(timedelta(minutes=10))
    with pytest.raises(SignInFailed, match="too old"):
        await walk.linking.start(token)


@pytest.mark.parametrize("token", ["", "made-up", "x" * 129, "\0", "token-0/../x", "\ud800"])
async def test_made_up_tokens_are_refused_on_every_page(walk: Walk, token: str) -> None:
    pages: list[Callable[[], Any]] = [
        lambda: walk.linking.start(token),
        lambda: walk.linking.slack_returned({"state": token, "code": "c"}, "cookie"),
        lambda: walk.linking.microsoft_returned({"state": token, "code": "c"}, "cookie"),
        lambda: walk.linking.confirm(token, "cookie"),
    ]
    for page in pages:
        with pytest.raises(SignInFailed, match="too old"):
            await page()
    assert walk.sign_in.redeemed == []


async def test_one_pages_state_is_nothing_to_another_page(walk: Walk) -> None:
    going, proven = await walk.back_from_slack()
    with pytest.raises(SignInFailed, match="too old"):
        await walk.linking.confirm(state_of(proven.address), going.cookie)
    going = await walk.to_slack()
    with pytest.raises(SignInFailed, match="too old"):
        await walk.linking.start(state_of(going.address))


async def test_a_stored_flow_moved_to_another_token_does_not_open(walk: Walk) -> None:
    ann, ben = await walk.to_slack(), await walk.to_slack(BEN_SLACK)
    (first, kept_first), (second, kept_second) = walk.flows.rows.items()
    walk.flows.rows = {first: kept_second, second: kept_first}
    for going in (ann, ben):
        with pytest.raises(SignInFailed, match="too old"):
            await walk.linking.slack_returned({"code": "c", "state": state_of(going.address)}, going.cookie)


async def test_no_token_or_secret_is_stored_in_the_clear(walk: Walk) -> None:
    going, confirm = await walk.to_confirm()
    stored = repr(walk.flows.rows)
    assert not [word for word in (confirm.token, going.cookie, "canary, the plain cache", ANN.upn) if word in stored]


async def test_cancelling_at_slack_says_so(walk: Walk) -> None:
    going = await walk.to_slack()
    query = {"error": "access_denied", "state": state_of(going.address)}
    with pytest.raises(SignInFailed, match="cancelled the sign-in at Slack"):
        await walk.linking.slack_returned(query, going.cookie)
    assert walk.sign_in.redeemed == []


async def test_cancelling_at_microsoft_says_so(walk: Walk) -> None:
    going, proven = await walk.back_from_slack()
    with pytest.raises(SignInFailed, match="cancelled the sign-in at Microsoft"):
        await walk.linking.microsoft_returned({"error": "x", "state": state_of(proven.address)}, going.cookie)
    assert walk.flows.rows == {}


async def test_signing_in_again_renews_the_same_link(walk: Walk) -> None:
    first = (await walk.all_the_way()).link
    await walk.links.suspend(first, "over", walk.clock())
    walk.clock.pass_by(timedelta(days=3))
    second = (await walk.all_the_way()).link
    assert (second.id, second.generation, second.state) == (first.id, 2, LinkState.ACTIVE)
    assert second.signed_in_at == walk.clock()
    assert len(walk.links.rows) == 1
    assert walk.links.told == [("linked", ANN_SLACK)] * 2


async def test_a_microsoft_account_linked_to_another_slack_account_is_refused(walk: Walk) -> None:
    await walk.all_the_way()
    walk.sign_in.slack = SlackIdentity(TEAM, BEN_SLACK)
    with pytest.raises(SignInFailed, match="already linked to another Slack account"):
        await walk.to_confirm(BEN_SLACK)
    assert [row.link.slack_user for row in walk.links.rows.values()] == [ANN_SLACK]
    assert walk.flows.rows == {}


async def test_a_slack_account_linked_to_another_microsoft_account_is_refused(walk: Walk) -> None:
    await walk.all_the_way()
    walk.sign_in.microsoft = BEN
    with pytest.raises(SignInFailed, match=r"linked to Ann Alder .*you signed in as Ben Brook"):
        await walk.to_confirm()
    assert [row.link.person for row in walk.links.rows.values()] == [ANN]


async def test_an_account_taken_while_the_last_page_was_open_is_refused(walk: Walk) -> None:
    walk.sign_in.slack = SlackIdentity(TEAM, BEN_SLACK)
    going, confirm = await walk.to_confirm(BEN_SLACK)
    walk.sign_in.slack = SlackIdentity(TEAM, ANN_SLACK)
    await walk.all_the_way()
    with pytest.raises(SignInFailed, match="already linked"):
        await walk.linking.confirm(confirm.token, going.cookie)
    assert [row.link.slack_user for row in walk.links.rows.values()] == [ANN_SLACK]


async def test_an_account_taken_at_the_very_last_moment_is_refused_by_the_table(walk: Walk) -> None:
    async def save(*_: object) -> bool:
        return False

    walk.links.save = save  # type: ignore[assignment,method-assign]  # somebody else's row came first
    with pytest.raises(SignInFailed, match="already linked"):
        await walk.all_the_way()
    assert walk.links.told == []


async def test_after_signing_out_everything_is_gone_and_another_account_may_come(walk: Walk) -> None:
    await walk.all_the_way()
    assert await walk.linking.sign_out(TEAM, ANN_SLACK) is True
    assert walk.links.rows == {}
    assert await walk.linking.sign_out(TEAM, ANN_SLACK) is False
    assert walk.links.told[-1] == ("unlinked", ANN_SLACK)
    walk.sign_in.microsoft = BEN
    assert (await walk.all_the_way()).link.person == BEN


async def test_every_refusal_says_that_nothing_was_changed(walk: Walk) -> None:
    with pytest.raises(SignInFailed, match="Nothing was changed"):
        await walk.linking.start("made-up")
    going = await walk.to_slack()
    with pytest.raises(SignInFailed, match="Nothing was changed"):
        await walk.linking.slack_returned({"code": "c", "state": state_of(going.address)}, "")
