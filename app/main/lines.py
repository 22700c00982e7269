"""What a log line looks like: JSON for whatever collects it, text for whoever reads a terminal.

Only what is named here becomes a field; the secrets are out of a record before it comes here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.ports import correlation

_BAR = "  | "  # what an exception says may have line breaks: none of its lines looks like a record
# `extra` of a log call. client_request_id: what we called a change; request_id: what Microsoft called its answer to it.
FIELDS = ("client_request_id", "request_id", "status", "slack_user", "outcome")


def line_format(*, terminal: bool) -> logging.Formatter:
    """One line a record; on a terminal a traceback follows, each line of it behind a bar."""
    told: Sequence[Processor] = (
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        _correlation,
        _exception,
    )
    drawn: Sequence[Processor] = (_one_line, structlog.dev.ConsoleRenderer()) if terminal else (_json,)
    without = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=told, processors=(without, *drawn))


_json = structlog.processors.JSONRenderer()


def _correlation(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    name = correlation()
    return {**event, "correlation": name} if name else event


def _exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The filter has made text of it, and took the exception itself away."""
    text = event["_record"].exc_text
    return {**event, "exception": text} if text else event


def _one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Somebody else's words must not write lines of their own, nor steer the terminal. JSON escapes them by itself."""
    told = {name: _tame(words) if isinstance(words, str) else words for name, words in event.items()}
    if "exception" in event:
        told["exception"] = "\n".join(f"{_BAR}{_tame(line)}" for line in event["exception"].split("\n"))
    return told


def _tame(words: str) -> str:
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in words)
