"""Tokens: refreshed and saved by compare-and-set, refused once, and gone after a sign-out, whatever races."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msal
import pytest
from fakes_identity import (
    ANN,
    BEN,
    BEN_SLACK,
    CLIENT,
    KEYS,
    TENANT,
    FakeClock,
    FakeLinks,
    Providers,
    a_link,
    make_entra,
    oauth_error,
)

from app.domain.errors import ClaimsChallenge, DeviceDemanded, SignInRequired, Unavailable
from app.domain.request import Person
from app.identity.clouds import GLOBAL
from app.identity.keyring import Keyring
from app.identity.sign_in import cache_context
from app.identity.tokens import CACHE, MicrosoftTokens
from app.ports import Link, LinkState, SealedCache

OVER = [("invalid_grant", 700082), ("interaction_required", 50076), ("login_required", 0), ("invalid_grant", 50173)]
DOWN = [httpx.Response(503), httpx.Response(429), httpx.ReadTimeout("x"), httpx.Response(200, text="<html>")]


@dataclass
class Desk:
    """A links table, the providers, and as many bot processes over them as a test wants."""

    links: FakeLinks
    providers: Providers
    keyring: Keyring
    pauses: list[float] = field(default_factory=list)
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    wait_for_save: bool = False

    def process(self) -> MicrosoftTokens:
        return MicrosoftTokens(make_entra(self.providers), self.links, self.keyring, self.providers.clock, self.pause)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.refused.set()
        if self.wait_for_save:
            await self.links.saved.wait()

    def link_up(self, link: Link | None = None, *, life: int = 3600, person: Person | None = None) -> Link:
        """A link whose cache holds an access token of `life` seconds for `person`."""
        link = link or a_link()
        self.providers.person = person or link.person
        self.providers.life = life
        cache = msal.SerializableTokenCache()
        scope = " ".join([*GLOBAL.graph_scopes, "openid", "profile"])
        event = {
            "client_id": CLIENT,
            "scope": scope.split(),
            "token_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
            "grant_type": "authorization_code",
            "response": _with_claims(self.providers.tokens({"scope": scope})),
            "params": None,
            "data": {},
        }
        cache.add(event)
        sealed = self.keyring.seal(CACHE, cache_context(link, 1), cache.serialize())
        self.links.rows[link.id] = SealedCache(link, sealed, 1)
        self.providers.life = 3600
        return link


def _with_claims(answer: dict[str, object]) -> dict[str, object]:
    return {**answer, "id_token_claims": msal.oauth2cli.oidc._decode_id_token_claims(answer["id_token"])}  # noqa: SLF001


@pytest.fixture
def desk() -> Desk:
    return Desk(FakeLinks(), Providers(FakeClock()), Keyring.parse(KEYS))


async def test_a_valid_token_is_used_without_asking_microsoft(desk: Desk) -> None:
    token = await desk.process().of(desk.link_up())()
    assert token.startswith("canary-access-")
    assert desk.providers.forms == []
    assert desk.links.cache_saves == 0


async def test_an_ended_token_is_refreshed_once_and_saved(desk: Desk) -> None:
    link = desk.link_up(life=1)
    source = desk.process().of(link)
    assert await source() == await source()
    assert [form["grant_type"] for form in desk.providers.forms] == ["refresh_token"]
    assert desk.links.rows[link.id].version == 2


async def test_a_saved_cache_opens_in_another_process(desk: Desk) -> None:
    link = desk.link_up(life=1)
    assert await desk.process().of(link)() == await desk.process().of(link)()
    assert desk.links.cache_saves == 1


async def test_many_callers_in_one_process_refresh_once(desk: Desk) -> None:
    link = desk.link_up(life=1)
    source = desk.process().of(link)
    assert len(set(await asyncio.gather(*(source() for _ in range(20))))) == 1
    assert len(desk.providers.forms) == 1


async def test_two_processes_refreshing_at_once_lock_nobody_out(desk: Desk) -> None:
    """Refresh tokens are used once here: the loser is refused before the winner saved, and must look again."""
    link = desk.link_up(life=1)
    desk.links.before_save = desk.refused.wait
    desk.wait_for_save = True
    tokens = await asyncio.gather(*(desk.process().of(link)() for _ in range(2)))
    assert len(set(tokens)) == 1
    assert desk.links.suspended == []
    assert desk.links.cache_saves == len(desk.pauses) == 1
    assert await desk.process().of(link)() == tokens[0]


async def test_a_save_that_comes_second_takes_the_winners_token(desk: Desk) -> None:
    link = desk.link_up(life=1)
    won: list[str] = []

    async def other_process() -> None:
        current = desk.links.rows[link.id]
        desk.link_up(link)
        fresh = desk.keyring.open(CACHE, cache_context(link, 1), desk.links.rows[link.id].sealed)
        won.append(next(iter(json.loads(fresh)["AccessToken"].values()))["secret"])
        sealed = desk.keyring.seal(CACHE, cache_context(link, 2), fresh)
        desk.links.rows[link.id] = replace(current, sealed=sealed, version=2)

    desk.links.before_save = other_process
    assert await desk.process().of(link)() == won[0]
    assert desk.links.rows[link.id].version == 2


async def test_a_refresh_racing_a_sign_out_leaves_no_usable_token(desk: Desk) -> None:
    link = desk.link_up(life=1)

    async def sign_out() -> None:
        await desk.links.remove(link, desk.providers.clock())

    desk.links.before_save = sign_out
    with pytest.raises(SignInRequired):
        await desk.process().of(link)()
    assert desk.links.rows == {}
    assert desk.links.cache_saves == 0


async def test_a_refresh_racing_a_new_sign_in_does_not_overwrite_it(desk: Desk) -> None:
    link = desk.link_up(life=1)
    desk.links.before_save = lambda: _sign_in_again(desk, link)
    await desk.process().of(link)()
    row = desk.links.rows[link.id]
    assert (row.link.generation, row.version) == (2, 1)


async def _sign_in_again(desk: Desk, link: Link) -> None:
    desk.link_up(replace(link, generation=2))


@pytest.mark.parametrize("error, number", OVER)
async def test_an_ended_session_suspends_the_link_once(desk: Desk, error: str, number: int) -> None:
    link = desk.link_up(life=1)
    desk.providers.answers = [oauth_error(error, number)] * 3
    process = desk.process()
    for _ in range(3):
        with pytest.raises(SignInRequired):
            await process.of(link)()
    assert desk.links.suspended == [link.id]
    assert desk.links.whys == [f"Microsoft: {error} (AADSTS{number})" if number else f"Microsoft: {error}"]
    assert len(desk.providers.forms) == 1
    assert desk.links.rows[link.id].sealed == ""


async def test_a_refusal_of_an_older_cache_does_not_suspend(desk: Desk) -> None:
    link = desk.link_up(life=1)
    stale = desk.links.rows[link.id]
    await desk.process().of(link)()
    newer = desk.links.rows[link.id]
    desk.links.rows[link.id] = stale
    loads: list[SealedCache] = [stale, newer, newer]
    desk.links.load_cache = lambda _id: _given(loads.pop(0))  # type: ignore[assignment,method-assign]  # a lagging read
    assert (await desk.process().of(link)()).startswith("canary-access-")
    assert desk.links.suspended == []


async def _given(value: SealedCache) -> SealedCache:
    return value


@pytest.mark.parametrize("error, number", [("invalid_client", 7000215), ("unauthorized_client", 700016)])
async def test_the_bots_own_bad_credential_is_nobodys_session(desk: Desk, error: str, number: int) -> None:
    link = desk.link_up(life=1)
    desk.providers.answers = [oauth_error(error, number, 401)]
    with pytest.raises(Unavailable) as caught:
        await desk.process().of(link)()
    assert desk.links.suspended == []
    assert "canary" not in str(caught.value)


async def test_missing_consent_suspends_nobody(desk: Desk) -> None:
    link = desk.link_up(life=1)
    desk.providers.answers = [oauth_error("invalid_grant", 65001)]
    with pytest.raises(Unavailable, match="consent"):
        await desk.process().of(link)()
    assert desk.links.suspended == []


@pytest.mark.parametrize("outage", DOWN)
async def test_an_outage_is_survived_while_the_token_lasts(desk: Desk, outage: httpx.Response | Exception) -> None:
    """Under five minutes MSAL gives a token up; it is still good when there is no other."""
    link = desk.link_up(life=240)
    desk.providers.answers = [outage]
    assert (await desk.process().of(link)()).startswith("canary-access-")
    assert len(desk.providers.forms) == 1
    assert desk.links.cache_saves == 0


@pytest.mark.parametrize("outage", DOWN)
async def test_an_outage_without_a_token_is_an_outage_and_no_lost_session(
    desk: Desk, outage: httpx.Response | Exception
) -> None:
    link = desk.link_up(life=30)
    desk.providers.answers = [outage]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the class is judged below
        await desk.process().of(link)()
    assert getattr(caught.value, "retryable", False)
    assert desk.links.suspended == []
    assert (await desk.process().of(link)()).startswith("canary-access-")


async def test_a_clock_past_the_tokens_end_makes_the_outage_visible(desk: Desk) -> None:
    link = desk.link_up(life=240)
    desk.providers.clock.pass_by(timedelta(seconds=200))
    desk.providers.answers = [httpx.Response(503)]
    with pytest.raises(Unavailable):
        await desk.process().of(link)()


@pytest.mark.parametrize("damage", ["", "junk", "v1.k2.AAAA"])
async def test_a_damaged_cache_suspends_the_link(desk: Desk, damage: str) -> None:
    link = desk.link_up()
    desk.links.rows[link.id] = replace(desk.links.rows[link.id], sealed=damage)
    with pytest.raises(SignInRequired):
        await desk.process().of(link)()
    assert desk.links.suspended == [link.id]


async def test_a_cache_moved_from_another_row_gives_no_token(desk: Desk) -> None:
    """Ben's row with Ann's ciphertext: Ben must not act as Ann."""
    ann = desk.link_up()
    ben = desk.link_up(a_link(BEN, BEN_SLACK))
    desk.links.rows[ben.id] = replace(desk.links.rows[ben.id], sealed=desk.links.rows[ann.id].sealed)
    with pytest.raises(SignInRequired):
        await desk.process().of(ben)()
    assert desk.links.suspended == [ben.id]


@pytest.mark.parametrize(
    "over",
    [{"slack_user": BEN_SLACK}, {"team": "T0OTHER001"}, {"signed_in_at": datetime(2026, 1, 2, tzinfo=UTC)}],
    ids=lambda over: next(iter(over)),
)
async def test_a_session_whose_row_was_edited_gives_no_token(desk: Desk, over: dict[str, Any]) -> None:
    """Whoever writes to the database cannot decide with Ann's session from another Slack account, or make it young."""
    link = desk.link_up()
    edited = replace(link, **over)
    desk.links.rows[link.id] = replace(desk.links.rows[link.id], link=edited)
    with pytest.raises(SignInRequired):
        await desk.process().of(edited)()
    assert desk.links.whys == ["the stored session does not open"]


