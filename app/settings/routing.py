"""The `[[routes]]` of the policy file: which cards go to which channel, and whom they mention there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from app.domain.levels import Level
from app.domain.request import Kind
from app.domain.routes import NOBODY, Route
from app.settings.parts import Part

CHANNEL = re.compile(r"[CG][A-Z0-9]{5,}")
_USER_GROUP = re.compile(r"S[A-Z0-9]{5,}")
_LEVELS = {level.word.casefold(): level for level in Level}
_DESKS = {kind.value: kind for kind in Kind}
_GROUP_ROLES = {"member", "owner"}
T = TypeVar("T")


def read_routes(top: Part, role_id: Callable[[str], str]) -> tuple[Route, ...]:
    """Every route in the order of the file. `role_id`: the id of a role named by id or name, or ValueError."""
    return tuple(_route(part, role_id) for part in top.tables("routes"))


def _route(part: Part, role_id: Callable[[str], str]) -> Route:
    route = Route(
        channel=read_channel(part, "channel"),
        desks=frozenset(_each(part, "desk", lambda word: _one(word, _DESKS, "desk"))),
        roles=frozenset().union(*_each(part, "role", lambda word: _role(word, role_id))),
        scopes=tuple(_each(part, "scope", str.casefold)),
        levels=frozenset(_each(part, "risk", lambda word: _one(word, _LEVELS, "level"))),
        mention=_mention(part),
    )
    part.close()
    return route


def read_channel(part: Part, key: str) -> str:
    """A channel by its id."""
    channel = part.text(key)
    if not CHANNEL.fullmatch(channel):
        part.wrong(key, "must be a channel's id, such as C0123456789, not its name")
    return channel


def _mention(part: Part) -> str:
    mention = part.text("mention")
    if mention not in ("", NOBODY) and not _USER_GROUP.fullmatch(mention):
        part.wrong("mention", f"must be a user group's id, such as S0123456789, or {NOBODY!r}")
    return mention


def _each(part: Part, key: str, read: Callable[[str], T]) -> list[T]:
    """One text or a list of texts, each read; ValueError of `read` says what is wrong about one."""
    value = part.raw(key, [])
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        part.wrong(key, "must be a text, or a list of texts")
        return []
    found: list[T] = []
    for word in words:
        try:
            found.append(read(word.strip()))
        except ValueError as problem:
            part.wrong(key, f"is wrong: {problem}")
    return found


def _role(word: str, role_id: Callable[[str], str]) -> frozenset[str]:
    """What a word may mean: "owner" is a role of groups and one of Azure. ValueError when it means nothing."""
    of_groups = {word.casefold()} & _GROUP_ROLES
    try:
        return frozenset({*of_groups, role_id(word)})
    except ValueError:
        if not of_groups:
            raise
        return frozenset(of_groups)


def _one(word: str, known: dict[str, T], what: str) -> T:
    if word.casefold() not in known:
        raise ValueError(f"{word!r} is no {what}; write {', '.join(known)}")
    return known[word.casefold()]
