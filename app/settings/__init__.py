"""Everything the operator sets, from `PIM_*` variables. Wrong or missing: one sentence per mistake, and no start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.domain.errors import BadSettings
from app.domain.policy import Policy
from app.identity.clouds import CLOUDS, GLOBAL, Cloud
from app.identity.credentials import Credential, certificate, chosen, federated
from app.identity.keyring import Keyring
from app.settings.calling import alarm_key, alarm_mistake
from app.settings.policy_file import read_policy

_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CHANNEL = r"[CG][A-Z0-9]{5,}"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
GRAPH, ARM, LOGIN = GLOBAL.graph, GLOBAL.arm, GLOBAL.login
SLACK_API = "https://slack.com/api"
_ADDRESSES = ("graph_url", "arm_url", "login_url", "slack_api_url")
_SECRETS = ("client_secret", "client_certificate_passphrase")


def _guid(value: str) -> str:
    if not re.fullmatch(_GUID, value):
        raise ValueError("must be a GUID, such as 00000000-0000-0000-0000-000000000000")
    return value


Guid = Annotated[str, AfterValidator(_guid)]


class Settings(BaseSettings):
    """The settings of one process, read once at the start and never changed."""

    model_config = SettingsConfigDict(env_prefix="PIM_", env_file=".env", extra="ignore", frozen=True)

    # These two come first: the addresses are judged by them.
    environment: Literal["production", "sandbox"] = "production"
    cloud: Literal["global", "usgov", "usgov-dod", "china"] = "global"
    slack_bot_token: SecretStr
    # How Slack delivers: through a socket we open with the app token, else by HTTP, signed with the secret.
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = Field(default=None, validate_default=True)
    slack_client_id: str = Field(min_length=3)
    slack_client_secret: SecretStr
    slack_app_id: str = ""
    approvers_channel: str
    tenant_id: Guid
    client_id: Guid
    # How we prove to be that application: one of the three. The secret comes last, because all are judged with it.
    client_certificate_passphrase: SecretStr | None = None
    client_certificate: Path | None = None
    client_federated_token_file: Path | None = None
    client_secret: SecretStr | None = Field(default=None, validate_default=True)
    api_clients: Annotated[tuple[str, ...], NoDecode] = ()
    poller_client_id: Guid | None = None
    poller_client_certificate_passphrase: SecretStr | None = None
    poller_client_certificate: Path | None = None
    poller_client_federated_token_file: Path | None = None
    poller_client_secret: SecretStr | None = Field(default=None, validate_default=True)
    public_url: str
    keys: SecretStr
    database_url: str = Field(default="sqlite+aiosqlite:///pim-approvals.db", repr=False)  # may hold a password
    watch_as: Literal["approvers", "application"] = "approvers"
    poll_seconds: float = Field(default=20, ge=1)
    settle_seconds: float = Field(default=120, gt=0, le=600)
    policy_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535, validation_alias=AliasChoices("PIM_PORT", "PORT"))
    graph_url: str = Field(default_factory=lambda data: _cloud(data).graph)
    arm_url: str = Field(default_factory=lambda data: _cloud(data).arm)
    login_url: str = Field(default_factory=lambda data: _cloud(data).login)
    slack_api_url: str = SLACK_API
    failpoint: str = ""  # where a test wants this process to end

    @property
    def sandbox(self) -> bool:
        """Whether the world around is emulated on this machine."""
        return self.environment == "sandbox"

    @property
    def api_callers(self) -> frozenset[str]:
        """The client ids that may call the HTTP API, in lower case: those named, else our own."""
        return frozenset(client.lower() for client in self.api_clients or (self.client_id,))

    @field_validator("api_clients", mode="before")
    @classmethod
    def _clients(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        named = re.split(r"[,\s]+", value) if isinstance(value, str) else value
        return tuple(_guid(client) for client in named if client)

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("xoxb-"):
            raise ValueError("must be the bot token of the Slack app; it starts with xoxb-")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("must be an app-level token of the Slack app; it starts with xapp-")
        return value

    @field_validator("slack_signing_secret")
    @classmethod
    def _one_transport(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # A wrong app token is missing here, and told already.
        if value is None and info.data.get("slack_app_token", "") is None:
            raise ValueError("PIM_SLACK_SIGNING_SECRET is missing (or PIM_SLACK_APP_TOKEN, for Socket Mode)")
        return value

    @field_validator("slack_signing_secret", "slack_client_secret", *_SECRETS, *(f"poller_{name}" for name in _SECRETS))
    @classmethod
    def _not_empty(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip():
            raise ValueError("must not be empty")
        return value

    @field_validator("client_secret", "poller_client_secret")
    @classmethod
    def _one_credential(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        name = info.field_name or ""
        _credential({**info.data, name: value}, name.removesuffix("client_secret"))
        return value

    @field_validator("keys")
    @classmethod
    def _keys(cls, value: SecretStr) -> SecretStr:
        try:
            Keyring.parse(value.get_secret_value())
        except BadSettings as problem:
            raise ValueError(str(problem)) from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if not value.startswith(("sqlite+aiosqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite+aiosqlite:/// or postgresql+psycopg://")
        return value

    @field_validator("approvers_channel")
    @classmethod
    def _channel(cls, value: str) -> str:
        if not re.fullmatch(_CHANNEL, value):
            raise ValueError("must be the channel's id, such as C0123456789, not its name")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str, info: ValidationInfo) -> str:
        mistake = public_mistake(value, sandbox=_in_sandbox(info))
        if mistake:
            raise ValueError(mistake)
        return value

    @field_validator(*_ADDRESSES)
    @classmethod
    def _override(cls, value: str, info: ValidationInfo) -> str:
        name = (info.field_name or "").removesuffix("_url")
        real = SLACK_API if name == "slack_api" else getattr(_cloud(info.data), name)
        mistake = _override_mistake(value, real, sandbox=_in_sandbox(info))
        if mistake:
            raise ValueError(mistake)
        return value

    @field_validator("failpoint")
    @classmethod
    def _failpoint(cls, value: str, info: ValidationInfo) -> str:
        if value and not _in_sandbox(info):
            raise ValueError("ends the process in the middle of its work; it is for PIM_ENVIRONMENT=sandbox only")
        if value and not re.fullmatch(r"(stop )?(before|after) [a-z]+\.[A-Za-z_]+", value):
            raise ValueError("must look like `after book.claim`")
        return value

    @field_validator("policy_file")
    @classmethod
    def _policy(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None:
            try:
                policy = read_policy(value)  # now, so that the mistakes in it are told with all the others
            except BadSettings as problem:
                raise ValueError(str(problem)) from None
            mistake = alarm_mistake(policy.escalation, sandbox=_in_sandbox(info))
            if mistake:
                raise ValueError(mistake)
        return value

    def credential(self) -> Credential:
        """What proves that we are the application where people sign in. BadSettings when its file went wrong since."""
        return self._proof("") or ""  # never empty: the start would have ended

    def poller_credential(self) -> Credential | None:
        """What proves that we are the polling application; None when there is none of its own. BadSettings as above."""
        return self._proof("poller_")

    def _proof(self, prefix: str) -> Credential | None:
        try:
            return _credential({name: getattr(self, name) for name in type(self).model_fields}, prefix)
        except ValueError as problem:
            raise BadSettings(f"{problem}.") from None

    def alarm_key(self) -> str:
        """What the alarm of the policy file is signed with; empty where there is none."""
        return alarm_key(self.policy().escalation)

    def policy(self) -> Policy:
        """What the policy file says, read anew, or the defaults. BadSettings names what is wrong in it by now."""
        return read_policy(self.policy_file) if self.policy_file is not None else Policy()


def load_settings() -> Settings:
    """The settings of this process's environment; BadSettings with one sentence per mistake."""
    try:
        return Settings()  # type: ignore[call-arg]  # pydantic-settings fills the fields from the environment
    except ValidationError as problem:
        raise BadSettings("\n".join(_sentences(problem))) from None


