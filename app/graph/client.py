"""The one gate to Microsoft: authentication, paging, throttling, and the pin on our own origin.

The bearer token never leaves for another origin: the transport refuses it, whatever a nextLink or a redirect says.
Reads are tried up to three times, in a long outage once, and by the rounds not at all while nobody answers; a decision
is sent once and never again from here. Two gates may share a root where Microsoft counts their calls apart: what
throttles one does not silence the other.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import httpx

from app.domain.breaker import Breaker
from app.domain.calls import Receipt
from app.domain.errors import BotError, Malformed, OutcomeUnknown, Unavailable
from app.graph.answers import failure, json_of, proof_wanted
from app.graph.budget import Budget
from app.graph.wire import Json
from app.ports import Clock, TokenSource

TRIES = 3  # per read
FIRST_PAUSE = 0.3  # seconds before the second try; doubles, with full jitter
MOST_PAGES = 200  # of a listing; more is a loop or a flood, and the listing counts as incomplete
TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class PinnedTransport(httpx.AsyncBaseTransport):
    """A transport that speaks to one origin only (scheme, host, port) and refuses user names in addresses."""

    def __init__(self, origin: str, inner: httpx.AsyncBaseTransport | None = None) -> None:
        """`origin`: an address on the one origin that may be called."""
        self._origin = _origin(httpx.URL(origin))
        self._inner = inner or httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, or raise Malformed before a single byte leaves."""
        if _origin(request.url) != self._origin or request.url.userinfo:
            raise Malformed("Microsoft's answer points to another host; it was not followed.")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


@dataclass(frozen=True, slots=True)
class Manners:
    """How one service, called `service` in sentences, wants to be asked: where the next page stands, and how fast.

    `our_name`, `their_name`: the headers in which a call is named by us, and its answer by Microsoft.
    `pace`: seconds between two reads; `patience`: a shorter Retry-After, in seconds, is waited out by the read itself.
    """

    service: str = "Microsoft Graph"
    following: str = "@odata.nextLink"
    our_name: str = "client-request-id"
    their_name: str = "request-id"
    pace: float = 0.0
    patience: float = 0.0


POLL = Manners()
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A call that changes something. `name`: what we call it, a GUID; empty: nothing."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


