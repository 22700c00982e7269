"""Making tokens as forgers and confused programs do: signed with the test's key, or put together by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fakes_identity import rsa_key


def signed(claims: dict[str, Any], **header: object) -> str:
    """With the published key `k`; claims that are None are left out."""
    kept = {name: value for name, value in claims.items() if value is not None}
    # Below jwt.encode, which would not write an issuer of another type.
    return jwt.PyJWS().encode(json.dumps(kept).encode(), rsa_key(), "RS256", {"kid": "k", **header})


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def assembled(header: dict[str, Any], claims: object, signature: str = "AAAA") -> str:
    return f"{part(header)}.{part(claims)}.{signature}"


def signed_with_the_public_key(claims: object) -> str:
    """HS256, with the one secret everybody knows."""
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{part({'alg': 'HS256', 'kid': 'k', 'typ': 'JWT'})}.{part(claims)}"
    mac = hmac.new(public, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
