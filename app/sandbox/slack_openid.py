"""Sign in with Slack: the authorize page with its person picker, code exchange, user info and public keys.

It proves which Slack account sits at the browser and grants nothing else. A code is good once, for ten
minutes; an ID token for five.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.login_tokens import SigningKey
from app.sandbox.page_templates import render
from app.sandbox.slack_calls import SlackError
from app.sandbox.slack_records import SlackCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.sandbox.people import Person
    from app.sandbox.slack_records import Json
    from app.sandbox.slack_state import Workspace
    from app.sandbox.world import World

AUTHORIZE = "/slack/openid/connect/authorize"
ISSUER = "https://slack.com"
CODE_LIFE = timedelta(minutes=10)
TOKEN_SECONDS = 300
KNOWN_SCOPES = frozenset({"openid", "email", "profile"})
METHODS = frozenset({"openid.connect.token", "openid.connect.userInfo"})


def routes(world: World) -> list[BaseRoute]:
    """The pages and the key set below `/slack/openid/connect/`."""

    async def ask(request: Request) -> Response:
        problem = why_not(world.workspace, request.query_params)
        if problem:
            return HTMLResponse(render("openid.html", problem=problem), status_code=400)
        looking = request.cookies.get("sandbox_person", "")
        people = list(world.workspace.members.values())
        return HTMLResponse(render("openid.html", people=people, looking=looking))

    async def choose(request: Request) -> Response:
        problem = why_not(world.workspace, request.query_params)
        if problem:
            return HTMLResponse(render("openid.html", problem=problem), status_code=400)
        chosen = world.person(str((await request.form()).get("person", "")))
        return RedirectResponse(_way_back(world.workspace, request.query_params, chosen), status_code=302)

    async def keys(_request: Request) -> JSONResponse:
        return JSONResponse(_key_set(_key(world.workspace)))

    return [
        Route(AUTHORIZE, ask, methods=["GET"]),
        Route(AUTHORIZE, choose, methods=["POST"]),
        Route("/slack/openid/connect/keys", keys, methods=["GET"]),
    ]


def why_not(workspace: Workspace, query: Mapping[str, str]) -> str:
    """Why an authorize request is refused, empty if it is sound; Slack shows it and does not redirect."""
    settings = workspace.settings
    if query.get("client_id") != settings.slack_client_id:
        return "invalid_client_id: no app has this client_id."
    if query.get("redirect_uri") != settings.redirect_uris["slack"]:
        return "bad_redirect_uri: the redirect_uri is not one the app has registered."
    if query.get("response_type") != "code":
        return "invalid_response_type: response_type must be code."
    scopes = query.get("scope", "").replace(",", " ").split()
    if "openid" not in scopes or not KNOWN_SCOPES.issuperset(scopes):
        return "invalid_scope: scope must hold openid, and besides it only email and profile."
    if query.get("team", settings.team) != settings.team:
        return "invalid_team_for_non_distributed_app: the app is not installed in that workspace."
    return ""


def run(workspace: Workspace, name: str, raw: Json, request: Request) -> Json:
    """The two Web API methods of OpenID Connect; they take no bot token. Raises `SlackError`."""
    if name == "openid.connect.token":
        return _exchange(workspace, raw, request)
    token = request.headers.get("authorization", "").removeprefix("Bearer ") or raw.get("token", "")
    code = workspace.sign_ins.tokens.get(token)
    if code is None:
        raise SlackError("invalid_auth" if token else "not_authed")
    return {"ok": True, **_about(workspace, code)}


def _way_back(workspace: Workspace, query: Mapping[str, str], chosen: Person | None) -> str:
    """The redirect to the app: a fresh code for the chosen person, or access_denied if none was chosen."""
    back = {"state": query["state"]} if "state" in query else {}
    if chosen is None or chosen.slack is None:
        return f"{query['redirect_uri']}?{urlencode({'error': 'access_denied', **back})}"
    scopes = tuple(query["scope"].replace(",", " ").split())
    code = secrets.token_urlsafe(24)
    workspace.sign_ins.codes[code] = SlackCode(
        chosen.slack, query["redirect_uri"], scopes, query.get("nonce", ""), workspace.clock()
    )
    return f"{query['redirect_uri']}?{urlencode({'code': code, **back})}"


def _exchange(workspace: Workspace, raw: Json, request: Request) -> Json:
    _check_client(workspace, raw, request)
    if raw.get("grant_type", "authorization_code") != "authorization_code":
        raise SlackError("invalid_grant_type")
    code = workspace.sign_ins.codes.get(str(raw.get("code", "")))
    if code is None or workspace.clock() - code.at > CODE_LIFE:
        raise SlackError("invalid_code")
    if code.is_used:
        raise SlackError("code_already_used")
    if raw.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
        raise SlackError("bad_redirect_uri")
    code.is_used = True
    token = f"xoxp-{secrets.token_hex(24)}"
    workspace.sign_ins.tokens[token] = code
    claims = _claims(workspace, code, token)
    return {
        "ok": True,
        "access_token": token,
        "token_type": "Bearer",
        "id_token": _key(workspace).sign(claims),
    }


def _check_client(workspace: Workspace, raw: Json, request: Request) -> None:
    known, secret = raw.get("client_id"), raw.get("client_secret")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            known, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise SlackError("invalid_client_id") from None
    if known != workspace.settings.slack_client_id:
        raise SlackError("invalid_client_id")
    if secret != workspace.settings.slack_client_secret:
        raise SlackError("bad_client_secret")
    request.state.who = "bot"


def _claims(workspace: Workspace, code: SlackCode, token: str) -> dict[str, Any]:
    now = int(workspace.clock().timestamp())
    half = hashlib.sha256(token.encode()).digest()[:16]
    claims = {
        "iss": ISSUER,
        "aud": workspace.settings.slack_client_id,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "auth_time": now,
        "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        **_about(workspace, code),
    }
    return claims | ({"nonce": code.nonce} if code.nonce else {})


def _about(workspace: Workspace, code: SlackCode) -> dict[str, Any]:
    person = workspace.members[code.user]
    first, _, last = person.name.partition(" ")
    about: dict[str, Any] = {
        "sub": code.user,
        "https://slack.com/user_id": code.user,
        "https://slack.com/team_id": workspace.settings.team,
    }
    if "email" in code.scopes and person.mail:
        about |= {"email": person.mail, "email_verified": True}
    if "profile" in code.scopes:
        about |= {"name": person.name, "given_name": first, "family_name": last, "locale": "en-US"}
        about |= {"https://slack.com/team_name": "Contoso", "https://slack.com/team_domain": "contoso"}
    return about


def _key(workspace: Workspace) -> SigningKey:
    """Slack's own key, made when first needed: another one than Microsoft's."""
    if workspace.sign_ins.key is None:
        workspace.sign_ins.key = SigningKey.make()
    return workspace.sign_ins.key


def _key_set(key: SigningKey) -> Json:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.private.public_key()))
    numbers = {"n": public["n"], "e": public["e"]}
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid, **numbers}]}