class Gate:
    """GET, page through and change below one root, as whoever the token source says."""

    def __init__(
        self,
        root: str,
        clock: Clock,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        manners: Manners = POLL,
    ) -> None:
        """`root`: `https://graph.microsoft.com` or the sandbox's; `transport` carries what is let through the pin."""
        self._root = root
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._manners = manners
        self._budget = Budget()
        self._breaker = Breaker(manners.service, lambda: clock().timestamp(), jitter)
        self._turn_at: datetime | None = None
        self._paused_until: datetime | None = None
        self.throttled = 0  # answers that asked us to wait
        self._http = httpx.AsyncClient(
            transport=PinnedTransport(root, transport),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one client speaks for many people
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str, token: TokenSource, params: Mapping[str, str] | None = None) -> Json:
        """One JSON object, or Unavailable, Malformed, GraphRefused, SignInRequired, ClaimsChallenge."""
        return await self._read(self._url(path, params or {}), token)

    async def pages(
        self, path: str, token: TokenSource, params: Mapping[str, str], most: int = MOST_PAGES
    ) -> AsyncIterator[Json]:
        """Every page of a listing, or `most`. An error in the middle leaves what was given, and forbids absence."""
        url: httpx.URL | None = self._url(path, params)
        visited: set[str] = set()
        while url is not None:
            if str(url) in visited or len(visited) >= most:
                raise Malformed("Microsoft's list of pages does not end.")
            visited.add(str(url))
            page = await self._read(url, token)
            yield page
            following = page.get(self._manners.following)
            url = self._followed(following) if following is not None else None

    async def send(self, change: Change, token: TokenSource) -> httpx.Response:
        """Send one change, once. OutcomeUnknown: Microsoft may have taken it; Unavailable: it surely did not."""
        headers = await self._headers(token)
        if change.name:
            headers[self._manners.our_name] = change.name
        json = dict(change.body) if change.body is not None else None
        url = self._url(change.path, change.params)
        with self._breaker.asking():
            try:
                response = await self._http.request(change.method, url, json=json, headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
                raise Unavailable("Microsoft cannot be reached.") from None
            except httpx.HTTPError:
                log.warning("Microsoft gave no answer to a change.", extra={"client_request_id": change.name})
                raise OutcomeUnknown from None
            self._report(change, response)
            self.judge(response)
        return response

    def _report(self, change: Change, response: httpx.Response) -> None:
        """From here on Microsoft can be asked about it: what we called it, and what they called their answer."""
        names = {"client_request_id": change.name, "request_id": self.receipt(response).request_id}
        log.info("Microsoft answered a change.", extra={**names, "status": response.status_code})

    def judge(self, response: httpx.Response) -> None:
        """Raise what the answer to a change means, unless it is a success; also for an answer within an answer."""
        if _is_page(response):
            raise OutcomeUnknown
        if not response.is_success:
            error = self._noted(failure(response, self._clock(), decision=True))
            error.request_id = self.receipt(response).request_id
            raise error

    def receipt(self, response: httpx.Response) -> Receipt:
        """What Microsoft calls this answer."""
        name = response.headers.get(self._manners.their_name, "")
        return Receipt(name if _NAME.fullmatch(name) else "")

    async def _read(self, url: httpx.URL, token: TokenSource) -> Json:
        for attempt in range(TRIES):
            try:
                return await self._read_once(url, token)
            except (Unavailable, Malformed) as problem:
                told = problem.retry_after if isinstance(problem, Unavailable) else None
                last = attempt == TRIES - 1 or (told is not None and told >= self._manners.patience)
                if last or not self._budget.spend():
                    raise
                await self._sleep(self._jitter() * FIRST_PAUSE * 2**attempt if told is None else told)
        raise AssertionError  # the loop either returns or raises

    async def _read_once(self, url: httpx.URL, token: TokenSource) -> Json:
        await self._take_turn()
        response = await self._got(url, await self._headers(token))
        claims = proof_wanted(response)
        if claims:  # Microsoft took the token back early; one that meets it may be had without the person
            response = await self._got(url, await self._headers(token, claims))
        if response.status_code != httpx.codes.OK:
            raise self._noted(failure(response, self._clock(), decision=False))
        found = json_of(response)
        self._budget.earn()
        return found

    async def _got(self, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        with self._breaker.asking():
            try:
                response = await self._http.get(url, headers=headers)
            except httpx.HTTPError:
                raise Unavailable("Microsoft cannot be reached.") from None
            if _is_page(response):
                raise Malformed("Microsoft answered with something that is not JSON.")
            if response.is_server_error:
                raise self._noted(failure(response, self._clock(), decision=False))
        return response

    async def _take_turn(self) -> None:
        if not self._manners.pace:
            return
        now = self._clock()
        mine = max(self._turn_at or now, now)
        self._turn_at = mine + timedelta(seconds=self._manners.pace)  # taken before we wait: nobody shares a turn
        if mine > now:
            await self._sleep((mine - now).total_seconds())

    async def _headers(self, token: TokenSource, claims: str = "") -> dict[str, str]:
        self._breaker.check()  # where nothing may be asked no token is needed
        self._refuse_while_paused()
        bearer = await (token(claims) if claims else token())
        self._refuse_while_paused()  # another call may have been throttled meanwhile
        return {"Authorization": f"Bearer {bearer}"}

    def _url(self, path: str, params: Mapping[str, str]) -> httpx.URL:
        # Byte for byte what Microsoft's own client sends: sorted, `$` bare, a space as %20 (`+` is not always read).
        query = "&".join(f"{name}={quote(value, safe=',')}" for name, value in sorted(params.items()))
        return httpx.URL(self._root + path + (f"?{query}" if query else ""))

    def _followed(self, link: object) -> httpx.URL:
        try:
            url = httpx.URL(link) if isinstance(link, str) and len(link) < 8_000 else None  # noqa: PLR2004 - characters
        except (httpx.InvalidURL, ValueError):  # ValueError: names and characters that no address can hold
            url = None
        if url is None or not str(url).startswith(self._root + "/"):
            raise Malformed("Microsoft's next page is somewhere else; it was not followed.")
        return url

    def _noted(self, error: BotError) -> BotError:
        # Microsoft throttles an application in a tenant, not one call: everything we ask waits.
        if isinstance(error, Unavailable) and error.retry_after is not None:
            self.throttled += 1
            until = self._clock() + timedelta(seconds=error.retry_after)
            self._paused_until = max(self._paused_until or until, until)  # a shorter answer may come in later
        return error

    def _refuse_while_paused(self) -> None:
        if self._paused_until is None:
            return
        wait = (self._paused_until - self._clock()).total_seconds()
        if wait > 0:
            raise Unavailable(f"Microsoft asks us to wait {wait:.0f} more seconds.", retry_after=wait)


# It goes into audit rows: nothing that is no name gets there.
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


def _is_page(response: httpx.Response) -> bool:
    """Some proxy's page, served as a success: Microsoft said nothing."""
    return response.is_success and "html" in response.headers.get("Content-Type", "")


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port
