"""A very small browser: cookies with SameSite, forms, redirects by hand. It runs no scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from urllib.parse import SplitResult, urlsplit

# Browsers count loopback as a secure context: `Secure` cookies work there over plain http.
TRUSTWORTHY = frozenset({"localhost", "127.0.0.1"})
SUBMITS = frozenset({"submit", "image"})
UNSENT = SUBMITS | {"button", "reset", "checkbox", "radio", "file"}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A stored cookie; cookies know hosts and paths, but not ports."""

    name: str
    value: str
    host: str
    path: str
    is_secure: bool
    same_site: str

    def goes_to(self, url: SplitResult, method: str, *, is_cross_site: bool) -> bool:
        """Whether a top-level navigation carries it: Lax not on a cross-site POST, Strict on nothing cross-site."""
        if url.hostname != self.host or not _covers(self.path, url.path or "/"):
            return False
        if self.is_secure and not _is_secure(url):
            return False
        if not is_cross_site or self.same_site == "none":
            return True
        return self.same_site == "lax" and method == "GET"


class Jar:
    """The cookies of one browser."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def store(self, url: str, headers: Iterable[str], now: datetime) -> None:
        """Take `Set-Cookie` headers of an answer from `url`; what the rules forbid is dropped silently."""
        place = urlsplit(url)
        for header in headers:
            cookie, is_dead = _read_cookie(place, header, now)
            if cookie is None:
                continue
            key = (cookie.host, cookie.path, cookie.name)
            self._cookies.pop(key, None)
            if not is_dead:
                self._cookies[key] = cookie

    def header(self, url: str, method: str, *, is_cross_site: bool) -> str:
        """The `Cookie` header for a top-level navigation, empty if nothing is to be sent."""
        place = urlsplit(url)
        fitting = [c for c in self._cookies.values() if c.goes_to(place, method, is_cross_site=is_cross_site)]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in fitting)


@dataclass(frozen=True, slots=True)
class Button:
    """A way to submit a form."""

    name: str
    value: str
    text: str


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes and what it carries."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


class Page(HTMLParser):
    """What matters of an HTML page: its forms, and the `data-outcome` that ends a journey."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.outcome: str | None = None
        self._form: Form | None = None
        self._button: dict[str, str] | None = None
        self._text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note outcomes, forms and what is in them."""
        given = {name: value or "" for name, value in attrs}
        self.outcome = given.get("data-outcome", self.outcome)
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").upper())
            self.forms.append(self._form)
        elif self._form and tag == "input":
            self._input(self._form, given)
        elif self._form and tag == "button" and given.get("type", "submit") == "submit":
            self._button, self._text = given, []

    def handle_data(self, data: str) -> None:
        """Collect a button's words."""
        if self._button is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Close buttons and forms."""
        if tag == "button" and self._button is not None and self._form:
            words = " ".join("".join(self._text).split())
            self._form.buttons.append(Button(self._button.get("name", ""), self._button.get("value", ""), words))
            self._button = None
        elif tag == "form":
            self._form = None

    def _input(self, form: Form, given: dict[str, str]) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if kind in SUBMITS:
            form.buttons.append(Button(name, given.get("value", ""), given.get("value", "")))
        elif name and (kind not in UNSENT or (kind in {"checkbox", "radio"} and "checked" in given)):
            form.fields.append((name, given.get("value", "")))


def site(url: str) -> str:
    """The site of an address as SameSite sees it; `localhost` and `127.0.0.1` are two sites, ports do not count."""
    place = urlsplit(url)
    return f"{place.scheme}://{place.hostname}"


def origin(url: str) -> str:
    """The origin of an address."""
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc}"


def may_submit(policy: str, page: str, target: str) -> bool:
    """Whether a page's Content-Security-Policy lets its forms go to `target`, also by way of redirects."""
    for directive in policy.split(";"):
        name, _, sources = directive.strip().partition(" ")
        if name.lower() == "form-action":
            return any(_allows(source, page, target) for source in sources.split())
    return True


def _allows(source: str, page: str, target: str) -> bool:
    if source == "'self'":
        return origin(page) == origin(target)
    if source.endswith(":"):
        return target.startswith(source)
    return source == "*" or origin(target) == source.rstrip("/")


def _covers(path: str, wanted: str) -> bool:
    return wanted == path or wanted.startswith(path if path.endswith("/") else f"{path}/")


def _is_secure(url: SplitResult) -> bool:
    return url.scheme == "https" or url.hostname in TRUSTWORTHY


def _read_cookie(url: SplitResult, header: str, now: datetime) -> tuple[Cookie | None, bool]:
    pair, *rest = header.split(";")
    name, _, value = pair.strip().partition("=")
    split = [part.strip().partition("=") for part in rest]
    marks = {key.strip().lower(): text.strip() for key, _, text in split}
    same_site = marks.get("samesite", "lax").lower()
    cookie = Cookie(name, value, url.hostname or "", marks.get("path") or "/", "secure" in marks, same_site)
    return (cookie if _is_lawful(cookie, marks, url) else None), _is_dead(marks, now)


def _is_lawful(cookie: Cookie, marks: dict[str, str], url: SplitResult) -> bool:
    if cookie.is_secure and not _is_secure(url):
        return False
    if cookie.same_site == "none" and not cookie.is_secure:
        return False
    if cookie.name.startswith("__Host-"):
        return cookie.is_secure and marks.get("path") == "/" and "domain" not in marks
    is_prefixed = cookie.name.startswith("__Secure-")
    return marks.get("domain", cookie.host) == cookie.host and (cookie.is_secure or not is_prefixed)


def _is_dead(marks: dict[str, str], now: datetime) -> bool:
    if "max-age" in marks:
        return not marks["max-age"].isdecimal() or marks["max-age"] == "0"
    if "expires" not in marks:
        return False
    moment = parsedate_to_datetime(marks["expires"])
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now
