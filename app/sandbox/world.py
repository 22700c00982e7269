"""The state of the emulated world: people, requests, clock, faults, call log, Slack. Knows no HTTP."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from app.sandbox.activations import Ask, Ending, How, Kind, Refused, Request, Review, Verdict
from app.sandbox.approvers import approvers_of
from app.sandbox.first_requests import first_requests
from app.sandbox.login_tokens import LoginState, SigningKey
from app.sandbox.people import CAST, Person, Settings
from app.sandbox.slack_state import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.sandbox.faults import Call, Fault

LOG_KEPT = 20_000


def utc_now() -> datetime:
    """Give the real time, aware, in UTC."""
    return datetime.now(UTC)


def new_guid() -> str:
    """Give a fresh random GUID in Microsoft's lower-case spelling."""
    return str(uuid.uuid4())


class World:
    """Everything that exists in the emulation. One event loop owns it, so each method is one atomic step."""

    requests: dict[str, Request]
    approvals: dict[str, str]
    faults: list[Fault]
    arm_accepts: tuple[str, ...]
    log: list[Call]
    lag: timedelta
    audit_lag: timedelta
    audit_calls: list[datetime]
    login: LoginState
    workspace: Workspace

    def __init__(
        self,
        settings: Settings | None = None,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = new_guid,
        key: SigningKey | None = None,
    ) -> None:
        """Make a world in its initial state; `clock` gives aware UTC times, `new_id` GUIDs, `key` signs tokens."""
        self.settings = settings or Settings()
        self.people: dict[str, Person] = CAST
        self.offset = timedelta(0)
        self.revision = 0
        self.calls_seen = 0
        self.key = key or SigningKey.make()
        self._clock = clock
        self._new_id = new_id
        self._changed = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Make everything anew: requests wait on each desk, nobody is signed in, nothing is broken, no log."""
        self.offset = timedelta(0)
        self.requests = {}
        self.approvals = {}
        self.faults = []
        self.arm_accepts = ("put",)
        self.log = []
        self.lag = self.audit_lag = timedelta(0)
        self.audit_calls = []
        self.login = LoginState()
        self.workspace = Workspace(self.settings, self.people, self.now, self.touch)
        for ask in first_requests():
            self.ask(ask)

    def now(self) -> datetime:
        """The world's time of day (aware, UTC): the real one plus `offset`."""
        return self._clock() + self.offset

    def fresh_id(self) -> str:
        """A new GUID of Microsoft's."""
        return self._new_id()

    def person(self, id_or_name: str) -> Person | None:
        """Find somebody by short id, full name in any letter case, Slack id, object id or user principal name."""
        wanted = id_or_name.strip().lower()
        for person in self.people.values():
            names = (person.id, person.name, person.slack or person.id, person.oid, person.upn)
            if wanted in {name.lower() for name in names}:
                return person
        return None

    def ask(self, asked: Ask) -> Request:
        """A requestor submits; no policy is checked, so that odd requests can be made on purpose."""
        identifier = self._new_id()
        # Microsoft often, but not always, gives the step its approval's id: a reader must not assume either.
        step = identifier if int(identifier[:8], 16) % 2 else self._new_id()
        # Azure names the approval in a path of its own, whose id need not be the request's.
        approval = self._new_id() if asked.kind == "azure" and int(identifier[:8], 16) % 3 == 0 else identifier
        self.approvals[approval] = identifier
        return self._keep(Request(identifier, approval, step, asked, self.now() - asked.age))

    def of_kind(self, kind: Kind) -> Iterator[Request]:
        """The requests of one desk as Microsoft's reads show them, the oldest first."""
        of_kind = (request for request in self.requests.values() if request.asked.kind == kind)
        if not self.lag:
            return of_kind
        then = self.now() - self.lag
        return (request.as_of(then) for request in of_kind)

    def seen(self, request_id: str) -> Request | None:
        """A request as Microsoft's reads show it: replicas learn of a decision or an ending `lag` later."""
        request = self.requests.get(request_id)
        return request.as_of(self.now() - self.lag) if request else None

    def decide(self, request_id: str, by: str, verdict: Verdict, comment: str) -> Request | Refused:
        """Record the first decision of an approver (short id) on a live request; Microsoft takes only the first."""
        request = self.requests.get(request_id)
        if request is None:
            return Refused("unknown", f"There is no request {request_id}.")
        refused = self._why_not(request, by)
        if refused:
            return refused
        return self._keep(replace(request, review=Review(by, verdict, comment, self.now())))

    def cancel(self, request_id: str) -> Request | Refused:
        """Withdraw a request that still waits."""
        request = self.requests.get(request_id)
        if request is None:
            return Refused("unknown", f"There is no request {request_id}.")
        now = self.now()
        if request.standing(now) not in {"waiting", "for_admin"}:
            return Refused("closed", f"The request is {request.status(now)}; only one that waits can be withdrawn.")
        return self._keep(replace(request, canceled=now))

    def end(self, request_id: str, how: How) -> Request | Refused:
        """End an approved activation before its time; one that has ended, or never was approved, has nothing to end."""
        request = self.requests.get(request_id)
        if request is None:
            return Refused("unknown", f"There is no request {request_id}.")
        now = self.now()
        is_ended = request.standing(now) == "provisioned" and not request.active(now)
        possible = {"provisioned"} if how == "deactivate" else {"provisioned", "scheduled"}
        if is_ended or request.standing(now) not in possible:
            return Refused("closed", f"The request is {request.status(now)}; nothing of it can end now.")
        return self._keep(replace(request, ending=Ending(how, now)))

    def remove(self, kind: Kind, holder: str, role_id: str, scope_id: str) -> Request | Refused:
        """An administrator takes away what somebody (short id) holds right now, whichever request it came of."""
        done: Request | Refused = Refused("unknown", "The Role assignment does not exist.")
        for request in list(self.requests.values()):
            asked = request.asked
            same = (asked.kind, asked.requestor, asked.role.id, asked.scope.id) == (kind, holder, role_id, scope_id)
            if same and request.active(self.now()):
                done = self.end(request.id, "revoke")
        return done

    def record(self, call: Call) -> None:
        """Append to the call log, which keeps the newest calls only."""
        self.log.append(call)
        if len(self.log) > LOG_KEPT:
            del self.log[: LOG_KEPT // 4]

    def touch(self) -> None:
        """Tell everyone who waits that something changed; called after every change."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_change(self, since: int, timeout: float) -> int:  # noqa: ASYNC109 - callers want the number, not an error
        """Return the revision once it is newer than `since`, or after `timeout` seconds unchanged."""
        if self.revision <= since:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
        return self.revision

    def _why_not(self, request: Request, by: str) -> Refused | None:
        standing = request.standing(self.now())
        if standing in {"withdrawn", "expired"}:
            return Refused("closed", f"The request is {standing}.")
        if by == request.asked.requestor:
            return Refused("own", "Nobody may decide their own request.")
        if by not in approvers_of(request.asked):
            return Refused("not_approver", f"{self.people[by].name} is not an approver of {request.asked.role.name}.")
        if request.asked.is_stale:
            return Refused("closed", "No approval step of this request is live.")
        if request.review:
            return Refused("decided", f"{self.people[request.review.by].name} has already decided this request.")
        return None

    def _keep(self, request: Request) -> Request:
        self.requests[request.id] = request
        self.touch()
        return request
