"""Secrets stay out of the log, whoever logs them and in whatever shape: messages, arguments, exceptions, stacks."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import jwt
import pytest
from certificates import key_pem, rsa_key
from pydantic import SecretStr

from app.main.logs import MASK, NOISY, Redaction, configure, configured
from app.settings import Settings

KEY = base64.urlsafe_b64encode(b"canary-key-material-32-bytes-lng").decode().rstrip("=")
CONFIGURED = "canary+configured/secret=="
JWT = jwt.encode({"sub": "canary"}, "k" * 32)
OPAQUE = "0.AXkAcanary4Mn-canary_refresh.AgABAAEAAAD"

SECRETS: dict[str, str] = {
    "a bot token": "xoxb-1111-2222-canary",
    "a rotated token": "xoxe.xoxp-1-canary",
    "an app token": "xapp-1-A0-2222-canary",
    "a JSON web token": JWT,
    "half of one": JWT.rpartition(".")[0],
    "a bearer": f"Authorization: Bearer {OPAQUE}",
    "basic": f"Authorization: Basic {base64.b64encode(b'client:canary-secret').decode()}",
    "a form": urlencode({"grant_type": "x", "refresh_token": OPAQUE, "client_secret": "canary~1"}),
    "JSON": json.dumps({"access_token": OPAQUE, "refresh_token": OPAQUE, "id_token": OPAQUE, "expires_in": 1}),
    "JSON in JSON": json.dumps(json.dumps({"access_token": OPAQUE, "client_secret": "canary"})),
    "a Python dict": repr({"client_secret": "canary-1", "client_assertion": OPAQUE, "code_verifier": "canary"}),
    "a code in an address": "GET /sign-in/slack/callback?code=1234.canary&state=canary-state&x=1",
    "a code in a form": repr({"code": "0.AXkA-canary.1234567890"}),
    "an answer address": "https://hooks.slack.com/actions/T0/1/canary",
    "the sandbox's answer address": "http://127.0.0.1:8765/slack/response/canary",
    "a one-time address": "https://pim.example.com/sign-in/start/canary-token-1",
    "a cookie": "Cookie: __Host-pim-sign-in=canary; other=1",
    "a key of ours": f"k1:{KEY}",
    "a private key": key_pem(rsa_key()).decode(),
    "a configured one": CONFIGURED,
    "a configured one in a form": urlencode({"x": CONFIGURED}),
}
WORDS = ("canary", JWT.split(".")[1], JWT.split(".")[2], OPAQUE, KEY, key_pem(rsa_key()).decode().splitlines()[3])


@pytest.fixture
def said() -> Iterator[Callable[[], str]]:
    """What the process's handler writes; the logger `app.test` goes through it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redaction([CONFIGURED, "abc"]))
    log.addHandler(handler)
    log.propagate = False
    yield stream.getvalue
    log.removeHandler(handler)
    log.propagate = True


log = logging.getLogger("app.test")
log.setLevel(logging.DEBUG)


def leaks(text: str) -> list[str]:
    return [word for word in WORDS if word in text]


each_secret = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())


@each_secret
def test_a_secret_in_a_message_is_masked(said: Callable[[], str], secret: str) -> None:
    log.warning(f"before {secret} after")  # noqa: G004 - what careless code does
    assert leaks(said()) == []
    assert MASK in said()
    assert said().startswith("before ")


@each_secret
def test_a_secret_in_the_arguments_is_masked(said: Callable[[], str], secret: str) -> None:
    log.warning("%s and %r", secret, {"body": secret})
    assert leaks(said()) == []


@each_secret
def test_a_secret_in_an_exception_and_its_cause_is_masked(said: Callable[[], str], secret: str) -> None:
    try:
        _fail(secret)
    except ValueError:
        log.exception("It failed.")
    assert leaks(said()) == []
    assert "ValueError" in said()
    assert "KeyError" in said()


def _fail(secret: str) -> None:
    try:
        {}[secret]
    except KeyError as cause:
        raise ValueError(f"no use: {secret}") from cause


