"""The only place that calls Slack's Web API; every failure leaves it as one of our errors.

The SDK's own retries are off: its default handler would send a post again after a dropped connection, and there would
be two cards. Whoever calls decides what may be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from app.domain.breaker import Breaker
from app.domain.errors import BotError, CardLost, SlackFailed, Unavailable
from app.domain.retry_after import asked_wait
from app.ports import Block

Origin = tuple[str, str | None, int | None]
TIMEOUT = 10  # seconds for one call
UPLOAD_TIMEOUT = 60  # for a file of a few megabytes
DEFAULT_WAIT = 5.0  # seconds, when Slack throttles without saying for how long
GONE = "message_not_found"
_LOST = frozenset({GONE, "cant_update_message", "edit_window_closed", "is_inactive"})
_PASSING = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org", "accesslimited"}
)
_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# Refusals of the bot, not of a person: nothing is given up for them, the rows wait until somebody mends its token.
OUR_TROUBLE = frozenset(
    {"account_inactive", "invalid_auth", "missing_scope", "not_authed", "token_expired", "token_revoked"}
)
_NOWHERE: Origin = ("", None, None)
log = logging.getLogger(__name__)

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in Slack, as Slack told it at the start."""

    team: str
    user: str
    bot: str
    app: str
    url: str


class Gateway:
    """Typed, error-mapped access to the few methods we use."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession, timeout: float = TIMEOUT) -> None:
        """`api_url`: `https://slack.com/api` or the sandbox's; `session` is shared and closed by its owner.

        `timeout`: seconds for one call. It is kept here, since the SDK forgets its own when it is given a session.
        """
        self._session = session
        self._timeout = timeout
        self._breaker = Breaker("Slack")
        self._client = AsyncWebClient(token=token, base_url=api_url + "/", session=session, retry_handlers=[])
        root = _origin(api_url)
        self._real = root[1] == "slack.com"
        self._scopes: frozenset[str] = frozenset()
        self._bot = ""
        self.throttled = 0  # answers that asked us to wait
        self._hooks = ("https", "hooks.slack.com", None) if self._real else root
        self._uploads = ("https", "files.slack.com", None) if self._real else root

    async def call(self, method: str, **arguments: object) -> Payload:
        """One Web API call. Unavailable: throttled, down or unheard; CardLost; SlackFailed for a lasting no."""
        call: Callable[..., Awaitable[Any]] = getattr(self._client, method)
        with self._breaker.asking():
            try:
                async with asyncio.timeout(self._timeout):
                    answer = await call(**arguments)
            except SlackApiError as error:
                meaning = _meaning(error)
                self.throttled += isinstance(meaning, Unavailable) and meaning.retry_after is not None
                raise meaning from None
            except (aiohttp.ClientError, SlackClientError, TimeoutError, AttributeError, ValueError):
                # AttributeError and ValueError: how the SDK reports a 200 that is not JSON
                raise Unavailable("Slack cannot be reached.") from None
        self._scopes = _scopes(answer.headers) or self._scopes
        return dict(answer.data)

    async def scopes(self) -> frozenset[str]:
        """The scopes of the bot token, which Slack tells in a header of every answer; empty where it does not."""
        await self.call("auth_test")
        return self._scopes

    async def bot(self) -> str:
        """The bot's own bot id, which stands on every message of ours; Slack is asked once."""
        if not self._bot:
            self._bot = str((await self.call("auth_test"))["bot_id"])
        return self._bot

    async def whoami(self, app_id: str = "") -> Identity:
        """The bot's own ids; the app id is asked of Slack when the settings do not name it."""
        me = await self.call("auth_test")
        self._bot = str(me["bot_id"])
        if not app_id:
            bot = (await self.call("bots_info", bot=me["bot_id"])).get("bot") or {}
            app_id = str(bot.get("app_id", ""))
        return Identity(str(me["team_id"]), str(me["user_id"]), str(me["bot_id"]), app_id, str(me.get("url", "")))

    async def conversation(self, user: str) -> str:
        """The direct conversation with somebody; where Slack does not name it, their own id, which takes a post too."""
        opened = await self.call("conversations_open", users=user)
        return str((opened.get("channel") or {}).get("id") or user)

    async def socket_address(self, app_token: str) -> str:
        """A one-time address for Socket Mode; only one of Slack's own is believed. It is a secret."""
        address = str((await self.call("apps_connections_open", app_token=app_token)).get("url") or "")
        scheme, host, port = _origin(address)
        real = scheme == "wss" and port is None and (host or "").endswith(".slack.com")
        if not (real if self._real else ("http", host, port) == self._hooks and scheme == "ws"):
            raise SlackFailed("Slack named an address that is not Slack's; nothing was sent there.", code="foreign_url")
        return address

    async def respond(self, response_url: str, text: str, blocks: Sequence[Block], *, replace: bool) -> None:
        """Answer through a response_url: only Slack's own host is believed. Works where the bot is not a member."""
        if _origin(response_url) != self._hooks:
            raise SlackFailed("Slack named an address that is not Slack's; nothing was sent there.", code="foreign_url")
        hook = AsyncWebhookClient(response_url, session=self._session, retry_handlers=[])
        try:
            async with asyncio.timeout(self._timeout):
                answer = await hook.send(
                    text=text, blocks=list(blocks), response_type="ephemeral", replace_original=replace
                )
        except (aiohttp.ClientError, SlackClientError, TimeoutError):
            raise Unavailable("Slack cannot be reached.") from None
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own number
            raise SlackFailed(f"Slack did not take the answer (HTTP {answer.status_code}).", code=answer.body[:60])

    async def upload(self, address: str, content: bytes) -> None:
        """Bring a file where Slack wants it; only its own host is believed. Nobody sees it before it is completed."""
        if _origin(address) != self._uploads:
            raise SlackFailed("Slack named an address that is not Slack's; nothing was sent there.", code="foreign_url")
        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT):
                async with self._session.post(address, data=content, allow_redirects=False) as answer:
                    status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            raise Unavailable("Slack cannot be reached.") from None
        if status != 200:  # noqa: PLR2004 - HTTP's own number
            raise SlackFailed(f"Slack did not take the file (HTTP {status}).", code="upload_refused")


