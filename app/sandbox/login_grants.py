"""The emulated token endpoint: codes, refresh tokens, client credentials and on-behalf-of become tokens.

What cannot become one is answered with Entra's own errors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

import jwt
from starlette.requests import Request
from starlette.responses import Response

from app.sandbox import login_tokens
from app.sandbox.login_scopes import LoginError, Resource, read_app_scope, read_claims, read_scopes
from app.sandbox.login_tokens import TOKEN_SECONDS, Grant, Issued
from app.sandbox.people import Person, Settings
from app.sandbox.wire import JsonAnswer
from app.sandbox.world import World

CODE_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=90)
Form = Mapping[str, str]


async def token_endpoint(world: World, request: Request) -> Response:
    """Answer one token call; whom it was for goes to the call log as `who`."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        _check_method(request)
        _check_client(world.settings, form, request.headers.get("authorization", ""))
        who, answer = _grant_types(world, form)
    except LoginError as error:
        return _refusal(world, error)
    request.state.who = who
    return JsonAnswer(answer, headers={"cache-control": "no-store", "pragma": "no-cache"})


def app_answer(world: World, resource: Resource) -> dict[str, Any]:
    """An app-only token answer for one resource."""
    token = world.key.sign(login_tokens.app_claims(world.settings, resource, world.now()))
    return {"token_type": "Bearer", **_lifetimes(), "access_token": token}


def user_answer(world: World, person: Person, grant: Grant) -> dict[str, Any]:
    """An access-token answer for a person; no refresh token, no ID token."""
    claims = login_tokens.user_claims(world.settings, person, grant, grant.scopes.resource, world.now())
    return {
        "token_type": "Bearer",
        "scope": grant.scopes.echo,
        **_lifetimes(),
        "access_token": world.key.sign(claims),
    }


def _lifetimes() -> dict[str, int]:
    return {"expires_in": TOKEN_SECONDS, "ext_expires_in": TOKEN_SECONDS}


def _check_method(request: Request) -> None:
    if request.method != "POST":
        raise LoginError(900561, "invalid_request", "The endpoint only accepts POST, OPTIONS requests.")


def _check_client(settings: Settings, form: Form, authorization: str) -> None:
    client, secret = _basic(authorization) or (form.get("client_id"), form.get("client_secret"))
    if client != settings.client_id:
        raise LoginError(
            700016,
            "unauthorized_client",
            f"Application with identifier '{client}' was not found in the directory '{settings.tenant}'.",
        )
    if not secret:
        raise LoginError(
            7000218,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            401,
        )
    if not hmac.compare_digest(secret.encode(), settings.client_secret.encode()):
        raise LoginError(
            7000215,
            "invalid_client",
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
            "value, not the client secret ID.",
            401,
        )


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise LoginError(900023, "invalid_request", "The Authorization header is malformed.") from problem
    return unquote_plus(name), unquote_plus(secret)


def _grant_types(world: World, form: Form) -> tuple[str, dict[str, Any]]:
    grant_type = _need(form, "grant_type")
    if grant_type == "client_credentials":
        return "app", app_answer(world, read_app_scope(world.settings, _need(form, "scope")).resource)
    if grant_type == "authorization_code":
        grant = _redeem_code(world, form)
    elif grant_type == "refresh_token":
        grant = _redeem_refresh(world, form)
    elif grant_type == "urn:ietf:params:oauth:grant-type:jwt-bearer":
        grant = _redeem_assertion(world, form)
    else:
        raise LoginError(
            70003, "unsupported_grant_type", f"The app requested an unsupported grant type '{grant_type}'."
        )
    return grant.person, _full_answer(world, _with_claims(grant, form), form)


def _need(form: Form, name: str) -> str:
    if not form.get(name):
        text = f"The request body must contain the following parameter: '{name}'."
        raise LoginError(900144, "invalid_request", text)
    return form[name]


def _redeem_code(world: World, form: Form) -> Grant:
    issued = world.login.codes.get(_need(form, "code"))
    if issued is None:
        raise LoginError(70000, "invalid_grant", "The provided authorization code or refresh token is malformed.")
    if issued.is_used:
        text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
        raise LoginError(54005, "invalid_grant", text)
    if world.now() > issued.at + CODE_LIFE:
        raise LoginError(70008, "invalid_grant", "The provided authorization code has expired.")
    if form.get("redirect_uri") != issued.grant.redirect_uri:
        text = "The reply address does not match the one the authorization code was issued for."
        raise LoginError(500112, "invalid_grant", text)
    digest = hashlib.sha256(_need(form, "code_verifier").encode()).digest()
    if base64.urlsafe_b64encode(digest).decode().rstrip("=") != issued.grant.challenge:
        text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
        raise LoginError(501481, "invalid_grant", text)
    issued.is_used = True
    return _rescoped(world, issued.grant, form)


