"""The emulated sign-in is as strict as Entra about clients, addresses, PKCE, codes and scopes, and MSAL accepts it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import msal
import pytest
from sandbox.world_rig import Rig

GRAPH = "https://graph.microsoft.com"
DECIDE = f"{GRAPH}/RoleAssignmentSchedule.ReadWrite.Directory"
ARM = "https://management.azure.com/user_impersonation"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
Form = dict[str, str] | None
OBO = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class SignIn:
    """One application's side of a sign-in."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.settings = rig.settings
        self.root = f"/login/{rig.settings.tenant}"
        self.callback = rig.settings.redirect_uris["microsoft"]

    async def ask(self, **changed: str | None) -> httpx.Response:
        asked = {
            "client_id": self.settings.client_id,
            "response_type": "code",
            "redirect_uri": self.callback,
            "scope": f"openid profile offline_access {DECIDE}",
            "state": "st4te",
            "nonce": "n0nce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "response_mode": "form_post",
        }
        params = {name: value for name, value in {**asked, **changed}.items() if value is not None}
        return await self.rig.http.get(f"{self.root}/oauth2/v2.0/authorize", params=params)

    async def choose(self, page: httpx.Response, **fields: str) -> httpx.Response:
        ticket = hidden(page.text)["request"]
        return await self.rig.http.post(f"{self.root}/login", data={"request": ticket, **fields})

    async def code(self, person: str = "ann", **changed: str | None) -> str:
        answer = await self.choose(await self.ask(**changed), person=person)
        return hidden(answer.text)["code"]

    async def token(self, **fields: str | None) -> httpx.Response:
        client = {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        sent = {name: value for name, value in {**client, **fields}.items() if value is not None}
        return await self.rig.http.post(f"{self.root}/oauth2/v2.0/token", data=sent)

    async def redeem(self, code: str, /, **changed: str | None) -> httpx.Response:
        redirect = {"redirect_uri": self.callback, "code_verifier": VERIFIER}
        return await self.token(**{"grant_type": "authorization_code", "code": code, **redirect, **changed})

    async def signed_in(self, person: str = "ann", **changed: str | None) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.redeem(await self.code(person, **changed))).json()
        return answer

    def claims(self, token: str) -> dict[str, Any]:
        return self.rig.world.key.read(token)


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))


def refused(answer: httpx.Response) -> tuple[str, int]:
    body = answer.json()
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    return body["error"], body["error_codes"][0]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def login(rig: Rig) -> SignIn:
    return SignIn(rig)


async def test_discovery_prints_the_real_addresses(rig: Rig, login: SignIn) -> None:
    found = (await rig.http.get(f"{login.root}/v2.0/.well-known/openid-configuration")).json()
    assert found["issuer"] == f"https://login.microsoftonline.com/{rig.settings.tenant}/v2.0"
    assert found["token_endpoint"].startswith("https://login.microsoftonline.com/")


async def test_unknown_tenant_is_refused(rig: Rig) -> None:
    answer = await rig.http.get("/login/other/v2.0/.well-known/openid-configuration")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_tenant")


async def test_published_key_verifies_tokens(rig: Rig, login: SignIn) -> None:
    keys = (await rig.http.get(f"{login.root}/discovery/v2.0/keys")).json()["keys"]
    key = jwt.PyJWK(keys[0])
    token = (await login.signed_in())["id_token"]
    assert jwt.get_unverified_header(token)["kid"] == keys[0]["kid"]
    assert jwt.PyJWS().decode(token, key.key, ["RS256"])


async def test_instance_discovery_names_the_aliases(rig: Rig) -> None:
    found = (await rig.http.get("/login/common/discovery/instance")).json()
    assert "login.microsoftonline.com" in found["metadata"][0]["aliases"]


async def test_picker_shows_everybody_and_the_hinted_one_first(login: SignIn) -> None:
    page = await login.ask(login_hint="cleo@contoso.example")
    people = re.findall(r'name="person" value="([^"]+)"', page.text)
    assert people[0] == "cleo"
    assert set(people) == set(login.rig.world.people)
    assert "color-scheme:light dark" in page.text