async def take_away(gateway: Gateway, channel: str, ts: str) -> None:
    """Delete what Slack lets nobody edit any more, if it stands anywhere: its buttons decide nothing, or soon will not.

    Unavailable, and SlackFailed for a refusal of the bot itself: then it is still to be done.
    """
    if not ts:
        return
    try:
        await gateway.call("chat_delete", channel=channel, ts=ts)
    except SlackFailed as failure:
        if failure.code in OUR_TROUBLE:
            raise
        log.info("A message could not be deleted either: %s", failure)


def first_post(payload: Payload) -> Payload:
    """A first post: nothing in it is worth a preview, least of all a link in somebody's justification."""
    return {**payload, "unfurl_links": False, "unfurl_media": False}


def _scopes(headers: Mapping[str, str]) -> frozenset[str]:
    told = {name.casefold(): value for name, value in headers.items()}.get("x-oauth-scopes", "")
    return frozenset(scope.strip() for scope in told.split(",") if scope.strip())


def _origin(address: str) -> Origin:
    """Scheme, host and port of an address; nobody's when it is no address, or hides another one behind an @."""
    try:
        url = urlsplit(address)
        found = (url.scheme, url.hostname, url.port)
    except ValueError:  # a port that is no number, half a pair of brackets
        return _NOWHERE
    return _NOWHERE if "@" in url.netloc else found


def _meaning(error: SlackApiError) -> BotError:
    answer = error.response
    # where the JSON is broken, the SDK hands over the bare HTTP response instead of its own
    data, status = getattr(answer, "data", None), getattr(answer, "status_code", getattr(answer, "status", 0))
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if code in _THROTTLED or status == 429:  # noqa: PLR2004 - HTTP's own number
        return Unavailable("Slack asks us to wait.", retry_after=_wait(answer.headers))
    if code in _PASSING or not code or status >= 500:  # noqa: PLR2004 - HTTP's own number
        # without a code it was not Slack that answered: a proxy's page says nothing about what became of the call
        return Unavailable("Slack is having trouble.")
    if code in _LOST:
        return CardLost(code=code)
    return SlackFailed(f"Slack refused: {code}.", code=code)


def _wait(headers: object) -> float:
    told = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    wait = asked_wait(told, datetime.now(UTC))
    return DEFAULT_WAIT if wait is None else wait