def _redeem_refresh(world: World, form: Form) -> Grant:
    issued = world.login.refresh.get(_need(form, "refresh_token"))
    if issued is None:
        raise LoginError(9002313, "invalid_grant", "Invalid request. Request is malformed or invalid.")
    if world.now() > issued.at + REFRESH_LIFE:
        raise LoginError(700082, "invalid_grant", "The refresh token has expired due to inactivity.")
    return replace(_rescoped(world, issued.grant, form), nonce=None)


def _redeem_assertion(world: World, form: Form) -> Grant:
    if form.get("requested_token_use") != "on_behalf_of":
        text = "The request body must contain the following parameter: 'requested_token_use'."
        raise LoginError(900144, "invalid_request", text)
    claims = _assertion(world, _need(form, "assertion"))
    person = world.person(str(claims["oid"]))
    if person is None:
        raise LoginError(50034, "invalid_grant", "The user account does not exist in this directory.")
    scopes = read_scopes(world.settings, _need(form, "scope"))
    # Entra carries over what the person has proven already.
    return Grant(person.id, scopes, "", "", None, "", "", world.now(), acrs=tuple(claims.get("acrs", ())))


def _assertion(world: World, token: str) -> dict[str, Any]:
    try:
        claims = world.key.read(token)
    except jwt.InvalidTokenError as problem:
        raise LoginError(50027, "invalid_grant", "JWT token is invalid or malformed.") from problem
    if claims["aud"] != world.settings.api_audience:
        text = f"Assertion failed audience check. Actual audience '{claims['aud']}'."
        raise LoginError(50013, "invalid_grant", text)
    if claims["exp"] <= world.now().timestamp():
        raise LoginError(500133, "invalid_grant", "Assertion is not within its valid time range.")
    if claims.get("idtyp") == "app" or "scp" not in claims:
        text = "Application is not allowed to make application on-behalf-of calls."
        raise LoginError(7000114, "invalid_grant", text)
    return claims


def _rescoped(world: World, grant: Grant, form: Form) -> Grant:
    if not form.get("scope"):
        return grant
    scopes = read_scopes(world.settings, form["scope"])
    return replace(grant, scopes=replace(scopes, oidc=scopes.oidc | grant.scopes.oidc & {"offline_access"}))


def _with_claims(grant: Grant, form: Form) -> Grant:
    wanted = read_claims(form.get("claims"))
    if set(wanted.get("acrs", ())) - set(grant.acrs):
        text = "The person must prove more than at their last sign-in, and nobody is there to be asked."
        raise LoginError(50076, "interaction_required", text, claims=form["claims"])
    return replace(grant, capabilities=wanted.get("xms_cc", grant.capabilities))


def _full_answer(world: World, grant: Grant, form: Form) -> dict[str, Any]:
    person = world.people[grant.person]
    answer = user_answer(world, person, grant)
    if "offline_access" in grant.scopes.oidc:
        # Entra hands out a new refresh token each time and goes on accepting the older ones.
        answer["refresh_token"] = f"{login_tokens.OPAQUE}{world.login.new_token()}"
        world.login.refresh[answer["refresh_token"]] = Issued(grant, world.now())
    if "openid" in grant.scopes.oidc:
        claims = login_tokens.id_claims(world.settings, person, grant, world.now())
        answer["id_token"] = world.key.sign(claims)
    if form.get("client_info") == "1":
        answer["client_info"] = login_tokens.client_info(world.settings, person)
    return answer


def _refusal(world: World, error: LoginError) -> Response:
    trace, correlation = str(uuid4()), str(uuid4())
    moment = world.now().strftime("%Y-%m-%d %H:%M:%SZ")
    body = {
        "error": error.error,
        "error_description": f"{error} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {moment}",
        "error_codes": [error.number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
    }
    if error.claims:
        body["claims"] = error.claims
    return JsonAnswer(body, error.status, {"cache-control": "no-store"})
