"""The subscriptions of the emulated Azure that a caller may read, as ARM lists them. Reads only."""

from __future__ import annotations

from app.sandbox.arm_gate import Caller, Reply, Sent, read_options
from app.sandbox.scopes import AZURE_SCOPES, Scope
from app.sandbox.wire import Json

PATH = "/subscriptions"
VERSIONS = ("2022-12-01", "2022-09-01", "2021-01-01", "2020-01-01")


def list_subscriptions(caller: Caller, sent: Sent, tenant: str) -> Reply:
    """Those where the caller holds Reader; somebody who holds it nowhere is shown an empty list, not refused."""
    read_options("subscriptions", VERSIONS, frozenset(), sent.query)
    rows = [_row(scope, tenant) for scope in AZURE_SCOPES if scope.type == "subscription" and caller.may_read(scope.id)]
    return Reply(200, {"value": rows, "count": {"type": "Total", "value": len(rows)}})


def _row(scope: Scope, tenant: str) -> Json:
    return {
        "id": scope.id,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": scope.id.rpartition("/")[2],
        "tenantId": tenant,
        "displayName": scope.name,
        "state": "Enabled",
    }
