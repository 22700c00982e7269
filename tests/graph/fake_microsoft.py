"""A Microsoft that records what it is asked and answers from a script, and builders for its JSON. It knows no rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from build import NOW, guid

from app.graph.client import Gate
from app.graph.directory_roles import DirectoryRoles

ROOT = "https://graph.microsoft.com"
TOKEN = "canary-token"
A_GUID = "9f2b5ddb-a50e-44a1-a6f4-f616322262ea"
# What a hostile answer would put where an id belongs.
EVIL_IDS = (
    "../../me/sendMail",
    "a/b",
    "x?y",
    "x#y",
    "%2e%2e",
    "..",
    "",
    f"{A_GUID}/cancel",
    f"{A_GUID}?$expand=x",
    f"../{A_GUID}",
    f" {A_GUID}",
    f"{A_GUID}\n",
    f"{A_GUID}\x00",
    f"{{{A_GUID}}}",
    A_GUID.replace("-", ""),
    A_GUID.replace("9", "\N{FULLWIDTH DIGIT NINE}"),
    A_GUID.replace("f", "g"),
    f"{A_GUID},{A_GUID}",
)
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
Json = dict[str, Any]


@dataclass
class Clock:
    """Stands still until moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeMicrosoft(httpx.AsyncBaseTransport):
    """Gives its answers in order; an error is raised. A call beyond the script fails the test."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await asyncio.sleep(0)  # a real one takes its time: others get their turn
        assert self.answers, f"nobody expected {request.method} {request.url}"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    @property
    def lines(self) -> list[str]:
        """`GET /v1.0/...?...` of every call, byte for byte."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


@dataclass
class Rig:
    """A desk on a fake Microsoft, with a clock the test holds and a sleep that only takes notes."""

    microsoft: FakeMicrosoft
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = Gate(ROOT, self.clock, transport=self.microsoft, sleep=self._sleep, jitter=lambda: 0.5)
        self.desk = DirectoryRoles(self.gate)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def rig(*answers: Answer) -> Rig:
    return Rig(FakeMicrosoft(*answers))


async def token() -> str:
    return TOKEN


def ok(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return httpx.Response(status, content=json.dumps(body).encode(), headers=raw)


def page(*rows: object, following: object = None) -> httpx.Response:
    link = {} if following is None else {"@odata.nextLink": following}
    return ok({"@odata.context": f"{ROOT}/v1.0/$metadata#x", "value": list(rows), **link})


def error(status: int, code: str = "UnknownError", message: str = "no", **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return ok({"error": {"code": code, "message": message, "innerError": {}}}, status, names)


def throttled(retry_after: str | None = "7", status: int = 429, **headers: str) -> httpx.Response:
    if retry_after is not None:
        headers["Retry_After"] = retry_after
    return error(status, "TooManyRequests", **headers)


def html(status: int = 200) -> httpx.Response:
    return httpx.Response(status, text="<html>sorry</html>", headers={"Content-Type": "text/html"})


def a_row(**over: object) -> Json:
    """A pending request as Graph lists it: Ada asks for Security Administrator for four hours."""
    own = guid()
    ada = "11aa22bb-33cc-44dd-55ee-66ff77008801"
    role = "194ae4cb-b126-40b2-bd5b-6091b380977d"
    return {
        "id": own,
        "status": "PendingApproval",
        "createdDateTime": "2026-11-23T09:15:22.117Z",
        "completedDateTime": "2026-11-23T09:15:21.883Z",
        "approvalId": own,
        "customData": None,
        "action": "selfActivate",
        "principalId": ada,
        "roleDefinitionId": role,
        "directoryScopeId": "/",
        "appScopeId": None,
        "isValidationOnly": False,
        "targetScheduleId": own,
        "justification": "Investigate alert INC-20391",
        "createdBy": {"application": None, "device": None, "user": {"displayName": None, "id": ada}},
        "scheduleInfo": {
            "startDateTime": None,
            "recurrence": None,
            "expiration": {"type": "afterDuration", "endDateTime": None, "duration": "PT4H"},
        },
        "ticketInfo": {"ticketNumber": "INC-20391", "ticketSystem": "ServiceNow"},
        "principal": {
            "@odata.type": "#microsoft.graph.user",
            "id": ada,
            "displayName": "Ada Park",
            "userPrincipalName": "ada.park@contoso.example",
            "mail": "ada.park@contoso.example",
        },
        "roleDefinition": {"id": role, "displayName": "Security Administrator", "templateId": role, "isBuiltIn": True},
        **over,
    }


def a_step(**over: object) -> Json:
    """A step that waits for the caller."""
    return {
        "id": guid(),
        "displayName": None,
        "status": "InProgress",
        "assignedToMe": True,
        "reviewResult": "NotReviewed",
        "reviewedBy": None,
        "reviewedDateTime": None,
        "justification": "",
        **over,
    }
