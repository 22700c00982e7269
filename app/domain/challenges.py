"""Claims, as JSON: what Microsoft wants proven at the next sign-in, and what we want told of it. Pure; asks nobody."""

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


def asking_when(challenge: str) -> str:
    """The `claims` parameter of a sign-in: a challenge that `valid_claims` let through, or none, and our own question.

    The question is `auth_time`, when the person last proved who they are (OpenID Connect Core, 5.5): without it, nobody
    could tell a sign-in of this moment from a session of last week.
    """
    asked = json.loads(challenge) if challenge else {}
    identity = asked.get("id_token")
    told = {**(identity if isinstance(identity, dict) else {}), "auth_time": {"essential": True}}
    return json.dumps({**asked, "id_token": told})
