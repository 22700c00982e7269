"""Our HTTP API as one ASGI application over a house: tokens are words, such as `ann` or `cleo audit`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import people
from build import a_caller
from use_cases.house import House

from app.api.approvals import Approvals
from app.api.bearer_gate import PREFIX, BearerGate
from app.api.buckets import Buckets, Rate
from app.api.requests import reading_routes
from app.api.server import build_door
from app.domain.errors import BotError
from app.domain.request import Person
from app.inbox import Repeats
from app.ports import APPROVE, READ, Caller, Stranger

BASE = "http://pim.test"
PLENTY = Rate(burst=1000, per_second=100)


class FakeBearers:
    """A token says who calls: `<name>`, with `audit`, `read only` or `approve only` after it if that is meant."""

    failure: BotError | None = None

    async def caller(self, token: str) -> Caller | Stranger:
        if self.failure is not None:
            raise self.failure
        name, *more = token.split(".")
        person = getattr(people, name, None)
        if not isinstance(person, Person):
            return Stranger("unknown key")
        scopes = {READ} if "read" in more else {APPROVE} if "approve" in more else {READ, APPROVE}
        return a_caller(person, scopes=frozenset(scopes), auditor="audit" in more)


@dataclass
class ApiRig:
    """The API with its doubles. `seconds` is the clock of the rate limits; `woken` counts what the painter hears."""

    house: House
    reads: Rate = PLENTY
    decides: Rate = PLENTY
    patience: float = 25.0
    seconds: float = 0.0
    woken: int = 0
    bearers: FakeBearers = field(default_factory=FakeBearers)
    decided: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new process on the same database."""
        house = self.house
        self.approvals = Approvals(
            lookups=house.caller_lookups,
            calls=house.calls,
            repeats=Repeats(inbox=house.inbox, clock=house.clock),
            wake=self._wake,
            decided=lambda where, outcome, _seconds: self.decided.append((where, outcome)),
            patience=self.patience,
        )
        routers = (reading_routes(house.caller_lookups), self.approvals.routes())
        self.door = build_door(None, routers, [], self._guard)
        # What a handler raises comes out as an answer, as it does behind a server.
        transport = httpx.ASGITransport(self.door, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    async def get(
        self,
        path: str,
        who: str = "ann",
        headers: dict[str, str] | None = None,
        **query: Any,  # noqa: ANN401 - of many types
    ) -> httpx.Response:
        return await self.http.get(f"{PREFIX}/{path}", params=dict(query), headers=_bearer(who) | (headers or {}))

    async def post(
        self, path: str, who: str = "ann", body: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.post(f"{PREFIX}/{path}", json=body, headers=_bearer(who) | (headers or {}))

    async def approve(
        self, request_id: str, who: str = "ann", comment: str | None = "Seen", **headers: str
    ) -> httpx.Response:
        """Headers are named with underscores."""
        body = None if comment is None else {"comment": comment}
        return await self.post(f"approvals/{request_id}/approve", who, body, _named(headers))

    async def deny(self, request_id: str, who: str = "ann", reason: str = "Not now", **headers: str) -> httpx.Response:
        return await self.post(f"approvals/{request_id}/deny", who, {"reason": reason}, _named(headers))

    def _guard(self, inner: Any) -> BearerGate:  # noqa: ANN401 - an ASGI application
        def clock() -> float:
            return self.seconds

        reads, decisions = Buckets(self.reads, clock), Buckets(self.decides, clock)
        return BearerGate(inner=inner, bearers=self.bearers, reads=reads, decisions=decisions)

    def _wake(self) -> None:
        self.woken += 1


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem, after a look at its form."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert sorted(told) == ["code", "detail", "status", "title", "type"]
    assert told["status"] == answer.status_code
    assert told["detail"]
    return answer.status_code, told["code"]
