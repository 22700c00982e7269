"""Published keys: remembered for a day, asked for gently, kept through an outage, believed only if they may sign."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fakes_identity import ISSUER, jwk, make_http, rsa_key

from app.domain.errors import Unavailable
from app.identity.json_web_keys import JsonWebKeys
from app.identity.origins import Origins
from app.identity.wire import PinnedHttp

URL = "https://slack.com/openid/connect/keys"
DAY = 24 * 3600.0


@dataclass
class Provider:
    """Answers with `keys`, or with `status`, and counts; `at` is the clock in seconds."""

    keys: object = field(default_factory=lambda: [jwk(rsa_key(), "k")])
    status: int = 200
    fetches: int = 0
    at: float = 1000.0

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        self.fetches += 1
        return httpx.Response(self.status, json={"keys": self.keys})

    def key_set(self, *issuers: str) -> JsonWebKeys:
        return JsonWebKeys(make_http(self), URL, frozenset(issuers), lambda: self.at)


async def test_a_known_key_is_fetched_once_a_day() -> None:
    provider = Provider()
    keys = provider.key_set()
    for _ in range(5):
        assert await keys.key("k") is not None
    assert provider.fetches == 1
    provider.at += DAY + 1
    assert await keys.key("k") is not None
    assert provider.fetches == 2


async def test_a_storm_of_unknown_names_is_one_fetch_in_thirty_seconds() -> None:
    provider = Provider()
    keys = provider.key_set()
    assert await asyncio.gather(*(keys.key(f"random-{n}") for n in range(1000))) == [None] * 1000
    assert provider.fetches == 1
    provider.at += 31
    assert await keys.key("random-again") is None
    assert provider.fetches == 2


async def test_whoever_comes_during_the_first_fetch_waits_for_it() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_request: httpx.Request) -> httpx.Response:
        asked.set()
        await answer.wait()
        return httpx.Response(200, json={"keys": [jwk(rsa_key(), "k")]})

    keys = JsonWebKeys(PinnedHttp(Origins(), httpx.MockTransport(slow)), URL)
    first = asyncio.create_task(keys.key("k"))
    await asked.wait()
    second = asyncio.create_task(keys.key("k"))
    answer.set()
    assert await first is await second is not None


async def test_a_rotated_key_is_found_after_the_pause() -> None:
    provider = Provider()
    keys = provider.key_set()
    await keys.key("k")
    provider.keys = [jwk(rsa_key(1), "k2")]
    provider.at += 31
    assert await keys.key("k2") is not None
    assert await keys.key("k") is None


async def test_known_keys_serve_through_an_outage_of_a_day_and_no_longer() -> None:
    provider = Provider()
    keys = provider.key_set()
    await keys.key("k")
    provider.status = 503
    provider.at += 2 * DAY - 1
    assert await keys.key("k") is not None
    provider.at += 2
    with pytest.raises(Unavailable):
        await keys.key("k")


@pytest.mark.parametrize("status, entries", [(200, []), (200, "x"), (200, None), (404, [jwk(rsa_key(1), "evil")])])
async def test_a_useless_answer_does_not_replace_good_keys(status: int, entries: object) -> None:
    provider = Provider()
    keys = provider.key_set()
    await keys.key("k")
    provider.status, provider.keys = status, entries
    provider.at += 31
    assert await keys.key("evil") is None
    assert await keys.key("k") is not None


async def test_an_outage_at_first_is_asked_about_again_after_the_pause() -> None:
    provider = Provider(status=500)
    keys = provider.key_set()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await keys.key("k")
    assert provider.fetches == 1
    provider.status = 200
    provider.at += 31
    assert await keys.key("k") is not None


def weak() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose


@pytest.mark.parametrize(
    "entry",
    [
        jwk(rsa_key(), "odd", use="enc"),
        jwk(rsa_key(), "odd", kty="EC"),
        jwk(rsa_key(), "odd", alg="RS512"),
        jwk(rsa_key(), "odd", n="!!"),
        jwk(rsa_key(), "odd", n=7),
        jwk(rsa_key(), "odd", e=""),
        {"kty": "RSA", "kid": "odd"},
        {"kty": "oct", "kid": "odd", "k": "c2VjcmV0"},
        jwk(rsa_key(), "odd", issuer="https://evil.example"),
        jwk(rsa_key(), "odd", issuer=[ISSUER]),
        jwk(weak(), "odd"),
        "odd",
        None,
    ],
)
async def test_a_key_that_may_not_sign_for_the_issuer_is_left_out(entry: object) -> None:
    provider = Provider(keys=[entry, jwk(rsa_key(), "k")])
    keys = provider.key_set(ISSUER)
    assert await keys.key("odd") is None
    assert await keys.key("k") is not None


async def test_a_key_that_names_our_issuer_is_taken() -> None:
    assert await Provider(keys=[jwk(rsa_key(), "k", issuer=ISSUER)]).key_set(ISSUER).key("k") is not None
