"""Sign in with Slack: what the authorize page refuses, the one-use code, and an ID token a relying party can check."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from sandbox.slack_rig import ANN, Rig

AUTHORIZE = "/slack/openid/connect/authorize"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def asked(rig: Rig, **other: str) -> dict[str, str]:
    settings = rig.world.settings
    return {
        "client_id": settings.slack_client_id,
        "redirect_uri": settings.redirect_uris["slack"],
        "response_type": "code",
        "scope": "openid email profile",
        "state": "s1",
        "nonce": "n1",
        **other,
    }


async def pick(rig: Rig, person: str = "ann", **other: str) -> dict[str, str]:
    answer = await rig.http.post(AUTHORIZE, params=asked(rig, **other), data={"person": person})
    assert answer.status_code == 302
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == rig.world.settings.redirect_uris["slack"]
    return {name: values[0] for name, values in parse_qs(address.query).items()}


async def exchange(rig: Rig, code: str, **other: str) -> dict[str, Any]:
    settings = rig.world.settings
    sent = {"client_id": settings.slack_client_id, "client_secret": settings.slack_client_secret, "code": code}
    sent |= {"redirect_uri": settings.redirect_uris["slack"], **other}
    answer: dict[str, Any] = (await rig.http.post("/slack/api/openid.connect.token", data=sent)).json()
    return answer


async def claims_of(rig: Rig, token: str) -> dict[str, Any]:
    key_set = jwt.PyJWKSet.from_dict((await rig.http.get("/slack/openid/connect/keys")).json())
    key = key_set[jwt.get_unverified_header(token)["kid"]]
    options: Any = {"verify_exp": False, "verify_iat": False}
    audience = rig.world.settings.slack_client_id
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], audience=audience, issuer="https://slack.com", options=options
    )
    return claims


async def test_everybody_with_slack_can_be_picked(rig: Rig) -> None:
    page = await rig.http.get(AUTHORIZE, params=asked(rig))
    assert page.status_code == 200
    names = [person.id for person in rig.world.people.values() if f'value="{person.id}"' in page.text]
    assert names == ["ann", "ben", "rob", "rita", "olga", "gus"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "1.2"},
        {"redirect_uri": "http://localhost:8766/sign-in/slack/callback/"},
        {"redirect_uri": "https://evil.example/"},
        {"response_type": "token"},
        {"scope": "email"},
        {"scope": "openid users:read"},
        {"team": "T0OTHER000"},
    ],
)
async def test_an_unsound_request_is_shown_as_an_error_and_never_redirected(rig: Rig, wrong: dict[str, str]) -> None:
    page = await rig.http.get(AUTHORIZE, params=asked(rig, **wrong))
    posted = await rig.http.post(AUTHORIZE, params=asked(rig, **wrong), data={"person": "ann"})
    assert [page.status_code, posted.status_code] == [400, 400]
    assert "location" not in posted.headers


async def test_the_picked_person_returns_with_code_and_state(rig: Rig) -> None:
    back = await pick(rig)
    assert (back["state"], set(back)) == ("s1", {"code", "state"})


@pytest.mark.parametrize("person", ["", "cleo", "nobody"])
async def test_without_a_slack_account_access_is_denied(rig: Rig, person: str) -> None:
    assert await pick(rig, person) == {"error": "access_denied", "state": "s1"}


async def test_the_id_token_says_who_for_whom_and_until_when(rig: Rig) -> None:
    answer = await exchange(rig, (await pick(rig))["code"])
    claims = await claims_of(rig, answer["id_token"])
    now = int(rig.clock.now.timestamp())
    assert (claims["sub"], claims["https://slack.com/user_id"]) == (ANN, ANN)
    assert (claims["https://slack.com/team_id"], claims["nonce"]) == ("T0SANDBOX1", "n1")
    assert (claims["iat"], claims["exp"]) == (now, now + 300)
    assert (claims["email"], claims["name"]) == ("ann@contoso.example", "Ann Alder")


async def test_only_asked_claims_are_told(rig: Rig) -> None:
    answer = await exchange(rig, (await pick(rig, scope="openid"))["code"])
    claims = await claims_of(rig, answer["id_token"])
    assert {"email", "name"}.isdisjoint(claims)


async def test_a_code_is_good_once(rig: Rig) -> None:
    code = (await pick(rig))["code"]
    assert (await exchange(rig, code))["ok"]
    assert await exchange(rig, code) == {"ok": False, "error": "code_already_used"}


async def test_a_code_is_good_for_ten_minutes(rig: Rig) -> None:
    code = (await pick(rig))["code"]
    rig.clock.forward(minutes=10, seconds=1)
    assert (await exchange(rig, code))["error"] == "invalid_code"


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"code": "guess"}, "invalid_code"),
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_secret": "guess"}, "bad_client_secret"),
        ({"redirect_uri": "http://localhost:8766/"}, "bad_redirect_uri"),
        ({"grant_type": "password"}, "invalid_grant_type"),
    ],
)
async def test_a_wrong_exchange_is_refused_and_leaves_the_code(rig: Rig, wrong: dict[str, str], error: str) -> None:
    code = (await pick(rig))["code"]
    assert (await exchange(rig, **{"code": code, **wrong}))["error"] == error
    assert (await exchange(rig, code))["ok"]


async def test_the_client_may_authenticate_by_header(rig: Rig) -> None:
    settings = rig.world.settings
    auth = httpx.BasicAuth(settings.slack_client_id, settings.slack_client_secret)
    code = (await pick(rig))["code"]
    answer = await rig.http.post("/slack/api/openid.connect.token", data={"code": code}, auth=auth)
    assert answer.json()["token_type"] == "Bearer"


async def test_user_info_answers_the_user_token_only(rig: Rig) -> None:
    token = (await exchange(rig, (await pick(rig))["code"]))["access_token"]
    assert (await rig.send("openid.connect.userInfo", token)).json()["sub"] == ANN
    assert (await rig.send("openid.connect.userInfo")).json()["error"] == "invalid_auth"
    assert (await rig.send("auth.test", token)).json()["error"] == "not_allowed_token_type"


async def test_slacks_key_is_not_microsofts(rig: Rig) -> None:
    (key,) = (await rig.http.get("/slack/openid/connect/keys")).json()["keys"]
    assert key["kid"] != rig.world.key.kid
    assert not {"d", "p", "q"} & set(key)
