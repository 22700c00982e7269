"""Strings for Slack: text from people and from Microsoft made harmless, and times. It builds no blocks.

Untrusted text reaches eyes only through plain_text and rich_text. The one mrkdwn string there is, a message's
fallback text, gets it through `escaped`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

NOTHING = "—"
UNKNOWN_TIME = "unknown time"
DATE_FORMAT = "{date_short_pretty} {time}"
TIME_FORMAT = "{time}"


def inert(text: str, limit: int, *, lines: bool = False) -> str:
    """The text with nothing hidden in it, at most `limit` code points long, "…" at the end where it was cut.

    Controls, bidirectional and zero-width characters, tags and lone surrogates become visible (⟨U+202E⟩). Runs of
    blanks become one space; line breaks too, unless `lines` (then at most one empty line in a row stays).
    """
    return _clamp(_visible(text, lines=lines), limit)


def escaped(text: str, limit: int) -> str:
    """The inert text, on one line, for mrkdwn: escaped first, then cut between entities.

    Slack reads no token out of an entity, so no mention, link or date can be forged. Formatting marks and emoji codes
    have no escape in mrkdwn: where they would act, a look-alike stands for them.
    """
    tame = _FORMATTING.sub(lambda mark: _LOOK_ALIKES[mark.group()], text)
    return _clamp((_ENTITIES.get(piece, piece) for piece in _visible(tame, lines=False)), limit)


def mixed_alphabets(text: str) -> bool:
    """Whether Latin letters stand beside letters of an alphabet that has look-alikes of them.

    Two honest names in two alphabets count too: it is a reason to read closely, not a verdict.
    """
    alphabets = {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}
    return "LATIN" in alphabets and not alphabets.isdisjoint(_LIKE_LATIN)


def utc(moment: datetime | None) -> str:
    """`2026-11-23 14:30 UTC`."""
    at = known(moment)
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else UNKNOWN_TIME


def hour(moment: datetime | None, now: datetime) -> str:
    """`14:30 UTC`, with the day (`24 Nov 03:08 UTC`) when that is not today's: the hour alone would mislead."""
    at = known(moment)
    if at is None or at.year != now.astimezone(UTC).year:
        return utc(at)
    return f"{at:%H:%M} UTC" if at.date() == now.astimezone(UTC).date() else f"{at.day} {at:%b %H:%M} UTC"


def when(moment: datetime | None) -> str:
    """A mrkdwn date that Slack shows in each reader's own time zone; UTC where it cannot."""
    at = known(moment)
    return f"<!date^{int(at.timestamp())}^{DATE_FORMAT}|{utc(at)}>" if at else UNKNOWN_TIME


def known(moment: datetime | None) -> datetime | None:
    """The time in UTC, or None: Microsoft writes the year 1 where it has no time, and Slack refuses such a date."""
    return None if moment is None or moment.year <= _EPOCH_YEAR else moment.astimezone(UTC)


def _clamp(pieces: Iterable[str], limit: int) -> str:
    kept: list[str] = []
    used = 0
    for piece in pieces:
        if used + len(piece) > limit:
            while kept and used > limit - 1:
                used -= len(kept.pop())
            return "".join(kept).rstrip() + "…"
        kept.append(piece)
        used += len(piece)
    return "".join(kept)


def _visible(text: str, *, lines: bool) -> Iterator[str]:
    """One piece for each code point, so that cutting never leaves half an escape. Outer blanks vanish."""
    gap, marks, started = "", 0, False
    for char in _BREAKS.sub("\n", text):
        if char in "\n\t" or unicodedata.category(char) == "Zs":
            gap += char
            continue
        if gap and started:
            yield _blank(gap, lines=lines)
        gap, started = "", True
        marks = marks + 1 if unicodedata.category(char) in _MARKS else 0
        yield f"⟨U+{ord(char):04X}⟩" if marks > _MOST_MARKS or _hidden(char) else char


def _blank(gap: str, *, lines: bool) -> str:
    return "\n" * min(gap.count("\n"), 2) if lines and "\n" in gap else " "


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN or any(low <= char <= high for low, high in _INVISIBLE)


_EPOCH_YEAR = 1970
_BREAKS = re.compile("\r\n?")
# Marks act only at the edge of a word (a_b stays as it is), backticks everywhere, colons around an emoji's name.
_FORMATTING = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`|:(?=[\w+'-]+:)")
_LOOK_ALIKES = {"*": "∗", "_": "＿", "~": "∼", "`": "ˋ", ":": "∶"}
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# How Unicode's names of their letters begin. Mathematical and full-width ones are Latin letters in fancy dress.
_LIKE_LATIN = frozenset(
    {"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "DOUBLE-STRUCK", "FULLWIDTH", "GREEK", "LISU", "MATHEMATICAL"}
)
# Controls, format characters (bidirectional, zero-width, tags), surrogates, private use, unassigned, odd line breaks.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 4  # no script stacks more on one letter; text that does climbs over its neighbours
# Letters and marks that show nothing although their category is a visible one.
_INVISIBLE = (
    ("\u034f", "\u034f"),
    ("\u115f", "\u1160"),
    ("\u17b4", "\u17b5"),
    ("\u180b", "\u180f"),
    ("\u2800", "\u2800"),
    ("\u3164", "\u3164"),
    ("\ufe00", "\ufe0d"),
    ("\uffa0", "\uffa0"),
    ("\U000e0100", "\U000e01ef"),
)
