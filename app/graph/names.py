"""Names that a listing left out, looked up one by one and remembered. A name that cannot be read stays missing."""

from __future__ import annotations

from dataclasses import replace

from app.domain.changes import Listing
from app.domain.errors import BotError
from app.domain.request import ActivationRequest, Role
from app.graph.client import Gate
from app.graph.directory import MOST, Directory
from app.graph.wire import flag, guid, text
from app.ports import TokenSource

ROLES = "/v1.0/roleManagement/directory/roleDefinitions"


async def with_requestor(request: ActivationRequest, directory: Directory) -> ActivationRequest:
    """The request with its requestor's names, where Microsoft did not expand them and somebody may read them."""
    if request.requestor.name or request.requestor.upn:
        return request
    known = await directory.person(request.requestor.id)
    return replace(request, requestor=known) if known is not None else request


class RoleNames:
    """What stands behind a directory role's id, and whether Microsoft calls it privileged."""

    def __init__(self, gate: Gate, directory: Directory) -> None:
        """`gate`: the way to Microsoft Graph."""
        self._gate = gate
        self._directory = directory
        self._roles: dict[str, Role] = {}

    async def named(self, listing: Listing, token: TokenSource) -> Listing:
        """The listing with every name that this token, or another, may read."""
        if not listing.requests:
            return listing
        privileged = await self._directory.privileged()
        named = []
        for request in listing.requests:
            known = await with_requestor(request, self._directory)
            role = known.role if known.role.name else await self._role(known.role, token)
            named.append(replace(known, role=replace(role, privileged=privileged.get(role.id))))
        return replace(listing, requests=tuple(named))

    async def _role(self, role: Role, token: TokenSource) -> Role:
        if role.id not in self._roles:
            try:
                raw = await self._gate.get(f"{ROLES}/{guid(role.id)}", token, {"$select": "id,displayName,isBuiltIn"})
            except BotError:
                return role
            if len(self._roles) >= MOST:
                self._roles.clear()
            self._roles[role.id] = Role(role.id, text(raw.get("displayName")), flag(raw.get("isBuiltIn")))
        return self._roles[role.id]
