"""The whole emulated world in process, with a clock the test holds and a bot that only records what it is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import httpx
from sandbox.slack_rig import Clock
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.sandbox import arm, control, graph, login, slack_api, slack_openid, slack_response
from app.sandbox.activations import Ask, Kind, Request
from app.sandbox.azure_roles import find_azure_role
from app.sandbox.faults import FaultGate
from app.sandbox.group_access import ACCESS, group_scope
from app.sandbox.login_grants import app_answer, user_answer
from app.sandbox.login_scopes import Scopes, resources
from app.sandbox.login_tokens import Grant, SigningKey
from app.sandbox.people import Settings
from app.sandbox.roles import find_role
from app.sandbox.scopes import azure_scope
from app.sandbox.world import World

Json = dict[str, Any]
ROLE_REQUESTS = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
SCHEDULES = "2020-10-01"
APPROVALS = "/beta/roleManagement/directory/roleAssignmentApprovals"


@cache
def one_key() -> SigningKey:
    """One key for all tests: making RSA keys is slow."""
    return SigningKey.make()


def same_ids() -> Callable[[], str]:
    """GUIDs that are the same in each run, so that each run meets the same oddities."""
    numbers = count()
    return lambda: str(uuid.uuid5(uuid.NAMESPACE_OID, str(next(numbers))))


@dataclass
class NoBot:
    """A bot process that is only spoken of."""

    told: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=lambda: {"PIM_ENVIRONMENT": "sandbox"})

    async def start(self) -> int:
        self.told.append("start")
        return 4711

    async def stop(self, *, kill: bool = False) -> int | None:
        self.told.append("kill" if kill else "stop")
        return 4711

    async def forget(self) -> None:
        self.told.append("forget")


@dataclass
class Rig:
    """A fresh world and short ways to call it; `sites` are other applications by origin, such as a bot."""

    clock: Clock = field(default_factory=Clock)
    bot: NoBot = field(default_factory=NoBot)
    settings: Settings = field(default_factory=Settings)
    sites: dict[str, Starlette] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.settings, clock=self.clock, new_id=same_ids(), key=one_key())
        parts = (graph, arm, login, slack_api, slack_openid, slack_response)
        routes = [route for part in parts for route in part.routes(self.world)]
        routes += control.routes(self.world, self.browser, self.bot)
        self.app = Starlette(routes=routes, middleware=[Middleware(FaultGate, world=self.world, sleep=self._sleep)])
        self.http = self.browser()

    def browser(self) -> httpx.AsyncClient:
        sites = {self.settings.world_url: self.app, **self.sites}
        mounts = {origin: httpx.ASGITransport(app) for origin, app in sites.items()}
        return httpx.AsyncClient(mounts=mounts, base_url=self.settings.world_url, trust_env=False)

    def ask(
        self,
        requestor: str = "rob",
        role: str = "Exchange Administrator",
        *,
        duration: str = "PT2H",
        justification: str | None = None,
        start: datetime | None = None,
    ) -> Request:
        found = find_role(role)
        assert found
        asked = Ask("entra", requestor, found, duration=duration, justification=justification, start=start)
        return self.world.ask(asked)

    def ask_azure(self, requestor: str = "rob", role: str = "Owner", scope: str = "Prod", **more: Any) -> Request:  # noqa: ANN401 - any other fact of an ask
        found, place = find_azure_role(role), azure_scope(scope)
        assert found
        assert place
        return self.world.ask(Ask("azure", requestor, found, place, **more))

    def ask_group(
        self,
        access: str = "member",
        group: str = "prod-db-admins",
        who: str = "rob",
        *,
        duration: str = "PT2H",
        justification: str | None = None,
    ) -> Request:
        """Somebody asks for membership or ownership of a group under PIM's care."""
        scope = group_scope(group)
        assert scope
        asked = Ask("group", who, ACCESS[access], scope, duration=duration, justification=justification)
        return self.world.ask(asked)

    def ids_of(self, kind: Kind) -> list[str]:
        """What was asked for on one desk, the oldest first."""
        return [request.id for request in self.world.of_kind(kind)]

    def app_token(self, resource: str = "graph", only: Iterable[str] | None = None) -> str:
        wanted = resources(self.settings)[resource]
        granted = wanted if only is None else replace(wanted, application=tuple(only))
        return str(app_answer(self.world, granted)["access_token"])

    def user_token(self, user: str, only: Iterable[str] | None = None, resource: str = "graph") -> str:
        wanted = resources(self.settings)[resource]
        names = wanted.delegated if only is None else tuple(only)
        grant = Grant(user, Scopes(wanted, names, frozenset(), ""), "", "", None, "", "", self.world.now())
        return str(user_answer(self.world, self.world.people[user], grant)["access_token"])

    async def graph(
        self,
        path: str,
        user: str = "app",
        method: str = "GET",
        *,
        params: dict[str, str] | None = None,
        json: object = None,
    ) -> httpx.Response:
        token = self.app_token() if user == "app" else self.user_token(user)
        return await self.raw(path, token, method, params=params, json=json)

    async def arm(
        self,
        path: str,
        user: str = "app",
        method: str = "GET",
        *,
        params: dict[str, str] | None = None,
        json: object = None,
        version: str = SCHEDULES,
    ) -> httpx.Response:
        token = self.app_token("arm") if user == "app" else self.user_token(user, resource="arm")
        query = {"api-version": version, **(params or {})}
        headers = {"authorization": f"Bearer {token}"}
        return await self.http.request(method, f"/arm{path}", headers=headers, params=query, json=json)

    async def raw(
        self,
        path: str,
        token: str,
        method: str = "GET",
        *,
        params: dict[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        url = f"/graph{path}"
        return await self.http.request(method, url, headers=headers, params=params, json=json, content=content)

    async def decide(self, request: Request, user: str, result: str = "Approve", why: str = "ok") -> httpx.Response:
        body = {"reviewResult": result, "justification": why}
        return await self.graph(f"{APPROVALS}/{request.id}/steps/{request.step_id}", user, "PATCH", json=body)

    async def step(self, request: Request, user: str) -> Json:
        answer = await self.graph(f"{APPROVALS}/{request.id}/steps", user)
        step: Json = answer.json()["value"][0]
        return step

    def forward(self, **span: float) -> datetime:
        self.clock.now += timedelta(**span)
        return self.clock.now

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and Graph error code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]