@pytest.mark.parametrize(
    "changed, number",
    [
        ({"client_id": "x"}, 700016),
        ({"client_id": None}, 700016),
        ({"redirect_uri": "http://localhost:8766/sign-in/microsoft/callback/"}, 50011),
        ({"redirect_uri": None}, 50011),
        ({"state": None}, 900144),
        ({"response_mode": "smoke"}, 70007),
    ],
)
async def test_untrusted_request_stays_on_microsofts_page(
    login: SignIn, changed: Mapping[str, str | None], number: int
) -> None:
    page = await login.ask(**changed)
    assert page.status_code == 400
    assert f"AADSTS{number}" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize(
    "changed, error",
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": f"openid {GRAPH}/Mail.Send"}, "invalid_grant"),
        ({"scope": "https://elsewhere.example/Read"}, "invalid_scope"),
        ({"scope": f"{DECIDE} {ARM}"}, "invalid_request"),
        ({"scope": None}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"claims": "[1]"}, "invalid_request"),
    ],
)
async def test_wrong_request_is_sent_back_with_an_error(
    login: SignIn, changed: Mapping[str, str | None], error: str
) -> None:
    fields = hidden((await login.ask(**changed)).text)
    assert (fields["error"], fields["state"]) == (error, "st4te")
    assert fields["error_description"].startswith("AADSTS")


async def test_query_mode_redirects_with_the_code(login: SignIn) -> None:
    answer = await login.choose(await login.ask(response_mode="query"), person="ben")
    place = urlsplit(answer.headers["location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == login.callback
    assert parse_qs(place.query)["state"] == ["st4te"]


async def test_form_post_page_submits_itself_to_the_application(login: SignIn) -> None:
    page = await login.choose(await login.ask(client_info="1"), person="ann")
    assert f'action="{login.callback}"' in page.text
    assert "document.forms[0].submit()" in page.text
    assert "<noscript><button" in page.text
    assert set(hidden(page.text)) == {"code", "state", "session_state", "client_info"}


async def test_cancelling_sends_back_access_denied(login: SignIn) -> None:
    page = await login.choose(await login.ask(), cancel="1")
    assert hidden(page.text)["error"] == "access_denied"


async def test_a_choice_counts_once(login: SignIn) -> None:
    page = await login.ask()
    await login.choose(page, person="ann")
    again = await login.choose(page, person="ben")
    assert (again.status_code, "code" in hidden(again.text)) == (400, False)


async def test_code_becomes_tokens_for_the_chosen_person(rig: Rig, login: SignIn) -> None:
    answer = await login.signed_in("cleo")
    identity, access = login.claims(answer["id_token"]), login.claims(answer["access_token"])
    assert identity["oid"] == access["oid"] == rig.world.people["cleo"].oid
    assert (identity["aud"], access["aud"]) == (rig.settings.client_id, GRAPH)
    assert (identity["ver"], identity["tid"]) == ("2.0", rig.settings.tenant)
    assert "auth_time" not in identity
    assert access["scp"].split() == ["RoleAssignmentSchedule.ReadWrite.Directory", "openid", "profile"]
    assert answer["expires_in"] == access["exp"] - int(rig.clock.now.timestamp())


async def test_subject_differs_from_object_id_and_between_people(login: SignIn) -> None:
    subjects = {login.claims((await login.signed_in(name))["id_token"])["sub"] for name in ("ann", "ben")}
    assert len(subjects) == 2


async def test_code_is_redeemed_once(login: SignIn) -> None:
    code = await login.code()
    assert (await login.redeem(code)).status_code == 200
    assert refused(await login.redeem(code)) == ("invalid_grant", 54005)


async def test_code_dies_after_ten_minutes(rig: Rig, login: SignIn) -> None:
    code = await login.code()
    rig.forward(minutes=10, seconds=1)
    assert refused(await login.redeem(code)) == ("invalid_grant", 70008)


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"code_verifier": "w" * 43}, ("invalid_grant", 501481)),
        ({"code_verifier": None}, ("invalid_request", 900144)),
        ({"redirect_uri": "http://localhost:8766/"}, ("invalid_grant", 500112)),
        ({"code": "made-up"}, ("invalid_grant", 70000)),
        ({"client_secret": "guess"}, ("invalid_client", 7000215)),
        ({"client_secret": None}, ("invalid_client", 7000218)),
        ({"client_id": "other"}, ("unauthorized_client", 700016)),
        ({"grant_type": "password"}, ("unsupported_grant_type", 70003)),
        ({"grant_type": None}, ("invalid_request", 900144)),
        ({"scope": f"{GRAPH}/Mail.Send"}, ("invalid_grant", 65001)),
    ],
)
async def test_wrong_redemption_is_refused(
    login: SignIn, changed: Mapping[str, str | None], expected: tuple[str, int]
) -> None:
    code = await login.code()
    assert refused(await login.redeem(code, **changed)) == expected


async def test_a_failed_redemption_does_not_spend_the_code(login: SignIn) -> None:
    code = await login.code()
    await login.redeem(code, code_verifier="w" * 43)
    assert (await login.redeem(code)).status_code == 200


