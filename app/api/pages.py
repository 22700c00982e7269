"""The sign-in pages: which address takes what, the cookie, the headers. What a page may believe is linking's business.

No page takes an address to go on to, so none can be turned into an open redirect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.api import html
from app.api.forms import NoForm, TooLarge, read_form
from app.domain.errors import BotError, SignInFailed
from app.linking import Linking

COOKIE = "__Host-pim-sign-in"
COOKIE_SECONDS = 3600  # longer than a flow lives: an expired flow should say so, not complain about the cookie
CONFIRM = "/sign-in/confirm"
SEE_OTHER, BAD_REQUEST, TOO_LARGE, UNAVAILABLE = 303, 400, 413, 503

Page = Callable[[Request], Awaitable[Response]]


def sign_in_pages(linking: Linking, form_targets: Sequence[str]) -> APIRouter:
    """The routes. `form_targets`: CSP sources of the two identity providers, which our forms lead to."""
    dress = _dresser(form_targets)
    router = APIRouter(include_in_schema=False)

    async def show(request: Request) -> Response:
        token = quote(request.path_params["token"], safe="")
        return HTMLResponse(html.start_page(f"{linking.public_url}/sign-in/start/{token}"))

    async def start(request: Request) -> Response:
        await read_form(request)
        going = await linking.start(request.path_params["token"])
        return _with_cookie(RedirectResponse(going.address, SEE_OTHER), going.cookie)

    async def slack(request: Request) -> Response:
        return HTMLResponse(html.slack_page(await linking.slack_returned(dict(request.query_params), _cookie(request))))

    async def microsoft(request: Request) -> Response:
        confirm = await linking.microsoft_returned(await read_form(request), _cookie(request))
        return HTMLResponse(html.confirm_page(confirm, linking.public_url + CONFIRM))

    async def confirm(request: Request) -> Response:
        form = await read_form(request)
        linked = await linking.confirm(form.get("token", ""), _cookie(request))
        return _with_cookie(HTMLResponse(html.linked_page(linked)), "")

    routes: tuple[tuple[str, str, Page], ...] = (
        ("GET", "/sign-in/start/{token}", show),
        ("POST", "/sign-in/start/{token}", start),
        ("GET", "/sign-in/slack/callback", slack),
        ("POST", "/sign-in/microsoft/callback", microsoft),
        ("GET", "/sign-in/microsoft/callback", _stray),
        ("POST", CONFIRM, confirm),
        ("GET", CONFIRM, _stray),
    )
    for method, path, page in routes:
        router.add_api_route(path, dress(page), methods=[method], response_model=None)
    return router


async def _stray(_request: Request) -> Response:
    raise SignInFailed(
        "This address is only a step between two pages. Nothing was changed. Type /pim sign-in in Slack to start."
    )


def _dresser(form_targets: Sequence[str]) -> Callable[[Page], Page]:
    """Every page gets the same headers, and every expected failure becomes a page."""
    headers = _headers(form_targets)

    def dress(page: Page) -> Page:
        async def dressed(request: Request) -> Response:
            try:
                response = await page(request)
            except BotError as error:
                response = HTMLResponse(html.failed_page(_words(error)), _status(error))
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
