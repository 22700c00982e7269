"""What every emulated Microsoft service writes: JSON and times in Microsoft's spelling. Pure, but for making ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

Json = dict[str, Any]


class JsonAnswer(Response):
    """JSON in ASCII, so that even text that is no valid Unicode reaches the reader as it was given."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Escape everything beyond ASCII: lone surrogates would otherwise not encode."""
        return json.dumps(content).encode("ascii")


def stamp(moment: datetime, digits: int = 3) -> str:
    """A UTC time with 0 to 7 fraction digits and a `Z`: Microsoft's services vary in how many they print."""
    moment = moment.astimezone(UTC)
    whole = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.microsecond:06d}0"[:digits]
    return f"{whole}.{fraction}Z" if digits else f"{whole}Z"
