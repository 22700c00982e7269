"""The `[arrival]` and `[escalation]` of the policy file: when people are called, and the on-call tool is told."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from urllib.parse import urlsplit

from dotenv import dotenv_values

from app.domain.arrival import Arrival, Escalation
from app.settings.parts import Part

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def read_arrival(part: Part) -> Arrival:
    """When a request that nobody answered is brought up once more, and from when on a channel gets a list."""
    usual = Arrival()
    arrival = Arrival(
        nudge_after=part.minutes("nudge_minutes", usual.nudge_after),
        digest_from=int(part.number("digest_from", usual.digest_from)),
    )
    part.close()
    return arrival


def read_escalation(part: Part) -> Escalation | None:
    """Where the alarm goes; None when the file names no tool."""
    if not part.content:
        return None
    url, variable = part.text("url"), part.text("secret_env")
    after = part.minutes("after_minutes", timedelta(0))
    if not _fits(url):
        part.wrong("url", "must be an https address, without a user name")
    if not _VARIABLE.fullmatch(variable):
        part.wrong("secret_env", "must be the name of an environment variable, such as ON_CALL_KEY")
    if not after:
        part.wrong("after_minutes", "must be more than 0")
    part.close()
    return Escalation(url, variable, after)


def alarm_mistake(escalation: Escalation | None, *, sandbox: bool) -> str:
    """What only the process's surroundings can say of it, or an empty string."""
    if escalation is None:
        return ""
    if not escalation.url.startswith("https://") and not sandbox:
        return "[escalation] url must be an https address"
    return "" if alarm_key(escalation) else f"[escalation] secret_env names {escalation.secret_env}, which is not set"


def _fits(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number
        return False
    return known and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def alarm_key(escalation: Escalation | None) -> str:
    """The key of the alarm's signature, from the environment or `.env`; empty when it is not there, or not needed."""
    if escalation is None:
        return ""
    named = escalation.secret_env
    return (os.environ.get(named) or dotenv_values(".env").get(named) or "").strip()
