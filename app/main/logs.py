"""How the process logs: one handler on standard error, and a filter that takes secrets out of every line before it.

The filter is the last fence, not the first: nothing of ours logs a token, a form or a body. It is for what libraries
and exceptions bring along.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Sequence
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr

from app.main.lines import FIELDS, line_format
from app.settings import Settings

MASK = "[secret]"
SHORTEST = 4  # characters; a shorter configured value would blot out half of every line
NOISY = ("httpx", "httpcore", "slack_bolt", "slack_sdk", "msal", "uvicorn")


def configure(settings: Settings) -> None:
    """Log to standard error from INFO on, without the configured secrets and whatever else looks like one.

    Each line is JSON, and text where somebody reads it: on a terminal.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(line_format(terminal=sys.stderr.isatty()))
    handler.addFilter(Redaction(configured(settings)))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # Python would print them past the filter
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)  # they log whole addresses and bodies below that
    # The rounds report their own failures; it warns at each tick of a long one, and mourns those that a stop cuts off.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


def configured(settings: Settings) -> set[str]:
    """The secrets of the settings, each as it would be seen: the ring's keys one by one, the database's password."""
    values = [getattr(settings, name) for name in type(settings).model_fields]
    secrets = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
    keys = {entry.partition(":")[2].strip().rstrip("=") for entry in settings.keys.get_secret_value().split(",")}
    password = urlsplit(settings.database_url).password or ""
    return {*secrets, *keys, password, unquote(password), settings.alarm_key()}


class Redaction(logging.Filter):
    """Takes secrets out of message, arguments, fields, exception and stack of a record. It never drops one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets`: the configured ones, which no pattern would know."""
        super().__init__()
        self._known = _one_of(secrets)
        self._shape = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; always true."""
        record.msg, record.args = self.masked(_message(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._shape.formatException(record.exc_info)
        record.exc_info = None
        record.exc_text = self.masked(record.exc_text) if record.exc_text else None
        record.stack_info = self.masked(record.stack_info) if record.stack_info else None
        for name in FIELDS:
            value = getattr(record, name, None)
            if isinstance(value, str):
                setattr(record, name, self.masked(value))
        return True

    def masked(self, text: str) -> str:
        """The text with every secret replaced."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a caller's mistake; logging itself would print the arguments bare
        return f"{record.msg} (with arguments that do not fit)"


def _one_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for all of them, as they are and as forms and addresses carry them."""
    plain = {secret for secret in secrets if len(secret) >= SHORTEST}
    written = plain | {quote(secret, safe="") for secret in plain} | {quote_plus(secret) for secret in plain}
    return re.compile("|".join(map(re.escape, sorted(written, key=len, reverse=True)))) if written else None


_FIELDS = "client_secret|client_assertion|refresh_token|access_token|id_token|code_verifier|assertion|client_info"
_VALUE = r"""[^\s"'&,;<>\\}\])]+"""
_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    # Slack's tokens, and JSON Web Tokens with two dots or, cut off, with one.
    (re.compile(r"\bx(?:ox[a-z]|app)(?:[.-][A-Za-z0-9]+)+"), MASK),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?"), MASK),
    (re.compile(r"(?i)\b(bearer|basic) +[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    # Fields of forms, JSON and Python's repr. A bare `code` in JSON is an error's name, so it counts only as `code=`,
    # or when it is long and has a digit.
    (re.compile(rf"""(?i)\b({_FIELDS})(\\*["']?\s*[:=]\s*\\*["']?){_VALUE}"""), rf"\1\2{MASK}"),
    (re.compile(rf"(?i)\b(code|state|nonce)=(?!\s){_VALUE}"), rf"\1={MASK}"),
    (re.compile(r"""(["']code["']\s*:\s*["'])(?=[^"']*\d)[^"'\s]{20,}"""), rf"\1{MASK}"),
    # Slack's answer addresses, our own one-time addresses, cookies, and entries of PIM_KEYS.
    (re.compile(r"(hooks\.slack\.com|/slack/response)/[^\s\"'<>]+"), rf"\1/{MASK}"),
    (re.compile(r"(/sign-in/start)/[^\s\"'<>]+"), rf"\1/{MASK}"),
    (re.compile(r"(__Host-[\w-]+)=[^\s;,\"']+"), rf"\1={MASK}"),
    (re.compile(r"\b([A-Za-z0-9_-]{1,16}):[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"), rf"\1:{MASK}"),
)
