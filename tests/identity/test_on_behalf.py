"""Acting for a caller: with the token their own token was exchanged for, and never with anybody else's."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from fakes_identity import ANN, BEN, TENANT, FakeClock, Providers, make_entra, make_http, oauth_error

from app.domain.errors import (
    BotError,
    ClaimsChallenge,
    ConsentMissing,
    DeviceDemanded,
    Malformed,
    SignInRequired,
    Unavailable,
)
from app.domain.request import Person
from app.identity.on_behalf import OnBehalfTokens
from app.ports import APPROVE, Caller, Resource

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Exchange(Providers):
    """Microsoft, where an assertion `<oid>#<n>` becomes the token `access-<oid>#<resource>`.

    `mixed_up`: who the next answers are about instead. `refusals` come first, in order.
    """

    mixed_up: list[Person] = field(default_factory=list)
    refusals: list[httpx.Response] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        self.forms.append(form)
        if self.refusals:
            return self.refusals.pop(0)
        oid = form["assertion"].split("#")[0]
        self.person = self.mixed_up.pop(0) if self.mixed_up else next(one for one in (ANN, BEN) if one.id == oid)
        resource = "arm" if "management" in form["scope"] else "graph"
        ids = json.dumps({"uid": self.person.id, "utid": TENANT}).encode()
        answer = {
            "token_type": "Bearer",
            "scope": form["scope"],
            "expires_in": self.life,
            "access_token": f"access-{oid}#{resource}",
            "refresh_token": "refresh-canary",
            "client_info": base64.urlsafe_b64encode(ids).decode().rstrip("="),
            "id_token": self.id_token(),
            **self.token_extra,
        }
        return httpx.Response(200, json={name: value for name, value in answer.items() if value is not None})

    def _me(self, request: httpx.Request) -> httpx.Response:
        oid = request.headers["authorization"].removeprefix("Bearer access-").split("#")[0]
        person = next(one for one in (ANN, BEN) if one.id == oid)
        return httpx.Response(
            200, json={"id": oid, "displayName": person.name, "userPrincipalName": person.upn} | self.me
        )


@dataclass
class Rig:
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.microsoft = Exchange(self.clock)
        self.tokens = self.holding(1000)

    def holding(self, most: int) -> OnBehalfTokens:
        return OnBehalfTokens(make_entra(self.microsoft), make_http(self.microsoft), self.clock, most)

    def caller(self, person: Person = ANN, number: int = 1, **over: object) -> Caller:
        expires = self.clock() + timedelta(hours=1)
        facts: dict[str, Any] = {"assertion": f"{person.id}#{number}", "expires": expires, **over}
        return Caller(TENANT, Person(person.id), frozenset({APPROVE}), auditor=False, **facts)

    @property
    def exchanges(self) -> int:
        return len(self.microsoft.forms)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_callers_token_is_exchanged_for_one_at_microsoft(rig: Rig) -> None:
    assert await rig.tokens.of(rig.caller())() == f"access-{ANN.id}#graph"
    (form,) = rig.microsoft.forms
    assert (form["grant_type"], form["requested_token_use"]) == (GRANT, "on_behalf_of")
    assert form["assertion"] == f"{ANN.id}#1"
    assert json.loads(form["claims"]) == {"access_token": {"xms_cc": {"values": ["CP1"]}}}


async def test_each_resource_has_a_token_of_its_own(rig: Rig) -> None:
    caller = rig.caller()
    tokens = [await rig.tokens.of(caller, resource)() for resource in (Resource.GRAPH, Resource.ARM, Resource.GRAPH)]
    assert [token.split("#")[1] for token in tokens] == ["graph", "arm", "graph"]
    assert rig.exchanges == 2


async def test_ann_and_ben_interleaved_a_thousand_times_are_never_each_other(rig: Rig) -> None:
    people = [(ANN, BEN)[number % 2] for number in range(1000)]
    callers = [rig.caller(person, number % 20) for number, person in enumerate(people)]
    tokens = await asyncio.gather(*(rig.tokens.of(caller)() for caller in callers))
    assert tokens == [f"access-{person.id}#graph" for person in people]
    told = await asyncio.gather(*(rig.tokens.person(caller) for caller in callers))
    assert [person.id for person in told] == [person.id for person in people]
    assert rig.exchanges == 20


async def test_somebody_elses_token_is_not_used_whatever_microsoft_says(rig: Rig) -> None:
    rig.microsoft.mixed_up = [BEN, BEN]
    for _ in range(2):  # and it is not kept either
        with pytest.raises(Malformed, match="somebody else"):
            await rig.tokens.of(rig.caller(ANN))()
    assert await rig.tokens.of(rig.caller(ANN))() == f"access-{ANN.id}#graph"


@pytest.mark.parametrize("extra", [{"id_token": None}, {"client_info": "%%"}, {"id_token": "x"}])
async def test_a_token_of_nobody_is_not_used(rig: Rig, extra: dict[str, object]) -> None:
    rig.microsoft.token_extra = extra
    with pytest.raises(BotError):
        await rig.tokens.of(rig.caller())()


async def test_a_burst_with_one_token_is_one_exchange(rig: Rig) -> None:
    caller = rig.caller()
    await asyncio.gather(*(rig.tokens.of(caller)() for _ in range(50)))
    assert rig.exchanges == 1


async def test_another_token_of_the_same_person_is_another_exchange(rig: Rig) -> None:
    await rig.tokens.of(rig.caller(number=1))()
    await rig.tokens.of(rig.caller(number=2))()
    assert rig.exchanges == 2


@pytest.mark.parametrize("life, own, lasts", [(3600, 7200, 3300), (7200, 3600, 3300)])
async def test_it_is_kept_until_five_minutes_before_either_ends(rig: Rig, life: int, own: int, lasts: int) -> None:
    rig.microsoft.life = life
    caller = rig.caller(expires=rig.clock() + timedelta(seconds=own))
    await rig.tokens.of(caller)()
    rig.clock.pass_by(timedelta(seconds=lasts - 1))
    await rig.tokens.of(caller)()
    assert rig.exchanges == 1
    rig.clock.pass_by(timedelta(seconds=1))
    await rig.tokens.of(caller)()
    assert rig.exchanges == 2


async def test_what_ends_within_five_minutes_is_used_once_and_not_kept(rig: Rig) -> None:
    rig.microsoft.life = 200
    for _ in range(2):
        assert await rig.tokens.of(rig.caller())()
    assert rig.exchanges == 2


async def test_only_so_many_are_kept(rig: Rig) -> None:
    rig.tokens = rig.holding(3)
    callers = [rig.caller(number=number) for number in range(4)]
    for caller in callers:
        await rig.tokens.of(caller)()
    await rig.tokens.of(callers[3])()
    assert rig.exchanges == 4
    await rig.tokens.of(callers[0])()
    assert rig.exchanges == 5


@pytest.mark.parametrize(
    "answer, failure",
    [
        (oauth_error("invalid_grant", 50173), SignInRequired),
        (oauth_error("interaction_required", 50076), SignInRequired),
        (oauth_error("invalid_grant", 65001), ConsentMissing),
        (oauth_error("invalid_grant", 53000), DeviceDemanded),
        (oauth_error("invalid_client", 7000215, 401), Unavailable),
        (httpx.Response(503), Unavailable),
        (httpx.Response(429), Unavailable),
        (httpx.Response(200, text="<html>"), Malformed),
        (httpx.Response(200, json={"access_token": "access-x", "token_type": "Bearer"}), Malformed),
    ],
)
async def test_a_refusal_is_told_by_what_it_means_and_not_remembered(
    rig: Rig, answer: httpx.Response, failure: type[BotError]
) -> None:
    rig.microsoft.refusals = [answer]
    with pytest.raises(failure) as caught:
        await rig.tokens.of(rig.caller())()
    assert type(caught.value) is failure
    assert "canary" not in str(caught.value)
    assert await rig.tokens.of(rig.caller())()


async def test_a_claims_challenge_comes_through_word_for_word(rig: Rig) -> None:
    body = {"error": "interaction_required", "error_codes": [50076], "claims": CLAIMS}
    rig.microsoft.refusals = [httpx.Response(400, json=body)]
    with pytest.raises(ClaimsChallenge) as caught:
        await rig.tokens.of(rig.caller())()
    assert caught.value.claims == CLAIMS


async def test_who_somebody_is_comes_from_graph_and_not_from_their_token(rig: Rig) -> None:
    nameless = rig.caller()
    assert (nameless.person.upn, await rig.tokens.person(nameless)) == ("", replace(ANN, mail=""))
    await rig.tokens.person(nameless)
    assert rig.microsoft.calls.count("GET graph.microsoft.com/v1.0/me") == 1


async def test_a_person_graph_does_not_confirm_is_nobody(rig: Rig) -> None:
    rig.microsoft.me = {"id": BEN.id}
    with pytest.raises(Malformed):
        await rig.tokens.person(rig.caller(ANN))


async def test_a_token_that_microsoft_took_back_is_exchanged_anew_with_what_it_lacked(rig: Rig) -> None:
    source = rig.tokens.of(rig.caller())
    await source()
    await source(CLAIMS)
    assert ["acrs" in form["claims"] for form in rig.microsoft.forms] == [False, True]


async def test_a_proof_only_the_caller_can_give_is_theirs_to_give(rig: Rig) -> None:
    rig.microsoft.refusals = [oauth_error("interaction_required", 50076)]
    with pytest.raises(ClaimsChallenge) as caught:
        await rig.tokens.of(rig.caller())(CLAIMS)
    assert caught.value.claims == CLAIMS