async def test_a_cache_rolled_back_to_an_older_save_gives_no_token(desk: Desk) -> None:
    link = desk.link_up(life=1)
    old = desk.links.rows[link.id].sealed
    await desk.process().of(link)()
    desk.links.rows[link.id] = replace(desk.links.rows[link.id], sealed=old)
    with pytest.raises(SignInRequired):
        await desk.process().of(link)()


async def test_a_cache_that_holds_another_person_gives_no_token(desk: Desk) -> None:
    link = desk.link_up(person=BEN)
    with pytest.raises(SignInRequired):
        await desk.process().of(link)()
    assert (desk.links.suspended, desk.links.whys) == ([link.id], ["the stored session does not open"])


async def test_a_source_of_somebody_linked_before_gives_no_token_of_whoever_is_linked_now(desk: Desk) -> None:
    before = desk.link_up()
    desk.link_up(replace(before, person=BEN, generation=2))
    with pytest.raises(SignInRequired):
        await desk.process().of(before)()
    assert desk.links.suspended == []


async def test_a_key_that_is_gone_costs_a_sign_in_but_not_what_is_stored(desk: Desk) -> None:
    """Removed too early, or not yet known to this replica: the row must still be there when the key is."""
    link = desk.link_up()
    before, ring = desk.links.rows[link.id], desk.keyring
    desk.keyring = Keyring.parse(KEYS.partition(",")[2])
    with pytest.raises(SignInRequired):
        await desk.process().of(link)()
    assert (desk.links.rows[link.id], desk.links.suspended) == (before, [])
    desk.keyring = ring
    assert await desk.process().of(link)()


