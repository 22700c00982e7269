"""Acting for whoever calls our API: their token is exchanged for one at Microsoft (on-behalf-of), and only theirs.

MSAL never reads its cache for this, writes everybody's tokens into it, and throttles everybody together. So each
exchange has an application and a cache of its own, and what came back is kept here, under the very token it came for.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

import msal

from app.domain.errors import Malformed, Tampered
from app.domain.request import Person
from app.identity.entra import MSAL_RAISES, Entra
from app.identity.refusals import no_token
from app.identity.whose import account_in, me
from app.identity.wire import PinnedHttp
from app.ports import Caller, Clock, Resource, TokenSource

BEFORE_THE_END = timedelta(minutes=5)  # what is kept is let go so long before it, or what it came for, ends
MOST = 1000  # exchanges remembered; the oldest go first

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """Something and until when it may be used."""

    value: T
    until: datetime


@dataclass(slots=True)
class _Shelf(Generic[T]):
    """A few things by key, each for its time."""

    clock: Clock
    most: int
    _kept: OrderedDict[str, _Kept[T]] = field(default_factory=OrderedDict)

    def find(self, key: str) -> T | None:
        """What is there and still good."""
        kept = self._kept.get(key)
        return kept.value if kept is not None and self.clock() < kept.until else None

    def keep(self, key: str, kept: _Kept[T]) -> None:
        """Put it there; what does not last is not kept at all."""
        if kept.until <= self.clock():
            return
        self._kept[key] = kept
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)


class OnBehalfTokens:
    """Implements `ports.OnBehalf`."""

    def __init__(self, entra: Entra, http: PinnedHttp, clock: Clock, most: int = MOST) -> None:
        """`http`: asks Graph who somebody is; `most`: how many exchanges are kept."""
        self._entra = entra
        self._http = http
        self._clock = clock
        self._tokens: _Shelf[str] = _Shelf(clock, most)
        self._people: _Shelf[Person] = _Shelf(clock, most)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, caller: Caller, resource: Resource = Resource.GRAPH) -> TokenSource:
        """Their token. Its source raises SignInRequired, ClaimsChallenge, DeviceDemanded, Unavailable or Malformed."""

        async def source(claims: str = "") -> str:
            return await self._token(caller, resource, claims)

        return source

    async def person(self, caller: Caller) -> Person:
        """Who Graph says they are, asked once per token."""
        key = _key(caller)
        known = self._people.find(key)
        if known is not None:
            return known
        token = await self._token(caller, Resource.GRAPH)
        person = await me(self._http, self._entra.registration.cloud, token, caller.person.id)
        if person is None:
            raise Malformed("Microsoft Graph does not confirm who you are.")
        self._people.keep(key, _Kept(person, caller.expires - BEFORE_THE_END))
        return person

    async def _token(self, caller: Caller, resource: Resource, claims: str = "") -> str:
        key = f"{resource} {_key(caller)}"
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:  # a burst of calls with one token is one exchange
            token = self._tokens.find(key) if not claims else None  # what is kept was refused
            if token is None:
                exchanged = await self._entra.run(lambda: self._exchange(caller, resource, claims))
                self._tokens.keep(key, exchanged)
                token = exchanged.value
        return token

    def _exchange(self, caller: Caller, resource: Resource, claims: str) -> _Kept[str]:
        cloud = self._entra.registration.cloud
        scopes = list(cloud.arm_scopes if resource is Resource.ARM else cloud.graph_scopes)
        cache = msal.TokenCache()
        try:
            answer = self._entra.application(cache).acquire_token_on_behalf_of(
                caller.assertion, scopes, claims_challenge=claims or None
            )
            if "access_token" not in answer:
                raise no_token(answer, claims)
            account_in(cache, caller.tenant, caller.person.id)
            ends = min(self._clock() + timedelta(seconds=int(answer["expires_in"])), caller.expires)
        except Tampered:
            raise Malformed("Microsoft answered with somebody else's token; it was not used.") from None
        except MSAL_RAISES:
            raise Malformed("Microsoft's answer could not be read.") from None
        return _Kept(str(answer["access_token"]), ends - BEFORE_THE_END)


def _key(caller: Caller) -> str:
    return hashlib.sha256(caller.assertion.encode()).hexdigest()
