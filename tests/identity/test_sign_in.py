"""A browser's way through both providers: what is asked, what is believed, and how a refusal reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msal
import pytest
from fakes_identity import (
    ANN,
    ANN_SLACK,
    BEN,
    CLIENT,
    KEYS,
    PUBLIC,
    SLACK_CLIENT,
    TEAM,
    TENANT,
    FakeClock,
    Providers,
    a_link,
    make_entra,
    make_http,
    oauth_error,
    sent_nonce,
)

from app.domain.errors import BotError, SignInFailed, Unavailable
from app.identity.clouds import GLOBAL
from app.identity.keyring import Keyring
from app.identity.microsoft import MicrosoftSignIn
from app.identity.origins import Origins
from app.identity.sign_in import BrowserSignIn
from app.identity.slack import SlackClient, SlackSignIn
from app.identity.whose import account_in
from app.ports import MicrosoftIdentity

ASKED = {"access_token": {"xms_cc": {"values": ["CP1"]}}, "id_token": {"auth_time": {"essential": True}}}
WORLD = Origins(login="http://127.0.0.1:8765/login", slack_api="http://127.0.0.1:8765/slack/api")


@pytest.fixture
def providers() -> Providers:
    return Providers(FakeClock())


def browser(
    providers: Providers, browser_origins: Origins | None = None, *, require_auth_time: bool = False
) -> BrowserSignIn:
    http, origins = make_http(providers), browser_origins or Origins()
    client = SlackClient(SLACK_CLIENT, "canary-slack-secret", TEAM)
    slack = SlackSignIn(client, http, origins, PUBLIC)
    microsoft = MicrosoftSignIn(make_entra(providers), http, origins, PUBLIC, require_auth_time=require_auth_time)
    return BrowserSignIn(slack, microsoft, Keyring.parse(KEYS), providers.clock)


async def return_from_microsoft(providers: Providers, **form: str) -> MicrosoftIdentity:
    """Begin, sign in as the providers' person, come back; `form` replaces what Microsoft posts."""
    sign_in = browser(providers)
    _, flow = await sign_in.microsoft_begin("our-state")
    flow = json.loads(json.dumps(flow))
    providers.nonces["the-code"] = sent_nonce(flow)
    posted = form or {"code": "the-code", "state": "our-state"}
    return await sign_in.microsoft_identity(flow, posted, providers.clock())


async def test_microsoft_is_asked_for_a_fresh_sign_in_with_pkce_and_form_post(providers: Providers) -> None:
    address, flow = await browser(providers).microsoft_begin("our-state")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize?")
    assert asked["state"] == "our-state"
    assert asked["nonce"] == sent_nonce(flow)
    assert (asked["response_mode"], asked["prompt"], asked["code_challenge_method"]) == ("form_post", "login", "S256")
    assert asked["redirect_uri"] == f"{PUBLIC}/sign-in/microsoft/callback"
    assert set(asked["scope"].split()) == {*GLOBAL.graph_scopes, "openid", "profile", "offline_access"}
    assert json.loads(asked["claims"]) == ASKED


async def test_a_challenge_is_passed_on_with_the_name_that_is_expected(providers: Providers) -> None:
    claims = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
    address, flow = await browser(providers).microsoft_begin("s", claims=claims, login_hint=ANN.upn)
    asked = dict(parse_qsl(urlsplit(address).query))
    wanted = {"acrs": {"essential": True, "value": "c1"}, "xms_cc": {"values": ["CP1"]}}
    assert json.loads(asked["claims"]) == {**ASKED, "access_token": wanted}
    assert (asked["login_hint"], asked["prompt"]) == (ANN.upn, "login")
    assert json.loads(flow["claims_challenge"])["access_token"] == json.loads(claims)["access_token"]


@pytest.mark.parametrize("claims", ["[]", "{", '{"id_token": {}}', '{"access_token": 1}', "x" * 5000])
async def test_claims_of_another_shape_never_reach_the_address(providers: Providers, claims: str) -> None:
    address, _ = await browser(providers).microsoft_begin("s", claims=claims)
    asked = dict(parse_qsl(urlsplit(address).query))
    assert json.loads(asked["claims"]) == ASKED


