"""How risky: four levels, ordered."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Ordered, so that levels compare."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """`Low` ... `Critical`."""
        return self.name.capitalize()

    @property
    def grave(self) -> bool:
        """High or Critical: a comment is demanded and the approve button is not green."""
        return self >= Level.HIGH
