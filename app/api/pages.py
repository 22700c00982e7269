"""The sign-in pages: which address takes what, the cookie, the headers. What a page may believe is linking's business.

No page takes an address to go on to, so none can be turned into an open redirect.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.api import html
from app.api.forms import NoForm, TooLarge, read_form
from app.decisions.sending import Fate
from app.decisions.step_up import NOT_ENOUGH
from app.decisions.values import Done, Verify, Waiting
from app.domain.errors import BotError, DeviceDemanded, SignInFailed
from app.domain.request import Kind, Status
from app.domain.ruling import Refused, Why
from app.linking import Linking
from app.ports import Link
from blocks.links import Portal

COOKIE = "__Host-pim-sign-in"
COOKIE_SECONDS = 3600  # longer than a flow lives: an expired flow should say so, not complain about the cookie
CONFIRM = "/sign-in/confirm"
FINISH = "/sign-in/finish"
SEE_OTHER, BAD_REQUEST, TOO_LARGE, UNAVAILABLE = 303, 400, 413, 503
STILL_LOOKING = (
    "Microsoft has not said yet what became of your decision. Nothing is sent twice: the bot keeps asking, the card in "
    "Slack will show the answer, and you will get a direct message."
)

log = logging.getLogger(__name__)
_PORTAL_HELPS = frozenset({Why.SIGN_IN_AGAIN, Why.MANAGED_DEVICE, Why.UNAVAILABLE})
Page = Callable[[Request], Awaitable[Response]]


class Unfinished(Protocol):
    """What may wait for a sign-in: decisions, as `app.decisions` carries them out."""

    async def unfinished(self, waiting_id: str, link: Link) -> Verify | Refused:
        """What waits for this sign-in, or why it cannot be finished."""

    async def finish(self, waiting_id: str, link: Link) -> Fate | Verify:
        """Carry it out, once."""


def sign_in_pages(
    linking: Linking,
    decisions: Unfinished,
    form_targets: Sequence[str],
    portal: Portal,
    wake: Callable[[], None] = lambda: None,
) -> APIRouter:
    """The routes. `form_targets`: CSP sources of the two identity providers, which our forms lead to.

    `portal` is where the way leads that does not need us; `wake` tells the painter that rows changed.
    """
    dress = _dresser(form_targets, portal)
    router = APIRouter(include_in_schema=False)
    pages = _Pages(linking, decisions, portal, wake)
    routes: tuple[tuple[str, str, Page], ...] = (
        ("GET", "/sign-in/start/{token}", pages.show),
        ("POST", "/sign-in/start/{token}", pages.start),
        ("GET", "/sign-in/slack/callback", pages.slack),
        ("POST", "/sign-in/microsoft/callback", pages.microsoft),
        ("GET", "/sign-in/microsoft/callback", _stray),
        ("POST", CONFIRM, pages.confirm),
        ("GET", CONFIRM, _stray),
        ("POST", FINISH, pages.finish),
        ("GET", FINISH, _stray),
    )
    for method, path, page in routes:
        router.add_api_route(path, dress(page), methods=[method], response_model=None)
    return router


@dataclass(frozen=True, slots=True)
class _Pages:
    """What each address answers."""

    linking: Linking
    decisions: Unfinished
    portal: Portal
    wake: Callable[[], None]

    async def show(self, request: Request) -> Response:
        token = quote(request.path_params["token"], safe="")
        return HTMLResponse(html.start_page(f"{self.linking.public_url}/sign-in/start/{token}"))

    async def start(self, request: Request) -> Response:
        await read_form(request)
        going = await self.linking.start(request.path_params["token"])
        return _with_cookie(RedirectResponse(going.address, SEE_OTHER), going.cookie)

    async def slack(self, request: Request) -> Response:
        proven = await self.linking.slack_returned(dict(request.query_params), _cookie(request))
        return HTMLResponse(html.slack_page(proven))

    async def microsoft(self, request: Request) -> Response:
        confirm = await self.linking.microsoft_returned(await read_form(request), _cookie(request))
        if not confirm.waiting:
            return HTMLResponse(html.confirm_page(confirm, self.linking.public_url + CONFIRM))
        shown = await self.decisions.unfinished(confirm.waiting, confirm.link)
        if isinstance(shown, Refused):
            return self._told(shown)
        return HTMLResponse(html.finish_page(confirm, shown, self.linking.public_url + FINISH))

    async def confirm(self, request: Request) -> Response:
        form = await read_form(request)
        linked = await self.linking.confirm(form.get("token", ""), _cookie(request))
        return _with_cookie(HTMLResponse(html.linked_page(linked)), "")

    async def finish(self, request: Request) -> Response:
        form = await read_form(request)
        linked = await self.linking.finish(form.get("token", ""), _cookie(request))
        try:
            fate = await self.decisions.finish(linked.waiting, linked.link)
        except BotError as failure:  # what fails before sending comes back as a value: this was sent, or may have been
            log.warning("A decision was on its way when this failed: %s", failure)
            return HTMLResponse(html.result_page("waiting", "No answer yet", STILL_LOOKING))
        self.wake()
        return _with_cookie(self._told(fate), "")

    def _told(self, fate: Fate | Verify) -> Response:
        """What Microsoft, or our own rules, said to a decision."""
        if isinstance(fate, Done):
            return HTMLResponse(html.result_page("decided", *_done(fate)))
        if isinstance(fate, Waiting):
            return HTMLResponse(html.result_page("waiting", "No answer yet", STILL_LOOKING))
        refused = fate if isinstance(fate, Refused) else NOT_ENOUGH
        portal = self.portal.decide(Kind.ENTRA) if refused.why in _PORTAL_HELPS else ""
        return HTMLResponse(html.result_page("refused", "Not done", refused.text, portal_url=portal), BAD_REQUEST)


def _done(fate: Done) -> tuple[str, str]:
    request = fate.row.request
    approved = fate.row.status is Status.APPROVED
    next_ = "Microsoft activates the role now." if approved else "Nothing was activated; the requestor is told why."
    what = f"{request.role.label} for {request.requestor.label}"
    return f"You {'approved' if approved else 'denied'} this request", f"{what}: Microsoft recorded it. {next_}"


async def _stray(_request: Request) -> Response:
    raise SignInFailed(
        "This address is only a step between two pages. Nothing was changed. Type /pim sign-in in Slack to start."
    )


def _dresser(form_targets: Sequence[str], portal: Portal) -> Callable[[Page], Page]:
    """Every page gets the same headers, and every expected failure becomes a page."""
    headers = _headers(form_targets)

    def dress(page: Page) -> Page:
        async def dressed(request: Request) -> Response:
            try:
                response = await page(request)
            except BotError as error:
                way_out = portal.decide(Kind.ENTRA) if isinstance(error, DeviceDemanded) else ""
                response = HTMLResponse(html.failed_page(_words(error), portal_url=way_out), _status(error))
            response.headers.update(headers)
            return response

        return dressed

    return dress


def _headers(form_targets: Sequence[str]) -> dict[str, str]:
    targets = " ".join(("'self'", *form_targets))
    policy = (
        "default-src 'none'",
        f"style-src {html.style_source()}",
        # Chromium holds redirects after a form to form-action too, hence the providers.
        f"form-action {targets}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _words(error: BotError) -> str:
    if isinstance(error, SignInFailed):
        return str(error)
    if isinstance(error, TooLarge | NoForm):
        return f"{error} Nothing was changed. Type /pim sign-in in Slack to start again."
    return (
        "Slack, Microsoft or the bot's own memory cannot be reached right now. Nothing was changed. Wait a minute, "
        "then type /pim sign-in in Slack to start again."
    )


def _status(error: BotError) -> int:
    if isinstance(error, TooLarge):
        return TOO_LARGE
    return UNAVAILABLE if error.retryable else BAD_REQUEST


def _cookie(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def _with_cookie(response: Response, value: str) -> Response:
    # SameSite=None, because Microsoft's answer is a cross-site POST and a Lax cookie would stay behind.
    seconds = COOKIE_SECONDS if value else 0
    response.set_cookie(COOKIE, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="none")
    return response