async def test_a_code_for_a_challenge_is_redeemed_with_it(providers: Providers) -> None:
    sign_in = browser(providers)
    claims = '{"access_token": {"acrs": {"essential": true, "value": "c1"}}}'
    _, flow = await sign_in.microsoft_begin("s", claims=claims)
    providers.nonces["the-code"] = sent_nonce(flow)
    await sign_in.microsoft_identity(flow, {"code": "the-code", "state": "s"}, providers.clock())
    assert json.loads(providers.forms[0]["claims"])["access_token"]["acrs"]["value"] == "c1"


async def test_the_address_and_the_kept_flow_do_not_hold_each_others_secrets(providers: Providers) -> None:
    address, flow = await browser(providers).microsoft_begin("our-state")
    assert flow["code_verifier"] not in address
    assert "auth_uri" not in flow
    assert "canary" not in address + json.dumps(flow)


async def test_in_the_sandbox_the_browser_is_sent_to_loopback(providers: Providers) -> None:
    sign_in = browser(providers, WORLD)
    address, _ = await sign_in.microsoft_begin("s")
    assert address.startswith(f"http://127.0.0.1:8765/login/{TENANT}/oauth2/v2.0/authorize?")
    assert sign_in.slack_address("s", "n").startswith("http://127.0.0.1:8765/slack/openid/connect/authorize?")


async def test_who_signs_in_at_microsoft_is_who_comes_back(providers: Providers) -> None:
    identity = await return_from_microsoft(providers)
    assert (identity.tenant, identity.person) == (TENANT, ANN)
    assert identity.signed_in_at == providers.clock()
    cache = json.loads(identity.cache)
    assert [account["local_account_id"] for account in cache["Account"].values()] == [ANN.id]
    assert len(cache["RefreshToken"]) == 1


async def test_a_session_from_before_the_browser_was_sent_away_is_no_sign_in(providers: Providers) -> None:
    """Whoever takes `prompt=login` out of the address is let in by the old session, and gets its time."""
    providers.claims["auth_time"] = int((providers.clock() - timedelta(seconds=61)).timestamp())
    with pytest.raises(SignInFailed, match="old sign-in"):
        await return_from_microsoft(providers)
    providers.claims["auth_time"] = int(providers.clock().timestamp())
    assert (await return_from_microsoft(providers)).person == ANN


async def test_what_counts_is_when_the_browser_was_sent_away_not_when_it_came_back(providers: Providers) -> None:
    sign_in = browser(providers)
    _, flow = await sign_in.microsoft_begin("our-state")
    providers.nonces["the-code"] = sent_nonce(flow)
    providers.claims["auth_time"] = int(providers.clock().timestamp())
    providers.clock.pass_by(timedelta(minutes=9))
    identity = await sign_in.microsoft_identity(flow, {"code": "the-code", "state": "our-state"}, providers.clock())
    assert identity.signed_in_at == providers.clock()


async def test_where_the_company_demands_it_a_sign_in_without_its_time_is_refused(providers: Providers) -> None:
    sign_in = browser(providers, require_auth_time=True)
    _, flow = await sign_in.microsoft_begin("our-state")
    providers.nonces["the-code"] = sent_nonce(flow)
    with pytest.raises(SignInFailed, match="did not say when you signed in"):
        await sign_in.microsoft_identity(flow, {"code": "the-code", "state": "our-state"}, providers.clock())


async def test_a_guest_is_who_they_are_here_and_not_at_home(providers: Providers) -> None:
    """Microsoft's client names a guest's account after their own tenant; what counts is the object id in ours."""
    at_home = {"uid": "00000000-aaaa-4000-8000-00000000dead", "utid": "22222222-2222-4333-8444-555555555555"}
    home = base64.urlsafe_b64encode(json.dumps(at_home).encode()).decode().rstrip("=")
    providers.token_extra["client_info"] = home
    identity = await return_from_microsoft(providers)
    assert (identity.tenant, identity.person.id) == (TENANT, ANN.id)
    (account,) = json.loads(identity.cache)["Account"].values()
    assert account["home_account_id"].startswith(at_home["uid"])
    assert account_in(opened(identity.cache), TENANT, ANN.id) == account


async def test_a_guest_with_a_token_of_their_own_tenant_is_refused(providers: Providers) -> None:
    providers.claims = {"tid": "22222222-2222-4333-8444-555555555555"}
    with pytest.raises(SignInFailed, match="wrong tenant"):
        await return_from_microsoft(providers)


