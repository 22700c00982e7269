"""Judging an ID token: signature, issuer, audience, tenant, nonce and times, all checked here. It asks no clock.

MSAL checks nothing of an ID token but its nonce, and PyJWT would check times against the machine's clock, so its claim
checks are off and ours are the only ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.types import Options

from app.domain.errors import SignInFailed
from app.identity.json_web_keys import JsonWebKeys

LEEWAY = 60  # seconds our clock and theirs may differ
LONGEST_LIFE = 24 * 3600  # seconds; an ID token lives an hour or so
LONGEST_TOKEN = 16_384  # characters

OLD_SIGN_IN = (
    "This was an old sign-in: Microsoft let this browser in without asking who sits there. Nothing was stored. Type "
    "/pim sign-in in Slack to start again, and prove who you are when Microsoft asks."
)
NOT_TOLD = (
    "Microsoft did not say when you signed in, and without that an old session looks like a new sign-in. Nothing was "
    "stored. An administrator must add the optional claim auth_time to the bot's app registration."
)

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say to be ours. `tenant` is set for Microsoft, whose further claims are then checked.

    `since`: the person must have proven who they are after this moment, as far as the token says when they did;
    `told`: it must say so.
    """

    issuer: str
    audience: str
    nonce: str
    tenant: str = ""
    since: datetime | None = None
    told: bool = False


async def check_id_token(token: object, keys: JsonWebKeys, expected: Expected, now: datetime) -> Claims:
    """The claims of a token that passed every check.

    SignInFailed names the first check that failed, in our words only; Unavailable when the keys cannot be fetched.
    """
    name = _key_name(token)
    key = await keys.key(name) if name else None
    if key is None:
        raise _refused("unknown key" if name else "unreadable")
    claims = _signed_claims(str(token), key)
    if claims is None:
        raise _refused("bad signature")
    flaw = _common_flaw(claims, expected) or _time_flaw(claims, now)
    if not flaw and expected.tenant:
        flaw = _microsoft_flaw(claims, expected.tenant, now)
    if flaw:
        raise _refused(flaw)
    if expected.since is not None:
        _demand_fresh(claims, expected.since, told=expected.told)
    return claims


def is_guid(value: object) -> bool:
    """Whether this is a GUID as Microsoft writes object and tenant ids."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def _key_name(token: object) -> str:
    # "" for whatever is no compact RS256 token with a key id: a caller may hand in any JSON value.
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or token.count(".") != 2:  # noqa: PLR2004 - three parts
        return ""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return ""
    plain = header.get("alg") == "RS256" and str(header.get("typ", "JWT")).upper() == "JWT"
    name = header.get("kid")
    return name if plain and isinstance(name, str) else ""


def _signed_claims(token: str, key: RSAPublicKey) -> Claims | None:
    try:
        return dict(jwt.decode(token, key, algorithms=["RS256"], options=_SIGNATURE_ONLY))
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None


def _common_flaw(claims: Mapping[str, Any], expected: Expected) -> str:
    if claims.get("iss") != expected.issuer:
        return "wrong issuer"
    if claims.get("aud") != expected.audience:  # a list is never ours
        return "wrong audience"
    if not expected.nonce or claims.get("nonce") != expected.nonce:
        return "wrong nonce"
    return ""


def _time_flaw(claims: Mapping[str, Any], now: datetime) -> str:
    moment = now.timestamp()
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    if expires is None or issued is None:
        return "no times"
    if moment >= expires + LEEWAY:
        return "expired"
    if issued > moment + LEEWAY:
        return "issued in the future"
    if "nbf" in claims and not _begun(claims, moment):
        return "not valid yet"
    return "lives too long" if expires - moment > LONGEST_LIFE else ""


def _microsoft_flaw(claims: Mapping[str, Any], tenant: str, now: datetime) -> str:
    if claims.get("tid") != tenant:
        return "wrong tenant"
    if claims.get("ver") != "2.0":
        return "wrong version"
    if not is_guid(claims.get("oid")):
        return "no object id"
    if (_seconds(claims, "auth_time") or 0) > now.timestamp() + LEEWAY:
        return "signed in in the future"
    return "" if _begun(claims, now.timestamp()) else "not valid yet"


def _demand_fresh(claims: Mapping[str, Any], since: datetime, *, told: bool) -> None:
    # `prompt=login` travels through the browser, where it can be taken out; then the old session's time comes back.
    proven = _seconds(claims, "auth_time")
    if proven is None and (told or "auth_time" in claims):
        raise SignInFailed(NOT_TOLD)
    if proven is not None and proven < since.timestamp() - LEEWAY:
        raise SignInFailed(OLD_SIGN_IN)


def _begun(claims: Mapping[str, Any], moment: float) -> bool:
    begins = _seconds(claims, "nbf")
    return begins is not None and begins <= moment + LEEWAY


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    # A bool is an int to Python, and no time in a token.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _refused(flaw: str) -> SignInFailed:
    return SignInFailed(f"The proof of identity was refused ({flaw}). Nothing was changed. Please start again.")


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