def test_a_secret_in_a_stack_is_masked(said: Callable[[], str]) -> None:
    record = log.makeRecord("x", logging.INFO, "x", 1, "x", (), None, sinfo="token xoxb-1-canary")
    log.handle(record)
    assert leaks(said()) == []
    assert "token" in said()


def test_arguments_that_do_not_fit_are_not_printed_bare(
    said: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.warning("%d", "xoxb-1-canary")
    assert said() == "%d (with arguments that do not fit)\n"
    assert "canary" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "plain",
    [
        "The entra desk cannot be read: Microsoft cannot be reached.",
        'Microsoft refused: {"error": {"code": "RoleAssignmentRequestAcrsValidationFailed"}}',
        "request 5a0d1b0c-7e1f-4c3a-9b52-6f0c8a1e7d10 took 12.5 s, status code 403",
        "audit_anchor 12 3b5d5c3712955042212316173ccf37be8a2c5d1f1e9a4f0d4d1c1a0e1c1b1a19",
        "PIM_KEYS lacks k1, so one person's stored session cannot be opened",
        "abc",
    ],
)
def test_what_is_no_secret_stays_readable(said: Callable[[], str], plain: str) -> None:
    log.warning(plain)
    assert said() == f"{plain}\n"


def test_no_record_is_lost(said: Callable[[], str]) -> None:
    for level in (logging.DEBUG, logging.CRITICAL):
        log.log(level, "line")
    assert said() == "line\nline\n"


# The process


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.chdir(tmp_path)  # away from anybody's .env
    values = {
        "slack_bot_token": "xoxb-1",
        "slack_signing_secret": "signing-canary",
        "slack_client_id": "123.456",
        "slack_client_secret": "slack-canary",
        "approvers_channel": "C0123456789",
        "tenant_id": "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00",
        "client_id": "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00",
        "client_secret": "microsoft-canary",
        "public_url": "https://pim.example.com",
        "keys": f"k1:{KEY}",
        "database_url": "postgresql+psycopg://pim:p%40ss-canary@db/pim",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PIM_{name.upper()}", value)
    return Settings()


def test_every_secret_setting_is_known_to_the_filter(settings: Settings) -> None:
    secrets = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    given = [value for name in secrets if isinstance(value := getattr(settings, name), SecretStr)]
    assert {value.get_secret_value() for value in given} < configured(settings)
    assert {KEY, "p%40ss-canary", "p@ss-canary"} < configured(settings)


@pytest.fixture
def process(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The root logger as `serve` sets it up, writing here; put back as it was afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:]
    levels = {logger: logger.level for logger in map(logging.getLogger, ("", "apscheduler", *NOISY))}
    root.handlers = []  # `force` would close pytest's own
    monkeypatch.setattr(sys, "stderr", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        configure(settings)
        yield stream
        logging.captureWarnings(capture=False)
    root.handlers = before
    for logger, level in levels.items():
        logger.setLevel(level)


def test_everything_goes_through_the_one_handler(process: io.StringIO) -> None:
    for name in ("msal.oauth2cli", "slack_bolt.App", "uvicorn.error", "sqlalchemy.pool", "asyncio"):
        logging.getLogger(name).error("answer: %s", "microsoft-canary")
    warnings.warn("odd: slack-canary", UserWarning, stacklevel=1)
    assert "canary" not in process.getvalue().replace('slack-canary", UserWarning', "")
    assert process.getvalue().count(MASK) >= 6


@pytest.mark.parametrize("name", NOISY)
def test_libraries_that_log_whole_requests_are_kept_quiet(process: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("POST /token body=...")
    logging.getLogger(f"{name}.deeper").debug("POST /token body=...")
    assert process.getvalue() == ""


def test_an_address_that_httpx_would_log_is_not_there(process: io.StringIO) -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=answers, trust_env=False) as client:
        client.get("https://slack.com/api/x?code=canary-code")
    assert process.getvalue() == ""