async def test_two_accounts_with_one_name_are_two_people(providers: Providers) -> None:
    """A name may be given out again, and is the same in another tenant: nobody is known by it."""
    first = await return_from_microsoft(providers)
    providers.person = replace(ANN, id=BEN.id)
    second = await return_from_microsoft(providers)
    assert first.person.upn == second.person.upn
    assert (first.person.id, second.person.id) == (ANN.id, BEN.id)


def opened(cache: str) -> msal.SerializableTokenCache:
    found = msal.SerializableTokenCache()
    found.deserialize(cache)
    return found


async def test_the_code_is_redeemed_with_its_verifier_and_address(providers: Providers) -> None:
    await return_from_microsoft(providers)
    form = providers.forms[0]
    assert form["code"] == "the-code"
    assert len(form["code_verifier"]) >= 43
    assert form["redirect_uri"] == f"{PUBLIC}/sign-in/microsoft/callback"


async def test_two_people_signing_in_never_share_a_cache(providers: Providers) -> None:
    await return_from_microsoft(providers)
    providers.person = BEN
    cache = (await return_from_microsoft(providers)).cache
    assert BEN.id in cache
    assert ANN.id not in cache


@pytest.mark.parametrize(
    "claims, says",
    [
        ({"aud": "another-app"}, "wrong audience"),
        ({"iss": "https://evil.example"}, "wrong issuer"),
        ({"tid": CLIENT}, "wrong tenant"),
        ({"exp": 1_000_000}, "expired"),
        ({"ver": "1.0"}, "wrong version"),
        ({"oid": None}, "no object id"),
        ({"nonce": "another"}, "does not belong to this sign-in"),
        ({"nonce": None}, "does not belong to this sign-in"),
    ],
)
async def test_an_id_token_msal_would_take_is_refused(providers: Providers, claims: dict[str, Any], says: str) -> None:
    providers.claims = claims
    with pytest.raises(SignInFailed, match=says):
        await return_from_microsoft(providers)


async def test_an_answer_without_an_id_token_is_refused(providers: Providers) -> None:
    providers.token_extra = {"id_token": None}
    with pytest.raises(SignInFailed, match="unreadable"):
        await return_from_microsoft(providers)


@pytest.mark.parametrize("me", [{"id": BEN.id}, {"id": None}, {"id": ""}, {"id": [ANN.id]}])
async def test_graph_must_name_the_same_person(providers: Providers, me: dict[str, Any]) -> None:
    providers.me = me
    with pytest.raises(SignInFailed, match="does not confirm"):
        await return_from_microsoft(providers)


async def test_a_person_without_mail_or_name_can_sign_in(providers: Providers) -> None:
    providers.me = {"mail": None, "displayName": None}
    assert (await return_from_microsoft(providers)).person.label == ANN.upn


@pytest.mark.parametrize(
    "form",
    [
        {"code": "the-code", "state": "another"},
        {"code": "the-code"},
        {"state": "our-state"},
        {"code": "", "state": "our-state"},
    ],
)
async def test_a_return_that_does_not_fit_the_flow_redeems_nothing(providers: Providers, form: dict[str, str]) -> None:
    with pytest.raises(SignInFailed) as caught:
        await return_from_microsoft(providers, **form)
    assert providers.forms == []
    assert "our-state" not in str(caught.value)


REFUSALS: list[tuple[str, int, str]] = [
    ("access_denied", 0, "You cancelled"),
    ("access_denied", 65004, "did not agree"),
    ("invalid_grant", 65001, "has not consented"),
    ("invalid_request", 50011, "redirect address is not"),
    ("unauthorized_client", 700016, "PIM_CLIENT_ID"),
    ("invalid_client", 7000218, "no client secret"),
    ("interaction_required", 53000, "managed device"),
    ("interaction_required", 53001, "managed device"),
    ("access_denied", 53003, "managed device"),
    ("interaction_required", 50105, "not assigned"),
    ("server_error", 99999, "refused the sign-in (AADSTS99999)"),
    ("<script>", 0, "refused the sign-in."),
]


@pytest.mark.parametrize("error, number, says", REFUSALS)
async def test_a_refusal_on_microsofts_page_is_a_plain_sentence(
    providers: Providers, error: str, number: int, says: str
) -> None:
    text = f"AADSTS{number}: canary <b>text</b>" if number else "canary"
    with pytest.raises(SignInFailed) as caught:
        await return_from_microsoft(providers, error=error, error_description=text, state="our-state")
    assert says in str(caught.value)
    assert "Nothing was changed." in str(caught.value)
    assert not {"canary", "script"} & set(str(caught.value).replace("<", " ").split())
    assert providers.forms == []


