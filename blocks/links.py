"""Microsoft's pages that we point to, by kind of request. Other clouds pass their own addresses to the builders."""

from __future__ import annotations

from app.domain.request import Kind

_ADMIN = "https://entra.microsoft.com/#view/Microsoft_Azure_PIMCommon"
_TAB = {Kind.ENTRA: "aadmigratedroles", Kind.AZURE: "azurerbac", Kind.GROUP: "aadgroup"}


def portal(kind: Kind) -> str:
    """Where an approver decides without us."""
    return f"{_ADMIN}/ApproveRequestMenuBlade/~/{_TAB[kind]}"


def ask_again(kind: Kind) -> str:
    """Where a requestor starts a new activation."""
    return f"{_ADMIN}/ActivationMenuBlade/~/{_TAB[kind]}"
