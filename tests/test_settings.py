"""Settings: one sentence per mistake, all mistakes at once, and no secret in any text."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadSettings
from app.domain.policy import Policy
from app.settings import GRAPH, LOGIN, Settings, load_settings

KEY = base64.urlsafe_b64encode(b"canary-key-material-32-bytes-lng").decode().rstrip("=")
GUID = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"
SOUND = {
    "PIM_SLACK_BOT_TOKEN": "xoxb-canary-token",
    "PIM_SLACK_SIGNING_SECRET": "canary-signing",
    "PIM_SLACK_CLIENT_ID": "123.456",
    "PIM_SLACK_CLIENT_SECRET": "canary-slack-secret",
    "PIM_APPROVERS_CHANNEL": "C0123456789",
    "PIM_TENANT_ID": GUID,
    "PIM_CLIENT_ID": GUID.upper(),
    "PIM_CLIENT_SECRET": "canary-microsoft-secret",
    "PIM_PUBLIC_URL": "https://pim.example.com",
    "PIM_KEYS": f"k1:{KEY}",
}
SECRETS = ("PIM_SLACK_BOT_TOKEN", "PIM_SLACK_SIGNING_SECRET", "PIM_SLACK_CLIENT_SECRET", "PIM_CLIENT_SECRET")
OVERRIDES = ("PIM_GRAPH_URL", "PIM_ARM_URL", "PIM_LOGIN_URL", "PIM_SLACK_API_URL")


@pytest.fixture(autouse=True)
def _empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine and no .env of this checkout reaches a test."""
    monkeypatch.chdir(tmp_path)
    for name in (*Settings.model_fields, "PORT"):
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"PIM_{name.upper()}", raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **over: str | None) -> Settings:
    """Settings out of a sound environment with changes; None leaves a variable out."""
    for name, value in {**SOUND, **over}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return load_settings()


def mistakes(monkeypatch: pytest.MonkeyPatch, **over: str | None) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(monkeypatch, **over)
    return str(caught.value).splitlines()


def test_a_sound_environment_loads_with_careful_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    assert (settings.watch_as, settings.poll_seconds, settings.settle_seconds) == ("approvers", 20, 120)
    assert (settings.host, settings.port, settings.environment) == ("127.0.0.1", 8080, "production")
    assert (settings.graph_url, settings.login_url, settings.sandbox) == (GRAPH, LOGIN, False)
    assert settings.policy() == Policy()


