"""Microsoft's pages that we point to, by kind of request. Each cloud has a portal of its own; no other one helps."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.request import Kind

_PIM = "#view/Microsoft_Azure_PIMCommon"
_TAB = {Kind.ENTRA: "aadmigratedroles", Kind.AZURE: "azurerbac", Kind.GROUP: "aadgroup"}


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal of one cloud. `root`: its address, without a trailing slash."""

    root: str = "https://entra.microsoft.com"

    def decide(self, kind: Kind) -> str:
        """Where an approver decides without us."""
        return f"{self.root}/{_PIM}/ApproveRequestMenuBlade/~/{_TAB[kind]}"

    def ask_again(self, kind: Kind) -> str:
        """Where a requestor starts a new activation."""
        return f"{self.root}/{_PIM}/ActivationMenuBlade/~/{_TAB[kind]}"


GLOBAL = Portal()
