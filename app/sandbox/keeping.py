"""Keeps the emulated world in one JSON file between runs: requests, Slack, sign-ins, the tenant's signing key.

What lives for minutes only is left out: triggers, response_urls, codes, faults, the call log. No pickle: a file that
somebody changed can hold wrong facts, but no code.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from app.sandbox.activations import Request
from app.sandbox.login_scopes import Resource
from app.sandbox.login_tokens import Issued, Session, SigningKey
from app.sandbox.roles import Role
from app.sandbox.slack_records import Channel, Ephemeral, View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.sandbox.slack_records import Json
    from app.sandbox.world import World

SAVE_SECONDS = 1.0  # at most one write in this time
VERSION = 1
# Names that the records' modules import for type checkers only.
_NAMES = {"Role": Role, "Resource": Resource, "datetime": datetime}

_KEPT: dict[str, Any] = {
    "requests": list[Request],
    "approvals": dict[str, str],
    "channels": list[Channel],
    "ephemerals": list[Ephemeral],
    "homes": dict[str, View],
    "read": list[list[str]],
    "refresh": dict[str, Issued],
    "sessions": dict[str, Session],
}


class WorldUnreadable(Exception):
    """The kept world cannot be read; the sentence says what to do."""


def save(world: World, path: Path) -> None:
    """Write the world; a reader finds the old file or the new one, never half of one."""
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)  # refresh tokens of made-up people, but tokens all the same
    fresh.write_text(json.dumps(_told(world)), encoding="utf-8")
    os.replace(fresh, path)  # noqa: PTH105 - the one call that is promised to be atomic


def load(world: World, path: Path) -> bool:
    """Put the kept world in place of the fresh one; False when none was kept. Raises WorldUnreadable."""
    if not path.exists():
        return False
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        _restore(world, kept)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise WorldUnreadable(
            f"The world kept in {path} cannot be read ({problem}). Delete the folder {path.parent} to begin anew."
        ) from problem
    return True


class Keeper:
    """Writes one world into one file as well as the disk lets it; `say` hears what goes wrong."""

    def __init__(self, world: World, path: Path, say: Callable[[str], None]) -> None:
        self.world = world
        self._path = path
        self._say = say
        self._failing = False

    def save(self) -> None:
        """Write the world. What the disk refuses is said once, until it takes the world again."""
        try:
            save(self.world, self._path)
            self._failing = False
        except OSError as problem:
            if not self._failing:
                self._say(
                    f"The world could not be written to {self._path} ({problem}). It lives on, what is kept is "
                    "the state before, and writing is tried again: make room there, or let this account write."
                )
            self._failing = True


async def keep_saving(keeper: Keeper) -> None:
    """Write the world soon after each change, until cancelled; within a minute again where that failed."""
    known, loop = -1, asyncio.get_running_loop()
    while True:
        known = await keeper.world.wait_change(known, 60.0)
        begun = loop.time()
        keeper.save()
        # A big world takes long to write, and meanwhile nothing else moves: one twentieth of the time at most.
        await asyncio.sleep(max(SAVE_SECONDS, 20 * (loop.time() - begun)))


def _told(world: World) -> Json:
    workspace = world.workspace
    return {
        "version": VERSION,
        "key": _pem(world.key),
        "requests": _plain(list(world.requests.values())),
        "approvals": world.approvals,
        "channels": _plain(list(workspace.channels.values())),
        "ephemerals": _plain(workspace.ephemerals),
        "homes": _plain(workspace.homes),
        "read": [[slack, channel, ts] for (slack, channel), ts in workspace.read.items()],
        "refresh": _plain(world.login.refresh),
        "sessions": _plain(world.login.sessions),
    }


def _restore(world: World, kept: Json) -> None:
    if kept["version"] != VERSION:
        raise ValueError(f"it was written by another version, {kept['version']}")
    read = {name: _typed(kind, kept[name]) for name, kind in _KEPT.items()}  # all of it before anything is changed
    workspace = world.workspace
    world.key = _signing_key(kept["key"])
    world.requests = {request.id: request for request in read["requests"]}
    world.approvals = read["approvals"]
    workspace.channels = {channel.id: channel for channel in read["channels"]}
    workspace.ephemerals, workspace.homes = read["ephemerals"], read["homes"]
    workspace.read = {(slack, channel): ts for slack, channel, ts in read["read"]}
    world.login.refresh, world.login.sessions = read["refresh"], read["sessions"]
    world.touch()


# --- values and JSON ---


def _plain(value: Any) -> Any:  # noqa: ANN401 - any record or what is inside one
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _typed(kind: Any, raw: Any) -> Any:  # noqa: ANN401 - the mirror of `_plain`
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**{name: _typed(hint, raw[name]) for name, hint in _hints(kind).items()})
    if kind is datetime:
        return datetime.fromisoformat(raw)
    if kind is timedelta:
        return timedelta(seconds=raw)
    return _gathered(get_origin(kind), get_args(kind), raw)


def _gathered(origin: Any, inner: tuple[Any, ...], raw: Any) -> Any:  # noqa: ANN401 - as above
    if origin in (Union, UnionType):
        known = next(kind for kind in inner if kind is not NoneType)
        return None if raw is None else _typed(known, raw)
    if origin is dict:
        return {key: _typed(inner[1], item) for key, item in raw.items()}
    if origin in (list, set, frozenset, tuple):
        return origin(_typed(inner[0], item) for item in raw)
    return raw  # words, numbers, literals, JSON as it came


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, localns=_NAMES)


def _pem(key: SigningKey) -> str:
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _signing_key(pem: str) -> SigningKey:
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("its key is of another kind")
    return SigningKey.of(private)