def test_settings_never_change(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


# One sentence per mistake

WRONG: dict[str, tuple[str, str | None, str]] = {
    "missing": ("PIM_CLIENT_SECRET", None, "is missing"),
    "empty": ("PIM_SLACK_SIGNING_SECRET", " ", "must not be empty"),
    "a bot token for an app token": ("PIM_SLACK_APP_TOKEN", "xoxb-canary-token", "starts with xapp-"),
    "a user's token": ("PIM_SLACK_BOT_TOKEN", "xoxp-canary-token", "starts with xoxb-"),
    "a channel's name": ("PIM_APPROVERS_CHANNEL", "#approvals", "id"),
    "a channel's name without its mark": ("PIM_APPROVERS_CHANNEL", "approvals", "id"),
    "a domain for a tenant": ("PIM_TENANT_ID", "contoso.com", "GUID"),
    "a GUID with more after it": ("PIM_CLIENT_ID", f"{GUID}0", "GUID"),
    "a key without a name": ("PIM_KEYS", KEY, "PIM_KEYS"),
    "a short key": ("PIM_KEYS", f"k1:{KEY[:-4]}", "PIM_KEYS"),
    "a key twice": ("PIM_KEYS", f"k1:{KEY},k2:{KEY}", "PIM_KEYS"),
    "another database": ("PIM_DATABASE_URL", "mysql://root:canary@db/pim", "sqlite"),
    "a blocking driver": ("PIM_DATABASE_URL", "postgresql://root:canary@db/pim", "psycopg"),
    "another mode": ("PIM_WATCH_AS", "everybody", "approvers"),
    "too fast": ("PIM_POLL_SECONDS", "0.5", "greater than or equal to 1"),
    "not a number": ("PIM_POLL_SECONDS", "often", "number"),
    "no settling time": ("PIM_SETTLE_SECONDS", "0", "greater than 0"),
    "endless settling": ("PIM_SETTLE_SECONDS", "601", "less than or equal to 600"),
    "another cloud": ("PIM_CLOUD", "germany", "global"),
    "another environment": ("PIM_ENVIRONMENT", "test", "production"),
    "no port": ("PIM_PORT", "0", "greater than or equal to 1"),
    "a port in words": ("PIM_PORT", "http", "integer"),
}


@pytest.mark.parametrize("name, value, word", WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, word: str
) -> None:
    (sentence,) = mistakes(monkeypatch, **{name: value})
    assert name in sentence
    assert word in sentence
    assert sentence.endswith(".")


def test_every_mistake_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = mistakes(
        monkeypatch,
        PIM_SLACK_BOT_TOKEN=None,
        PIM_TENANT_ID="contoso.com",
        PIM_KEYS="",
        PIM_PUBLIC_URL="http://pim.example.com",
        PIM_GRAPH_URL="http://127.0.0.1:1",
        PIM_POLICY_FILE="nowhere.toml",
    )
    named = [next(word for word in sentence.replace(":", " ").split() if word.startswith("PIM_")) for sentence in found]
    assert sorted(named) == [
        "PIM_GRAPH_URL",
        "PIM_KEYS",
        "PIM_POLICY_FILE",
        "PIM_PUBLIC_URL",
        "PIM_SLACK_BOT_TOKEN",
        "PIM_TENANT_ID",
    ]


def test_with_nothing_set_each_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    told = mistakes(monkeypatch, **dict.fromkeys(SOUND))
    assert {sentence.split(" (")[0].rstrip(".") for sentence in told} == {f"{name} is missing" for name in SOUND}


def test_in_socket_mode_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PIM_SLACK_APP_TOKEN="xapp-1-A0-canary", PIM_SLACK_SIGNING_SECRET=None)
    assert settings.slack_signing_secret is None


def test_without_an_app_token_the_signing_secret_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = mistakes(monkeypatch, PIM_SLACK_SIGNING_SECRET=None)
    assert "PIM_SLACK_SIGNING_SECRET is missing" in sentence
    assert "PIM_SLACK_APP_TOKEN" in sentence


# Secrets stay secret


@pytest.mark.parametrize("broken", [*WRONG.values(), ("PIM_PUBLIC_URL", "https://canary:canary@pim.example.com", "")])
def test_no_mistake_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, broken: tuple[str, str | None, str]) -> None:
    told = "\n".join(mistakes(monkeypatch, **{broken[0]: broken[1]}))
    assert "canary" not in told
    assert KEY[:-4] not in told


@pytest.mark.parametrize("show", [repr, str, lambda settings: repr(settings.model_dump())], ids=["repr", "str", "dump"])
def test_shown_settings_hide_every_secret(monkeypatch: pytest.MonkeyPatch, show: object) -> None:
    assert callable(show)
    text = str(show(load(monkeypatch)))
    assert "pim.example.com" in text
    assert "canary" not in text
    assert KEY not in text


def test_a_database_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PIM_DATABASE_URL="postgresql+psycopg://pim:canary@db/pim")
    assert "canary" not in repr(settings)
    assert settings.database_url == "postgresql+psycopg://pim:canary@db/pim"


# The public address


@pytest.mark.parametrize("url", ["https://pim.example.com", "https://pim.example.com:8443"])
def test_an_https_origin_is_a_public_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert load(monkeypatch, PIM_PUBLIC_URL=url).public_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pim.example.com",
        "http://pim.example.com",
        "http://localhost:8766",
        "https://",
        "https://pim.example.com/",
        "https://pim.example.com/bot",
        "https://pim.example.com?x=1",
        "https://pim.example.com?",
        "https://pim.example.com#x",
        "https://user@pim.example.com",
        "https://:pw@pim.example.com",
        "https://[pim",
        "ftp://pim.example.com",
    ],
)
def test_anything_else_is_no_public_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    (sentence,) = mistakes(monkeypatch, PIM_PUBLIC_URL=url)
    assert sentence.startswith("PIM_PUBLIC_URL")


