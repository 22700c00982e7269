"""Not me: one press by the one person who got the receipt, and only a full sign-in thaws."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes_identity import ANN, ANN_SLACK, BEN_SLACK, PUBLIC, TEAM, TENANT, FakeClock, FakeSignIn
from people import CHANNEL

from app.domain.errors import SignInFailed
from app.domain.ruling import Refused
from app.linking import Confirm, Freezing, Going, Linking
from app.linking.freezing import NOT_YOURS
from app.ports import Act, Link, LinkState, Notice
from app.store.audit import AuditTrail
from app.store.flows import StoredFlows
from app.store.link_care import StoredLinkCare
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.waiting import StoredFreezes
from app.store.writer import Store


@dataclass
class Walk:
    """Linking and freezing on the real store, and a browser's steps."""

    store: Store

    def __post_init__(self) -> None:
        numbers = iter(range(10_000))
        self.clock, self.outbox = FakeClock(), StoredOutbox(self.store)
        self.trail = AuditTrail(self.store, b"a key")
        self.links = StoredLinks(self.store, self.trail, lambda: f"receipt-{next(numbers)}")
        freezes = StoredFreezes(self.store, self.trail)
        self.freezing = Freezing(links=self.links, outbox=self.outbox, freezes=freezes, clock=self.clock)
        self.linking = Linking(
            FakeSignIn(),
            StoredFlows(self.store),
            self.links,
            self.clock,
            lambda: f"token-{next(numbers)}",
            PUBLIC,
            TEAM,
        )

    async def to_slack(self) -> Going:
        address = await self.linking.begin(TEAM, ANN_SLACK)
        return await self.linking.start(address.rpartition("/")[2])

    async def to_confirm(self, going: Going) -> Confirm:
        query = {"code": "slack-code", "state": state_of(going.address)}
        proven = await self.linking.slack_returned(query, going.cookie)
        form = {"code": "ms-code", "state": state_of(proven.address)}
        return await self.linking.microsoft_returned(form, going.cookie)

    async def sign_in(self) -> None:
        going = await self.to_slack()
        confirm = await self.to_confirm(going)
        await self.linking.confirm(confirm.token, going.cookie)

    async def receipt(self) -> Notice:
        """The newest receipt."""
        found = [notice for notice in await self.outbox.due_notices(self.clock(), 100) if notice.topic == "linked"]
        return found[-1]

    async def link(self) -> Link:
        link = await self.links.by_slack(TEAM, ANN_SLACK)
        assert link is not None
        return link

    async def freeze(self) -> None:
        assert await self.freezing.not_me(TEAM, ANN_SLACK, (await self.receipt()).id) is None


def state_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


@pytest.fixture
async def walk(store: Store) -> Walk:
    """Ann has just signed in, and has her receipt."""
    walk = Walk(store)
    await walk.sign_in()
    return walk


async def test_one_press_freezes(walk: Walk) -> None:
    await walk.freeze()
    link = await walk.link()
    assert (link.state, await walk.links.load_cache(link.id), await walk.links.active()) == (LinkState.FROZEN, None, [])
    assert [row.what for row in await walk.trail.rows(0, 10)][-1] == "link_frozen"


async def test_a_second_press_finds_it_done(walk: Walk) -> None:
    await walk.freeze()
    await walk.freeze()
    assert (await walk.link()).generation == 2


@pytest.mark.parametrize("user", [BEN_SLACK, "", "U0MALLORY1"])
async def test_somebody_else_cannot_press_it(walk: Walk, user: str) -> None:
    assert await walk.freezing.not_me(TEAM, user, (await walk.receipt()).id) == NOT_YOURS
    assert (await walk.link()).state is LinkState.ACTIVE


