"""Which APIs the app registration may call with which permissions, and how a scope string is read. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app.sandbox.people import Settings

OIDC = frozenset({"openid", "profile", "email", "offline_access"})
DEFAULT = ".default"

GRAPH_DELEGATED = (
    "User.Read",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.Read.AzureADGroup",
    "GroupMember.Read.All",
)
GRAPH_APPLICATION = (
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleManagement.Read.Directory",
    "PrivilegedAccess.Read.AzureADGroup",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "RoleManagementPolicy.Read.AzureADGroup",
    "User.Read.All",
    "GroupMember.Read.All",
    "AuditLog.Read.All",
)


class LoginError(Exception):
    """An OAuth error as Entra words it: AADSTS number, OAuth error name, text, HTTP status, claims to be met."""

    def __init__(self, number: int, error: str, text: str, status: int = 400, claims: str = "") -> None:
        super().__init__(f"AADSTS{number}: {text}")
        self.claims = claims
        self.number = number
        self.error = error
        self.status = status


@dataclass(frozen=True, slots=True)
class Resource:
    """An API: the `aud` of its tokens, what its scopes start with, and what our registration was granted."""

    name: str
    audience: str
    prefixes: tuple[str, ...]
    delegated: tuple[str, ...]
    application: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scopes:
    """A scope string understood: one resource, the permission names, the OpenID words, the spelling to echo."""

    resource: Resource
    names: tuple[str, ...]
    oidc: frozenset[str]
    echo: str

    @property
    def is_default(self) -> bool:
        """Whether everything granted was asked for at once."""
        return DEFAULT in self.names


def resources(settings: Settings) -> dict[str, Resource]:
    """The three APIs by the short names that `/control/token` uses."""
    arm = "https://management.azure.com"
    graph = "https://graph.microsoft.com"
    own = settings.client_id
    return {
        "graph": Resource("graph", graph, (f"{graph}/",), GRAPH_DELEGATED, GRAPH_APPLICATION),
        "arm": Resource("arm", arm, (f"{arm}//", f"{arm}/"), ("user_impersonation",), ()),
        "api": Resource(
            "api", settings.api_audience, (f"api://{own}/", f"{own}/"), ("Requests.Read", "Requests.Approve"), ()
        ),
    }


def read_scopes(settings: Settings, text: str) -> Scopes:
    """Understand a delegated scope string; raises LoginError for anything unknown, mixed or not granted.

    Entra issues a token for one resource at a time, and a bare permission name means Microsoft Graph.
    """
    words = text.split()
    oidc = frozenset(words) & OIDC
    found = [_split(settings, word) for word in words if word not in OIDC]
    resource = _only([resource for resource, _ in found]) or resources(settings)["graph"]
    names = tuple(dict.fromkeys(name for _, name in found))
    missing = [name for name in names if name != DEFAULT and name not in resource.delegated]
    if missing:
        raise _no_consent(settings, missing)
    echo = " ".join(word for word in words if word != "offline_access")
    return Scopes(resource, names, oidc, echo)


def read_app_scope(settings: Settings, text: str) -> Scopes:
    """Understand the scope of a client-credentials call, which must be one resource's `.default`."""
    words = text.split()
    if len(words) != 1 or not words[0].endswith(f"/{DEFAULT}"):
        raise LoginError(
            1002012,
            "invalid_scope",
            f"The provided value for scope {text} is not valid. Client credential flows must have a scope value "
            "with /.default suffixed to the resource identifier (application ID URI).",
        )
    resource, name = _split(settings, words[0])
    return Scopes(resource, (name,), frozenset(), words[0])


def _only(found: list[Resource]) -> Resource | None:
    if len({resource.name for resource in found}) > 1:
        raise LoginError(
            28000,
            "invalid_request",
            "Provided value for the input parameter scope is not valid because it contains more than one resource.",
        )
    return found[0] if found else None


def _split(settings: Settings, word: str) -> tuple[Resource, str]:
    known = resources(settings)
    for resource in known.values():
        for prefix in resource.prefixes:
            if word.startswith(prefix) and len(word) > len(prefix):
                return resource, word[len(prefix) :]
    if "/" not in word and ":" not in word:
        return known["graph"], word
    raise LoginError(
        70011,
        "invalid_scope",
        f"The provided request must include a 'scope' input parameter. The scope {word} is not valid.",
    )


def _no_consent(settings: Settings, missing: list[str]) -> LoginError:
    return LoginError(
        65001,
        "invalid_grant",
        f"The user or administrator has not consented to use the application with ID '{settings.client_id}' named "
        f"'PIM Approvals'. Send an interactive authorization request for this user and resource. "
        f"Missing: {' '.join(missing)}.",
    )


def read_claims(text: str | None, part: str = "access_token") -> dict[str, tuple[str, ...]]:
    """The claims that a `claims` parameter asks for in one part, a sort of token: claim name to wanted values.

    Raises LoginError unless it is a JSON object of objects, as OpenID Connect demands.
    """
    if not text:
        return {}
    try:
        wanted = json.loads(text).get(part) or {}
        return {name: _values(rule or {}) for name, rule in wanted.items()}
    except (ValueError, AttributeError) as problem:
        raise LoginError(50000, "invalid_request", "The claims parameter is not a valid JSON object.") from problem


def _values(rule: dict[str, object]) -> tuple[str, ...]:
    values = rule.get("values") or ([rule["value"]] if "value" in rule else [])
    return tuple(str(value) for value in values) if isinstance(values, list) else ()