def _sentences(problem: ValidationError) -> list[str]:
    sentences: list[str] = []
    for error in problem.errors(include_input=False, include_url=False):
        if error["type"] == "default_factory_not_called":
            continue  # an address that follows from another setting, and that one is told already
        place = str(error["loc"][0]) if error["loc"] else ""
        name = f"PIM_{place.upper()}" if place and not place.isupper() else place
        if error["type"] == "missing":
            sentences.append(f"{name} is missing.")
            continue
        for line in str(error["msg"]).removeprefix("Value error, ").splitlines():
            reason = line.rstrip(".")
            sentences.append(f"{reason}." if reason.startswith("PIM_") else f"{name}: {reason}.")
    return sentences


def _in_sandbox(info: ValidationInfo) -> bool:
    """A wrong PIM_ENVIRONMENT is missing here, and counts as production."""
    return info.data.get("environment") == "sandbox"


def _cloud(data: Mapping[str, Any]) -> Cloud:
    """A wrong PIM_CLOUD is missing here, and counts as the global one."""
    return CLOUDS[data.get("cloud", GLOBAL.name)]


def _credential(data: Mapping[str, Any], prefix: str) -> Credential | None:
    """The one credential of an application, out of the fields whose names begin so; ValueError when it is not one.

    None: there is no such application, or one of its fields is wrong and was told already.
    """
    names = ("client_certificate_passphrase", "client_certificate", "client_federated_token_file", "client_secret")
    if any(f"{prefix}{name}" not in data for name in names):
        return None
    # A wrong id is missing here: it stands for an application all the same.
    if data.get(f"{prefix}client_id", "") is None:
        _nothing_given(data, prefix, names)
        return None
    phrase, pem, token, secret = (data[f"{prefix}{name}"] for name in names)
    options: tuple[tuple[str, Callable[[], Credential] | None], ...] = (
        ("client_secret", secret.get_secret_value if secret else None),
        ("client_certificate", (lambda: certificate(pem, _plain(phrase), datetime.now(UTC))) if pem else None),
        ("client_federated_token_file", (lambda: federated(token)) if token else None),
    )
    try:
        return chosen([(_variable(f"{prefix}{name}"), read) for name, read in options])
    except BadSettings as problem:
        raise ValueError(str(problem)) from None


