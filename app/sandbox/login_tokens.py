"""The keys, grants and tokens of the emulated identity platform. Makes and checks tokens; speaks no HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

from app.sandbox.login_scopes import Resource, Scopes
from app.sandbox.people import AUDITORS, Person, Settings

TOKEN_SECONDS = 4799
# Entra dates tokens five minutes back, so that slow clocks accept them.
OPAQUE = "1.A"  # what Entra's codes and refresh tokens begin with
BACKDATED_SECONDS = 300
SERVICE_PRINCIPAL = "39999999-3c3c-4c3c-8c3c-000000003c09"


_UNJUDGED: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person (short id) agreed to at a sign-in: the life line of codes and refresh tokens."""

    person: str
    scopes: Scopes
    redirect_uri: str
    challenge: str
    nonce: str | None
    state: str
    response_mode: str
    signed_in: datetime
    acrs: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    client_info: bool = False
    wants_auth_time: bool = False
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in: who by (short id), and when they last proved it."""

    person: str
    signed_in: datetime


@dataclass(slots=True)
class Issued:
    """The grant behind a code or a refresh token, when that was made, and whether a code was redeemed."""

    grant: Grant
    at: datetime
    is_used: bool = False


@dataclass(slots=True)
class LoginState:
    """Sign-ins under way, codes, refresh tokens and browsers' sessions, by their secret."""

    asked: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Issued] = field(default_factory=dict)
    refresh: dict[str, Issued] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    new_token: Callable[[], str] = field(default=lambda: secrets.token_urlsafe(32))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The RSA key of the emulated tenant, and its public half as browsers of JWKS see it."""

    private: rsa.RSAPrivateKey
    kid: str

    @classmethod
    def make(cls) -> SigningKey:
        """A fresh key of 2048 bits."""
        return cls.of(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def of(cls, private: rsa.RSAPrivateKey) -> SigningKey:
        """The key with the name that Entra would give it."""
        modulus = private.public_key().public_numbers().n
        return cls(private, hashlib.sha256(str(modulus).encode()).hexdigest()[:27])

    def jwks(self, issuer: str) -> dict[str, Any]:
        """The key set that belongs to `issuer`, with Microsoft's own `issuer` member."""
        public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        numbers = {"n": public["n"], "e": public["e"]}
        return {"keys": [{"kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, **numbers, "issuer": issuer}]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact RS256 token."""
        return jwt.encode(claims, self.private, "RS256", {"kid": self.kid})

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token this key signed, not yet judged; raises jwt.InvalidTokenError otherwise."""
        if jwt.get_unverified_header(token).get("kid") != self.kid:
            raise jwt.InvalidTokenError("unknown key")
        claims: dict[str, Any] = jwt.decode(token, self.private.public_key(), algorithms=["RS256"], options=_UNJUDGED)
        return claims


def issuer(settings: Settings) -> str:
    """The real issuer of v2.0 tokens of the tenant."""
    return f"https://login.microsoftonline.com/{settings.tenant}/v2.0"


def pairwise(settings: Settings, person: Person) -> str:
    """The `sub` of a person for our client: stable, and different for every client."""
    digest = hashlib.sha256(f"{settings.client_id}{person.oid}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def client_info(settings: Settings, person: Person) -> str:
    """Where MSAL finds the account's home ids: base64url of `{"uid", "utid"}`."""
    pair = json.dumps({"uid": person.oid, "utid": settings.tenant})
    return base64.urlsafe_b64encode(pair.encode()).decode().rstrip("=")


def id_claims(settings: Settings, person: Person, grant: Grant, now: datetime) -> dict[str, Any]:
    """The claims of an ID token for our client; when somebody signed in is told only to who asks for it."""
    claims = {
        "aud": settings.client_id,
        **_times(now),
        "iss": issuer(settings),
        "tid": settings.tenant,
        "oid": person.oid,
        "sub": pairwise(settings, person),
        "name": person.name,
        "preferred_username": person.upn,
        "ver": "2.0",
    }
    optional: dict[str, Any] = {"auth_time": int(grant.signed_in.timestamp())} if grant.wants_auth_time else {}
    return claims | optional | ({"nonce": grant.nonce} if grant.nonce else {})


def user_claims(settings: Settings, person: Person, grant: Grant, resource: Resource, now: datetime) -> dict[str, Any]:
    """The claims of a delegated access token for the grant's scopes."""
    scopes = grant.scopes
    names = list(resource.delegated if scopes.is_default else scopes.names)
    if resource.name == "graph":
        names += sorted(scopes.oidc - {"offline_access"})
    claims = {
        **_access(settings, resource, now),
        "oid": person.oid,
        "sub": pairwise(settings, person),
        "name": person.name,
        "preferred_username": person.upn,
        "scp": " ".join(names),
        "idtyp": "user",
        "auth_time": int(grant.signed_in.timestamp()),
    }
    extra: dict[str, Any] = {"acrs": list(grant.acrs)} if grant.acrs else {}
    if resource.name == "api" and person.id in AUDITORS:
        extra["roles"] = ["PIM.Audit"]
    return claims | extra | ({"xms_cc": list(grant.capabilities)} if grant.capabilities else {})


def app_claims(settings: Settings, resource: Resource, now: datetime) -> dict[str, Any]:
    """The claims of an app-only access token: roles in place of scopes, the service principal as subject."""
    claims = {
        **_access(settings, resource, now),
        "oid": SERVICE_PRINCIPAL,
        "sub": SERVICE_PRINCIPAL,
        "idtyp": "app",
    }
    return claims | ({"roles": list(resource.application)} if resource.application else {})


def _access(settings: Settings, resource: Resource, now: datetime) -> dict[str, Any]:
    client = {"azp": settings.client_id, "azpacr": "1", "appid": settings.client_id}
    return {
        "aud": resource.audience,
        "iss": issuer(settings),
        **_times(now),
        **client,
        "tid": settings.tenant,
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
    }


def _times(now: datetime) -> dict[str, int]:
    moment = int(now.timestamp())
    return {"iat": moment - BACKDATED_SECONDS, "nbf": moment - BACKDATED_SECONDS, "exp": moment + TOKEN_SECONDS}
