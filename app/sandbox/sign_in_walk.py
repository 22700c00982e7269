"""Walks a person through sign-in pages as a browser would, pressing the button that a given person would press."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urljoin

import httpx

from app.sandbox.browser import Button, Form, Jar, Page, may_submit, origin, site
from app.sandbox.people import Person

DONE = "linked"
MOST_PAGES = 25
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OK = 200


@dataclass(slots=True)
class Walk:
    """Where it went: each page with its status, the last page's outcome word, and whether accounts were linked."""

    ok: bool = False
    outcome: str | None = None
    pages: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Step:
    """One navigation: what is asked of the server, from which document, and what that document allows."""

    method: str
    url: str
    body: str = ""
    document: str | None = None
    policy: str = ""
    referrer: str = ""


async def walk(
    client: httpx.AsyncClient,
    start: str,
    person_at: Callable[[str], Person | None],
    clock: Callable[[], datetime],
) -> Walk:
    """Open `start` and submit each page's first form until a page has none, says it is done, or 25 pages passed.

    `person_at` names who sits before the page with a given address, None where nobody is to be picked.
    """
    browser = _Browser(client, clock)
    step: _Step | None = _Step("GET", start)
    result = browser.walk
    while step is not None and len(result.pages) < MOST_PAGES:
        step = await browser.take(step, person_at)
    return result


class _Browser:
    """One browser window with an empty cookie jar."""

    def __init__(self, client: httpx.AsyncClient, clock: Callable[[], datetime]) -> None:
        self.client = client
        self.clock = clock
        self.jar = Jar()
        self.walk = Walk()

    async def take(self, step: _Step, person_at: Callable[[str], Person | None]) -> _Step | None:
        """Make one navigation and say what the next is; None at the end of the way."""
        if step.document and step.method != "GET" and not may_submit(step.policy, step.document, step.url):
            self.walk.outcome = "blocked: the page's form-action policy forbids this address"
            return None
        try:
            answer = await self._send(step)
        except httpx.TransportError as problem:
            self.walk.pages.append({"url": step.url, "status": 0})
            self.walk.outcome = f"no answer: {problem}"
            return None
        if answer.status_code in REDIRECTS and "location" in answer.headers:
            return self._redirected(step, answer)
        page = Page(answer.text)
        self.walk.outcome = page.outcome
        self.walk.ok = answer.status_code == OK and page.outcome == DONE
        if not page.forms or self.walk.ok:
            return None
        return self._submitted(step.url, page.forms[0], answer, person_at(step.url))

    async def _send(self, step: _Step) -> httpx.Response:
        is_cross_site = step.document is not None and site(step.document) != site(step.url)
        headers = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        headers["sec-fetch-site"] = _relation(step)
        cookies = self.jar.header(step.url, step.method, is_cross_site=is_cross_site)
        if cookies:
            headers["cookie"] = cookies
        if step.method == "POST":
            headers |= {"content-type": "application/x-www-form-urlencoded", "origin": _origin_header(step)}
        request = self.client.build_request(step.method, step.url, content=step.body.encode(), headers=headers)
        answer = await self.client.send(request, follow_redirects=False)
        self.client.cookies.clear()  # our own jar knows SameSite; httpx's would send everything
        self.jar.store(step.url, answer.headers.get_list("set-cookie"), self.clock())
        self.walk.pages.append({"url": step.url, "status": answer.status_code})
        return answer

    def _redirected(self, step: _Step, answer: httpx.Response) -> _Step | None:
        target = urljoin(step.url, answer.headers["location"])
        if step.policy and step.document and not may_submit(step.policy, step.document, target):
            self.walk.outcome = "blocked: the page's form-action policy forbids a redirect to this address"
            return None
        keeps = answer.status_code in {307, 308}
        method, body = (step.method, step.body) if keeps else ("GET", "")
        return _Step(method, target, body, step.document, step.policy, step.referrer)

    def _submitted(self, url: str, form: Form, answer: httpx.Response, person: Person | None) -> _Step | None:
        buttons = _choices(form, person)
        if form.buttons and not buttons:
            self.walk.outcome = "blocked: this person cannot be picked on the page"
            return None
        named = [(button.name, button.value) for button in buttons[:1] if button.name]
        sent = urlencode([*form.fields, *named])
        target = urljoin(url, form.action) if form.action else url
        policy = answer.headers.get("content-security-policy", "")
        referrer = answer.headers.get("referrer-policy", "")
        if form.method == "POST":
            return _Step("POST", target, sent, url, policy, referrer)
        return _Step("GET", f"{target.partition('?')[0]}?{sent}", "", url, policy, referrer)


def _choices(form: Form, person: Person | None) -> list[Button]:
    people = [button for button in form.buttons if button.name == "person"]
    if not people or person is None:
        return form.buttons
    names = {person.id, person.name, person.slack, person.oid, person.upn}
    return [button for button in people if button.value in names]


def _relation(step: _Step) -> str:
    if step.document is None:
        return "none"
    if origin(step.document) == origin(step.url):
        return "same-origin"
    return "same-site" if site(step.document) == site(step.url) else "cross-site"


def _origin_header(step: _Step) -> str:
    # A page that hides its address from the next one (`no-referrer`) also hides its origin.
    if step.document is None or "no-referrer" in step.referrer.split(","):
        return "null"
    if step.referrer == "same-origin" and _relation(step) != "same-origin":
        return "null"
    return origin(step.document)
