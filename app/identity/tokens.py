"""Bearer tokens for Graph and ARM: each linked person's own, and the bot's. It signs nobody in.

A person's token cache lives encrypted in the links table and is saved by compare-and-set, so that a refresh can neither
undo a sign-out nor overwrite a newer cache. No transaction is held while Microsoft is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import jwt
import msal

from app.domain.errors import Malformed, SignInRequired, Tampered, Unavailable
from app.identity.entra import Entra, Registration
from app.identity.keyring import Keyring, UnknownKey
from app.identity.refusals import aadsts, no_token
from app.identity.sign_in import cache_context
from app.identity.whose import account_in
from app.ports import Clock, Link, Links, Reader, Resource, SealedCache, TokenSource

CACHE = "token cache"  # the sealing purpose; linking seals a link's first cache under the same word
ATTEMPTS = 2  # the second one after somebody else saved or removed the cache
LAST_SECONDS = 60  # a token this close to its end is not handed out any more
NOT_OPENED = "the stored session does not open"
GRACE = 2.0  # seconds another process gets to save what it won, before a refusal counts

Pause = Callable[[float], Awaitable[None]]

_DOWN = (Unavailable, Malformed)


@dataclass(frozen=True, slots=True)
class _Ask:
    """What a token is for, and the claims for lack of which Microsoft refused the last one."""

    resource: Resource
    claims: str = ""


@dataclass(frozen=True, slots=True)
class _Silent:
    """What asking Microsoft without the person gave: a token, or a refusal. `cache` when it is worth saving."""

    token: str = ""
    refusal: Mapping[str, Any] = field(default_factory=dict)
    cache: str | None = None


class MicrosoftTokens:
    """Token sources, for `app.ports.Tokens`. One refresh token serves both resources; access tokens never do."""

    def __init__(
        self, entra: Entra, links: Links, keyring: Keyring, clock: Clock, pause: Pause = asyncio.sleep
    ) -> None:
        """`pause`: waits this many seconds; for tests."""
        self._entra = entra
        self._links = links
        self._keyring = keyring
        self._clock = clock
        self._pause = pause
        self._own_cache = msal.TokenCache()
        self._own_turn = asyncio.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def application(self, resource: Resource = Resource.GRAPH) -> TokenSource:
        """The bot's own token. The source raises Unavailable or Malformed."""

        async def source(claims: str = "") -> str:
            return await self._own_token(resource, claims)

        return source

    def of(self, link: Link, resource: Resource = Resource.GRAPH) -> TokenSource:
        """A person's token.

        Its source raises SignInRequired, ClaimsChallenge, DeviceDemanded, Unavailable or Malformed.
        """

        async def source(claims: str = "") -> str:
            return await self._token_of(link, _Ask(resource, claims))

        return source

    async def granted(self, link: Link, resource: Resource = Resource.GRAPH) -> frozenset[str]:
        """The scopes of a person's session, as their token says; empty where the token cannot be read.

        For looking only: nothing is allowed because of it, so that the signature does not matter.
        """
        return _scopes_in(await self._token_of(link, _Ask(resource)))

    async def readers(self, resource: Resource = Resource.GRAPH) -> Sequence[Reader]:
        """Whose tokens may read a request or its approval: signed-in people, then the bot itself."""
        people = [Reader(link.person.id, self.of(link, resource)) for link in await self._links.active()]
        return [*people, Reader("", self.application(resource))]

    async def _own_token(self, resource: Resource, claims: str) -> str:
        async with self._own_turn:
            answer = await self._entra.run(lambda: self._ask_for_own(resource, claims))
        if "access_token" not in answer:
            raise Unavailable("Microsoft refuses the bot's own credential; an administrator must look.")
        return str(answer["access_token"])

    def _ask_for_own(self, resource: Resource, claims: str) -> dict[str, Any]:
        poller = self._entra.poller
        arm = resource is Resource.ARM
        scopes = [poller.cloud.arm_application_scope if arm else poller.cloud.graph_application_scope]
        held = _held(self._own_cache, poller, scopes, {"home_account_id": None}, refused=bool(claims))
        try:
            answer: dict[str, Any] = self._entra.application(self._own_cache, poller).acquire_token_for_client(
                scopes, http_exceptions=_DOWN, claims_challenge=claims or None
            )
        except _DOWN:
            token = self._still_valid(held)
            if not token:
                raise
            return {"access_token": token}
        return answer

    async def _token_of(self, link: Link, ask: _Ask) -> str:
        turn = self._turns.setdefault(link.id, asyncio.Lock())
        async with turn:  # in this process one refresh at a time; between processes the compare-and-set decides
            for _ in range(ATTEMPTS):
                token = await self._attempt(link, ask)
                if token is not None:
                    return token
        raise Unavailable("This sign-in is being renewed elsewhere. Try again in a moment.")

    async def _attempt(self, link: Link, ask: _Ask) -> str | None:
        """Load, open, ask, save. None: somebody else saved meanwhile, so look again."""
        stored = await self._links.load_cache(link.id)
        if stored is None or _account(stored.link) != _account(link):
            raise SignInRequired
        cache = await self._opened(stored)
        silent = await self._entra.run(lambda: self._ask_silently(cache, stored.link, ask))
        if silent.refusal:
            await self._refused(stored, silent, ask.claims)
            return None
        if silent.cache is None or await self._saved(stored, silent.cache):
            return silent.token
        return None

    async def _opened(self, stored: SealedCache) -> msal.SerializableTokenCache:
        cache = msal.SerializableTokenCache()
        try:
            cache.deserialize(self._keyring.open(CACHE, cache_context(stored.link, stored.version), stored.sealed))
            account_in(cache, stored.link.tenant, stored.link.person.id)
        except UnknownKey:
            raise SignInRequired from None  # kept: the operator may put the key back, another replica may have it
        except (Tampered, ValueError):
            await self._links.suspend(stored.link, NOT_OPENED, self._clock())
            raise SignInRequired from None
        return cache

    async def _saved(self, stored: SealedCache, cache: str) -> bool:
        sealed = self._keyring.seal(CACHE, cache_context(stored.link, stored.version + 1), cache)
        return await self._links.save_cache(stored, sealed)

    async def _refused(self, stored: SealedCache, silent: _Silent, claims: str) -> None:
        """Raise what the refusal means; return only if the cache was not the newest one.

        A session that is over suspends the link.
        """
        failure = no_token(silent.refusal, claims)
        if type(failure) is not SignInRequired:
            raise failure
        # Where refresh tokens are used once, a loser is refused before the winner could save.
        await self._pause(GRACE)
        latest = await self._links.load_cache(stored.link.id)
        if latest is not None and _edition(latest) != _edition(stored):
            return
        if latest is not None:
            await self._links.suspend(latest.link, _refusal(silent), self._clock())
        raise SignInRequired

    def _ask_silently(self, cache: msal.SerializableTokenCache, link: Link, ask: _Ask) -> _Silent:
        account = account_in(cache, link.tenant, link.person.id)
        facts = self._entra.registration
        scopes = list(facts.cloud.arm_scopes if ask.resource is Resource.ARM else facts.cloud.graph_scopes)
        whose = {"home_account_id": account["home_account_id"]}
        held = _held(cache, facts, scopes, whose, refused=bool(ask.claims))
        try:
            answer = self._entra.application(cache).acquire_token_silent_with_error(
                scopes, account, http_exceptions=_DOWN, claims_challenge=ask.claims or None
            )
        except _DOWN:
            token = self._still_valid(held)
            if not token:
                raise
            return _Silent(token)
        return _read(answer, cache)

    def _still_valid(self, held: list[dict[str, Any]]) -> str:
        # MSAL gives a token up five minutes before its end; when Microsoft cannot be asked it is still good.
        usable_until = self._clock().timestamp() + LAST_SECONDS
        return next((str(entry["secret"]) for entry in held if int(entry["expires_on"]) > usable_until), "")