async def test_a_suspended_or_removed_link_gives_no_token(desk: Desk) -> None:
    link = desk.link_up()
    process = desk.process()
    desk.links.rows[link.id] = replace(desk.links.rows[link.id], link=replace(link, state=LinkState.SUSPENDED))
    with pytest.raises(SignInRequired):
        await process.of(link)()
    await desk.links.remove(link, desk.providers.clock())
    with pytest.raises(SignInRequired):
        await process.of(link)()
    assert desk.providers.calls == []


async def test_one_persons_outage_does_not_hold_up_another(desk: Desk) -> None:
    """MSAL remembers a 429 per application object, so each call has its own; we remember it per session."""
    ann, ben = desk.link_up(life=1), desk.link_up(a_link(BEN, BEN_SLACK), life=1)
    process = desk.process()
    desk.providers.answers = [httpx.Response(429, headers={"retry-after": "3600"})]
    with pytest.raises(Unavailable):
        await process.of(ann)()
    assert (await process.of(ben)()).startswith("canary-access-")
    asked = len(desk.providers.calls)
    with pytest.raises(Unavailable) as caught:
        await process.of(ann)()
    assert caught.value.retry_after == pytest.approx(3600, abs=60)
    assert len(desk.providers.calls) == asked


async def test_nothing_of_a_cache_is_stored_in_the_clear(desk: Desk) -> None:
    link = desk.link_up(life=1)
    await desk.process().of(link)()
    stored = desk.links.rows[link.id].sealed
    assert not [word for word in ("canary-access-", "canary-refresh-", ANN.id, ANN.upn) if word in stored]


