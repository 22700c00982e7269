"""Reading a TOML table with care: what is wrong becomes a sentence, and reading goes on. It knows no key by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

MOST = 1_000_000  # hours or letters: more than anybody means
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
T = TypeVar("T")


@dataclass(slots=True)
class Part:
    """One table of the file. What is wrong in it is written down, and its default stands in so that reading goes on."""

    name: str
    content: Mapping[str, object]
    mistakes: list[str]
    _known: set[str] = field(init=False, default_factory=set)

    def table(self, key: str) -> Part:
        """An inner table; an empty one when there is none."""
        value = self.raw(key, {})
        name = f"{self.name}.{key}" if self.name else key
        if not isinstance(value, dict):
            self.wrong(key, "must be a table")
            value = {}
        return Part(name, value, self.mistakes)

    def number(self, key: str, default: float) -> float:
        """A number that makes sense, or the default."""
        value = self.raw(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
            self.wrong(key, "must be a number, 0 or more")
            return default
        return value

    def hours(self, key: str, default: timedelta) -> timedelta:
        """A length of time, written in hours."""
        return timedelta(hours=self.number(key, default / _HOUR))

    def minutes(self, key: str, default: timedelta) -> timedelta:
        """A length of time, written in minutes."""
        return timedelta(minutes=self.number(key, default / _MINUTE))

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.wrong(key, "must be true or false")
            return default
        return value

    def tables(self, key: str) -> list[Part]:
        """A list of tables, each named by its number from 1 on."""
        value = self.raw(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(key, f"must be tables, each under its own [[{key}]]")
            return []
        return [Part(f"{key} {number}", item, self.mistakes) for number, item in enumerate(value, 1)]

    def words(self, key: str) -> list[str]:
        """A list of texts."""
        value = self.raw(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.wrong(key, "must be a list of texts")
            return []
        return value

    def each(self, key: str, read: Callable[[str], T]) -> list[T]:
        """Every word of a list, each once; `read` raises ValueError with what is wrong about one."""
        found: list[T] = []
        for word in self.words(key):
            try:
                found.append(read(word))
            except ValueError as problem:
                self.mistakes.append(f"{self._title()}{key}: {problem}.")
        return list(dict.fromkeys(found))

    def entries(self, read: Callable[[str, object], T]) -> list[T]:
        """Every entry of a table with free keys; `read` raises ValueError with what is wrong about one."""
        found: list[T] = []
        for key, value in self.content.items():
            self._known.add(key)
            try:
                found.append(read(key, value))
            except ValueError as problem:
                self.mistakes.append(f"{self._title()}{problem}.")
        return found

    def mapping(self, read: Callable[[str, object], tuple[str, T]]) -> dict[str, T]:
        """The same as a dict. What is named twice (by name and by id, say) would hide one of the two."""
        found: dict[str, T] = {}
        for key, value in self.entries(read):
            if key in found:
                self.mistakes.append(f"{self._title()}{key!r} is named twice.")
            found[key] = value
        return found

    def text(self, key: str, default: str = "") -> str:
        """One text."""
        value = self.raw(key, default)
        if not isinstance(value, str):
            self.wrong(key, "must be a text")
            return default
        return value.strip()

    def raw(self, key: str, default: object) -> object:
        """Whatever stands there."""
        self._known.add(key)
        return self.content.get(key, default)

    def wrong(self, key: str, what: str) -> None:
        """Write down a mistake."""
        self.mistakes.append(f"{self._title()}{key} {what}.")

    def close(self) -> None:
        """What nobody asked for is unknown."""
        for key in sorted(self.content.keys() - self._known):
            self.wrong(key, "is not known here; see docs/policy.md")

    def _title(self) -> str:
        return f"[{self.name}] " if self.name else ""
