"""Requests of each desk as `/control` is asked for them."""

from __future__ import annotations

from typing import Any

import httpx
from sandbox.world_rig import Rig

from app.sandbox.activations import Kind

Json = dict[str, Any]
ASK: Json = {
    "kind": "entra",
    "requestor": "rita",
    "role": "Global Reader",
    "duration": "PT3H",
    "justification": "Quarterly audit",
    "ticket": {"number": "CHG-1", "system": "Jira"},
}
AZURE: Json = {"kind": "azure", "requestor": "rob", "role": "Owner"}
GROUP: Json = {"kind": "group", "requestor": "rob", "role": "member", "scope": "prod-db-admins"}
DESKS = (ASK, AZURE, GROUP)
KINDS: tuple[Kind, ...] = ("entra", "azure", "group")
PROD = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"


async def post(rig: Rig, path: str, body: object = None) -> httpx.Response:
    return await rig.http.post(f"/control{path}", json=body)


async def made(rig: Rig, **changed: object) -> dict[str, Any]:
    answer = await post(rig, "/requests", {**ASK, **changed})
    assert answer.status_code == 201, answer.text
    request: dict[str, Any] = answer.json()
    return request
