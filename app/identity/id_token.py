"""Judging an ID token: signature, issuer, audience, tenant, nonce and times, all checked here. It asks no clock.

MSAL checks nothing of an ID token but its nonce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.errors import SignInFailed
from app.identity.json_web_keys import JsonWebKeys
from app.identity.signed import LEEWAY, Claims, begun, is_guid, key_name, seconds, signed_claims, time_flaw

LONGEST_LIFE = 24 * 3600  # seconds; an ID token lives an hour or so
_TYPES = (None, "jwt")

OLD_SIGN_IN = (
    "This was an old sign-in: Microsoft let this browser in without asking who sits there. Nothing was stored. Type "
    "/pim sign-in in Slack to start again, and prove who you are when Microsoft asks."
)
NOT_TOLD = (
    "Microsoft did not say when you signed in, and without that an old session looks like a new sign-in. Nothing was "
    "stored. An administrator must add the optional claim auth_time to the bot's app registration."
)


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
    name = key_name(token, _TYPES)
    key = await keys.key(name) if name else None
    if key is None:
        raise _refused("unknown key" if name else "unreadable")
    claims = signed_claims(str(token), key)
    if claims is None:
        raise _refused("bad signature")
    flaw = _common_flaw(claims, expected) or time_flaw(claims, now, LONGEST_LIFE)
    if not flaw and expected.tenant:
        flaw = _microsoft_flaw(claims, expected.tenant, now)
    if flaw:
        raise _refused(flaw)
    if expected.since is not None:
        _demand_fresh(claims, expected.since, told=expected.told)
    return claims


def _common_flaw(claims: Mapping[str, Any], expected: Expected) -> str:
    if claims.get("iss") != expected.issuer:
        return "wrong issuer"
    if claims.get("aud") != expected.audience:  # a list is never ours
        return "wrong audience"
    if not expected.nonce or claims.get("nonce") != expected.nonce:
        return "wrong nonce"
    return ""


def _microsoft_flaw(claims: Mapping[str, Any], tenant: str, now: datetime) -> str:
    if claims.get("tid") != tenant:
        return "wrong tenant"
    if claims.get("ver") != "2.0":
        return "wrong version"
    if not is_guid(claims.get("oid")):
        return "no object id"
    if (seconds(claims, "auth_time") or 0) > now.timestamp() + LEEWAY:
        return "signed in in the future"
    return "" if begun(claims, now) else "not valid yet"


def _demand_fresh(claims: Mapping[str, Any], since: datetime, *, told: bool) -> None:
    # `prompt=login` travels through the browser, where it can be taken out; then the old session's time comes back.
    proven = seconds(claims, "auth_time")
    if proven is None and (told or "auth_time" in claims):
        raise SignInFailed(NOT_TOLD)
    if proven is not None and proven < since.timestamp() - LEEWAY:
        raise SignInFailed(OLD_SIGN_IN)


def _refused(flaw: str) -> SignInFailed:
    return SignInFailed(f"The proof of identity was refused ({flaw}). Nothing was changed. Please start again.")
