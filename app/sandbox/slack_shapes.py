"""The grammar Block Kit rules are written in: small checks that compose, yield sentences and change nothing.

Lengths are counted in Unicode code points, as Slack counts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Check = Callable[[object, str], Iterator[str]]
    Rule = Callable[[dict[str, Any], str], Iterator[str]]


def fault(problem: str, at: str) -> str:
    """One line as Slack's `response_metadata.messages` carries it."""
    return f"[ERROR] {problem} [json-pointer:{at}]"


def string(most: int, least: int = 1) -> Check:
    """A string of `least` to `most` code points."""

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield fault("must be a string", at)
        elif len(value) > most:
            yield fault(f"must be less than {most + 1} characters", at)
        elif len(value) < least:
            yield fault(f"must be more than {least - 1} characters", at)

    return check


def whole(least: int, most: int) -> Check:
    """An integer in a range."""

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield fault("must be an integer", at)
        elif not least <= value <= most:
            yield fault(f"must be between {least} and {most}", at)

    return check


def truth(value: object, at: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield fault("must be a boolean", at)


def word(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, at: str) -> Iterator[str]:
        if value not in allowed:
            yield fault(f"must be a valid enum value: {', '.join(allowed)}", at)

    return check


def many(item: Check, least: int, most: int) -> Check:
    """A list of `least` to `most` items, each passing `item`."""

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield fault("must be an array", at)
            return
        if len(value) > most:
            yield fault(f"no more than {most} items allowed", at)
        if len(value) < least:
            yield fault(f"no fewer than {least} items allowed", at)
        for index, entry in enumerate(value):
            yield from item(entry, f"{at}/{index}")

    return check


def record(must: Mapping[str, Check], may: Mapping[str, Check], *rules: Rule) -> Check:
    """An object with these fields and no others; `rules` look at the whole once its fields are sound."""
    fields = {**must, **may}

    def check(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault("must be an object", at)
            return
        problems = [fault(f"missing required field: {name}", at) for name in must if name not in value]
        problems += [fault(f"invalid additional property: {name}", at) for name in value if name not in fields]
        for name, field in fields.items():
            if name in value:
                problems.extend(field(value[name], f"{at}/{name}"))
        yield from problems
        if not problems:
            for rule in rules:
                yield from rule(value, at)

    return check


def kind(table: Mapping[str, Check], *allowed: str) -> Check:
    """An object whose `type` picks its check from `table`; `allowed` narrows the types."""

    def check(value: object, at: str) -> Iterator[str]:
        name = value.get("type") if isinstance(value, dict) else None
        if not isinstance(name, str):
            yield fault("missing required field: type", at)
        elif name not in table or (allowed and name not in allowed):
            yield fault(f"unsupported type: {name}", f"{at}/type")
        else:
            yield from table[name](value, at)

    return check


def anything(_value: object, _at: str) -> Iterator[str]:
    """No demand at all: for parts that are stored but not emulated."""
    return iter(())
