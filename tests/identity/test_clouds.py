"""Clouds: sign-in, scopes, issuers and addresses all come from the chosen cloud, and nothing goes to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from fakes_identity import CLIENT, KEYS, PUBLIC, TENANT, FakeClock, FakeLinks
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

from app.domain.errors import BotError, Unavailable
from app.identity.clouds import CHINA, CLOUDS, GLOBAL, USGOV, USGOV_DOD, Cloud
from app.identity.entra import Entra, Registration
from app.identity.keyring import Keyring
from app.identity.microsoft import MicrosoftSignIn
from app.identity.msal_http import LoginHttp
from app.identity.origins import Origins
from app.identity.tokens import MicrosoftTokens
from app.identity.wire import PinnedHttp

INSTALL = Path(__file__).parents[2] / "docs" / "install.md"
NATIONAL = [USGOV, USGOV_DOD, CHINA]
each_cloud = pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS.keys())


@dataclass
class NationalLogin:
    """A cloud's sign-in service; `describes`: the login root its discovery names, its own by default."""

    cloud: Cloud
    describes: str = ""
    asked: list[str] = field(default_factory=list)
    forms: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.scheme}://{request.url.host}")
        if request.method == "GET":
            root = f"{self.describes or self.cloud.login}/{TENANT}/oauth2/v2.0"
            endpoints = {f"{name}_endpoint": f"{root}/{path}" for name, path in ENDPOINTS.items()}
            return httpx.Response(200, json={"issuer": f"{self.cloud.login}/{TENANT}/v2.0", **endpoints})
        self.forms.append(dict(parse_qsl(request.content.decode())))
        return httpx.Response(200, json={"token_type": "Bearer", "expires_in": 3600, "access_token": "canary-own"})


ENDPOINTS = {"authorization": "authorize", "token": "token"}


def entra_in(cloud: Cloud, login: NationalLogin) -> Entra:
    http = LoginHttp(Origins(cloud=cloud), httpx.MockTransport(login))
    return Entra(Registration(TENANT, CLIENT, "secret", cloud), http)


@pytest.mark.parametrize("scope", [*GLOBAL.graph_scopes, *GLOBAL.arm_scopes])
def test_every_permission_that_people_are_asked_for_is_explained_to_administrators(scope: str) -> None:
    assert f"`{scope.rpartition('/')[2]}`" in INSTALL.read_text(encoding="utf-8")


def test_the_global_cloud_is_what_it_always_was() -> None:
    assert CLOUDS["global"] is GLOBAL
    assert GLOBAL.graph_scopes[0] == "https://graph.microsoft.com/User.Read"
    assert (GLOBAL.graph_application_scope, GLOBAL.arm_application_scope, GLOBAL.arm_scopes) == (
        "https://graph.microsoft.com/.default",
        "https://management.azure.com/.default",
        ("https://management.azure.com/user_impersonation",),
    )


def test_no_two_clouds_share_a_graph_and_none_can_be_added() -> None:
    assert len({cloud.graph for cloud in CLOUDS.values()}) == len(CLOUDS) == 4
    with pytest.raises(TypeError):
        CLOUDS["germany"] = GLOBAL  # type: ignore[index]  # what is being tested


@each_cloud
def test_every_address_is_a_bare_https_origin(cloud: Cloud) -> None:
    for address in (cloud.login, cloud.graph, cloud.arm, cloud.arm_audience, cloud.portal):
        parts = urlsplit(address)
        assert (parts.scheme, address) == ("https", f"https://{parts.hostname}")


@each_cloud
def test_msal_knows_the_authority(cloud: Cloud) -> None:
    assert urlsplit(cloud.login).hostname in WELL_KNOWN_AUTHORITY_HOSTS


@each_cloud
async def test_the_bots_own_token_is_asked_for_in_its_cloud_only(cloud: Cloud) -> None:
    login = NationalLogin(cloud)
    tokens = MicrosoftTokens(entra_in(cloud, login), FakeLinks(), Keyring.parse(KEYS), FakeClock())
    assert await tokens.application()() == "canary-own"
    assert [form["scope"] for form in login.forms] == [f"{cloud.graph}/.default"]
    assert set(login.asked) == {cloud.login}


@each_cloud
async def test_people_are_sent_to_their_clouds_sign_in_with_its_scopes(cloud: Cloud) -> None:
    login, origins = NationalLogin(cloud), Origins(cloud=cloud)
    http = PinnedHttp(origins, httpx.MockTransport(login))
    address, _ = await MicrosoftSignIn(entra_in(cloud, login), http, origins, PUBLIC).begin("state", FakeClock()())
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{cloud.login}/{TENANT}/oauth2/v2.0/authorize?")
    assert set(cloud.graph_scopes) < set(asked["scope"][0].split())
    assert set(login.asked) == {cloud.login}


@each_cloud
def test_issuer_and_keys_belong_to_the_cloud(cloud: Cloud) -> None:
    registration = Registration(TENANT, CLIENT, "secret", cloud)
    assert registration.issuer == f"{cloud.login}/{TENANT}/v2.0"
    assert registration.keys_url == f"{cloud.login}/{TENANT}/discovery/v2.0/keys"


@pytest.mark.parametrize("cloud", NATIONAL, ids=lambda cloud: cloud.name)
def test_another_clouds_addresses_are_not_called(cloud: Cloud) -> None:
    origins = Origins(cloud=cloud)
    assert origins.to_wire(f"{cloud.graph}/v1.0/me") == f"{cloud.graph}/v1.0/me"
    assert origins.form_targets()[-1] == cloud.login
    for foreign in (GLOBAL.graph, GLOBAL.arm, GLOBAL.login):
        with pytest.raises(BotError, match="does not call"):
            origins.to_wire(f"{foreign}/v1.0/me")


@pytest.mark.parametrize("cloud", NATIONAL, ids=lambda cloud: cloud.name)
async def test_a_discovery_that_names_another_cloud_sees_no_secret(cloud: Cloud) -> None:
    login = NationalLogin(cloud, describes=GLOBAL.login)
    tokens = MicrosoftTokens(entra_in(cloud, login), FakeLinks(), Keyring.parse(KEYS), FakeClock())
    with pytest.raises(Unavailable, match="another tenant"):
        await tokens.application()()
    assert login.forms == []
