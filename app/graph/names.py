"""Names that a listing left out, looked up one by one and remembered. A name that cannot be read stays missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from app.domain.errors import BotError
from app.domain.request import ActivationRequest, Person, Role
from app.graph.client import Gate
from app.graph.wire import guid, text
from app.ports import TokenSource

USERS = "/v1.0/users"
ROLES = "/v1.0/roleManagement/directory/roleDefinitions"
T = TypeVar("T")
MOST = 5_000  # names of each sort; then the memory starts anew


class Names:
    """Who and what stands behind an id, where Microsoft does not expand it in a listing."""

    def __init__(self, gate: Gate) -> None:
        """`gate`: the way to Microsoft Graph."""
        self._gate = gate
        self._people: dict[str, Person] = {}
        self._roles: dict[str, Role] = {}

    async def named(self, request: ActivationRequest, token: TokenSource) -> ActivationRequest:
        """The request with its requestor's and role's names, as far as this token may read them."""
        requestor, role = request.requestor, request.role
        if not (requestor.name or requestor.upn):
            requestor = await self._person(requestor, token)
        if not role.name:
            role = await self._role(role, token)
        return replace(request, requestor=requestor, role=role)

    async def _person(self, person: Person, token: TokenSource) -> Person:
        if person.id not in self._people:
            query = {"$select": "id,displayName,userPrincipalName,mail"}
            try:
                raw = await self._gate.get(f"{USERS}/{guid(person.id)}", token, query)
            except BotError:
                return person
            names = (text(raw.get(key)) for key in ("displayName", "userPrincipalName", "mail"))
            _remember(self._people, person.id, Person(person.id, *names))
        return self._people[person.id]

    async def _role(self, role: Role, token: TokenSource) -> Role:
        if role.id not in self._roles:
            try:
                raw = await self._gate.get(f"{ROLES}/{guid(role.id)}", token, {"$select": "id,displayName,isBuiltIn"})
            except BotError:
                return role
            built_in = raw.get("isBuiltIn")
            known = Role(role.id, text(raw.get("displayName")), built_in if isinstance(built_in, bool) else None)
            _remember(self._roles, role.id, known)
        return self._roles[role.id]


def _remember(names: dict[str, T], key: str, value: T) -> None:
    if len(names) >= MOST:
        names.clear()
    names[key] = value