async def test_the_bots_own_token_is_asked_for_once(desk: Desk) -> None:
    own = desk.process().application()
    assert await asyncio.gather(*(own() for _ in range(5))) == ["canary-own"] * 5
    assert [form["scope"] for form in desk.providers.forms] == ["https://graph.microsoft.com/.default"]


async def test_the_bots_own_token_survives_an_outage_until_its_end(desk: Desk) -> None:
    desk.providers.life = 240
    own = desk.process().application()
    await own()
    desk.providers.answers = [httpx.Response(503)] * 2
    assert await own() == "canary-own"
    desk.providers.clock.pass_by(timedelta(seconds=200))
    with pytest.raises(Unavailable):
        await own()


async def test_a_refused_application_is_an_outage_until_it_is_mended(desk: Desk) -> None:
    desk.providers.answers = [oauth_error("invalid_client", 7000215, 401), oauth_error("invalid_client", 7000215)]
    own = desk.process().application()
    for _ in range(2):
        with pytest.raises(Unavailable, match="administrator"):
            await own()
    assert await own() == "canary-own"


# --- Conditional Access at a refresh ---


async def test_a_refresh_that_lacks_a_proof_is_a_challenge_and_no_lost_session(desk: Desk) -> None:
    link = desk.link_up(life=1)
    claims = '{"access_token":{"capolids":{"essential":true,"values":["x"]}}}'
    body = {"error": "interaction_required", "error_codes": [50079], "claims": claims}
    desk.providers.answers = [httpx.Response(400, json=body)]
    with pytest.raises(ClaimsChallenge) as caught:
        await desk.process().of(link)()
    assert caught.value.claims == claims
    assert desk.links.suspended == []
    assert await desk.process().of(link)()


