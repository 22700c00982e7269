"""The client under MSAL never leaves the allow-list, never follows, and lets no answer through that MSAL would log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import msal
import pytest
from fakes_identity import CLIENT, TENANT, FakeClock, Providers, make_entra

from app.domain.breaker import in_a_round
from app.domain.errors import BotError, Malformed, Unavailable
from app.identity.clouds import GLOBAL
from app.identity.entra import Entra, Registration
from app.identity.msal_http import LoginHttp
from app.identity.origins import Origins
from app.identity.wire import PinnedHttp

DISCOVERY = f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
TOKEN = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"


@dataclass
class Server:
    """Answers everything alike and remembers who was asked; `at` is the clock in seconds."""

    response: httpx.Response = field(default_factory=lambda: httpx.Response(200, json={"a": 1}))
    asked: list[str] = field(default_factory=list)
    at: float = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return self.response

    def http(self, origins: Origins | None = None) -> LoginHttp:
        return LoginHttp(origins or Origins(), httpx.MockTransport(self), lambda: self.at)


def test_a_token_call_to_another_host_is_refused_before_it_leaves() -> None:
    server = Server()
    for url in ("https://evil.example/token", f"http://login.microsoftonline.com/{TENANT}", f"{TOKEN}/../../x"):
        with pytest.raises(BotError):
            server.http().post(url, data={"client_secret": "canary"})
        with pytest.raises(BotError):
            server.http().get(url)
    assert server.asked == []


def test_the_sandbox_map_sends_real_addresses_to_loopback() -> None:
    server = Server()
    server.http(Origins(login="http://127.0.0.1:8765/login")).post(TOKEN, data={})
    assert server.asked == [f"http://127.0.0.1:8765/login/{TENANT}/oauth2/v2.0/token"]


def test_a_redirect_is_not_followed() -> None:
    server = Server(httpx.Response(302, headers={"location": "https://evil.example"}, json={}))
    assert server.http().post(TOKEN, data={}).status_code == 302
    assert server.asked == [TOKEN]


def test_discovery_is_remembered_for_a_day_and_token_calls_never() -> None:
    server = Server()
    http = server.http()
    for _ in range(3):
        http.get(DISCOVERY)
        http.post(TOKEN, data={})
    assert server.asked.count(DISCOVERY) == 1
    assert server.asked.count(TOKEN) == 3
    server.at += 24 * 3600.0
    http.get(DISCOVERY)
    assert server.asked.count(DISCOVERY) == 2


def test_failed_discovery_is_not_remembered() -> None:
    server = Server(httpx.Response(404, json={}))
    http = server.http()
    for _ in range(2):
        with pytest.raises(Unavailable):
            http.get(DISCOVERY)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "header, seconds", [("7", 7.0), ("99999999", 3600.0), ("-1", None), ("soon", None), ("", None), ("²", None)]
)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_outages_are_raised_with_the_wait_that_was_asked_for(status: int, header: str, seconds: float | None) -> None:
    server = Server(httpx.Response(status, headers={b"retry-after": header.encode()}, text="<html>"))
    with pytest.raises(Unavailable) as caught:
        server.http().post(TOKEN, data={})
    assert caught.value.retry_after == seconds


def test_whose_credential_was_told_to_wait_asks_nothing_until_then_whatever_it_is_for() -> None:
    server = Server(httpx.Response(429, headers={"retry-after": "30"}, json={}))
    http = server.http()
    for scope in ("graph", "arm"):
        with pytest.raises(Unavailable) as caught:
            http.post(TOKEN, data={"refresh_token": "ann", "scope": scope})
        assert caught.value.retry_after == 30.0
    assert len(server.asked) == 1
    server.response = httpx.Response(200, json={})
    http.post(TOKEN, data={"refresh_token": "ben", "scope": "graph"})
    http.post(TOKEN, data={"client_id": "bot", "grant_type": "client_credentials"})
    server.at += 30.0
    http.post(TOKEN, data={"refresh_token": "ann", "scope": "arm"})
    assert len(server.asked) == 4


async def test_the_rounds_leave_a_sign_in_service_alone_that_does_not_answer() -> None:
    server = Server(httpx.Response(503, text="<html>"))
    entra = Entra(Registration(TENANT, CLIENT, "secret"), server.http())
    for number in range(30):
        with in_a_round(), pytest.raises(Unavailable):
            await entra.run(lambda number=number: server_token(entra, number))
    assert 0 < len(server.asked) < 10
    asked = len(server.asked)
    with pytest.raises(Unavailable, match="is busy"):
        await entra.run(lambda: server_token(entra, 0))
    assert len(server.asked) == asked + 1
    entra.close()


def server_token(entra: Entra, number: int) -> object:
    return entra._http.post(TOKEN, data={"refresh_token": f"{number}"})  # noqa: SLF001 - what MSAL does with it


@pytest.mark.parametrize("body", ["<html>canary", "", "[]", '"canary"', "{", "\ufeff"])
def test_what_is_no_json_object_never_reaches_msal_nor_the_log(body: str, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(httpx.Response(200, text=body))
    with caplog.at_level(logging.DEBUG, "msal"), pytest.raises(Malformed) as caught:
        server.http().post(TOKEN, data={})
    assert "canary" not in caplog.text + str(caught.value)


@pytest.mark.parametrize("failure", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
def test_a_broken_connection_is_an_outage(failure: httpx.HTTPError) -> None:
    def broken(_request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(Unavailable):
        LoginHttp(Origins(), httpx.MockTransport(broken)).post(TOKEN, data={})


@pytest.mark.parametrize("endpoint", ["https://evil.example/token", TOKEN.replace(TENANT, CLIENT), f"{TOKEN}x"])
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint"])
def test_discovery_that_describes_another_place_is_refused(name: str, endpoint: str) -> None:
    root = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0"
    document = {"authorization_endpoint": f"{root}/authorize", "token_endpoint": TOKEN, name: endpoint}
    server = Server(httpx.Response(200, json=document))
    entra = Entra(Registration(TENANT, CLIENT, "secret"), server.http())
    with pytest.raises(Unavailable, match="another tenant"):
        entra.application(msal.TokenCache())
    assert server.asked == [DISCOVERY]


def test_msal_asks_for_nothing_but_discovery_and_tokens() -> None:
    providers = Providers(FakeClock())
    entra = make_entra(providers)
    for _ in range(2):
        application = entra.application(msal.SerializableTokenCache())
        application.initiate_auth_code_flow(
            list(GLOBAL.graph_scopes), redirect_uri="https://x", state="s", response_mode="form_post"
        )
        application.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    assert providers.calls == [
        f"GET login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration",
        f"POST login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
        f"POST login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
    ]


def test_a_registration_shows_no_secret() -> None:
    assert "canary" not in repr(Registration(TENANT, CLIENT, "canary"))


# --- the surroundings ---


@pytest.fixture
def neighbours(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], list[str], str]]:
    """What a service and a proxy of the environment were asked, and where the service lies. Certificates are junk."""
    with listening() as (service, address), listening() as (proxy, proxy_address):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy_address)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
            monkeypatch.setenv(name, "/nowhere/at/all.pem")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield service, proxy, address


@contextmanager
def listening() -> Iterator[tuple[list[str], str]]:
    """A server on this machine that answers `{}`; the request lines it got, and its address."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.requestline)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            del format, args  # nobody reads it

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield asked, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_no_proxy_and_no_certificates_of_the_environment_are_used(
    neighbours: tuple[list[str], list[str], str],
) -> None:
    service, proxy, address = neighbours
    http = LoginHttp(Origins(login=f"{address}/login"))
    http.post(TOKEN, data={"client_secret": "canary"})
    http.close()
    assert (len(service), proxy) == (1, [])


async def test_the_other_client_heeds_no_environment_either(neighbours: tuple[list[str], list[str], str]) -> None:
    service, proxy, address = neighbours
    http = PinnedHttp(Origins(slack_api=f"{address}/slack/api"))
    await http.post("https://slack.com/api/openid.connect.token", {"client_secret": "canary"})
    await http.aclose()
    assert (len(service), proxy) == (1, [])


def test_every_call_has_a_time_limit() -> None:
    limits: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"])
        return httpx.Response(200, json={})

    http = LoginHttp(Origins(), httpx.MockTransport(answer))
    http.get(DISCOVERY)
    http.post(TOKEN, data={})
    assert limits == [{"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 10.0}] * 2
