"""Short ways to call the emulated Azure Resource Manager."""

from __future__ import annotations

from typing import Any

import httpx
from sandbox.world_rig import Rig

from app.sandbox.activations import Request

Json = dict[str, Any]
A = "/providers/Microsoft.Authorization"
PROD = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
WEB = f"{PROD}/resourceGroups/rg-web"
VAULT = f"{PROD}/resourceGroups/rg-data/providers/Microsoft.KeyVault/vaults/kv-prod"
CONTOSO = "/providers/Microsoft.Management/managementGroups/contoso"
STAGING = "/subscriptions/1f1e1d1c-2222-4333-8444-a55566677788"
REQUESTS = f"{A}/roleAssignmentScheduleRequests"
INSTANCES = f"{A}/roleAssignmentScheduleInstances"
APPROVALS = f"{A}/roleAssignmentApprovals"
APPROVAL_VERSION = "2021-01-01-preview"
MINE = {"$filter": "asApprover()"}
SHAPES = ("put", "patch_wrapped", "patch_bare", "batch")
NOWHERE = "00000000-1111-4222-8333-444455556666"
FEW = 40  # rows in which every oddity occurs


async def names(rig: Rig, path: str, user: str = "app", text: str | None = None) -> list[str]:
    answer = await rig.arm(path, user, params={"$filter": text} if text else None)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["value"]]


async def approval(
    rig: Rig, path: str, user: str = "ann", method: str = "GET", *, params: Json | None = None, json: object = None
) -> httpx.Response:
    return await rig.arm(f"{APPROVALS}{path}", user, method, params=params, json=json, version=APPROVAL_VERSION)


async def stage_of(rig: Rig, request: Request, user: str = "ann") -> Json:
    answer = await approval(rig, f"/{request.approval_id}/stages", user)
    stage: Json = answer.json()["value"][0]
    return stage


async def decide(
    rig: Rig, request: Request, user: str = "ann", shape: str = "put", result: str = "Approve", why: str = "CHG1"
) -> httpx.Response:
    content: Json = {"reviewResult": result, "justification": why}
    place = f"/{request.approval_id}/stages/{request.step_id}"
    if shape == "batch":
        url = f"{APPROVALS}{place}?api-version={APPROVAL_VERSION}"
        item = {"name": "one", "httpMethod": "PUT", "url": url, "content": {"properties": content}}
        return await rig.arm("/batch", user, "POST", json={"requests": [item]}, version="2020-06-01")
    body = content if shape == "patch_bare" else {"properties": content}
    return await approval(rig, place, user, "PUT" if shape == "put" else "PATCH", json=body)


def inner(answer: httpx.Response) -> tuple[int, str]:
    """Status and error code of a batch's only answer."""
    (only,) = answer.json()["responses"]
    return only["httpStatusCode"], (only["content"] or {"error": {"code": ""}})["error"]["code"]