async def test_a_value_of_our_own_making_freezes_nothing(walk: Walk) -> None:
    other = Notice("other", "restarted", to_slack=ANN_SLACK)
    await walk.outbox.owe(other, "other", walk.clock())
    for value in ("", "made up", "other"):
        assert isinstance(await walk.freezing.not_me(TEAM, ANN_SLACK, value), Refused)
    assert (await walk.link()).state is LinkState.ACTIVE


async def test_an_old_receipt_freezes_the_link_of_today(walk: Walk) -> None:
    old = await walk.receipt()
    await walk.sign_in()
    assert await walk.freezing.not_me(TEAM, ANN_SLACK, old.id) is None
    assert (await walk.link()).state is LinkState.FROZEN


async def test_without_a_link_there_is_nothing_to_freeze(walk: Walk) -> None:
    await walk.linking.sign_out(TEAM, ANN_SLACK)
    said = await walk.freezing.not_me(TEAM, ANN_SLACK, (await walk.receipt()).id)
    assert isinstance(said, Refused)
    assert "nothing to freeze" in said.text


async def test_a_freeze_tells_nobody_else(walk: Walk) -> None:
    await walk.freeze()
    assert {notice.to_slack for notice in await walk.outbox.due_notices(walk.clock(), 100)} == {ANN_SLACK}
    assert [note for note in await walk.outbox.unpainted_notes() if note.channel == CHANNEL] == []


# --- what ends it, and what does not ---


async def test_a_new_full_sign_in_ends_it(walk: Walk) -> None:
    await walk.freeze()
    await walk.sign_in()
    link = await walk.link()
    assert (link.state, link.person, link.generation) == (LinkState.ACTIVE, ANN, 3)


async def test_an_operator_ends_it_by_removing_the_link_and_the_next_sign_in_is_a_new_one(walk: Walk) -> None:
    going = await walk.to_slack()
    await walk.freeze()
    frozen = await walk.link()
    care = StoredLinkCare(walk.store, walk.trail)
    assert await care.remove(frozen, Act("os:ops", "looked at it with her", walk.clock()))
    assert await walk.links.by_slack(TEAM, ANN_SLACK) is None
    await walk.to_confirm(going)  # nothing stands in the way any more
    await walk.sign_in()
    link = await walk.link()
    assert (link.state, link.id != frozen.id) == (LinkState.ACTIVE, True)
    whats = [row.what for row in await walk.trail.rows(0, 10)]
    assert whats == ["link_made", "link_frozen", "link_removed", "link_made"]


async def test_a_sign_in_under_way_at_slack_does_not_end_it(walk: Walk) -> None:
    going = await walk.to_slack()
    await walk.freeze()
    with pytest.raises(SignInFailed, match="frozen"):
        await walk.to_confirm(going)
    assert (await walk.link()).state is LinkState.FROZEN


async def test_a_sign_in_at_its_last_button_does_not_end_it(walk: Walk) -> None:
    going = await walk.to_slack()
    confirm = await walk.to_confirm(going)
    await walk.freeze()
    with pytest.raises(SignInFailed, match="frozen"):
        await walk.linking.confirm(confirm.token, going.cookie)
    assert (await walk.link()).state is LinkState.FROZEN


async def test_signing_out_does_not_end_it(walk: Walk) -> None:
    await walk.freeze()
    assert not await walk.linking.sign_out(TEAM, ANN_SLACK)
    assert (await walk.link()).state is LinkState.FROZEN


async def test_a_frozen_account_is_nobody_elses(walk: Walk) -> None:
    await walk.freeze()
    assert await walk.links.by_entra(TENANT, ANN.id) == await walk.link()
    walk.linking.sign_in.slack = type(walk.linking.sign_in.slack)(TEAM, BEN_SLACK, "Ben")  # type: ignore[attr-defined]
    address = await walk.linking.begin(TEAM, BEN_SLACK)
    going = await walk.linking.start(address.rpartition("/")[2])
    with pytest.raises(SignInFailed, match="already linked"):
        await walk.to_confirm(going)
