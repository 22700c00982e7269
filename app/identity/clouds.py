"""Microsoft's clouds: which hosts sign people in, answer Graph and ARM, and show the portal. A table; it calls nobody.

Tokens of one cloud are worth nothing in another, so scopes, issuers and addresses all come from the same row. Sources:
Microsoft's "National clouds" and "Microsoft Graph national cloud deployments".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud; every address is a root without a trailing slash."""

    name: str
    login: str
    graph: str
    arm: str
    arm_audience: str  # what ARM's scopes begin with; outside the global cloud it is not where ARM answers
    portal: str  # the site whose address `#view/Microsoft_Azure_PIMCommon` opens PIM

    @property
    def graph_application_scope(self) -> str:
        """What an application asks for at Graph."""
        return f"{self.graph}/.default"

    @property
    def graph_scopes(self) -> tuple[str, ...]:
        """What a person is asked for at Graph."""
        return tuple(f"{self.graph}/{permission}" for permission in _DELEGATED)

    @property
    def arm_application_scope(self) -> str:
        """What an application asks for at ARM."""
        return f"{self.arm_audience}/.default"

    @property
    def arm_scopes(self) -> tuple[str, ...]:
        """What a person is asked for at ARM."""
        return (f"{self.arm_audience}/user_impersonation",)


# The least that lists and decides on both Graph desks, and reads their settings. Whatever else an administrator
# consented to (docs/install.md names what is worth it) is in the tokens too, without being asked for.
_DELEGATED = (
    "User.Read",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.Read.AzureADGroup",
)

GLOBAL = Cloud(
    name="global",
    login="https://login.microsoftonline.com",
    graph="https://graph.microsoft.com",
    arm="https://management.azure.com",
    arm_audience="https://management.azure.com",
    portal="https://entra.microsoft.com",
)
USGOV = Cloud(
    name="usgov",
    login="https://login.microsoftonline.us",
    graph="https://graph.microsoft.us",
    arm="https://management.usgovcloudapi.net",
    arm_audience="https://management.core.usgovcloudapi.net",
    portal="https://portal.azure.us",
)
USGOV_DOD = Cloud(
    name="usgov-dod",
    login="https://login.microsoftonline.us",
    graph="https://dod-graph.microsoft.us",
    arm="https://management.usgovcloudapi.net",
    arm_audience="https://management.core.usgovcloudapi.net",
    portal="https://portal.azure.us",
)
CHINA = Cloud(
    name="china",
    login="https://login.partner.microsoftonline.cn",
    graph="https://microsoftgraph.chinacloudapi.cn",
    arm="https://management.chinacloudapi.cn",
    arm_audience="https://management.core.chinacloudapi.cn",
    portal="https://portal.azure.cn",
)
CLOUDS: Mapping[str, Cloud] = MappingProxyType({cloud.name: cloud for cloud in (GLOBAL, USGOV, USGOV_DOD, CHINA)})
