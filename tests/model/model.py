"""What people, Microsoft, time and bad luck may do to the bot, in any order, and what must be true meanwhile and after.

`DEFECT` puts a mistake in the bot's place of one room: then a run that finds nothing is the failure.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from model.town import Form, Rooms, Town, buttons

from app.domain.request import Kind, RequestKey, Status, Verdict, Where
from app.sandbox.activations import Ask, Request
from app.sandbox.azure_roles import find_azure_role
from app.sandbox.faults import Fault
from app.sandbox.roles import find_role
from app.sandbox.scopes import PROD
from app.store.engine import open_engine
from app.store.writer import Store

APPROVERS = ("ann", "ben")
PORTAL = "cleo"
MOST_REQUESTS = 5  # in one story: the more, the less happens to each
ENDED = {"approve": Status.APPROVED, "deny": Status.DENIED}
WORDS = {Verdict.APPROVE: "approve", Verdict.DENY: "deny"}
DECISION = ("steps/|stages/", ("PATCH", "PUT"))
FAULTS: dict[str, dict[str, Any]] = {
    "the decision is lost on its way": {"of": DECISION, "do": "drop_before"},
    "the answer to the decision is lost": {"of": DECISION, "do": "drop_after"},
    "the decision meets a 500": {"of": DECISION, "do": "answer", "status": 500},
    "the decision is throttled": {"of": DECISION, "do": "answer", "status": 429, "headers": {"Retry-After": "2"}},
    "the decision is refused": {"of": DECISION, "do": "answer", "status": 403},
    "Microsoft is down": {"of": ("", ("GET",)), "do": "answer", "status": 502},
    "Microsoft throttles": {"of": ("", ("GET",)), "do": "answer", "status": 429, "headers": {"Retry-After": "3"}},
    "Slack took it and the answer is lost": {"slack": "chat", "do": "drop_after"},
    "Slack never got it": {"slack": "chat", "do": "drop_before"},
    "Slack has trouble": {"slack": "", "do": "answer", "status": 503},
    "Slack throttles": {"slack": "chat", "do": "answer", "status": 429, "headers": {"Retry-After": "2"}},
}
TROUBLES = tuple(name for name in FAULTS if "decision" in name)
approvers = st.sampled_from(APPROVERS)
verdicts = st.sampled_from(Verdict)
anything = st.integers(0, 1_000_000)


class Model(RuleBasedStateMachine):
    """One story. `TEMPLATE` is a migrated database without rows; `FOUND` what was wrong in all stories so far."""

    TEMPLATE: Path
    FOUND: list[str]
    DEFECT: Rooms = MappingProxyType({})

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "pim.db"
        shutil.copyfile(self.TEMPLATE, path)
        self._runner = asyncio.Runner()
        self.store = Store(open_engine(f"sqlite+aiosqlite:///{path}"))
        self.forms: list[Form] = []
        self.wished: set[tuple[str, str, str]] = set()
        self.number = 0

    def run(self, act: Callable[[], Awaitable[object]]) -> Any:  # noqa: ANN401 - what the act gives
        async def acting() -> object:
            return await act()

        return self._runner.run(acting())

    def live(self, *acts: Callable[[], Awaitable[object]]) -> None:
        self.run(lambda: self.town.alive(*acts))

    @initialize()
    def begin(self) -> None:
        async def settle_in() -> Town:
            town = Town(self.store, self.DEFECT)
            await town.link(*APPROVERS)
            return town

        self.town: Town = self.run(settle_in)
        for which in (0, 2):
            self.ask("rob", which)
        self.poll()
        for _ in range(3):
            self.paint()

    # --- what may happen ---

    @precondition(lambda self: len(self.town.world.requests) < MOST_REQUESTS)
    @rule(who=st.sampled_from(("rob", "rita")), which=st.integers(0, 2))
    def ask(self, who: str, which: int) -> None:
        kind, role = (("entra", "Reports Reader"), ("entra", "Exchange Administrator"), ("azure", "Owner"))[which]
        found = find_azure_role(role) if kind == "azure" else find_role(role)
        assert found
        place = {"scope": PROD} if kind == "azure" else {}
        self.town.world.ask(Ask(kind, who, found, justification="Quarterly review of access", **place))

    @rule()
    def poll(self) -> None:
        self.live(self.town.poll)

    @rule()
    def paint(self) -> None:
        self.live(self.town.paint)

    @rule()
    def settle(self) -> None:
        self.live(self.town.settle)

    @precondition(lambda self: self._pressable())
    @rule(who=approvers, which=anything, verdict=verdicts)
    def press(self, who: str, which: int, verdict: Verdict) -> None:
        cards = self._pressable()
        card = cards[which % len(cards)]
        token = buttons(card)[f"pim_{WORDS[verdict]}"]

        async def press() -> None:
            form = await self.town.press(who, (card.channel, card.ts, token), verdict)
            if form is not None:
                self.forms.append(form)

        self.live(press)

    @precondition(lambda self: self._pressable())
    @rule(
        who=approvers,
        which=anything,
        verdict=verdicts,
        trouble=st.sampled_from(("", "", *TROUBLES)),
        dies=st.one_of(st.just(0), st.integers(1, 16)),
    )
    def decide(self, who: str, which: int, verdict: Verdict, trouble: str, dies: int) -> None:
        """A press, and the form it opened at once; and maybe something that goes wrong right then, or the end."""
        before = len(self.forms)
        self.press(who, which, verdict)
        if trouble:
            self.disturb(trouble, 1)
        if dies:
            self.town.life.steps = dies
        for form in self.forms[before:]:
            self.live(self._submission(form))

    @precondition(lambda self: self._pressable())
    @rule(which=anything, first=verdicts, second=verdicts)
    def rush(self, which: int, first: Verdict, second: Verdict) -> None:
        """Both press on the same card, and submit at the same moment."""
        before = len(self.forms)
        self.press("ann", which, first)
        self.press("ben", which, second)
        self.live(*[self._submission(form) for form in self.forms[before:]])

    @precondition(lambda self: self.forms)
    @rule(which=anything)
    def submit(self, which: int) -> None:
        """Also a form that was submitted before, and one that opened a day ago."""
        self.live(self._submission(self.forms[which % len(self.forms)]))

    @precondition(lambda self: any(form.delivery for form in self.forms))
    @rule(which=anything)
    def redeliver(self, which: int) -> None:
        """Slack delivers the same submission once more."""
        forms = [form for form in self.forms if form.delivery]
        form, sent = forms[which % len(forms)], self.town.witness.sent
        self.live(lambda: self.town.submit(form, form.delivery))
        assert self.town.witness.sent == sent, "a delivery that was taken before decided again"

    @precondition(lambda self: self._waiting())
    @rule(which=anything, verdict=verdicts)
    def portal(self, which: int, verdict: Verdict) -> None:
        request = self._waiting()[which % len(self._waiting())]
        self.town.world.decide(request.id, PORTAL, WORDS[verdict], "In the portal")
        self.town.witness.over.add(request.id)

    @precondition(lambda self: self._waiting())
    @rule(which=anything)
    def cancel(self, which: int) -> None:
        request = self._waiting()[which % len(self._waiting())]
        self.town.world.cancel(request.id)
        self.town.witness.over.add(request.id)

    @rule(steps=st.integers(0, 40))
    def crash(self, steps: int) -> None:
        """The process will die at that call of a port from now on; a zero is at once."""
        if steps:
            self.town.life.steps = steps
        else:
            self.run(self.town.restart)

    @rule(minutes=st.sampled_from((1, 1, 5, 20, 20, 300, 1500)))
    def jump(self, minutes: int) -> None:
        self.town.clock.advance(timedelta(minutes=minutes))

    @rule(what=st.sampled_from(sorted(FAULTS)), times=st.sampled_from((1, 1, 1, 2, 4)))
    def disturb(self, what: str, times: int) -> None:
        told = dict(FAULTS[what])
        more = {name: told[name] for name in ("do", "status", "headers") if name in told}
        if "slack" in told:
            self.town.world.faults.append(Fault("slack", re.compile(told["slack"]), times=times, **more))
            return
        path, methods = told["of"]
        for service, method in (("graph", methods[0]), ("arm", methods[-1])):
            self.town.world.faults.append(Fault(service, re.compile(path), method=method, times=times, **more))

    # --- what must be true ---

    @invariant()
    def nothing_forbidden_was_sent(self) -> None:
        witness = self.town.witness
        with self._noted():
            assert not witness.violations, "; ".join(witness.violations)
            assert max(Counter(request for request, _, _ in witness.accepted).values(), default=0) <= 1, (
                "two decisions counted"
            )
            assert set(witness.accepted) <= self.wished, "a decision counted that nobody made"

    def teardown(self) -> None:
        try:
            if hasattr(self, "town"):
                self.run(self.town.calm)
                self.nothing_forbidden_was_sent()
                with self._noted():
                    self.run(self._judge)
                event(f"{len(self.town.witness.accepted)} decisions, {len(self.town.world.requests)} requests")
        finally:
            self.run(self.store.aclose)
            self._runner.close()
            self._folder.cleanup()

    async def _judge(self) -> None:
        town = self.town
        assert await town.book.unsettled() == [], "the fate of a decision is still unknown"
        assert await town.outbox.unpainted(1) == [], "a card is behind its row"
        assert await town.trail.verify() is None, "the audit trail is broken"
        for request in town.world.requests.values():
            await self._judge_request(request)
        self._judge_messages()

    async def _judge_request(self, request: Request) -> None:
        kind = Kind.AZURE if request.asked.kind == "azure" else Kind.ENTRA
        row = await self.town.book.find(RequestKey(kind, request.id))
        if row is None:
            assert not request.is_live(self.town.clock()), "a request that waits is unknown"
            return
        rows = [entry for entry in await self.town.trail.rows(0, 10_000) if entry.request_id == request.id]
        endings = [entry for entry in rows if entry.what in set(Status)]
        assert [entry.what for entry in endings] == ([] if row.status.open else [row.status.value]), (
            "the trail has other endings"
        )
        if request.review is not None:
            assert row.status is ENDED[request.review.verdict], row.status
            someone = self.town.world.people[request.review.by]
            assert row.decided
            assert row.decided.by
            assert row.decided.by.id == someone.oid, row.decided
            ours = any(accepted[0] == request.id for accepted in self.town.witness.accepted)
            assert row.decided.where is (Where.SLACK if ours else Where.OUTSIDE), "another place is named"
            assert endings[0].who == someone.oid
        else:
            over = {"withdrawn": (Status.CANCELED,), "expired": (Status.EXPIRED, Status.FAILED)}
            standing = request.standing(self.town.clock())
            assert row.status in over.get(standing, (Status.PENDING,)), (standing, row.status)
        self._judge_card(request, row.status)

    def _judge_card(self, request: Request, status: Status) -> None:
        cards = [
            card for card in self.town.posted() if request.id in str(card.blocks) or request.id in str(card.metadata)
        ]
        assert len(cards) <= 1, "two cards of one request"
        if status is Status.PENDING:
            assert cards, "a request that waits has no card"
        assert all(bool(buttons(card)) == (status is Status.PENDING) for card in cards), "buttons of what is over"

    def _judge_messages(self) -> None:
        """Nobody is told a thing twice."""
        told = Counter(
            str(message.metadata["event_payload"])
            for channel in self.town.world.workspace.channels.values()
            for message in channel.messages.values()
            if message.metadata and message.metadata["event_type"] == "pim_notice"
        )
        assert [notice for notice, times in told.items() if times > 1] == []

    # --- the small print ---

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Two at the same moment may not meet again when the story is told once more: what was seen was seen."""
        try:
            yield
        except AssertionError as found:
            self.FOUND.append(str(found))
            raise

    def _submission(self, form: Form) -> Callable[[], Awaitable[None]]:
        self.number += 1
        delivery = f"submission-{self.number}"
        self.wished.add((form.request, form.who, WORDS[form.verdict]))
        return lambda: self.town.submit(form, delivery)

    def _pressable(self) -> list[Any]:
        return [card for card in self.town.posted() if buttons(card)]

    def _waiting(self) -> list[Request]:
        now = self.town.clock()
        return [request for request in self.town.world.requests.values() if request.is_live(now)]


def model(template: Path, defect: Rooms | None = None) -> type[Model]:
    """The model over databases like this one, of a bot with this defect."""
    return type("AModel", (Model,), {"TEMPLATE": template, "DEFECT": defect or {}, "FOUND": []})
