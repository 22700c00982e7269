"""Judging bearer tokens of our own HTTP API: access tokens of Entra, version 2.0, made for this API and for a person.

Everything a library leaves to policy is decided here: tenant, version, client, that a person is behind it, that it is
no ID token. Which scope an operation needs is asked by whoever offers the operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.domain.request import Person
from app.identity.json_web_keys import JsonWebKeys
from app.identity.signed import Claims, begun, is_guid, key_name, signed_claims, time_flaw
from app.ports import AUDIT, Caller, Clock, Stranger

LONGEST_LIFE = 26 * 3600  # seconds; tokens that can be revoked at any time live up to 28 h, and 20 to 24 h as a rule
_TYPES = ("jwt", "at+jwt")


@dataclass(frozen=True, slots=True)
class Door:
    """What a token must say to be let in. `clients` are the applications that may have asked for it (`azp`)."""

    issuer: str
    audience: str
    tenant: str
    clients: frozenset[str]


class EntraBearers:
    """Implements `ports.Bearers`."""

    def __init__(self, keys: JsonWebKeys, door: Door, clock: Clock) -> None:
        self._keys = keys
        self._door = door
        self._clock = clock

    async def caller(self, token: str) -> Caller | Stranger:
        """Shape, key, signature, whom it was made by and for, times, then what only policy can ask; in this order."""
        name = key_name(token, _TYPES)
        key = await self._keys.key(name) if name else None
        if key is None:
            return Stranger("unknown key" if name else "unreadable")
        claims = signed_claims(token, key)
        if claims is None:
            return Stranger("bad signature")
        flaw = _flaw(claims, self._door, self._clock())
        return Stranger(flaw) if flaw else _caller(claims, token)


def _flaw(claims: Claims, door: Door, now: datetime) -> str:
    return _maker_flaw(claims, door) or _common_flaw(claims, now) or _entra_flaw(claims, door) or _person_flaw(claims)


def _maker_flaw(claims: Mapping[str, Any], door: Door) -> str:
    if claims.get("aud") != door.audience:  # a list is never ours
        return "wrong audience"
    return "" if claims.get("iss") == door.issuer else "wrong issuer"


def _common_flaw(claims: Mapping[str, Any], now: datetime) -> str:
    flaw = time_flaw(claims, now, LONGEST_LIFE)
    if flaw:
        return flaw
    if not begun(claims, now):
        return "not valid yet"
    return "" if _text(claims, "sub") else "no subject"


def _entra_flaw(claims: Mapping[str, Any], door: Door) -> str:
    if claims.get("ver") != "2.0":
        return "wrong version"
    if claims.get("tid") != door.tenant:
        return "wrong tenant"
    if not is_guid(claims.get("oid")):
        return "no object id"
    return "" if _text(claims, "azp").lower() in door.clients else "unknown client"


def _person_flaw(claims: Mapping[str, Any]) -> str:
    if claims.get("idtyp", "user") != "user" or not _text(claims, "scp").split():
        return "no person behind it"
    return "an ID token" if "nonce" in claims else ""


def _caller(claims: Mapping[str, Any], token: str) -> Caller:
    roles = claims.get("roles")
    upn = _text(claims, "upn") or _text(claims, "preferred_username")
    return Caller(
        tenant=claims["tid"],
        person=Person(claims["oid"].lower(), _text(claims, "name"), upn),
        scopes=frozenset(_text(claims, "scp").split()),
        auditor=isinstance(roles, list) and AUDIT in roles,
        assertion=token,
        expires=datetime.fromtimestamp(claims["exp"], UTC),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