@pytest.mark.parametrize("host", ["localhost:8766", "127.0.0.1:8766", "[::1]:8766"])
def test_plain_http_is_for_this_machine_in_the_sandbox(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    settings = load(monkeypatch, PIM_PUBLIC_URL=f"http://{host}", PIM_ENVIRONMENT="sandbox")
    assert settings.sandbox
    assert mistakes(monkeypatch, PIM_PUBLIC_URL=f"http://{host}", PIM_ENVIRONMENT="production")


def test_plain_http_elsewhere_is_refused_even_in_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes(monkeypatch, PIM_PUBLIC_URL="http://pim.example.com", PIM_ENVIRONMENT="sandbox")


# Other addresses than the real ones


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_in_the_sandbox_services_may_stand_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, name: str, host: str
) -> None:
    settings = load(monkeypatch, **{name: f"http://{host}/x"}, PIM_ENVIRONMENT="sandbox")
    assert getattr(settings, name.removeprefix("PIM_").lower()) == f"http://{host}/x"


@pytest.mark.parametrize("name", OVERRIDES)
def test_in_production_no_service_is_replaced(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (sentence,) = mistakes(monkeypatch, **{name: "http://127.0.0.1:8765/x"})
    assert sentence.startswith(name)
    assert "PIM_ENVIRONMENT=sandbox" in sentence


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "http://evil@127.0.0.1:8765",
        "http://10.0.0.1:8765",
        "http://127.0.0.1:8765/",
        "file://localhost/etc",
        "127.0.0.1:8765",
        "",
    ],
)
def test_even_the_sandbox_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    (sentence,) = mistakes(monkeypatch, **{name: url}, PIM_ENVIRONMENT="sandbox")
    assert sentence.startswith(name)


@given(
    host=st.sampled_from(["127.0.0.1", "localhost", "::1", "evil.example", "127.0.0.1.evil.example", "10.0.0.1"]),
    scheme=st.sampled_from(["http", "https", "ftp"]),
    environment=st.sampled_from(["production", "sandbox"]),
)
def test_a_token_never_goes_to_another_machine_whatever_is_set(host: str, scheme: str, environment: str) -> None:
    place = f"{scheme}://[{host}]" if ":" in host else f"{scheme}://{host}"
    with pytest.MonkeyPatch.context() as monkeypatch:
        try:
            settings = load(monkeypatch, PIM_GRAPH_URL=place, PIM_ENVIRONMENT=environment)
        except BadSettings:
            return
    assert settings.sandbox
    assert (host in ("127.0.0.1", "localhost", "::1"), scheme in ("http", "https")) == (True, True)


# The port


def test_platforms_may_name_the_port_their_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PORT="5000").port == 5000


def test_our_own_name_of_the_port_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, PORT="5000", PIM_PORT="6000").port == 6000


def test_a_mistake_in_the_plain_port_is_named_as_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = mistakes(monkeypatch, PORT="http")
    assert "PORT" in sentence


# The cloud, and the proof of being the application


def test_another_cloud_has_its_own_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PIM_CLOUD="china")
    assert settings.graph_url == "https://microsoftgraph.chinacloudapi.cn"
    assert len({settings.graph_url, settings.arm_url, settings.login_url, GRAPH, LOGIN}) == 5


def test_a_mistake_elsewhere_does_not_blame_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes(monkeypatch, PIM_CLOUD="china", PIM_KEYS=None) == ["PIM_KEYS is missing."]


def test_in_another_cloud_the_global_addresses_are_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = mistakes(monkeypatch, PIM_CLOUD="china", PIM_GRAPH_URL=GRAPH)
    assert sentence.startswith("PIM_GRAPH_URL")