def _held(
    cache: msal.TokenCache, facts: Registration, scopes: list[str], whose: Mapping[str, object], *, refused: bool
) -> list[dict[str, Any]]:
    """The access tokens that the cache holds for these scopes; those that Microsoft refused are thrown away."""
    query = {"client_id": facts.client_id, "realm": facts.tenant, **whose}
    held = list(cache.search(cache.CredentialType.ACCESS_TOKEN, target=scopes, query=query))
    if not refused:
        return held
    for entry in held:
        cache.remove_at(entry)
    return []


def _read(answer: Mapping[str, Any] | None, cache: msal.SerializableTokenCache) -> _Silent:
    # None: neither a token nor a refresh token is in the cache.
    if answer is None or "access_token" not in answer:
        return _Silent(refusal={"error": "invalid_grant", **(answer or {})})
    changed = cache.has_state_changed
    return _Silent(str(answer["access_token"]), cache=cache.serialize() if changed else None)


def _refusal(silent: _Silent) -> str:
    # The error's name is one of ours to compare with; Microsoft's texts go nowhere.
    number = aadsts(silent.refusal)
    return f"Microsoft: {silent.refusal['error']}" + (f" (AADSTS{number})" if number else "")


def _scopes_in(token: str) -> frozenset[str]:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return frozenset()
    return frozenset(str(claims.get("scp") or "").split())


def _account(link: Link) -> tuple[str, str]:
    return link.tenant.lower(), link.person.id.lower()


def _edition(stored: SealedCache) -> tuple[int, int]:
    return stored.link.generation, stored.version
