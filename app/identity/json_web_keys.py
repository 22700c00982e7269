"""A provider's published signing keys, remembered. It trusts no key for its name alone and never fetches in a storm.

Refreshed once a day, and when a token names an unknown key: at most every 30 seconds, one fetch at a time. While the
provider cannot be reached the known keys serve for another day.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import InvalidKeyError
from jwt.algorithms import RSAAlgorithm

from app.domain.errors import Malformed, Unavailable
from app.identity.wire import PinnedHttp

FRESH = 24 * 3600.0  # seconds a fetched set is used without asking again
STALE = 24 * 3600.0  # further seconds it is used when the provider cannot be asked
PAUSE = 30.0  # seconds between two fetches, whatever tokens say
WEAKEST = 2048  # bits
OK = 200


class JsonWebKeys:
    """The RSA signing keys at one address."""

    def __init__(
        self,
        http: PinnedHttp,
        url: str,
        issuers: frozenset[str] = frozenset(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`issuers`: what a key's own `issuer` member may say, if it has one; Microsoft's keys do."""
        self._http = http
        self._url = url
        self._issuers = issuers
        self._monotonic = monotonic
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._one_fetch = asyncio.Lock()

    async def key(self, name: str) -> RSAPublicKey | None:
        """The key of this name, or None when the provider publishes no such key; Unavailable when we cannot know."""
        if name not in self._keys or self._age() > FRESH:
            async with self._one_fetch:  # whoever comes during a fetch waits for its result
                if self._due(name):
                    await self._fetch()
        if self._age() > FRESH + STALE:
            raise Unavailable("The provider's signing keys cannot be fetched.")
        return self._keys.get(name)

    def _due(self, name: str) -> bool:
        if self._tried is not None and self._monotonic() - self._tried < PAUSE:
            return False
        return name not in self._keys or self._age() > FRESH

    def _age(self) -> float:
        return math.inf if self._fetched is None else self._monotonic() - self._fetched

    async def _fetch(self) -> None:
        self._tried = self._monotonic()
        try:
            answer = await self._http.get(self._url)
        except (Unavailable, Malformed):
            return  # the keys we have serve on until they are too old
        keys = _keys(answer.body.get("keys"), self._issuers) if answer.status == OK else {}
        if keys:
            self._keys = keys
            self._fetched = self._monotonic()


def _keys(entries: object, issuers: frozenset[str]) -> dict[str, RSAPublicKey]:
    found: dict[str, RSAPublicKey] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and _signs(entry, issuers):
            key = _rsa(entry)
            if key is not None:
                found[entry["kid"]] = key
    return found


def _signs(entry: Mapping[str, Any], issuers: frozenset[str]) -> bool:
    if issuers and "issuer" in entry and str(entry["issuer"]) not in issuers:
        return False
    return (entry.get("kty"), entry.get("use", "sig"), entry.get("alg", "RS256")) == ("RSA", "sig", "RS256")


def _rsa(entry: Mapping[str, Any]) -> RSAPublicKey | None:
    try:
        key = RSAAlgorithm.from_jwk({name: entry[name] for name in ("kty", "n", "e")})
    except (InvalidKeyError, ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= WEAKEST else None
