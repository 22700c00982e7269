"""ISO 8601 durations as PIM writes them, read strictly, and said in words. Never guesses a month's length."""

from __future__ import annotations

import re
from datetime import timedelta

_ISO = re.compile(
    r"P(?=.)(?:(\d{1,5})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})(?:\.\d{1,7})?S)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse_duration(text: str) -> timedelta | None:
    """A duration such as `PT5H30M` or `P1DT4H`; None when it is empty, zero, negative, or uses months or years."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return length if length > timedelta(0) else None


def iso(length: timedelta) -> str:
    """The same written out: `PT2H`, `PT5H30M`, `P1DT2H`."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time or not days else ''}"


def in_words(length: timedelta) -> str:
    """`4 h`, `5 h 30 min`, `1 d 2 h`: as short as it can be without rounding below a minute."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" * bool(days), f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)]
    if not any(parts):
        return f"{seconds} s"
    return " ".join(part for part in parts if part)
