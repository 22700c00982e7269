"""Who is let in at our own API: only people of this tenant, with a token made for it by an application we allow."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from fakes_identity import ANN, CLIENT, ISSUER, TENANT, jwk, make_http, rsa_key
from forging import assembled, part, signed, signed_with_the_public_key

from app.domain.errors import Unavailable
from app.domain.request import Person
from app.identity.bearer import Door, EntraBearers
from app.identity.entra import Registration
from app.identity.json_web_keys import JsonWebKeys
from app.ports import Caller, Stranger

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)  # not the machine's date: no check may ask its clock
AT = int(NOW.timestamp())
OTHER_TENANT = "22222222-2222-4333-8444-555555555555"
OTHER_CLIENT = "33333333-8888-4777-8666-555555555555"
GRAPH = "00000003-0000-0000-c000-000000000000"
CLAIMS: dict[str, Any] = {
    "aud": CLIENT,
    "iss": ISSUER,
    "iat": AT - 300,
    "nbf": AT - 300,
    "exp": AT + 4799,
    "azp": CLIENT,
    "azpacr": "1",
    "name": "Ann Alder",
    "preferred_username": "ann@contoso.example",
    "oid": ANN.id,
    "tid": TENANT,
    "scp": "Requests.Read Requests.Approve",
    "sub": "pairwise",
    "uti": "u",
    "ver": "2.0",
}
FACTS = Registration(TENANT, CLIENT, "canary-client-secret")


@dataclass
class Entra:
    """The tenant's published keys, and our own look at them. `seconds` is the cache's clock."""

    status: int = 200
    fetches: int = 0
    seconds: float = 0.0
    clients: frozenset[str] = frozenset({CLIENT})
    bearers: EntraBearers = field(init=False)

    def __post_init__(self) -> None:
        keys = JsonWebKeys(make_http(self._answer), FACTS.keys_url, FACTS.key_issuers, lambda: self.seconds)
        door = Door(FACTS.issuer, FACTS.client_id, FACTS.tenant, self.clients)
        self.bearers = EntraBearers(keys, door, lambda: NOW)

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.fetches += 1
        return httpx.Response(self.status, json={"keys": [jwk(rsa_key(), "k", issuer=ISSUER)]})

    async def flaw(self, token: str) -> str:
        found = await self.bearers.caller(token)
        return found.flaw if isinstance(found, Stranger) else ""


async def test_a_sound_token_says_who_calls_and_what_they_may() -> None:
    token = signed(CLAIMS)
    assert await Entra().bearers.caller(token) == Caller(
        tenant=TENANT,
        person=Person(ANN.id, "Ann Alder", "ann@contoso.example"),
        scopes=frozenset({"Requests.Read", "Requests.Approve"}),
        auditor=False,
        assertion=token,
        expires=datetime.fromtimestamp(AT + 4799, UTC),
    )


@pytest.mark.parametrize(
    "over, auditor",
    [
        ({"roles": ["PIM.Audit"]}, True),
        ({"roles": ["Other", "PIM.Audit"]}, True),
        ({"roles": ["pim.audit"]}, False),
        ({"roles": "PIM.Audit"}, False),
        ({"roles": {"PIM.Audit": True}}, False),
        ({"roles": None}, False),
        ({"groups": ["PIM.Audit"], "wids": ["PIM.Audit"], "scp": "PIM.Audit"}, False),
    ],
)
async def test_only_the_app_role_makes_an_auditor(over: dict[str, Any], auditor: bool) -> None:  # noqa: FBT001 - a column of the table
    caller = await Entra().bearers.caller(signed({**CLAIMS, **over}))
    assert isinstance(caller, Caller)
    assert caller.auditor is auditor


CONFUSED: list[tuple[dict[str, Any], str]] = [
    ({"aud": None}, "audience"),
    ({"aud": [CLIENT]}, "audience"),
    ({"aud": [CLIENT, GRAPH]}, "audience"),
    ({"aud": GRAPH}, "audience"),
    ({"aud": "https://graph.microsoft.com"}, "audience"),
    ({"aud": "https://management.azure.com"}, "audience"),
    ({"aud": f"api://{CLIENT}"}, "audience"),
    ({"aud": OTHER_CLIENT}, "audience"),
    ({"aud": f"{CLIENT} "}, "audience"),
    ({"iss": None}, "issuer"),
    ({"iss": f"{ISSUER}/"}, "issuer"),
    ({"iss": ISSUER.replace("https", "http")}, "issuer"),
    ({"iss": f"https://sts.windows.net/{TENANT}/"}, "issuer"),
    ({"iss": ISSUER.replace(TENANT, OTHER_TENANT), "tid": OTHER_TENANT}, "issuer"),
    ({"iss": ISSUER.replace(TENANT, "common")}, "issuer"),
    ({"iss": [ISSUER]}, "issuer"),
    ({"exp": None}, "no times"),
    ({"exp": str(AT + 3600)}, "no times"),
    ({"exp": True}, "no times"),
    ({"iat": None}, "no times"),
    ({"exp": AT - 60}, "expired"),
    ({"exp": 0}, "expired"),
    ({"exp": -(10**30)}, "expired"),
    ({"iat": AT + 61}, "future"),
    ({"nbf": AT + 61}, "not valid yet"),
    ({"nbf": None}, "not valid yet"),
    ({"nbf": str(AT)}, "not valid yet"),
    ({"exp": AT + 26 * 3600 + 1}, "too long"),
    ({"exp": 10**30}, "too long"),
    ({"sub": None}, "subject"),
    ({"sub": ""}, "subject"),
    ({"ver": None}, "version"),
    ({"ver": "1.0"}, "version"),
    ({"ver": 2.0}, "version"),
    ({"tid": None}, "tenant"),
    ({"tid": OTHER_TENANT}, "tenant"),
    ({"tid": [TENANT]}, "tenant"),
    ({"oid": None}, "object id"),
    ({"oid": "../../me"}, "object id"),
    ({"oid": f"{ANN.id}\n"}, "object id"),
    ({"oid": [ANN.id]}, "object id"),
    ({"azp": None}, "client"),
    ({"azp": None, "appid": CLIENT}, "client"),
    ({"azp": OTHER_CLIENT}, "client"),
    ({"azp": [CLIENT]}, "client"),
    ({"azp": ""}, "client"),
    ({"idtyp": "app"}, "no person"),
    ({"idtyp": "device"}, "no person"),
    ({"scp": None, "roles": ["PIM.Audit"]}, "no person"),
    ({"scp": None, "idtyp": "app", "roles": ["Requests.Approve"]}, "no person"),
    ({"scp": " "}, "no person"),
    ({"scp": ["Requests.Read"]}, "no person"),
    ({"nonce": "n"}, "ID token"),
    ({"nonce": None, "scp": None, "azp": None}, "client"),
]


@pytest.mark.parametrize("over, flaw", CONFUSED)
async def test_a_confused_token_is_refused_by_the_check_that_is_there_for_it(over: dict[str, Any], flaw: str) -> None:
    assert flaw in await Entra().flaw(signed({**CLAIMS, **over}))


FORGED: list[tuple[str, str]] = [
    ("", "unreadable"),
    ("a.b", "unreadable"),
    ("a.b.c.d.e", "unreadable"),
    ("....", "unreadable"),
    ("é.é.é", "unreadable"),
    (f" {signed(CLAIMS)}", "unreadable"),
    (signed({**CLAIMS, "pad": "x" * 20_000}), "unreadable"),
    (signed({**CLAIMS, "pad": "x" * 1_000_000}), "unreadable"),
    (assembled({"alg": "none", "kid": "k", "typ": "JWT"}, CLAIMS, ""), "unreadable"),
    (assembled({"alg": "None", "kid": "k", "typ": "JWT"}, CLAIMS, ""), "unreadable"),
    (assembled({"alg": "nOnE", "kid": "k", "typ": "JWT"}, CLAIMS, ""), "unreadable"),
    (assembled({"kid": "k", "typ": "JWT"}, CLAIMS), "unreadable"),
    (signed_with_the_public_key(CLAIMS), "unreadable"),
    (jwt.encode(CLAIMS, rsa_key(), "RS512", {"kid": "k"}), "unreadable"),
    (jwt.encode(CLAIMS, rsa_key(), "PS256", {"kid": "k"}), "unreadable"),
    (jwt.encode(CLAIMS, rsa_key(), "RS256"), "unreadable"),
    (assembled({"alg": "RS256", "kid": ["k"], "typ": "JWT"}, CLAIMS), "unreadable"),
    (signed(CLAIMS, typ="JOSE"), "unreadable"),
    (signed(CLAIMS, typ="dpop+jwt"), "unreadable"),
    (signed(CLAIMS, typ=""), "unreadable"),
    (signed(CLAIMS, crit=["exp"]), "unreadable"),
    (base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.AAAA", "unreadable"),
    (signed(CLAIMS, kid="another"), "unknown key"),
    (jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "mine", "jku": "https://evil.example/keys"}), "unknown key"),
    (jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "mine", "jwk": jwk(rsa_key(1), "mine")}), "unknown key"),
    (jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "../k"}), "unknown key"),
    (jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "k"}), "signature"),
    (jwt.encode(CLAIMS, rsa_key(1), "RS256", {"kid": "k", "jwk": jwk(rsa_key(1), "k")}), "signature"),
    (signed(CLAIMS).rsplit(".", 1)[0] + ".", "signature"),
    (signed(CLAIMS)[:-6] + "AAAAAA", "signature"),
    (f"{signed(CLAIMS).split('.')[0]}.{part({**CLAIMS, 'oid': TENANT})}.{signed(CLAIMS).split('.')[2]}", "signature"),
    (assembled({"alg": "RS256", "kid": "k", "typ": "JWT"}, ["no", "claims"]), "signature"),
]


@pytest.mark.parametrize("token, flaw", FORGED, ids=range(len(FORGED)))
async def test_a_forged_token_is_refused(token: str, flaw: str) -> None:
    assert flaw in await Entra().flaw(token)


def test_there_are_forty_of_them() -> None:
    assert len(CONFUSED) + len(FORGED) >= 40


@pytest.mark.parametrize("over", [{"exp": AT - 59}, {"iat": AT + 60}, {"nbf": AT + 60}, {"exp": AT + 26 * 3600}])
async def test_clocks_may_differ_by_a_minute_and_revocable_tokens_live_a_day(over: dict[str, Any]) -> None:
    assert await Entra().flaw(signed({**CLAIMS, **over})) == ""


@pytest.mark.parametrize("over", [{"idtyp": "user"}, {"azp": CLIENT.upper()}, {"oid": ANN.id.upper()}])
async def test_what_entra_may_write_as_well_is_accepted(over: dict[str, Any]) -> None:
    assert await Entra().flaw(signed({**CLAIMS, **over})) == ""


async def test_the_type_of_access_tokens_is_accepted() -> None:
    assert await Entra().flaw(signed(CLAIMS, typ="at+jwt")) == ""


async def test_another_client_is_let_in_where_the_operator_names_it_and_ours_is_then_not() -> None:
    entra = Entra(clients=frozenset({OTHER_CLIENT}))
    assert await entra.flaw(signed({**CLAIMS, "azp": OTHER_CLIENT})) == ""
    assert "client" in await entra.flaw(signed(CLAIMS))


async def test_a_flaw_repeats_nothing_of_the_token() -> None:
    for over in ({"aud": "canary"}, {"azp": "canary"}, {"scp": ["canary"]}):
        assert "canary" not in await Entra().flaw(signed({**CLAIMS, **over}))


async def test_the_token_is_in_no_text_of_its_caller() -> None:
    token = signed(CLAIMS)
    assert token not in repr(await Entra().bearers.caller(token))


# The keys (T27)


async def test_a_thousand_made_up_keys_are_one_fetch_in_thirty_seconds() -> None:
    entra = Entra()
    assert await entra.flaw(signed(CLAIMS)) == ""
    for number in range(1000):
        entra.seconds += 0.05
        assert await entra.flaw(signed(CLAIMS, kid=f"made-up-{number}")) == "unknown key"
    assert entra.fetches == 2  # the first one, and one in fifty seconds
    assert await entra.flaw(signed(CLAIMS)) == ""


async def test_known_keys_serve_through_an_hour_without_microsofts() -> None:
    entra = Entra()
    assert await entra.flaw(signed(CLAIMS)) == ""
    entra.status = 503
    for _ in range(60):
        entra.seconds += 60
        assert await entra.flaw(signed(CLAIMS)) == ""
        assert await entra.flaw(signed(CLAIMS, kid="made-up")) == "unknown key"
    assert entra.fetches == 1 + 60


async def test_without_any_keys_nobody_is_judged() -> None:
    entra = Entra(status=503)
    with pytest.raises(Unavailable):
        await entra.flaw(signed(CLAIMS))
