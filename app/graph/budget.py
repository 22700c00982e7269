"""How many second tries one upstream gets. In an outage every retry is one more call on somebody who is down."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 12.0  # second tries in a row that may fail before there are none
EARNED = 0.2  # by each read that succeeds


@dataclass(slots=True)
class Budget:
    """Second tries are paid for by successes, whoever asks: so many people polling do not multiply an outage."""

    left: float = MOST

    def earn(self) -> None:
        """A read succeeded."""
        self.left = min(MOST, self.left + EARNED)

    def spend(self) -> bool:
        """Whether one more try is paid for."""
        if self.left < 1:
            return False
        self.left -= 1
        return True
