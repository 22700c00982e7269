"""Anchors: where the audit trail ended at some moment, kept where nobody who can write to the database can. Pure.

As words they are `audit_anchor N MAC`, in a log line, a message or a text file alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WORDS = re.compile(r"\baudit_anchor\s+(\d{1,18})\s+([0-9a-f]{64})\b")


@dataclass(frozen=True, slots=True)
class Anchor:
    """The number and MAC of the last row. Zero and empty before the first."""

    n: int = 0
    mac: str = ""

    def __str__(self) -> str:
        """As it is written down."""
        return f"audit_anchor {self.n} {self.mac}"


def read_anchors(lines: Iterable[str]) -> Iterator[Anchor]:
    """Every anchor in these lines, whatever stands around it."""
    for line in lines:
        for n, mac in _WORDS.findall(line):
            yield Anchor(int(n), mac)
