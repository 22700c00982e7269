"""The app registrations in Entra, and MSAL applications made from it, each call in one bounded pool of threads.

Every call gets a fresh application with its own caches: MSAL throttles and caches refusals per application object, so
that a shared one would make one person's 429 everybody's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TypeVar

import msal

from app.domain.errors import Unavailable
from app.identity.clouds import GLOBAL, Cloud
from app.identity.credentials import Credential
from app.identity.msal_http import LoginHttp

T = TypeVar("T")

# What MSAL raises on answers it did not expect; their texts hold states and nonces and go nowhere.
MSAL_RAISES = (ValueError, RuntimeError, LookupError, TypeError, AttributeError)
THREADS = 8  # a hanging Entra may hold these, never the loop's own pool


@dataclass(frozen=True, slots=True)
class Registration:
    """An app registration of the bot. `tenant` is a GUID, never a domain name: it is compared with `tid`."""

    tenant: str
    client_id: str
    credential: Credential = field(repr=False)
    cloud: Cloud = GLOBAL

    def __post_init__(self) -> None:
        """Write both ids as Microsoft writes them in tokens."""
        object.__setattr__(self, "tenant", self.tenant.lower())
        object.__setattr__(self, "client_id", self.client_id.lower())

    @property
    def authority(self) -> str:
        """The one authority that signs people in."""
        return f"{self.cloud.login}/{self.tenant}"

    @property
    def issuer(self) -> str:
        """The exact `iss` of v2.0 tokens of this tenant."""
        return f"{self.authority}/v2.0"

    @property
    def key_issuers(self) -> frozenset[str]:
        """What a signing key's own `issuer` may say: Microsoft's shared keys leave the tenant open."""
        return frozenset({self.issuer, self.issuer.replace(self.tenant, "{tenantid}")})

    @property
    def keys_url(self) -> str:
        """Where the tenant publishes its signing keys."""
        return f"{self.authority}/discovery/v2.0/keys"


class Entra:
    """Makes MSAL applications and runs what they do.

    People sign in at `registration`; `poller` is what the bot is when it asks for itself, the same one by default.
    """

    def __init__(self, registration: Registration, http: LoginHttp, poller: Registration | None = None) -> None:
        self.registration = registration
        self.poller = poller or registration
        self._http = http
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="msal")

    def close(self) -> None:
        """Stop the threads; what has not started yet is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    async def run(self, call: Callable[[], T]) -> T:
        """Run one blocking MSAL call in the pool. Whether it is a round's or a person's goes with it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, call)

    def application(
        self, cache: msal.TokenCache, registration: Registration | None = None
    ) -> msal.ConfidentialClientApplication:
        """A fresh application over this token cache, of the registration where people sign in unless told otherwise.

        Blocks on discovery the first time; Unavailable, Malformed.
        """
        facts = registration or self.registration
        application = msal.ConfidentialClientApplication(
            facts.client_id,
            client_credential=facts.credential if isinstance(facts.credential, str) else dict(facts.credential),
            authority=facts.authority,
            token_cache=cache,
            http_client=self._http,
            http_cache={},
            client_capabilities=["CP1"],  # we answer claims challenges, so tokens may be revoked at once (CAE)
            instance_discovery=False,  # the authority is pinned; the alias list would only be one more call
        )
        _pin(facts, application.authority)
        return application


def _pin(registration: Registration, authority: object) -> None:
    # Discovery may describe any address; only this tenant's own may see codes and secrets.
    base = f"{registration.authority}/oauth2/v2.0/"
    expected = {"authorization_endpoint": f"{base}authorize", "token_endpoint": f"{base}token"}
    for name, address in expected.items():
        if str(getattr(authority, name, "")).casefold() != address.casefold():
            raise Unavailable("Microsoft's sign-in service describes another tenant.")
