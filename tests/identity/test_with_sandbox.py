"""The whole sign-in against the emulated world and the real tables, by a browser that minds cookies and policies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from secrets import token_urlsafe

import httpx
import pytest
from fakes_identity import KEYS, FakeDecisions
from fastapi import FastAPI
from sandbox.world_rig import Rig

from app.api.pages import sign_in_pages
from app.domain.errors import SignInRequired
from app.identity.bearer import Door, EntraBearers
from app.identity.entra import Entra, Registration
from app.identity.json_web_keys import JsonWebKeys
from app.identity.keyring import Keyring
from app.identity.microsoft import MicrosoftSignIn
from app.identity.msal_http import LoginHttp
from app.identity.on_behalf import OnBehalfTokens
from app.identity.origins import Origins
from app.identity.sign_in import BrowserSignIn, cache_context
from app.identity.slack import SlackClient, SlackSignIn
from app.identity.tokens import CACHE, MicrosoftTokens
from app.identity.wire import PinnedHttp
from app.linking import Linking
from app.ports import APPROVE, READ, Caller, Link, Resource, Stranger
from app.sandbox.login_tokens import Session
from app.sandbox.people import Person
from app.sandbox.sign_in_walk import Walk, walk
from app.store.audit import AuditTrail
from app.store.flows import StoredFlows
from app.store.links import StoredLinks
from app.store.outbox import StoredOutbox
from app.store.writer import Store
from blocks.links import GLOBAL


class FromThreads(httpx.BaseTransport):
    """Lets MSAL's threads call an application that lives on the test's event loop."""

    def __init__(self, browser: Callable[[], httpx.AsyncClient]) -> None:
        self._client = browser()
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = self._client.request(
            request.method, str(request.url), content=request.read(), headers=dict(request.headers)
        )
        answer = asyncio.run_coroutine_threadsafe(sent, self._loop).result(timeout=30)
        return httpx.Response(answer.status_code, content=answer.content)


OLD_SESSION = "a-session-of-before"


class World:
    """The bot's identity room and its pages, wired to the emulated world."""

    def __init__(self, store: Store) -> None:
        self.rig = Rig()
        settings = self.rig.settings
        root = settings.world_url
        origins = Origins(f"{root}/graph", f"{root}/arm", f"{root}/login", f"{root}/slack/api")
        clock, keyring = self.rig.world.now, Keyring.parse(KEYS)
        self.keyring = keyring
        registration = Registration(settings.tenant, settings.client_id, settings.client_secret)
        self.entra = Entra(registration, LoginHttp(origins, FromThreads(self.rig.browser)))
        self.http = http = PinnedHttp(origins, httpx.ASGITransport(self.rig.app))
        client = SlackClient(settings.slack_client_id, settings.slack_client_secret, settings.team)
        slack = SlackSignIn(client, http, origins, settings.bot_url)
        self.microsoft = MicrosoftSignIn(self.entra, http, origins, settings.bot_url)
        self.trail = AuditTrail(store, keyring.chain_key())
        self.links, self.outbox = StoredLinks(store, self.trail, token_urlsafe), StoredOutbox(store)
        self.linking = Linking(
            BrowserSignIn(slack, self.microsoft, keyring, clock),
            StoredFlows(store),
            self.links,
            clock,
            lambda: token_urlsafe(32),
            settings.bot_url,
            settings.team,
        )
        self.tokens = MicrosoftTokens(self.entra, self.links, keyring, clock, _at_once)
        bot = FastAPI()
        bot.include_router(sign_in_pages(self.linking, FakeDecisions(), origins.form_targets(), GLOBAL))
        self.rig.sites[settings.bot_url] = bot

    async def caller(self, name: str) -> Caller:
        """Who our own API takes the bearer of this person's token for."""
        facts = self.entra.registration
        door = Door(facts.issuer, facts.client_id, facts.tenant, frozenset({facts.client_id}))
        keys = JsonWebKeys(self.http, facts.keys_url, facts.key_issuers)
        query = {"user": name, "resource": "api"}
        token = (await self.rig.http.get("/control/token", params=query)).json()["access_token"]
        found = await EntraBearers(keys, door, self.rig.world.now).caller(token)
        assert isinstance(found, Caller), found
        return found

    async def sign_in(self, starter: str, slack: str = "", microsoft: str = "", without: tuple[str, ...] = ()) -> Walk:
        """Start as one person; the two names let another one sit at a provider's page.

        `without`: what somebody takes out of the address on the way to Microsoft.
        """
        people = self.rig.world.people

        def person_at(url: str) -> Person:
            return people[(slack if "/slack/" in url else microsoft) or starter]

        address = await self.linking.begin(self.rig.settings.team, people[starter].slack or "")

        async def tamper(request: httpx.Request) -> None:
            if request.url.path.endswith("/authorize"):
                for name in without:
                    request.url = request.url.copy_remove_param(name)
                request.headers["cookie"] = f"ESTSAUTH={OLD_SESSION}"

        async with self.rig.browser() as client:
            client.event_hooks["request"] = [tamper]
            return await walk(client, address, person_at, self.rig.world.now)

    def leave_signed_in(self, name: str) -> None:
        """The browser was signed in to Microsoft a while ago, and still is."""
        self.rig.world.login.sessions[OLD_SESSION] = Session(name, self.rig.world.now())
        self.rig.clock.now += timedelta(minutes=5)

    async def link_of(self, name: str) -> Link | None:
        return await self.links.by_slack(self.rig.settings.team, self.rig.world.people[name].slack or "")

    async def end_access_token(self, link: Link) -> None:
        """Rewrite the stored cache as if its access token had just ended."""
        stored = await self.links.load_cache(link.id)
        assert stored is not None
        opened = self.keyring.open(CACHE, cache_context(link, stored.version), stored.sealed)
        cache = json.loads(opened)
        for entry in cache["AccessToken"].values():
            entry["expires_on"] = "1"
        context = cache_context(link, stored.version + 1)
        assert await self.links.save_cache(stored, self.keyring.seal(CACHE, context, json.dumps(cache)))

    async def who(self, link: Link) -> object:
        """Whom Graph takes the link's token for."""
        return (await self.rig.raw("/v1.0/me", await self.tokens.of(link)())).json()["id"]