@pytest.mark.parametrize(
    "number, says", [(65001, "has not consented"), (7000215, "secret is wrong"), (70008, "too long")]
)
async def test_a_refusal_of_the_token_call_is_a_plain_sentence(providers: Providers, number: int, says: str) -> None:
    providers.answers = [oauth_error("invalid_grant", number)]
    with pytest.raises(SignInFailed, match=says) as caught:
        await return_from_microsoft(providers)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(429), httpx.ConnectError("canary")])
async def test_an_outage_at_microsoft_is_an_outage(providers: Providers, answer: httpx.Response | Exception) -> None:
    providers.answers = [answer]
    with pytest.raises(Unavailable):
        await return_from_microsoft(providers)


@pytest.mark.parametrize("extra", [{"client_info": "!"}, {"id_token": "a.b.c"}, {"id_token": 7}, {"scope": 7}])
async def test_a_strange_token_answer_is_a_failed_sign_in(providers: Providers, extra: Mapping[str, Any]) -> None:
    providers.token_extra = dict(extra)
    with pytest.raises(BotError) as caught:
        await return_from_microsoft(providers)
    assert isinstance(caught.value, SignInFailed)


async def test_slack_is_asked_for_its_own_workspace(providers: Providers) -> None:
    address = browser(providers).slack_address("our-state", "our-nonce")
    assert dict(parse_qsl(urlsplit(address).query)) == {
        "response_type": "code",
        "scope": "openid profile email",
        "client_id": SLACK_CLIENT,
        "team": TEAM,
        "state": "our-state",
        "nonce": "our-nonce",
        "redirect_uri": f"{PUBLIC}/sign-in/slack/callback",
    }


async def test_who_signs_in_at_slack_is_who_comes_back(providers: Providers) -> None:
    providers.nonces["slack-code"] = "our-nonce"
    identity = await browser(providers).slack_identity("slack-code", "our-nonce")
    assert (identity.team, identity.user, identity.name) == (TEAM, ANN_SLACK, "Ann A")
    assert providers.forms[0]["redirect_uri"] == f"{PUBLIC}/sign-in/slack/callback"


@pytest.mark.parametrize(
    "claims, says",
    [
        ({"aud": "another-app"}, "wrong audience"),
        ({"nonce": "another"}, "wrong nonce"),
        ({"iss": "https://evil.example"}, "wrong issuer"),
        ({"https://slack.com/team_id": "T0OTHER"}, "another Slack workspace"),
        ({"https://slack.com/team_id": None}, "another Slack workspace"),
        ({"https://slack.com/user_id": None}, "another Slack workspace"),
        ({"https://slack.com/user_id": "<@U1>"}, "another Slack workspace"),
    ],
)
async def test_a_wrong_slack_id_token_is_refused(providers: Providers, claims: dict[str, Any], says: str) -> None:
    providers.nonces["slack-code"] = "our-nonce"
    providers.claims = claims
    with pytest.raises(SignInFailed, match=says):
        await browser(providers).slack_identity("slack-code", "our-nonce")


async def test_a_code_slack_does_not_know_is_refused(providers: Providers) -> None:
    with pytest.raises(SignInFailed, match="Slack refused"):
        await browser(providers).slack_identity("made-up", "our-nonce")


async def test_an_expired_slack_token_is_judged_by_the_clock_given(providers: Providers) -> None:
    sign_in = browser(providers)
    providers.nonces["slack-code"] = "our-nonce"
    providers.claims = {"exp": int((providers.clock() - timedelta(minutes=2)).timestamp())}
    with pytest.raises(SignInFailed, match="expired"):
        await sign_in.slack_identity("slack-code", "our-nonce")


def test_sealing_goes_through_the_keyring(providers: Providers) -> None:
    sign_in = browser(providers)
    sealed = sign_in.seal("flow", "place", "plain")
    assert sign_in.open("flow", "place", sealed) == "plain"
    assert sign_in.cache_context(a_link(), 3) == f"{TENANT}/{ANN.id}/{TEAM}/{ANN_SLACK}/1767225600/3"