async def test_client_may_authenticate_by_header(rig: Rig, login: SignIn) -> None:
    pair = f"{rig.settings.client_id}:{rig.settings.client_secret}".encode()
    headers = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
    data = {"grant_type": "client_credentials", "scope": f"{GRAPH}/.default"}
    answer = await rig.http.post(f"{login.root}/oauth2/v2.0/token", data=data, headers=headers)
    assert answer.status_code == 200


async def test_refresh_gives_another_resource_and_keeps_old_tokens_alive(login: SignIn) -> None:
    first = (await login.signed_in())["refresh_token"]
    scope = f"{ARM} offline_access"
    second = (await login.token(grant_type="refresh_token", refresh_token=first, scope=scope)).json()
    assert login.claims(second["access_token"])["aud"] == "https://management.azure.com"
    assert second["refresh_token"] != first
    assert (await login.token(grant_type="refresh_token", refresh_token=first, scope=scope)).status_code == 200


async def test_refresh_without_scope_keeps_the_scope(login: SignIn) -> None:
    first = (await login.signed_in())["refresh_token"]
    again = (await login.token(grant_type="refresh_token", refresh_token=first)).json()
    assert "RoleAssignmentSchedule.ReadWrite.Directory" in login.claims(again["access_token"])["scp"]


async def test_refresh_token_dies_after_ninety_days(rig: Rig, login: SignIn) -> None:
    first = (await login.signed_in())["refresh_token"]
    rig.forward(days=91)
    assert refused(await login.token(grant_type="refresh_token", refresh_token=first)) == ("invalid_grant", 700082)


async def test_no_refresh_token_without_offline_access(login: SignIn) -> None:
    assert "refresh_token" not in await login.signed_in(scope=f"openid {DECIDE}")


@pytest.mark.parametrize("rule", [None, {"essential": True}])
async def test_claims_ask_when_somebody_signed_in(rig: Rig, login: SignIn, rule: object) -> None:
    code = await login.code(claims=json.dumps({"id_token": {"auth_time": rule}}))
    signed_in = int(rig.clock.now.timestamp())
    rig.forward(minutes=2)
    answer = (await login.redeem(code)).json()
    assert login.claims(answer["id_token"])["auth_time"] == signed_in
    renewed = (await login.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])).json()
    assert login.claims(renewed["id_token"])["auth_time"] == signed_in


class Browser:
    """One browser at the sign-in pages, which keeps its session as Chromium does on this machine."""

    def __init__(self, login: SignIn) -> None:
        self.login = login
        self.session = ""

    async def ask(self, **changed: str | None) -> httpx.Response:
        self.login.rig.http.headers["cookie"] = f"ESTSAUTH={self.session}"
        return await self.login.ask(claims='{"id_token": {"auth_time": null}}', **changed)

    async def choose(self, page: httpx.Response, person: str) -> httpx.Response:
        answer = await self.login.choose(page, person=person)
        self.session = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
        return answer

    async def who_and_when(self, answer: httpx.Response) -> tuple[str, datetime]:
        redeemed = (await self.login.redeem(hidden(answer.text)["code"])).json()
        claims = self.login.claims(redeemed["id_token"])
        return claims["name"], datetime.fromtimestamp(claims["auth_time"], UTC)


@pytest.fixture
async def browser(rig: Rig, login: SignIn) -> Browser:
    """Ann signed in there an hour ago."""
    browser = Browser(login)
    await browser.choose(await browser.ask(prompt="login"), "ann")
    rig.forward(hours=1)
    return browser


@pytest.mark.parametrize("changed", [{}, {"prompt": "none"}, {"login_hint": "ann@contoso.example"}])
async def test_a_browser_that_is_signed_in_is_let_in_with_the_old_time(
    rig: Rig, browser: Browser, changed: dict[str, str]
) -> None:
    answer = await browser.ask(**changed)
    assert await browser.who_and_when(answer) == ("Ann Alder", rig.clock.now - timedelta(hours=1))


async def test_prompt_login_asks_again_and_renews_the_time(rig: Rig, browser: Browser) -> None:
    answer = await browser.choose(await browser.ask(prompt="login"), "ann")
    assert await browser.who_and_when(answer) == ("Ann Alder", rig.clock.now)
    rig.forward(minutes=5)
    assert await browser.who_and_when(await browser.ask()) == ("Ann Alder", rig.clock.now - timedelta(minutes=5))