def test_two_proofs_are_one_too_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("canary-token", encoding="utf-8")
    (sentence,) = mistakes(monkeypatch, PIM_CLIENT_FEDERATED_TOKEN_FILE="token")
    assert "PIM_CLIENT_SECRET and PIM_CLIENT_FEDERATED_TOKEN_FILE" in sentence
    assert "canary" not in sentence


def test_a_poller_without_its_id_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = mistakes(monkeypatch, PIM_POLLER_CLIENT_SECRET="canary")
    assert sentence.startswith("PIM_POLLER_CLIENT_ID is missing")
    assert "canary" not in sentence


def test_a_poller_without_proof_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes(monkeypatch, PIM_POLLER_CLIENT_ID=GUID) == ["PIM_POLLER_CLIENT_SECRET is missing."]


# Files


def test_a_file_in_the_working_directory_may_set_them_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PIM_POLL_SECONDS=30\nPIM_CLIENT_SECRET=from-the-file\n", encoding="utf-8")
    settings = load(monkeypatch, PIM_CLIENT_SECRET=None)
    assert (settings.poll_seconds, settings.client_secret.get_secret_value()) == (30, "from-the-file")


def test_the_policy_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[risk]\nlong_from_hours = 4\n", encoding="utf-8")
    assert load(monkeypatch, PIM_POLICY_FILE="policy.toml").policy().risk.long_from == timedelta(hours=4)


def test_each_mistake_in_the_policy_file_is_told_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "policy.toml").write_text("portal_only = 1\n[look]\n", encoding="utf-8")
    told = mistakes(monkeypatch, PIM_POLICY_FILE="policy.toml", PIM_KEYS=None)
    assert sum(line.startswith("PIM_POLICY_FILE: ") for line in told) == 2
    assert "PIM_KEYS is missing." in told


@pytest.mark.parametrize("path", ["nowhere.toml", "."])
def test_a_policy_file_that_cannot_be_read_ends_the_start(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    (sentence,) = mistakes(monkeypatch, PIM_POLICY_FILE=path)
    assert sentence.startswith("PIM_POLICY_FILE")


def test_by_default_only_our_own_application_calls_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).api_callers == {GUID}


def test_the_applications_that_call_the_api_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    others = ("11111111-0000-4000-8000-00000000000A", "22222222-0000-4000-8000-00000000000b")
    found = load(monkeypatch, PIM_API_CLIENTS=f"{others[0]}, {others[1]}").api_callers
    assert found == {other.lower() for other in others}


def test_an_application_that_is_no_guid_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mistakes(monkeypatch, PIM_API_CLIENTS=f"{GUID},*")[0].startswith("PIM_API_CLIENTS: must be a GUID")


# The alarm's key


def with_alarm(
    monkeypatch: pytest.MonkeyPatch, folder: Path, url: str = "https://x.example", **over: str | None
) -> Settings:
    policy = folder / "policy.toml"
    policy.write_text(f'[escalation]\nurl = "{url}"\nsecret_env = "ALARM_KEY"\nafter_minutes = 5\n', encoding="utf-8")
    return load(monkeypatch, PIM_POLICY_FILE=str(policy), **over)


def test_the_alarms_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = with_alarm(monkeypatch, tmp_path, ALARM_KEY="canary-key")
    assert settings.alarm_key() == "canary-key"
    assert "canary" not in repr(settings)


def test_or_from_the_same_file_as_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ALARM_KEY", raising=False)
    (tmp_path / ".env").write_text("ALARM_KEY=canary-key\n", encoding="utf-8")
    assert with_alarm(monkeypatch, tmp_path).alarm_key() == "canary-key"


def test_a_missing_key_ends_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ALARM_KEY", raising=False)
    with pytest.raises(BadSettings, match="secret_env names ALARM_KEY, which is not set"):
        with_alarm(monkeypatch, tmp_path)


def test_in_production_the_alarm_is_encrypted_on_its_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="must be an https address"):
        with_alarm(monkeypatch, tmp_path, "http://localhost:1", ALARM_KEY="canary-key")


def test_without_an_alarm_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).alarm_key() == ""
