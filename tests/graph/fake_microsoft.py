"""A Microsoft that records what it is asked and answers from a script, and builders for its JSON. It knows no rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from build import NOW, guid

from app.graph.azure_resources import MANNERS, AzureResources
from app.graph.client import POLL, Gate, Manners
from app.graph.directory import Directory
from app.graph.directory_roles import DirectoryRoles
from app.graph.groups import Groups
from app.ports import TokenSource

ROOT = "https://graph.microsoft.com"
ARM = "https://management.azure.com"
BATCHED = UUID("7c6b0000-1111-4222-8333-944455566677")
SUBSCRIPTION = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
DB_ADMINS = "9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703"
TOKEN = "canary-token"
EXTENSIONS, PRIVILEGED = "PendingAdminDecision", "isPrivileged"
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
    """Gives its answers in order; an error is raised. A call beyond the script fails the test.

    Questions that are asked beside the others have answers of their own, each as often as it is asked: by `asides`, a
    part of the address to an answer. Unless a test says otherwise, nobody waits for an extension, and nobody may read
    which roles are privileged.
    """

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asides: dict[str, Answer] = {EXTENSIONS: page(), PRIVILEGED: error(403)}
        self.requests: list[httpx.Request] = []
        self.aside: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # a real one takes its time: others get their turn
        answer = next((said for asked, said in self.asides.items() if asked in str(request.url)), None)
        (self.requests if answer is None else self.aside).append(request)
        if answer is None:
            assert self.answers, f"nobody expected {request.method} {request.url}"
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    @property
    def lines(self) -> list[str]:
        """`GET /v1.0/...?...` of every call, byte for byte."""
        return [line_of(request) for request in self.requests]


@dataclass
class Rig:
    """A desk on a fake Microsoft, with a clock the test holds and a sleep that only takes notes."""

    microsoft: FakeMicrosoft
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = self.a_gate(ROOT)
        self.directory = Directory(self.gate, self._readers, self.clock)
        self.desk = DirectoryRoles(self.gate, self.directory)

    def a_gate(self, root: str, manners: Manners = POLL) -> Gate:
        return Gate(root, self.clock, transport=self.microsoft, sleep=self._sleep, jitter=lambda: 0.5, manners=manners)

    def a_patient_gate(self, manners: Manners) -> Gate:
        """Its time passes while it sleeps."""
        return Gate(ROOT, self.clock, transport=self.microsoft, sleep=self._sleep_on, manners=manners)

    async def _readers(self) -> list[TokenSource]:
        return [token]

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def _sleep_on(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.forward(seconds)


def line_of(request: httpx.Request) -> str:
    return f"{request.method} {request.url.raw_path.decode()}"


def rig(*answers: Answer) -> Rig:
    return Rig(FakeMicrosoft(*answers))


@dataclass
class GroupsRig(Rig):
    """The same with the desk of groups, which watches these."""

    watched: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.groups = Groups(self.gate, self.directory, self.watched)


@dataclass
class AzureRig(Rig):
    """The same with the desk of Azure roles, which watches these scopes. Who the requestor is, nobody may read."""

    watched: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.microsoft.asides["/v1.0/users/"] = error(403)
        self.azure = AzureResources(self.a_gate(ARM, MANNERS), self.directory, self.watched, lambda: BATCHED)


def groups_rig(*answers: Answer, watched: tuple[str, ...] = ()) -> GroupsRig:
    return GroupsRig(FakeMicrosoft(*answers), watched=watched)


def azure_rig(*answers: Answer, watched: tuple[str, ...] = ()) -> AzureRig:
    return AzureRig(FakeMicrosoft(*answers), watched=watched)


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


def a_group_row(**over: object) -> Json:
    """A pending request as Graph lists it: Bo asks to be a member of prod-db-admins for two hours."""
    own, bo = guid(), "22bb33cc-44dd-55ee-66ff-770088119902"
    group = str(over.get("groupId", DB_ADMINS))
    return {
        "@odata.type": "#microsoft.graph.privilegedAccessGroupAssignmentScheduleRequest",
        "id": own,
        "status": "PendingApproval",
        "createdDateTime": "2026-11-23T09:02:10.5Z",
        "completedDateTime": None,
        "approvalId": own,
        "customData": None,
        "action": "selfActivate",
        "isValidationOnly": False,
        "justification": "Release night",
        "createdBy": {"user": {"displayName": None, "id": bo}},
        "scheduleInfo": {
            "startDateTime": "2026-11-23T09:02:10.5Z",
            "recurrence": None,
            "expiration": {"type": "afterDuration", "endDateTime": None, "duration": "PT2H"},
        },
        "ticketInfo": {"ticketNumber": "CHG-881", "ticketSystem": "Jira"},
        "accessId": "member",
        "groupId": group,
        "principalId": bo,
        "targetScheduleId": f"{group}_member_{own}",
        "group": {"id": group, "displayName": "prod-db-admins", "isAssignableToRole": True},
        "principal": {"id": bo, "displayName": "Bo Lindh", "userPrincipalName": "bo@contoso.example", "mail": None},
        **over,
    }


def an_azure_row(*, name: object = None, path: object = None, expanded: object = "names", **over: object) -> Json:
    """A pending request as ARM lists it: Cy asks for Owner of the subscription Prod for eight hours."""
    own, cy = name if name is not None else guid(), "33cc44dd-55ee-66ff-7700-881199aabb03"
    role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"
    names = {
        "scope": {"id": SUBSCRIPTION, "displayName": "Prod", "type": "subscription"},
        "roleDefinition": {"id": role, "displayName": "Owner", "type": "BuiltInRole"},
        "principal": {"id": cy, "displayName": "Cy Rao", "email": "cy@contoso.example", "type": "User"},
    }
    return {
        "id": path or f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{own}",
        "name": own,
        "type": "Microsoft.Authorization/roleAssignmentScheduleRequests",
        "properties": {
            "scope": SUBSCRIPTION,
            "roleDefinitionId": role,
            "principalId": cy,
            "principalType": "User",
            "requestType": "SelfActivate",
            "status": "PendingApproval",
            "approvalId": f"/providers/Microsoft.Authorization/roleAssignmentApprovals/{A_GUID}",
            "targetRoleAssignmentScheduleId": None,
            "linkedRoleEligibilityScheduleId": "b1477448-2cc6-4ceb-93b4-54a202a89413",
            "scheduleInfo": {
                "startDateTime": "2026-11-23T09:00:00Z",
                "expiration": {"type": "AfterDuration", "endDateTime": None, "duration": "PT8H"},
            },
            "justification": "Rotate prod keys",
            "ticketInfo": {"ticketNumber": "CHG-902", "ticketSystem": "ServiceNow"},
            "createdOn": "2026-11-23T09:00:02.71Z",
            "requestorId": cy,
            **({"expandedProperties": names if expanded == "names" else expanded} if expanded else {}),
            **over,
        },
    }


def a_stage(*, id_: object = None, **over: object) -> Json:
    """A stage of an ARM approval that waits for the caller; its name is not its id."""
    stage = id_ if id_ is not None else guid()
    approval = f"/providers/Microsoft.Authorization/roleAssignmentApprovals/{A_GUID}"
    return {
        "id": f"{approval}/stages/{stage}",
        "name": guid(),
        "type": "Microsoft.Authorization/roleAssignmentApprovals/stages",
        "properties": {
            "displayName": None,
            "status": "InProgress",
            "assignedToMe": True,
            "reviewResult": "NotReviewed",
            "reviewedBy": None,
            "reviewedDateTime": None,
            "justification": "",
            **over,
        },
    }


def an_approval(*stages: Json, word: str = "stages") -> httpx.Response:
    return ok({"id": f"/x/{A_GUID}", "name": A_GUID, "properties": {word: list(stages)}})
