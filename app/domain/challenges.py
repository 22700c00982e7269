"""Claims challenges: what Microsoft wants proven at the next sign-in, as JSON. Pure; it asks nobody."""

from __future__ import annotations

import json

LONGEST = 4096  # characters; Microsoft's are a few hundred


def valid_claims(text: object) -> str:
    """The text, if it is a JSON object with an `access_token` object, as Microsoft writes it; else an empty string.

    It goes into an address that a browser opens, so nothing else is ever passed on.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        return ""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return text if isinstance(parsed, dict) and isinstance(parsed.get("access_token"), dict) else ""
