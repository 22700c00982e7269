"""The HTTP client MSAL works through: one synchronous httpx client behind the origin map. It never follows a redirect.

MSAL refuses authorities without TLS, so it keeps the real addresses and only the map knows the sandbox. Discovery
answers are cached here, where all applications share them, because each MSAL application starts with an empty cache.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx

from app.domain.breaker import Breaker
from app.domain.errors import Unavailable
from app.domain.retry_after import asked_wait
from app.identity.origins import Origins
from app.identity.wire import TIMEOUT, is_busy, json_object

KEEP_DISCOVERY = 24 * 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """What MSAL reads of an HTTP answer."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Nothing to raise: outages were raised before MSAL saw the answer."""


class LoginHttp:
    """MSAL's `http_client`. Safe to share between threads.

    Outages (no connection, 429, 5xx) raise Unavailable and answers that are no JSON object raise Malformed, before
    MSAL sees them: it would log a whole token answer that it cannot parse.
    """

    def __init__(
        self,
        origins: Origins,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`transport`: for tests; by default the network. `monotonic`: seconds, for the discovery cache."""
        self._origins = origins
        self._breaker = Breaker("Microsoft's sign-in service", monotonic)
        self._monotonic = monotonic
        self._discovered: dict[str, tuple[float, Reply]] = {}
        self._quiet_until: dict[str, float] = {}
        self._http = httpx.Client(
            transport=transport or httpx.HTTPTransport(trust_env=False),
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: object
    ) -> Reply:
        """A discovery document, from the last 24 hours if we have it."""
        address = self._origins.to_wire(url + (f"?{urlencode(params)}" if params else ""))
        at, reply = self._discovered.get(address, (0.0, None))
        if reply is not None and self._monotonic() - at < KEEP_DISCOVERY:
            return reply
        reply = self._send(self._http.build_request("GET", address, headers=headers))
        if reply.status_code != httpx.codes.OK:
            raise Unavailable("Microsoft's sign-in service does not describe this tenant.")
        self._discovered[address] = (self._monotonic(), reply)
        return reply

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str | bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> Reply:
        """A token call; never cached. Whose credential was told to wait makes none until then, whatever it is for."""
        address = self._origins.to_wire(url)
        # MSAL gives a signed assertion as bytes, which httpx would write as Python shows them.
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        credential = _credential(form)
        self._refuse_while_quiet(credential)
        try:
            return self._send(self._http.build_request("POST", address, params=params, data=form, headers=headers))
        except Unavailable as failure:
            if failure.retry_after is not None:
                self._quiet_until[credential] = self._monotonic() + failure.retry_after
            raise

    def _refuse_while_quiet(self, credential: str) -> None:
        now = self._monotonic()
        self._quiet_until = {name: until for name, until in self._quiet_until.items() if until > now}
        left = self._quiet_until.get(credential, now) - now
        if left > 0:
            raise Unavailable(
                f"Microsoft's sign-in service asks us to wait {max(left, 1.0):.0f} more seconds.", retry_after=left
            )

    def _send(self, request: httpx.Request) -> Reply:
        with self._breaker.asking():
            try:
                response = self._http.send(request)
            except httpx.HTTPError:
                raise Unavailable("Microsoft's sign-in service cannot be reached.") from None
            if is_busy(response.status_code):
                wait = asked_wait(response.headers, datetime.now(UTC))
                raise Unavailable("Microsoft's sign-in service is busy.", retry_after=wait)
            json_object(response)
        return Reply(response.status_code, response.text, dict(response.headers))


def _credential(form: Mapping[str, str]) -> str:
    """Whom Entra throttles: a session, a caller's token, a code, or else the application itself; it keeps no secret."""
    own = next((form[name] for name in ("refresh_token", "assertion", "code") if name in form), "")
    return hashlib.sha256(f"{form.get('client_id', '')} {own}".encode()).hexdigest()