async def test_picking_the_account_that_is_signed_in_renews_nothing(rig: Rig, browser: Browser) -> None:
    answer = await browser.choose(await browser.ask(prompt="select_account"), "ann")
    assert await browser.who_and_when(answer) == ("Ann Alder", rig.clock.now - timedelta(hours=1))
    answer = await browser.choose(await browser.ask(prompt="select_account"), "ben")
    assert await browser.who_and_when(answer) == ("Ben Brook", rig.clock.now)


async def test_somebody_else_who_is_expected_is_asked(browser: Browser) -> None:
    assert 'name="person"' in (await browser.ask(login_hint="ben@contoso.example")).text


async def test_another_browser_is_not_signed_in(rig: Rig, browser: Browser) -> None:
    del browser
    stranger = Browser(SignIn(rig))
    assert 'name="person"' in (await stranger.ask()).text
    assert hidden((await stranger.ask(prompt="none")).text)["error"] == "login_required"


async def test_a_refresh_cannot_prove_what_the_person_did_not(login: SignIn) -> None:
    wanted = {"access_token": {"acrs": {"essential": True, "value": "c1"}}}
    claims = json.dumps(wanted)
    for asked, status in ((None, 400), (claims, 200)):
        refresh = (await login.signed_in(claims=asked))["refresh_token"]
        answer = await login.token(grant_type="refresh_token", refresh_token=refresh, claims=claims)
        assert answer.status_code == status
        assert answer.json().get("claims") == (claims if status == 400 else None)
    plain = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1"}}})
    assert (await login.token(grant_type="refresh_token", refresh_token=refresh, claims=plain)).status_code == 200


async def test_claims_ask_for_authentication_context_and_capability(login: SignIn) -> None:
    wanted = {"access_token": {"acrs": {"essential": True, "value": "c1"}, "xms_cc": {"values": ["CP1"]}}}
    access = login.claims((await login.signed_in(claims=json.dumps(wanted)))["access_token"])
    assert (access["acrs"], access["xms_cc"]) == (["c1"], ["CP1"])


async def test_application_token_has_roles_and_no_scopes(login: SignIn) -> None:
    answer = (await login.token(grant_type="client_credentials", scope=f"{GRAPH}/.default")).json()
    claims = login.claims(answer["access_token"])
    assert claims["idtyp"] == "app"
    assert {"RoleAssignmentSchedule.ReadWrite.Directory", "AuditLog.Read.All"} <= set(claims["roles"])
    assert not {"scp", "name", "preferred_username"} & set(claims)
    assert "refresh_token" not in answer


@pytest.mark.parametrize("scope", [f"{GRAPH}/User.Read", f"{GRAPH}/.default {ARM}", "/.default", ".default"])
async def test_application_must_ask_for_default(login: SignIn, scope: str) -> None:
    assert refused(await login.token(grant_type="client_credentials", scope=scope))[0] == "invalid_scope"


async def test_on_behalf_of_turns_our_own_token_into_graphs(rig: Rig, login: SignIn) -> None:
    own = rig.user_token("ann", resource="api")
    answer = await login.token(grant_type=OBO, assertion=own, scope=DECIDE, requested_token_use="on_behalf_of")
    claims = login.claims(answer.json()["access_token"])
    assert (claims["aud"], claims["oid"]) == (GRAPH, rig.world.people["ann"].oid)


async def test_what_was_proven_for_our_api_counts_at_graph_too(rig: Rig, login: SignIn) -> None:
    own = rig.world.key.sign(login.claims(rig.user_token("ann", resource="api")) | {"acrs": ["c1"]})
    answer = await login.token(grant_type=OBO, assertion=own, scope=DECIDE, requested_token_use="on_behalf_of")
    assert login.claims(answer.json()["access_token"])["acrs"] == ["c1"]


def test_cleo_alone_is_an_auditor_and_only_at_our_api(rig: Rig, login: SignIn) -> None:
    roles = {name: login.claims(rig.user_token(name, resource="api")).get("roles") for name in rig.world.people}
    assert {name: held for name, held in roles.items() if held} == {"cleo": ["PIM.Audit"]}
    assert "roles" not in login.claims(rig.user_token("cleo"))


@pytest.mark.parametrize(
    "kind, number", [("graph", 50013), ("app", 50013), ("rubbish", 50027), ("late", 500133), ("identity", 7000114)]
)
async def test_on_behalf_of_refuses_other_assertions(rig: Rig, login: SignIn, kind: str, number: int) -> None:
    late = rig.user_token("ann", resource="api")
    rig.forward(hours=2)
    identity = (await login.signed_in())["id_token"]
    tokens = {
        "graph": rig.user_token("ann"),
        "app": rig.app_token(),
        "rubbish": "x",
        "late": late,
        "identity": identity,
    }
    answer = await login.token(grant_type=OBO, assertion=tokens[kind], scope=DECIDE, requested_token_use="on_behalf_of")
    assert refused(answer) == ("invalid_grant", number)


