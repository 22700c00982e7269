"""What every signed token must pass first: shape, key, signature, times. Whom it speaks of is not judged.

PyJWT would check times against the machine's clock, so its claim checks are off and ours are the only ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

LEEWAY = 60  # seconds our clock and theirs may differ
LONGEST_TOKEN = 16_384  # characters

Claims = dict[str, Any]


def key_name(token: object, types: Collection[str | None]) -> str:
    """The id of the key it claims to be signed with; "" for whatever is no compact RS256 token of one of the types.

    A caller may hand in any value. `types` are what the header's `typ` may say, in lower case; None: nothing.
    """
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or token.count(".") != 2:  # noqa: PLR2004 - three parts
        return ""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return ""
    kind, name = header.get("typ"), header.get("kid")
    plain = header.get("alg") == "RS256" and (kind if kind is None else str(kind).lower()) in types
    return name if plain and isinstance(name, str) else ""


def signed_claims(token: str, key: RSAPublicKey) -> Claims | None:
    """The claims, if this key signed them; none of them is judged."""
    try:
        return dict(jwt.decode(token, key, algorithms=["RS256"], options=_SIGNATURE_ONLY))
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None


def time_flaw(claims: Mapping[str, Any], now: datetime, longest_life: float) -> str:
    """What is wrong with its times, or ''. `longest_life`: seconds from now that it may live at most."""
    moment = now.timestamp()
    expires, issued = seconds(claims, "exp"), seconds(claims, "iat")
    if expires is None or issued is None:
        return "no times"
    if moment >= expires + LEEWAY:
        return "expired"
    if issued > moment + LEEWAY:
        return "issued in the future"
    if "nbf" in claims and not begun(claims, now):
        return "not valid yet"
    return "lives too long" if expires - moment > longest_life else ""


def begun(claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether it says from when it is valid, and that has come."""
    begins = seconds(claims, "nbf")
    return begins is not None and begins <= now.timestamp() + LEEWAY


def is_guid(value: object) -> bool:
    """Whether this is a GUID as Microsoft writes object and tenant ids."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def seconds(claims: Mapping[str, Any], name: str) -> int | None:
    """A time in a token, in seconds since 1970; None when there is none, or it is of another type."""
    value = claims.get(name)
    # A bool is an int to Python, and no time in a token.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
