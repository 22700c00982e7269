"""The faults that the page's switches order: each a named set for `world.faults`, on or off. Knows no HTTP.

A switch leaves alone what `/control/faults` ordered.
"""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from app.sandbox.faults import Fault

if TYPE_CHECKING:
    from app.sandbox.wire import Json
    from app.sandbox.world import World

ANY = re.compile("")
CHAT = re.compile(r"^/chat\.(postMessage|update)$")
# Where a decision goes: a step or stage of an approval, or ARM's batch.
DECISION = re.compile(r"(?i)/(steps|stages)/|^/batch")
_CLAIMS = base64.b64encode(b'{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').decode()
_CHALLENGE = {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{_CLAIMS}"'}
_REFUSED = {"error": {"code": "InvalidAuthenticationToken", "message": "Claims are needed"}}

# By name: what the switch says, what it does, and the faults themselves.
SWITCHES: dict[str, tuple[str, str, tuple[Fault, ...]]] = {
    "lost": (
        "Answers to decisions get lost",
        "Microsoft takes the decision, the connection drops. The bot must not send it twice: it reads back.",
        (Fault("graph", DECISION, "drop_after", "PATCH"), Fault("arm", DECISION, "drop_after", "PUT")),
    ),
    "stronger": (
        "Microsoft wants a stronger sign-in",
        "The next decision on an Entra role or group meets a claims challenge: verify and finish.",
        (Fault("graph", DECISION, "answer", "PATCH", 401, _CHALLENGE, _REFUSED, times=1),),
    ),
    "slow": (
        "Microsoft answers after 3 seconds",
        "Every call to Graph and Azure waits. Slack is still answered at once.",
        (Fault("graph", ANY, "slow", seconds=3.0), Fault("arm", ANY, "slow", seconds=3.0)),
    ),
    "down": (
        "Microsoft is down",
        "Graph and Azure answer 503. Cards stay, decisions are not sent, /readyz says so.",
        (Fault("graph", ANY, "answer", status=503), Fault("arm", ANY, "answer", status=503)),
    ),
    "limited": (
        "Slack slows the bot down",
        "Posts and edits are answered 429, retry after 5 seconds. Cards wait, and are painted later.",
        (Fault("slack", CHAT, "answer", "POST", 429, {"Retry-After": "5"}, {"ok": False, "error": "ratelimited"}),),
    ),
}  # fmt: skip


def switches(world: World) -> list[Json]:
    """Every switch with its words, and whether it is on: one that was used up is off again."""
    return [
        {"name": name, "label": label, "about": about, "on": _is_on(world, name)}
        for name, (label, about, _) in SWITCHES.items()
    ]


def switch(world: World, name: str, *, on: bool) -> None:
    """Turn one known switch on or off; on twice is on once."""
    world.faults[:] = [fault for fault in world.faults if fault.switch != name]
    if on:
        world.faults.extend(replace(fault, switch=name) for fault in SWITCHES[name][2])
    world.touch()


def _is_on(world: World, name: str) -> bool:
    return any(fault.switch == name and fault.times != 0 for fault in world.faults)
