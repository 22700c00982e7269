"""What people type after `/pim` and the name of a list, as a value and back. Pure; it looks nothing up.

Whatever cannot be understood is answered with an example, never with silence. A page button carries the same language,
so that what comes back from Slack is read as strictly as what was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from app.domain.request import Kind, Status

LISTS: Final = ("pending", "history", "mine", "approved")
EXAMPLE: Final = '/pim history @rob role:"Global Administrator" status:denied,expired desk:entra 7d'
_PART = re.compile(r'(?:[^\s"]|"[^"]*")+')
_PERSON = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>", re.ASCII)
_AGO = re.compile(r"([1-9]\d{0,3})([hdw])", re.ASCII | re.IGNORECASE)
_MOMENT = r"\d{4}-\d\d-\d\d(?:T\d\d:\d\dZ)?"
_SPAN = re.compile(rf"({_MOMENT})?\.\.({_MOMENT})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}
_STATUSES = {**{status.value: status for status in Status}, "cancelled": Status.CANCELED, "ended": Status.UNKNOWN}
_DESKS = {**{kind.value: kind for kind in Kind}, "groups": Kind.GROUP, "directory": Kind.ENTRA, "resource": Kind.AZURE}
_LONGEST_ROLE = 100
_QUOTES = str.maketrans("“”„«»", '"' * 5)  # phones write these by themselves


@dataclass(frozen=True, slots=True)
class Search:
    """What a list shows: `person` is a Slack user, times are UTC, from `since` on and before `until`."""

    which: str = "history"
    person: str = ""
    role: str = ""
    statuses: frozenset[Status] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    export: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A page of a search: beyond this cursor, towards newer rows or older ones."""

    search: Search
    after: str
    newer: bool


@dataclass(frozen=True, slots=True)
class Mistaken:
    """Why a search was not understood, with an example; it quotes nothing that was typed."""

    text: str


def parse_search(which: str, text: str, now: datetime) -> Search | Mistaken:
    """A search out of the words behind `/pim` and the name of a list, in any order."""
    search = Search(which)
    for part in _PART.findall(text.translate(_QUOTES)):
        found = _part(search, part, now)
        if isinstance(found, str):
            return Mistaken(f"{found} For example: {EXAMPLE}")
        search = found
    if search.since is not None and search.until is not None and search.since >= search.until:
        return Mistaken(f"That time ends before it begins. For example: /pim {which} 2026-11-01..2026-11-20")
    return search


def write_search(search: Search) -> str:
    """The words that stand for a search; parsing them gives it back."""
    span = f"{_written(search.since)}..{_written(search.until)}" if search.since or search.until else ""
    parts = (
        f"<@{search.person}>" if search.person else "",
        f'role:"{search.role}"' if search.role else "",
        f"status:{','.join(sorted(search.statuses))}" if search.statuses else "",
        f"desk:{','.join(sorted(search.kinds))}" if search.kinds else "",
        span,
        "export" if search.export else "",
    )
    return " ".join(part for part in parts if part)


def write_turn(turn: Turn) -> str:
    """What a page button carries."""
    direction = "newer" if turn.newer else "older"
    return f"{direction}:{turn.after}:{turn.search.which}:{write_search(turn.search)}"


def read_turn(value: str, now: datetime) -> Turn:
    """And back. Anybody may invent a value: nonsense is the first page of history."""
    direction, _, rest = value.partition(":")
    after, _, rest = rest.partition(":")
    which, _, words = rest.partition(":")
    search = parse_search(which, words, now) if which in LISTS else None
    if not isinstance(search, Search) or direction not in ("newer", "older"):
        return Turn(Search(), "", newer=False)
    return Turn(search, after, newer=direction == "newer")


def _part(search: Search, part: str, now: datetime) -> Search | str:
    """The search with one more wish; or what is wrong with it, as a sentence."""
    if part.casefold() == "export":
        return replace(search, export=True)
    if part[0] in "<@":
        return _person(search, part)
    key, colon, value = part.partition(":")
    if colon and key.casefold() in _KEYS:
        return _KEYS[key.casefold()](search, value.replace('"', "").strip())
    return _time(search, part, now)


def _person(search: Search, part: str) -> Search | str:
    match = _PERSON.fullmatch(part)
    if match is None:
        return "Slack did not recognise that person: choose them from the list that opens after @."
    if search.which != "history":
        return f"/pim {search.which} is about yourself; /pim history takes a person."
    return "One person at a time, please." if search.person else replace(search, person=match[1])


def _role(search: Search, value: str) -> Search | str:
    if not value or len(value) > _LONGEST_ROLE:
        return "Which role? Write its whole name, in quotation marks if it has blanks."
    return "One role at a time, please." if search.role else replace(search, role=value)


def _status(search: Search, value: str) -> Search | str:
    words = [word for word in value.casefold().split(",") if word]
    if not words or not all(word in _STATUSES for word in words):
        return "A status is pending, approved, denied, expired, canceled, failed or ended."
    return replace(search, statuses=search.statuses | {_STATUSES[word] for word in words})


def _desk(search: Search, value: str) -> Search | str:
    words = [word for word in value.casefold().split(",") if word]
    if not words or not all(word in _DESKS for word in words):
        return "A desk is entra, azure or group."
    return replace(search, kinds=search.kinds | {_DESKS[word] for word in words})


def _time(search: Search, part: str, now: datetime) -> Search | str:
    if search.since is not None or search.until is not None:
        return "One time at a time, please."
    ago = _AGO.fullmatch(part)
    if ago is not None:
        since = now.astimezone(UTC) - timedelta(hours=int(ago[1]) * _HOURS[ago[2].casefold()])
        return replace(search, since=since.replace(second=0, microsecond=0))
    span = _SPAN.fullmatch(f"{part}..{part}" if _DAY.fullmatch(part) else part)
    if span is None or not (span[1] or span[2]):
        return "I understand a person, role:, status:, desk:, and a time such as 7d or 2026-11-01..2026-11-20."
    try:
        return replace(search, since=_begin(span[1]), until=_end(span[2]))
    except (ValueError, OverflowError):
        return "There is no such day."


def _begin(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _end(text: str | None) -> datetime | None:
    """A day belongs to the span as a whole."""
    moment = _begin(text)
    whole_day = moment is not None and text is not None and "T" not in text
    return moment + timedelta(days=1) if whole_day and moment is not None else moment


def _written(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}" if moment is not None else ""


_KEYS = {"role": _role, "status": _status, "desk": _desk}