async def test_claims_of_another_shape_are_not_passed_on(desk: Desk) -> None:
    link = desk.link_up(life=1)
    body = {"error": "interaction_required", "error_codes": [50079], "claims": '{"id_token": {}}'}
    desk.providers.answers = [httpx.Response(400, json=body)] * 2
    with pytest.raises(SignInRequired) as caught:
        await desk.process().of(link)()
    assert not isinstance(caught.value, ClaimsChallenge)
    assert desk.links.suspended == [link.id]


@pytest.mark.parametrize("number", [53000, 53001, 53003])
@pytest.mark.parametrize("error", ["invalid_grant", "interaction_required", "access_denied"])
async def test_a_managed_device_is_demanded_in_words_and_suspends_nobody(desk: Desk, error: str, number: int) -> None:
    link = desk.link_up(life=1)
    desk.providers.answers = [oauth_error(error, number)]
    with pytest.raises(DeviceDemanded, match="managed device"):
        await desk.process().of(link)()
    assert desk.links.suspended == []


async def test_a_silent_refresh_is_no_sign_in(desk: Desk) -> None:
    link = desk.link_up(life=1)
    desk.providers.clock.pass_by(timedelta(days=3))
    await desk.process().of(link)()
    stored = desk.links.rows[link.id]
    assert (stored.version, stored.link.signed_in_at) == (2, link.signed_in_at)


# --- a token that Microsoft took back early (continuous access evaluation) ---

TAKEN_BACK = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'


async def test_a_token_taken_back_is_replaced_without_asking_the_person(desk: Desk) -> None:
    link = desk.link_up()
    source = desk.process().of(link)
    old = await source()
    new = await source(TAKEN_BACK)
    assert new != old
    assert json.loads(desk.providers.forms[0]["claims"])["access_token"]["nbf"]["value"] == "1700000000"
    assert await source() == new  # also from now on
    assert desk.links.rows[link.id].version == 2


async def test_a_proof_only_the_person_can_give_is_a_challenge_and_no_lost_session(desk: Desk) -> None:
    link = desk.link_up()
    desk.providers.answers = [oauth_error("interaction_required", 50076)]
    with pytest.raises(ClaimsChallenge) as caught:
        await desk.process().of(link)(TAKEN_BACK)
    assert (caught.value.claims, desk.links.suspended) == (TAKEN_BACK, [])


async def test_a_session_that_was_revoked_suspends_the_link_at_its_first_challenge(desk: Desk) -> None:
    link = desk.link_up()
    desk.providers.answers = [oauth_error("invalid_grant", 50173)]
    with pytest.raises(SignInRequired) as caught:
        await desk.process().of(link)(TAKEN_BACK)
    assert not isinstance(caught.value, ClaimsChallenge)
    assert desk.links.whys == ["Microsoft: invalid_grant (AADSTS50173)"]


async def test_in_an_outage_a_token_that_was_taken_back_is_not_used_again(desk: Desk) -> None:
    link = desk.link_up()
    own = desk.process().application()
    await own()
    desk.providers.answers = [httpx.Response(503)] * 2
    for source in (desk.process().of(link), own):
        with pytest.raises(Unavailable):
            await source(TAKEN_BACK)


async def test_the_bots_own_token_is_replaced_too(desk: Desk) -> None:
    own = desk.process().application()
    await own()
    await own(TAKEN_BACK)
    assert [json.loads(form["claims"])["access_token"].get("nbf") is None for form in desk.providers.forms] == [
        True,
        False,
    ]
