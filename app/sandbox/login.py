"""The emulated login.microsoftonline.com: discovery, keys and the authorize page.

Its documents print the real addresses, as an application with the real authority expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox import login_pages
from app.sandbox.login_grants import token_endpoint
from app.sandbox.login_scopes import OIDC, LoginError, read_claims, read_scopes
from app.sandbox.login_tokens import OPAQUE, Grant, Issued, Session, client_info, issuer
from app.sandbox.people import Person, Settings
from app.sandbox.wire import JsonAnswer
from app.sandbox.world import World

HOST = "https://login.microsoftonline.com"
ALIASES = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")
# The base64url form of a SHA-256 digest, without padding.
CHALLENGE_LENGTH = 43
COOKIE = "ESTSAUTH"  # a browser's own session
RESPONSE_MODES = ("query", "fragment", "form_post")


class _Unsafe(Exception):
    """A request whose redirect address cannot be trusted, so that the error must stay on our own page."""


def routes(world: World) -> list[BaseRoute]:
    """The routes below `/login`, closed over one world."""

    async def discovery(request: Request) -> Response:
        return _for_tenant(world, request) or JsonAnswer(_discovery(world.settings))

    async def keys(request: Request) -> Response:
        shared = request.path_params["tenant"] in {"common", "organizations"}
        refused = None if shared else _for_tenant(world, request)
        return refused or JsonAnswer(world.key.jwks(issuer(world.settings)))

    async def instances(_request: Request) -> Response:
        return JsonAnswer(_instances(world.settings))

    async def authorize(request: Request) -> Response:
        return _for_tenant(world, request) or _authorize(world, request)

    async def choose(request: Request) -> Response:
        return _choose(world, dict((await request.form()).items()), request)

    async def token(request: Request) -> Response:
        return _for_tenant(world, request) or await token_endpoint(world, request)

    root = "/login/{tenant}"
    return [
        Route("/login/common/discovery/instance", instances),
        Route(f"{root}/v2.0/.well-known/openid-configuration", discovery),
        Route(f"{root}/discovery/v2.0/keys", keys),
        Route(f"{root}/oauth2/v2.0/authorize", authorize),
        Route(f"{root}/login", choose, methods=["POST"]),
        Route(f"{root}/oauth2/v2.0/token", token, methods=["GET", "POST"]),
    ]


def _for_tenant(world: World, request: Request) -> Response | None:
    tenant = request.path_params["tenant"]
    if tenant == world.settings.tenant:
        return None
    text = f"AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
    return JsonAnswer({"error": "invalid_tenant", "error_description": text, "error_codes": [90002]}, 400)


def _discovery(settings: Settings) -> dict[str, Any]:
    root = f"{HOST}/{settings.tenant}"
    return {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": list(RESPONSE_MODES),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": sorted(OIDC),
        "issuer": issuer(settings),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }


def _instances(settings: Settings) -> dict[str, Any]:
    network = {"preferred_network": ALIASES[0], "preferred_cache": ALIASES[1], "aliases": list(ALIASES)}
    return {
        "tenant_discovery_endpoint": f"{HOST}/{settings.tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [network],
    }


def _authorize(world: World, request: Request) -> Response:
    asked = dict(request.query_params.items())
    try:
        _check_client(world.settings, asked)
    except _Unsafe as problem:
        return login_pages.problem(str(problem))
    try:
        grant = _grant(world, asked)
    except LoginError as error:
        answer = {"error": error.error, "error_description": str(error), "state": asked["state"]}
        return _deliver(asked["redirect_uri"], asked.get("response_mode", "query"), answer)
    hint = world.person(asked.get("login_hint", ""))
    session = _session(world, request)
    if session is not None and grant.prompt in {"", "none"} and (hint is None or hint.id == session.person):
        return _signed_on(world, grant, session, request)
    if grant.prompt == "none":
        return _refuse(grant, LoginError(50058, "login_required", "A silent sign-in was sent but nobody is signed in."))
    ticket = world.login.new_token()
    world.login.asked[ticket] = grant
    people = sorted(world.people.values(), key=lambda person: person is not hint)
    return login_pages.picker(people, ticket, f"/login/{world.settings.tenant}/login", hinted=hint is not None)


def _check_client(settings: Settings, asked: Mapping[str, str]) -> None:
    if asked.get("client_id") != settings.client_id:
        raise _Unsafe(
            f"AADSTS700016: Application with identifier '{asked.get('client_id')}' was not found in the directory."
        )
    if asked.get("redirect_uri") != settings.redirect_uris["microsoft"]:
        raise _Unsafe(
            f"AADSTS50011: The redirect URI '{asked.get('redirect_uri')}' specified in the request does not match "
            "the redirect URIs configured for the application."
        )
    if not asked.get("state"):
        raise _Unsafe("AADSTS900144: The request must contain the following parameter: 'state'.")
    if asked.get("response_mode", "query") not in RESPONSE_MODES:
        raise _Unsafe("AADSTS70007: The value of 'response_mode' is not supported.")


def _grant(world: World, asked: Mapping[str, str]) -> Grant:
    if asked.get("response_type") != "code":
        raise LoginError(700054, "unsupported_response_type", "response_type must be 'code' for this application.")
    if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != CHALLENGE_LENGTH:
        raise LoginError(
            9002325, "invalid_request", "Proof Key for Code Exchange is required: an S256 code_challenge is missing."
        )
    if not asked.get("scope"):
        raise LoginError(900144, "invalid_request", "The request body must contain the following parameter: 'scope'.")
    wanted = read_claims(asked.get("claims"))
    return Grant(
        person="",
        scopes=read_scopes(world.settings, asked["scope"]),
        redirect_uri=asked["redirect_uri"],
        challenge=asked["code_challenge"],
        nonce=asked.get("nonce"),
        state=asked["state"],
        response_mode=asked.get("response_mode", "query"),
        signed_in=world.now(),
        acrs=wanted.get("acrs", ()),
        capabilities=wanted.get("xms_cc", ()),
        client_info=asked.get("client_info") == "1",
        wants_auth_time="auth_time" in read_claims(asked.get("claims"), "id_token"),
        prompt=asked.get("prompt", ""),
    )


def _session(world: World, request: Request) -> Session | None:
    return world.login.sessions.get(request.cookies.get(COOKIE, ""))


def _signed_on(world: World, grant: Grant, session: Session, request: Request) -> Response:
    """Single sign-on: nobody is asked anything, and the time of the sign-in stays the old one."""
    request.state.who = session.person
    answer = _code_answer(world, grant, world.people[session.person], session.signed_in)
    return _deliver(grant.redirect_uri, grant.response_mode, answer)


def _choose(world: World, form: Mapping[str, Any], request: Request) -> Response:
    grant = world.login.asked.pop(str(form.get("request")), None)
    if grant is None:
        return login_pages.problem("AADSTS165000: This sign-in was already used. Go back to the application.")
    if "cancel" in form:
        error = LoginError(65004, "access_denied", "User declined to consent to access the app.")
        return _refuse(grant, error, error_subcode="cancel")
    person = world.person(str(form.get("person")))
    if person is None:
        return login_pages.problem("AADSTS50034: The user account does not exist in this directory.")
    request.state.who = person.id
    before = _session(world, request)
    kept = before is not None and before.person == person.id and grant.prompt != "login"
    session = before if before is not None and kept else Session(person.id, world.now())
    answer = _code_answer(world, grant, person, session.signed_in)
    return _remember(world, session, _deliver(grant.redirect_uri, grant.response_mode, answer))


def _remember(world: World, session: Session, response: Response) -> Response:
    """From now on the browser is signed in, as long as its cookie lives."""
    secret = world.login.new_token()
    world.login.sessions[secret] = session
    response.set_cookie(COOKIE, secret, path="/", secure=True, httponly=True, samesite="none")
    return response


def _refuse(grant: Grant, error: LoginError, **more: str) -> Response:
    answer = {"error": error.error, "error_description": str(error), "state": grant.state, **more}
    return _deliver(grant.redirect_uri, grant.response_mode, answer)


def _code_answer(world: World, grant: Grant, person: Person, signed_in: datetime) -> dict[str, str]:
    code = f"{OPAQUE}{world.login.new_token()}"
    world.login.codes[code] = Issued(replace(grant, person=person.id, signed_in=signed_in), world.now())
    answer = {"code": code, "state": grant.state, "session_state": world.login.new_token()}
    return answer | ({"client_info": client_info(world.settings, person)} if grant.client_info else {})


def _deliver(redirect_uri: str, mode: str, answer: dict[str, str]) -> Response:
    if mode == "form_post":
        return login_pages.form_post(redirect_uri, answer)
    mark = "#" if mode == "fragment" else "?"
    return RedirectResponse(f"{redirect_uri}{mark}{urlencode(answer)}", 302)
