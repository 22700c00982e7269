"""Every way an ID token can be wrong is refused, and by the check that is there for it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from fakes_identity import ANN, CLIENT, ISSUER, SLACK_CLIENT, TENANT, jwk, make_http, rsa_key
from forging import assembled, part, signed, signed_with_the_public_key

from app.domain.errors import SignInFailed, Unavailable
from app.identity.id_token import NOT_TOLD, OLD_SIGN_IN, Expected, check_id_token
from app.identity.json_web_keys import JsonWebKeys

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)  # not the machine's date: no check may ask its clock
AT = int(NOW.timestamp())
MICROSOFT = Expected(ISSUER, CLIENT, "the-nonce", TENANT)
SLACK = Expected("https://slack.com", SLACK_CLIENT, "the-nonce")
URL = "https://slack.com/openid/connect/keys"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "tid": TENANT,
    "oid": ANN.id,
    "ver": "2.0",
    "nonce": "the-nonce",
    "sub": "s",
    "iat": AT,
    "nbf": AT,
    "exp": AT + 3600,
}
SLACK_CLAIMS = {"iss": "https://slack.com", "aud": SLACK_CLIENT, "nonce": "the-nonce", "iat": AT, "exp": AT + 300}
OTHER_TENANT = "22222222-2222-4333-8444-555555555555"


@pytest.fixture
def keys() -> JsonWebKeys:
    return JsonWebKeys(make_http(lambda _: httpx.Response(200, json={"keys": [jwk(rsa_key(), "k")]})), URL)


async def test_a_sound_microsoft_token_passes(keys: JsonWebKeys) -> None:
    assert (await check_id_token(signed(CLAIMS), keys, MICROSOFT, NOW))["oid"] == ANN.id


async def test_a_sound_slack_token_passes(keys: JsonWebKeys) -> None:
    assert (await check_id_token(signed(SLACK_CLAIMS), keys, SLACK, NOW))["aud"] == SLACK_CLIENT


@pytest.mark.parametrize(
    "over, flaw",
    [
        ({"iss": None}, "issuer"),
        ({"iss": f"{ISSUER}/"}, "issuer"),
        ({"iss": ISSUER.replace("https", "http")}, "issuer"),
        ({"iss": f"https://sts.windows.net/{TENANT}/"}, "issuer"),
        ({"iss": ISSUER.replace(TENANT, OTHER_TENANT)}, "issuer"),
        ({"iss": "https://slack.com"}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": [CLIENT]}, "audience"),
        ({"aud": [CLIENT, "other"]}, "audience"),
        ({"aud": "00000003-0000-0000-c000-000000000000"}, "audience"),
        ({"aud": "https://graph.microsoft.com"}, "audience"),
        ({"aud": CLIENT.upper() + "0"}, "audience"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": ["the-nonce"]}, "nonce"),
        ({"tid": None}, "tenant"),
        ({"tid": OTHER_TENANT}, "tenant"),
        ({"ver": None}, "version"),
        ({"ver": "1.0"}, "version"),
        ({"ver": 2.0}, "version"),
        ({"oid": None}, "object id"),
        ({"oid": ""}, "object id"),
        ({"oid": "../../me"}, "object id"),
        ({"oid": f"{ANN.id}\n"}, "object id"),
        ({"oid": [ANN.id]}, "object id"),
        ({"exp": None}, "no times"),
        ({"iat": None}, "no times"),
        ({"exp": str(AT + 3600)}, "no times"),
        ({"exp": True}, "no times"),
        ({"iat": AT - 7200, "exp": AT - 61}, "expired"),
        ({"exp": AT - 60}, "expired"),
        ({"exp": 0}, "expired"),
        ({"iat": AT + 61}, "future"),
        ({"nbf": AT + 61}, "not valid yet"),
        ({"nbf": None}, "not valid yet"),
        ({"nbf": str(AT)}, "not valid yet"),
        ({"exp": AT + 25 * 3600}, "too long"),
        ({"exp": 10**30}, "too long"),
    ],
)
async def test_a_wrong_claim_is_refused(keys: JsonWebKeys, over: dict[str, Any], flaw: str) -> None:
    with pytest.raises(SignInFailed, match=flaw):
        await check_id_token(signed({**CLAIMS, **over}), keys, MICROSOFT, NOW)


SINCE = replace(MICROSOFT, since=NOW)


@pytest.mark.parametrize("proven", [AT - 60, AT, AT + 60])
async def test_a_sign_in_of_this_moment_is_fresh(keys: JsonWebKeys, proven: int) -> None:
    token = signed({**CLAIMS, "auth_time": proven})
    for expected in (SINCE, replace(SINCE, told=True)):
        assert (await check_id_token(token, keys, expected, NOW))["oid"] == ANN.id


@pytest.mark.parametrize(
    "proven, said",
    [
        (AT - 61, OLD_SIGN_IN),
        (AT - 7 * 86_400, OLD_SIGN_IN),
        (0, OLD_SIGN_IN),
        (-1, OLD_SIGN_IN),
        (str(AT), NOT_TOLD),
        (float(AT) + 0.5, NOT_TOLD),
        (True, NOT_TOLD),
        ([AT], NOT_TOLD),
        (AT + 61, "signed in in the future"),
        (10**30, "signed in in the future"),
    ],
)
async def test_an_old_sign_in_is_refused_in_words_of_its_own(keys: JsonWebKeys, proven: object, said: str) -> None:
    with pytest.raises(SignInFailed) as refused:
        await check_id_token(signed({**CLAIMS, "auth_time": proven}), keys, SINCE, NOW)
    assert said in str(refused.value)
    assert "Nothing was" in str(refused.value)


async def test_a_token_that_does_not_say_when_passes_unless_it_must(keys: JsonWebKeys) -> None:
    assert await check_id_token(signed(CLAIMS), keys, SINCE, NOW)
    with pytest.raises(SignInFailed, match="did not say when"):
        await check_id_token(signed(CLAIMS), keys, replace(SINCE, told=True), NOW)


@pytest.mark.parametrize("over", [{"exp": AT - 59}, {"iat": AT + 60}, {"nbf": AT + 60}])
async def test_clocks_may_differ_by_a_minute(keys: JsonWebKeys, over: dict[str, Any]) -> None:
    assert await check_id_token(signed({**CLAIMS, **over}), keys, MICROSOFT, NOW)


@pytest.mark.parametrize(
    "token",
    [
        None,
        17,
        {"alg": "RS256"},
        "",
        "a.b",
        "a.b.c.d",
        "....",
        "é.é.é",
        assembled({"alg": "none", "kid": "k"}, CLAIMS, signature=""),
        assembled({"alg": "None", "kid": "k"}, CLAIMS, signature=""),
        assembled({"alg": "HS256", "kid": "k"}, CLAIMS),
        signed_with_the_public_key(CLAIMS),
        jwt.encode(CLAIMS, rsa_key(), "RS512", {"kid": "k"}),
        jwt.encode(CLAIMS, rsa_key(), "PS256", {"kid": "k"}),
        jwt.encode(CLAIMS, rsa_key(), "RS256"),
        signed(CLAIMS, crit=["exp"]),
        signed(CLAIMS, typ="at+jwt"),
        assembled({"alg": "RS256", "kid": ["k"]}, CLAIMS),
        assembled({"alg": "RS256", "kid": "k", "pad": "x" * 20_000}, CLAIMS),
        part([[]]) + ".e30.AAAA",
        base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.AAAA",
    ],
)
async def test_what_is_no_signed_token_is_unreadable(keys: JsonWebKeys, token: object) -> None:
    with pytest.raises(SignInFailed, match="unreadable"):
        await check_id_token(token, keys, MICROSOFT, NOW)


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "k"}),
        assembled({"alg": "RS256", "kid": "k", "typ": "JWT"}, CLAIMS),
        signed(CLAIMS).rsplit(".", 1)[0] + ".",
        signed(CLAIMS)[:-6] + "AAAAAA",
        assembled({"alg": "RS256", "kid": "k"}, ["no", "claims"]),
        assembled({"alg": "RS256", "kid": "k", "jku": "https://evil.example/keys"}, CLAIMS),
    ],
)
async def test_a_signature_that_does_not_hold_is_refused(keys: JsonWebKeys, token: str) -> None:
    with pytest.raises(SignInFailed, match="bad signature"):
        await check_id_token(token, keys, MICROSOFT, NOW)


async def test_claims_swapped_under_a_good_signature_are_refused(keys: JsonWebKeys) -> None:
    header, _, signature = signed(CLAIMS).split(".")
    with pytest.raises(SignInFailed, match="bad signature"):
        await check_id_token(f"{header}.{part({**CLAIMS, 'oid': TENANT})}.{signature}", keys, MICROSOFT, NOW)


async def test_a_key_the_provider_does_not_publish_is_refused(keys: JsonWebKeys) -> None:
    with pytest.raises(SignInFailed, match="unknown key"):
        await check_id_token(jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "mine"}), keys, MICROSOFT, NOW)


async def test_a_token_of_one_provider_is_nothing_to_the_other(keys: JsonWebKeys) -> None:
    with pytest.raises(SignInFailed, match="issuer"):
        await check_id_token(signed(SLACK_CLAIMS), keys, MICROSOFT, NOW)
    with pytest.raises(SignInFailed, match="issuer"):
        await check_id_token(signed(CLAIMS), keys, SLACK, NOW)


async def test_a_refusal_repeats_nothing_of_the_token(keys: JsonWebKeys) -> None:
    with pytest.raises(SignInFailed) as caught:
        await check_id_token(signed({**CLAIMS, "aud": "canary<script>"}), keys, MICROSOFT, NOW)
    assert "canary" not in str(caught.value)


async def test_an_empty_expected_nonce_matches_nothing(keys: JsonWebKeys) -> None:
    with pytest.raises(SignInFailed, match="nonce"):
        await check_id_token(signed({**CLAIMS, "nonce": ""}), keys, Expected(ISSUER, CLIENT, "", TENANT), NOW)


async def test_keys_that_cannot_be_fetched_are_an_outage_not_a_forgery() -> None:
    keys = JsonWebKeys(make_http(lambda _: httpx.Response(503)), URL)
    with pytest.raises(Unavailable):
        await check_id_token(signed(CLAIMS), keys, MICROSOFT, NOW + timedelta(seconds=1))
