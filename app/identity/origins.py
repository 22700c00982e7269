"""The one origin map: which addresses the bot may call to identify people, and where they lie. Pure; it calls nothing.

In production every real address stands for itself. In the sandbox the same real addresses (which stay in scopes,
issuers and discovery answers) are sent to loopback. Everything else is refused, whoever asked for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from app.domain.errors import BotError
from app.identity.clouds import GLOBAL, Cloud

SLACK = "https://slack.com"
SLACK_API = "https://slack.com/api"


@dataclass(frozen=True, slots=True)
class Origins:
    """Roots without a trailing slash that stand for the cloud's real ones. `slack_api` stands for slack.com/api.

    An empty one of Microsoft's is the real one.
    """

    graph: str = ""
    arm: str = ""
    login: str = ""
    slack_api: str = SLACK_API
    cloud: Cloud = GLOBAL

    def __post_init__(self) -> None:
        """Put the cloud's own addresses where none are given."""
        for name in ("graph", "arm", "login"):
            object.__setattr__(self, name, getattr(self, name) or getattr(self.cloud, name))

    def to_wire(self, url: str) -> str:
        """Where a real address lies; BotError for every address that is not on the list."""
        if _PLAIN.fullmatch(url) and not _climbs(url):
            for real, lies in self._prefixes():
                if url.startswith(real):
                    return lies + url.removeprefix(real)
        raise BotError("The bot does not call this address.")

    def form_targets(self) -> tuple[str, ...]:
        """Where a sign-in page may send the browser, as CSP sources.

        Slack passes a browser through the workspace's own sub-domain, and Chromium applies `form-action` to every
        redirect after a form.
        """
        beside = _origin(self.slack_api)
        subdomains = ("https://*.slack.com",) if beside == SLACK else ()
        return tuple(dict.fromkeys((beside, *subdomains, _origin(self.login))))

    def _prefixes(self) -> tuple[tuple[str, str], ...]:
        # Every prefix reaches past the authority's closing slash, so no user name, port or longer host can follow it.
        beside = self.slack_api.removesuffix("/api")
        return (
            (f"{self.cloud.graph}/", f"{self.graph}/"),
            (f"{self.cloud.arm}/", f"{self.arm}/"),
            (f"{self.cloud.login}/", f"{self.login}/"),
            (f"{SLACK}/openid/connect/", f"{beside}/openid/connect/"),
            (f"{SLACK_API}/openid.connect.", f"{self.slack_api}/openid.connect."),
        )


def _climbs(url: str) -> bool:
    # HTTP clients fold `..` before they send, which would leave the root the address was checked against.
    path = unquote(url.split("?", 1)[0])
    return bool({".", ".."} & set(path.replace("\\", "/").split("/")))


def _origin(root: str) -> str:
    parts = urlsplit(root)
    return f"{parts.scheme}://{parts.netloc}"


# Printable ASCII without blank, quotes, angle brackets, backslash, caret, backtick, braces, bar or fragment.
_PLAIN = re.compile(r"[!$-;=?-\[\]_a-z~]{1,8000}")
