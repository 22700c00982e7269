"""Only three providers' addresses ever leave, in production and in the sandbox."""

from __future__ import annotations

import pytest

from app.domain.errors import BotError
from app.identity.origins import Origins

WORLD = Origins(
    graph="http://127.0.0.1:8765/graph",
    arm="http://127.0.0.1:8765/arm",
    login="http://127.0.0.1:8765/login",
    slack_api="http://127.0.0.1:8765/slack/api",
)
ALLOWED = [
    ("https://graph.microsoft.com/v1.0/me?$select=id", "graph/v1.0/me?$select=id"),
    ("https://management.azure.com/subscriptions", "arm/subscriptions"),
    ("https://login.microsoftonline.com/t/oauth2/v2.0/token", "login/t/oauth2/v2.0/token"),
    ("https://slack.com/openid/connect/authorize?a=b%20c", "slack/openid/connect/authorize?a=b%20c"),
    ("https://slack.com/openid/connect/keys", "slack/openid/connect/keys"),
    ("https://slack.com/api/openid.connect.token", "slack/api/openid.connect.token"),
]


@pytest.mark.parametrize("real, lies", ALLOWED)
def test_a_known_address_is_mapped_to_its_override(real: str, lies: str) -> None:
    assert WORLD.to_wire(real) == f"http://127.0.0.1:8765/{lies}"


@pytest.mark.parametrize("real", [real for real, _ in ALLOWED])
def test_in_production_every_address_stands_for_itself(real: str) -> None:
    assert Origins().to_wire(real) == real


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1.0/me",
        "http://graph.microsoft.com/v1.0/me",
        "https://graph.microsoft.com",
        "https://graph.microsoft.com.evil.example/me",
        "https://graph.microsoft.com@evil.example/me",
        "https://user:pw@graph.microsoft.com/me",
        "https://graph.microsoft.com:8443/me",
        "https://graph.microsoft.com:443/me",
        "https://GRAPH.microsoft.com/me",
        "HTTPS://graph.microsoft.com/me",
        "//graph.microsoft.com/me",
        "/v1.0/me",
        "",
        "javascript:alert(1)",
        "https://graph.microsoft.com\\@evil.example/me",
        "https://graph.microsoft.com/\\evil.example",
        "https://graph.microsoft.com/v1.0/../../control",
        "https://graph.microsoft.com/v1.0/%2e%2e/control",
        "https://graph.microsoft.com/v1.0/..%2fcontrol",
        "https://graph.microsoft.com/me\r\nHost: evil.example",
        "https://graph.microsoft.com/me\n",
        "https://graph.microsoft.com/me#@evil.example/",
        " https://graph.microsoft.com/me",
        "https://graph.microsoft.com/mé",
        "https://graph.microsoft.com/" + "a" * 9000,
        "https://login.microsoftonline.us/t/oauth2/v2.0/token",
        "https://login.windows.net/t/oauth2/v2.0/token",
        "https://slack.com/api/chat.postMessage",
        "https://slack.com/openid/connectx",
        "https://hooks.slack.com/openid/connect/keys",
        "http://127.0.0.1:8765/graph/v1.0/me",
    ],
)
@pytest.mark.parametrize("origins", [Origins(), WORLD])
def test_every_other_address_is_refused(origins: Origins, url: str) -> None:
    with pytest.raises(BotError, match="does not call this address"):
        origins.to_wire(url)


def test_sign_in_pages_may_lead_to_the_two_providers_and_slacks_own_subdomains() -> None:
    real = ("https://slack.com", "https://*.slack.com", "https://login.microsoftonline.com")
    assert Origins().form_targets() == real
    assert WORLD.form_targets() == ("http://127.0.0.1:8765",)
