"""Everything the operator sets, from `PIM_*` variables. Wrong or missing: one sentence per mistake, and no start."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.errors import BadSettings
from app.domain.risk import Level, RiskPolicy
from app.identity.keyring import Keyring

_GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
GRAPH = "https://graph.microsoft.com"
ARM = "https://management.azure.com"
LOGIN = "https://login.microsoftonline.com"
SLACK_API = "https://slack.com/api"

Guid = Annotated[str, Field(pattern=_GUID)]


class Settings(BaseSettings):
    """The settings of one process, read once at the start and never changed."""

    model_config = SettingsConfigDict(env_prefix="PIM_", env_file=".env", extra="ignore", frozen=True)

    slack_bot_token: SecretStr
    slack_signing_secret: SecretStr
    slack_client_id: str = Field(min_length=3)
    slack_client_secret: SecretStr
    slack_app_id: str = ""
    approvers_channel: str = Field(pattern=r"^[CG][A-Z0-9]{5,}$")
    tenant_id: Guid
    client_id: Guid
    client_secret: SecretStr
    public_url: str
    keys: SecretStr
    database_url: str = "sqlite+aiosqlite:///pim-approvals.db"
    watch_as: Literal["approvers", "application"] = "approvers"
    poll_seconds: float = Field(default=20, ge=1)
    settle_seconds: float = Field(default=120, gt=0, le=600)
    cloud: Literal["global"] = "global"
    policy_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535, validation_alias=AliasChoices("PIM_PORT", "PORT"))
    environment: Literal["production", "sandbox"] = "production"
    graph_url: str = GRAPH
    arm_url: str = ARM
    login_url: str = LOGIN
    slack_api_url: str = SLACK_API

    @property
    def sandbox(self) -> bool:
        """Whether the world around is emulated on this machine."""
        return self.environment == "sandbox"

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("xoxb-"):
            raise ValueError("must be the bot token of the Slack app; it starts with xoxb-")
        return value

    @field_validator("slack_signing_secret", "slack_client_secret", "client_secret")
    @classmethod
    def _not_empty(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip():
            raise ValueError("must not be empty")
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

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        mistakes = [_public_mistake(self.public_url, sandbox=self.sandbox)]
        for name, value, real in (
            ("GRAPH_URL", self.graph_url, GRAPH),
            ("ARM_URL", self.arm_url, ARM),
            ("LOGIN_URL", self.login_url, LOGIN),
            ("SLACK_API_URL", self.slack_api_url, SLACK_API),
        ):
            mistakes.append(_override_mistake(name, value, real, sandbox=self.sandbox))
        found = [mistake for mistake in mistakes if mistake]
        if found:
            raise ValueError("\n".join(found))
        return self

    def risk_policy(self) -> RiskPolicy:
        """The `[risk]` table of the policy file, or the defaults. BadSettings names what is wrong in it."""
        if self.policy_file is None:
            return RiskPolicy()
        try:
            policy = tomllib.loads(self.policy_file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise BadSettings(f"PIM_POLICY_FILE {self.policy_file} cannot be read: {problem}.") from None
        return _risk_policy(policy)


def load_settings() -> Settings:
    """The settings of this process's environment; BadSettings with one sentence per mistake."""
    try:
        return Settings()  # type: ignore[call-arg]  # pydantic-settings fills the fields from the environment
    except ValidationError as problem:
        raise BadSettings("\n".join(_sentences(problem))) from None


def _sentences(problem: ValidationError) -> list[str]:
    sentences: list[str] = []
    for error in problem.errors(include_input=False, include_url=False):
        place = str(error["loc"][0]) if error["loc"] else ""
        name = f"PIM_{place.upper()}" if place and not place.isupper() else place
        if error["type"] == "missing":
            sentences.append(f"{name} is missing.")
            continue
        reason = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
        sentences.extend([f"{name}: {reason}." if name else line for line in reason.split("\n")])
    return sentences


def _public_mistake(url: str, *, sandbox: bool) -> str:
    parts = urlsplit(url)
    local = sandbox and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme != "https" and not local) or not parts.hostname:
        return "PIM_PUBLIC_URL must be the https address at which approvers' browsers reach this bot."
    if parts.path or parts.query or parts.fragment or parts.username:
        return "PIM_PUBLIC_URL must be an origin only, such as https://pim.example.com, without a path or a slash."
    return ""


def _override_mistake(name: str, value: str, real: str, *, sandbox: bool) -> str:
    if value == real:
        return ""
    if not sandbox:
        return f"PIM_{name} may be changed only with PIM_ENVIRONMENT=sandbox; in production the real service is used."
    parts = urlsplit(value)
    if parts.hostname not in _LOOPBACK or value.endswith("/") or parts.username:
        return f"PIM_{name} must be an address on this machine (127.0.0.1 or localhost), without a slash at the end."
    return ""


def _risk_policy(policy: dict[str, object]) -> RiskPolicy:
    risk = policy.get("risk", {})
    unknown = [f"[{name}]" for name in policy if name != "risk"]
    if not isinstance(risk, dict) or unknown:
        raise BadSettings(f"The policy file has parts we do not know: {', '.join(unknown) or 'risk must be a table'}.")
    strange = sorted(risk.keys() - {"long_from_hours", "ticket_expected", "shortest_justification", "levels"})
    if strange:
        raise BadSettings(f"The policy file's [risk] has keys we do not know: {', '.join(strange)}.")
    default = RiskPolicy()
    try:
        return RiskPolicy(
            long_from=timedelta(hours=float(risk.get("long_from_hours", 8))),
            ticket_expected=bool(risk.get("ticket_expected", default.ticket_expected)),
            shortest_justification=int(risk.get("shortest_justification", default.shortest_justification)),
            extra_levels={_template(role): Level[str(word).upper()] for role, word in risk.get("levels", {}).items()},
        )
    except (TypeError, ValueError, KeyError, AttributeError) as problem:
        raise BadSettings(f"The policy file's [risk] cannot be read: {problem}.") from None


def _template(role: str) -> str:
    if not re.fullmatch(_GUID, role):
        raise ValueError(f"{role!r} is not a role template id")
    return role.lower()