def _nothing_given(data: Mapping[str, Any], prefix: str, names: Iterable[str]) -> None:
    """ValueError when a credential is given for an application that has no id."""
    given = [f"{prefix}{name}" for name in names if data[f"{prefix}{name}"] is not None]
    if given:
        raise ValueError(f"PIM_{prefix.upper()}CLIENT_ID is missing, though {_variable(given[0])} is set")


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _variable(field: str) -> str:
    return f"PIM_{field.upper()}"


def public_mistake(url: str, *, sandbox: bool) -> str:
    """What is wrong with an address that browsers are to reach, or an empty string."""
    parts = urlsplit(url)
    local = sandbox and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme != "https" and not local) or not parts.hostname:
        return "must be the https address at which approvers' browsers reach this bot"
    if url != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        return "must be an origin only, such as https://pim.example.com, without a path or a slash"
    return ""


def _override_mistake(value: str, real: str, *, sandbox: bool) -> str:
    if value == real:
        return ""
    if not sandbox:
        return "may be changed only with PIM_ENVIRONMENT=sandbox; in production the real service is used"
    parts = urlsplit(value)
    near = parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK and "@" not in parts.netloc
    if not near or value.endswith("/"):
        return "must be an address on this machine (127.0.0.1 or localhost), without a slash at the end"
    return ""