async def _at_once(_seconds: float) -> None:
    return None


@pytest.fixture
async def world(store: Store) -> World:
    return World(store)


async def test_a_person_signs_in_and_graph_knows_them_by_their_token(world: World) -> None:
    walked = await world.sign_in("ann")
    assert (walked.ok, walked.outcome) == (True, "linked"), walked
    link = await world.link_of("ann")
    assert link is not None
    assert link.person.id == world.rig.world.people["ann"].oid
    assert await world.who(link) == link.person.id
    assert [notice.topic for notice in await world.outbox.due_notices(world.rig.world.now(), 10)] == ["linked"]


async def test_a_refreshed_token_is_still_the_same_persons(world: World) -> None:
    await world.sign_in("ann")
    link = await world.link_of("ann")
    assert link is not None
    first = await world.tokens.of(link)()
    await world.end_access_token(link)
    second = await world.tokens.of(link)()
    assert second != first
    assert await world.who(link) == link.person.id
    assert await world.tokens.of(link)() == second


MINE = (
    "/arm/providers/Microsoft.Authorization/roleAssignmentScheduleRequests?$filter=asApprover()&api-version=2020-10-01"
)


async def test_the_same_sign_in_opens_azure_with_a_token_of_its_own(world: World) -> None:
    await world.sign_in("ann")
    link = await world.link_of("ann")
    assert link is not None
    graph, arm = await world.tokens.of(link)(), await world.tokens.of(link, Resource.ARM)()
    assert await world.tokens.of(link, Resource.ARM)() == arm != graph
    answers = [await world.rig.http.get(MINE, headers={"authorization": f"Bearer {token}"}) for token in (arm, graph)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert len(answers[0].json()["value"]) == len(world.rig.ids_of("azure"))
    assert (await world.rig.raw("/v1.0/me", arm)).status_code == 401
    assert await world.who(link) == link.person.id


async def test_the_bots_own_tokens_are_for_one_resource_each(world: World) -> None:
    scopes = "/arm/subscriptions?api-version=2022-12-01"
    for resource, status in ((Resource.ARM, 200), (Resource.GRAPH, 401)):
        token = await world.tokens.application(resource)()
        answer = await world.rig.http.get(scopes, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == status


async def test_a_forwarded_link_makes_no_link(world: World) -> None:
    walked = await world.sign_in("rob", slack="ann", microsoft="ann")
    assert (walked.ok, walked.outcome) == (False, "failed")
    assert await world.link_of("rob") is None
    assert await world.link_of("ann") is None
    assert walked.pages[-1]["status"] == 400


async def test_a_second_slack_account_cannot_take_a_linked_microsoft_account(world: World) -> None:
    await world.sign_in("ann")
    walked = await world.sign_in("rob", microsoft="ann")
    assert (walked.ok, walked.outcome) == (False, "failed")
    assert await world.link_of("rob") is None


async def test_signing_in_again_renews_the_link(world: World) -> None:
    await world.sign_in("ann")
    assert (await world.sign_in("ann")).ok
    link = await world.link_of("ann")
    assert link is not None
    assert link.generation == 2
    assert await world.who(link) == link.person.id


async def test_after_signing_out_an_old_source_gives_no_token(world: World) -> None:
    await world.sign_in("ann")
    link = await world.link_of("ann")
    assert link is not None
    source = world.tokens.of(link)
    await source()
    await world.linking.sign_out(link.team, link.slack_user)
    with pytest.raises(SignInRequired):
        await source()


async def test_a_prompt_taken_out_of_the_address_makes_no_sign_in_of_an_old_session(world: World) -> None:
    """An approver's unlocked browser: Microsoft would let its session in without a question."""
    world.leave_signed_in("ann")
    walked = await world.sign_in("ann", without=("prompt",))
    assert [page for page in walked.pages if str(page["url"]).endswith("/login")] == []  # nobody was asked anything
    assert (walked.ok, walked.outcome) == (False, "failed")
    assert await world.link_of("ann") is None
    assert (await world.sign_in("ann")).ok


async def test_whoever_takes_the_question_out_too_needs_a_company_that_does_not_demand_an_answer(world: World) -> None:
    world.leave_signed_in("ann")
    world.microsoft.require_auth_time = True  # what the policy file sets
    assert (await world.sign_in("ann", without=("prompt", "claims"))).outcome == "failed"
    assert await world.link_of("ann") is None
    assert (await world.sign_in("ann")).ok


async def test_a_session_of_this_very_sign_in_is_good(world: World) -> None:
    world.rig.world.login.sessions[OLD_SESSION] = Session("ann", world.rig.world.now())
    assert (await world.sign_in("ann", without=("prompt",))).ok


async def test_a_session_that_ended_is_one_message_however_often_they_click(world: World) -> None:
    await world.sign_in("ann")
    link = await world.link_of("ann")
    assert link is not None
    await world.end_access_token(link)
    world.rig.world.login.refresh.clear()  # an administrator revoked her sessions
    clicks = await asyncio.gather(*(world.tokens.of(link)() for _ in range(7)), return_exceptions=True)
    assert [type(click) for click in clicks] == [SignInRequired] * 7
    told = [notice.topic for notice in await world.outbox.due_notices(world.rig.world.now(), 100)]
    assert sorted(told) == ["linked", "suspended"]
    whats = [row.what for row in await world.trail.rows(0, 10)]
    assert whats == ["link_made", "link_suspended"]


async def test_the_bots_own_token_is_an_application(world: World) -> None:
    token = await world.tokens.application()()
    assert (await world.rig.raw("/v1.0/me", token)).status_code >= 400
    answer = await world.rig.raw("/v1.0/roleManagement/directory/roleAssignmentScheduleRequests", token)
    assert answer.status_code == 200


async def test_an_old_link_address_is_refused(world: World) -> None:
    address = await world.linking.begin(world.rig.settings.team, world.rig.world.people["ann"].slack or "")
    world.rig.clock.now += timedelta(minutes=11)
    async with world.rig.browser() as client:
        walked = await walk(client, address, lambda _url: world.rig.world.people["ann"], world.rig.world.now)
    assert (walked.ok, walked.outcome) == (False, "failed")


async def test_the_worlds_tokens_for_our_api_are_let_in_and_exchanged_for_their_owners(world: World) -> None:
    tokens = OnBehalfTokens(world.entra, world.http, world.rig.world.now)
    for name in ("ann", "cleo"):
        caller, person = await world.caller(name), world.rig.world.people[name]
        assert (caller.person.id, caller.auditor, caller.scopes) == (person.oid, name == "cleo", {READ, APPROVE})
        assert (await world.rig.raw("/v1.0/me", await tokens.of(caller)())).json()["id"] == person.oid
        assert (await tokens.person(caller)).upn == person.upn
        arm = world.rig.world.key.read(await tokens.of(caller, Resource.ARM)())
        assert (arm["oid"], arm["aud"]) == (person.oid, "https://management.azure.com")


async def test_the_worlds_other_tokens_are_not_let_in(world: World) -> None:
    facts = world.entra.registration
    door = Door(facts.issuer, facts.client_id, facts.tenant, frozenset({facts.client_id}))
    bearers = EntraBearers(JsonWebKeys(world.http, facts.keys_url, facts.key_issuers), door, world.rig.world.now)
    for user, resource, flaw in (
        ("ann", "graph", "wrong audience"),
        ("ann", "arm", "wrong audience"),
        ("app", "api", "no person behind it"),
    ):
        query = {"user": user, "resource": resource}
        token = (await world.rig.http.get("/control/token", params=query)).json()["access_token"]
        assert await bearers.caller(token) == Stranger(flaw)