async def test_get_on_the_token_endpoint_is_refused(rig: Rig, login: SignIn) -> None:
    assert refused(await rig.http.get(f"{login.root}/oauth2/v2.0/token"))[1] == 900561


async def test_log_names_the_person_and_masks_secrets(rig: Rig, login: SignIn) -> None:
    answer = await login.signed_in("ben")
    call = rig.world.log[-1]
    assert (call.service, call.path, call.who) == ("login", f"/{rig.settings.tenant}/oauth2/v2.0/token", "ben")
    shown = json.dumps([line.body for line in rig.world.log])
    assert rig.settings.client_secret not in shown
    assert answer["refresh_token"] not in shown
    assert isinstance(call.body, dict)
    assert (call.body["code"], call.body["client_secret"]) == ("***", "***")


class Wire:
    """What MSAL asks of an HTTP library, answered by the world; the real authority is mapped to `/login`."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.loop = asyncio.get_running_loop()

    def get(self, url: str, *, params: Form = None, headers: Form = None, **_rest: object) -> httpx.Response:
        return self._send("GET", url, params, None, headers)

    def post(
        self, url: str, *, params: Form = None, data: Form = None, headers: Form = None, **_rest: object
    ) -> httpx.Response:
        return self._send("POST", url, params, data, headers)

    def close(self) -> None:
        """Nothing is open."""

    def _send(self, method: str, url: str, params: Form, data: Form, headers: Form) -> httpx.Response:
        here = url.replace("https://login.microsoftonline.com", f"{self.rig.settings.world_url}/login")
        waiting = self.rig.http.request(method, here, params=params, data=data, headers=headers)
        return asyncio.run_coroutine_threadsafe(waiting, self.loop).result(10)


def msal_app(rig: Rig, wire: Wire) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        rig.settings.client_id,
        client_credential=rig.settings.client_secret,
        authority=f"https://login.microsoftonline.com/{rig.settings.tenant}",
        http_client=wire,
    )


async def msal_signed_in(rig: Rig, login: SignIn) -> tuple[msal.ConfidentialClientApplication, dict[str, Any]]:
    app = await asyncio.to_thread(msal_app, rig, Wire(rig))
    flow = await asyncio.to_thread(
        app.initiate_auth_code_flow, [DECIDE], redirect_uri=login.callback, response_mode="form_post"
    )
    address = flow["auth_uri"].replace("https://login.microsoftonline.com", "/login")
    page = await login.choose(await rig.http.get(address), person="ann")
    return app, await asyncio.to_thread(app.acquire_token_by_auth_code_flow, flow, hidden(page.text))


@pytest.fixture
def live() -> Rig:
    rig = Rig()
    rig.clock.now = datetime.now(UTC)
    return rig


async def test_msal_signs_in_and_keeps_the_account(live: Rig) -> None:
    app, result = await msal_signed_in(live, SignIn(live))
    oid = live.world.people["ann"].oid
    assert result["id_token_claims"]["oid"] == oid
    assert app.get_accounts()[0]["home_account_id"] == f"{oid}.{live.settings.tenant}"


async def test_msal_finds_the_cached_token_and_refreshes_for_another_resource(live: Rig) -> None:
    app, result = await msal_signed_in(live, SignIn(live))
    account = app.get_accounts()[0]
    same = await asyncio.to_thread(app.acquire_token_silent, [DECIDE], account)
    other = await asyncio.to_thread(app.acquire_token_silent, [ARM], account)
    assert same["access_token"] == result["access_token"]
    assert live.world.key.read(other["access_token"])["scp"] == "user_impersonation"


async def test_msal_gets_an_application_token(live: Rig) -> None:
    app = await asyncio.to_thread(msal_app, live, Wire(live))
    result = await asyncio.to_thread(app.acquire_token_for_client, [f"{GRAPH}/.default"])
    assert live.world.key.read(result["access_token"])["idtyp"] == "app"


async def test_msal_acts_on_behalf_of_a_person(live: Rig) -> None:
    app = await asyncio.to_thread(msal_app, live, Wire(live))
    own = live.user_token("ben", resource="api")
    result = await asyncio.to_thread(app.acquire_token_on_behalf_of, own, [DECIDE])
    assert live.world.key.read(result["access_token"])["oid"] == live.world.people["ben"].oid
