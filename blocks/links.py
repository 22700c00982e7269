"""Pages that we point to: Microsoft's, by kind of request, in the one portal of the cloud; and cards in Slack."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.domain.request import Kind

_PIM = "#view/Microsoft_Azure_PIMCommon"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PEOPLE = "#view/Microsoft_AAD_UsersAndTenants"
_TAB = {Kind.ENTRA: "aadmigratedroles", Kind.AZURE: "azurerbac", Kind.GROUP: "aadgroup"}


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal of one cloud. `root`: its address, without a trailing slash."""

    root: str = "https://entra.microsoft.com"

    def decide(self, kind: Kind) -> str:
        """Where an approver decides without us."""
        return f"{self.root}/{_PIM}/ApproveRequestMenuBlade/~/{_TAB[kind]}"

    def person(self, oid: str) -> str:
        """Where an administrator looks at an account; empty for what is no object id."""
        return f"{self.root}/{_PEOPLE}/UserProfileMenuBlade/~/overview/userId/{oid}" if _GUID.fullmatch(oid) else ""

    def ask_again(self, kind: Kind) -> str:
        """Where a requestor starts a new activation."""
        return f"{self.root}/{_PIM}/ActivationMenuBlade/~/{_TAB[kind]}"


GLOBAL = Portal()


def card_address(slack_url: str, channel: str, ts: str) -> str:
    """Where a card stands in Slack. `slack_url`: the workspace's own address, with a slash at the end."""
    return f"{slack_url}archives/{channel}/p{ts.replace('.', '')}"
