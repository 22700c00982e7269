"""Settings of credentials and clouds: exactly one credential an application, and a sentence without secrets if not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from certificates import certificate_pem, key_pem, rsa_key

from app.domain.errors import BadSettings
from app.identity.clouds import CLOUDS
from app.settings import Settings, load_settings

GUID = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"
SOUND = {
    "PIM_SLACK_BOT_TOKEN": "xoxb-canary-token",
    "PIM_SLACK_SIGNING_SECRET": "canary-signing",
    "PIM_SLACK_CLIENT_ID": "123.456",
    "PIM_SLACK_CLIENT_SECRET": "canary-slack-secret",
    "PIM_APPROVERS_CHANNEL": "C0123456789",
    "PIM_TENANT_ID": GUID,
    "PIM_CLIENT_ID": GUID,
    "PIM_PUBLIC_URL": "https://pim.example.com",
    "PIM_KEYS": f"k1:{'A' * 43}",
}
POLLER = {"PIM_POLLER_CLIENT_ID": GUID}


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine and no .env of this checkout reaches a test; the files are where tests name them."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PIM_{name.upper()}", raising=False)
    now, key = datetime.now(UTC), rsa_key()
    year = timedelta(days=365)
    (tmp_path / "bot.pem").write_bytes(key_pem(key) + certificate_pem(key, now - year, now + year))
    (tmp_path / "locked.pem").write_bytes(key_pem(key, "canary") + certificate_pem(key, now - year, now + year))
    (tmp_path / "old.pem").write_bytes(key_pem(key) + certificate_pem(key, now - year, now - timedelta(days=1)))
    (tmp_path / "only.pem").write_bytes(certificate_pem(key, now - year, now + year))
    (tmp_path / "token").write_text(jwt.encode({"sub": "canary"}, key, "RS256"), encoding="ascii")


def load(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> Settings:
    for name, value in {**SOUND, **settings}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def mistakes(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(monkeypatch, settings)
    return str(caught.value).splitlines()


def test_a_secret_is_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, {"PIM_CLIENT_SECRET": "canary"})
    assert (settings.credential(), settings.poller_credential()) == ("canary", None)


@pytest.mark.parametrize(
    "given", [{"PIM_CLIENT_CERTIFICATE": "bot.pem"}, {"PIM_CLIENT_CERTIFICATE": "locked.pem", "PHRASE": "canary"}]
)
def test_a_certificate_is_a_credential(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    named = {name.replace("PHRASE", "PIM_CLIENT_CERTIFICATE_PASSPHRASE"): value for name, value in given.items()}
    proof = load(monkeypatch, named).credential()
    assert not isinstance(proof, str)
    assert set(proof) == {"private_key", "public_certificate"}


def test_a_federated_token_is_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = load(monkeypatch, {"PIM_CLIENT_FEDERATED_TOKEN_FILE": "token"}).credential()
    assert not isinstance(proof, str)
    assert set(proof) == {"client_assertion"}


def test_the_poller_has_a_credential_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"PIM_CLIENT_CERTIFICATE": "bot.pem", "PIM_POLLER_CLIENT_SECRET": "canary", **POLLER}
    settings = load(monkeypatch, given)
    assert settings.poller_credential() == "canary"
    assert not isinstance(settings.credential(), str)


SECRET = {"PIM_CLIENT_SECRET": "canary"}
WRONG: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, "PIM_CLIENT_SECRET is missing."),
    "a passphrase alone": ({"PIM_CLIENT_CERTIFICATE_PASSPHRASE": "canary"}, "PIM_CLIENT_SECRET is missing."),
    "two": (
        {**SECRET, "PIM_CLIENT_CERTIFICATE": "bot.pem"},
        "PIM_CLIENT_SECRET and PIM_CLIENT_CERTIFICATE are set, but only one may be.",
    ),
    "all three": (
        {**SECRET, "PIM_CLIENT_CERTIFICATE": "bot.pem", "PIM_CLIENT_FEDERATED_TOKEN_FILE": "token"},
        "PIM_CLIENT_SECRET, PIM_CLIENT_CERTIFICATE and PIM_CLIENT_FEDERATED_TOKEN_FILE are set, but only one may be.",
    ),
    "an empty secret": ({"PIM_CLIENT_SECRET": " "}, "PIM_CLIENT_SECRET: must not be empty."),
    "no file": (
        {"PIM_CLIENT_CERTIFICATE": "nowhere.pem"},
        "PIM_CLIENT_CERTIFICATE: the file nowhere.pem cannot be read (No such file or directory).",
    ),
    "no key": ({"PIM_CLIENT_CERTIFICATE": "only.pem"}, "PIM_CLIENT_CERTIFICATE: there is no private key in the file."),
    "locked": (
        {"PIM_CLIENT_CERTIFICATE": "locked.pem"},
        "PIM_CLIENT_CERTIFICATE: the private key is encrypted: give its passphrase.",
    ),
    "no token": (
        {"PIM_CLIENT_FEDERATED_TOKEN_FILE": "bot.pem"},
        "PIM_CLIENT_FEDERATED_TOKEN_FILE: the file bot.pem holds no token.",
    ),
    "a poller without proof": ({**SECRET, **POLLER}, "PIM_POLLER_CLIENT_SECRET is missing."),
    "a poller with two proofs": (
        {**SECRET, **POLLER, "PIM_POLLER_CLIENT_SECRET": "canary", "PIM_POLLER_CLIENT_FEDERATED_TOKEN_FILE": "token"},
        "PIM_POLLER_CLIENT_SECRET and PIM_POLLER_CLIENT_FEDERATED_TOKEN_FILE are set, but only one may be.",
    ),
    "a proof without a poller": (
        {**SECRET, "PIM_POLLER_CLIENT_CERTIFICATE": "bot.pem"},
        "PIM_POLLER_CLIENT_ID is missing, though PIM_POLLER_CLIENT_CERTIFICATE is set.",
    ),
    "a poller by name": (
        {**SECRET, "PIM_POLLER_CLIENT_ID": "poller", "PIM_POLLER_CLIENT_SECRET": "canary"},
        "PIM_POLLER_CLIENT_ID: must be a GUID",
    ),
}


@pytest.mark.parametrize("given, sentence", WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_one_sentence(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str) -> None:
    (told,) = mistakes(monkeypatch, given)
    assert told.startswith(sentence)
    assert "canary" not in told


def test_an_expired_certificate_ends_the_start_with_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = mistakes(monkeypatch, {"PIM_CLIENT_CERTIFICATE": "old.pem"})
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert told.startswith("PIM_CLIENT_CERTIFICATE: the certificate expired on ")
    assert abs(datetime.fromisoformat(told[-11:-1]).replace(tzinfo=UTC) - yesterday) < timedelta(days=2)


def test_each_application_is_judged_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    told = mistakes(monkeypatch, {**POLLER, "PIM_POLLER_CLIENT_CERTIFICATE": "only.pem"})
    assert [sentence.split()[0].rstrip(":") for sentence in told] == [
        "PIM_CLIENT_SECRET",
        "PIM_POLLER_CLIENT_CERTIFICATE",
    ]


def test_a_wrong_application_id_does_not_hide_a_missing_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    told = mistakes(monkeypatch, {"PIM_CLIENT_ID": "bot"})
    assert [sentence.split()[0].rstrip(":") for sentence in told] == ["PIM_CLIENT_ID", "PIM_CLIENT_SECRET"]


def test_a_file_that_went_wrong_after_the_start_is_a_sentence_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load(monkeypatch, {"PIM_CLIENT_CERTIFICATE": "bot.pem"})
    (tmp_path / "bot.pem").unlink()
    with pytest.raises(BadSettings, match=r"^PIM_CLIENT_CERTIFICATE: the file bot\.pem cannot be read .*\.$"):
        settings.credential()


def test_the_platforms_variable_is_not_a_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "token")
    assert mistakes(monkeypatch, {}) == ["PIM_CLIENT_SECRET is missing."]


@pytest.mark.parametrize("show", [repr, str], ids=["repr", "str"])
def test_no_secret_of_either_application_is_shown(monkeypatch: pytest.MonkeyPatch, show: type[str]) -> None:
    given = {"PIM_CLIENT_CERTIFICATE": "locked.pem", "PIM_POLLER_CLIENT_SECRET": "canary", **POLLER}
    settings = load(monkeypatch, {**given, "PIM_CLIENT_CERTIFICATE_PASSPHRASE": "canary"})
    assert "canary" not in show(settings)


# Clouds


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_brings_its_addresses(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    settings = load(monkeypatch, {**SECRET, "PIM_CLOUD": name})
    cloud = CLOUDS[name]
    assert (settings.graph_url, settings.arm_url, settings.login_url) == (cloud.graph, cloud.arm, cloud.login)


def test_an_unknown_cloud_is_the_only_mistake_told(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = mistakes(monkeypatch, {**SECRET, "PIM_CLOUD": "germany"})
    assert all(name in told for name in ("PIM_CLOUD", *CLOUDS))


def test_in_production_another_clouds_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**SECRET, "PIM_CLOUD": "usgov", "PIM_GRAPH_URL": "https://graph.microsoft.com"}
    (told,) = mistakes(monkeypatch, given)
    assert told.startswith("PIM_GRAPH_URL: may be changed only with PIM_ENVIRONMENT=sandbox")


def test_in_the_sandbox_a_clouds_address_may_be_on_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**SECRET, "PIM_CLOUD": "china", "PIM_ENVIRONMENT": "sandbox", "PIM_GRAPH_URL": "http://127.0.0.1:1/graph"}
    assert load(monkeypatch, given).graph_url == "http://127.0.0.1:1/graph"
    assert mistakes(monkeypatch, {**given, "PIM_GRAPH_URL": "https://graph.microsoft.com"})
