"""Two bots on one PostgreSQL: one stopped past its lease, cut off, or stopped under load. Never two cards or decisions.

Clicks come through a proxy in front of both; each reaches the database through a proxy of its own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from journeys.driver import Json, Sandbox, Shown, concurrently, free_ports, only, running
from journeys.scenes import Stage
from soak.bots import OwnBot, own_bot
from soak.chaos import Chaos, Target

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]
TAKEOVER = 45.0  # seconds: the lease lasts 15, and the machine is busy
LEFT_BEHIND = 200.0  # seconds until a decision whose process forgot it is picked up: settling, 120 of grace, a round
OPEN_ENDS = (
    "SELECT count(*) FROM cards WHERE painted < wanted",
    "SELECT count(*) FROM notices WHERE closed IS NULL",
    "SELECT count(*) FROM requests WHERE status = 'deciding'",
)
DECISIONS = "SELECT count(*) FROM audit WHERE request_id = %s AND what IN ('approved', 'denied')"


@dataclass
class Replica:
    """One bot, and its way to the database."""

    bot: OwnBot
    wire: Chaos

    @property
    def place(self) -> Target:
        return ("127.0.0.1", int(self.bot.settings["PIM_PORT"]))


@dataclass
class Pair:
    """Two replicas behind one door. `first` is the one that does the rounds after `line_up`."""

    own: Sandbox
    front: Chaos
    first: Replica
    second: Replica
    admin: psycopg.Connection[Any]

    def lead(self, replica: Replica, **settings: str) -> None:
        """Have this one do the rounds from now on, started anew with these settings."""
        other = self.second if replica is self.first else self.first
        for each in (replica, other):
            each.bot.stop()
        replica.bot.start(**settings)
        replica.bot.serving()
        epoch = self.epoch()
        self.own.until(lambda: self.epoch() > epoch or self.held(), "it leads")
        other.bot.start()
        other.bot.serving()

    def stopped_and_replaced(self, epoch: int) -> None:
        self.own.until(lambda: stopped(self.first.bot.pid), "the first one is stopped")
        self.taken_over(epoch)

    def go_on(self) -> None:
        os.kill(self.first.bot.pid, signal.SIGCONT)
        self.own.until(lambda: is_awake(self), "the stopped one answers")

    def held(self) -> bool:
        return bool(self.count("SELECT count(*) FROM leases WHERE expires > extract(epoch from now())"))

    def line_up(self) -> None:
        """Both run, the first leads, and nothing is left over from before."""
        self.own.mend()
        for replica in (self.first, self.second):
            replica.wire.heal()
            replica.bot.kill()
        self.admin.execute("UPDATE leases SET expires = 0")
        for replica in (self.first, self.second):
            replica.bot.start()
            replica.bot.serving()
            self.own.until(self.held, "somebody leads")
        self.front.aim(self.first.place, self.second.place)

    def count(self, query: str, *values: str) -> int:
        row = self.admin.execute(query, values or None).fetchone()  # type: ignore[call-overload]  # constant queries of this module
        return int(row[0])

    def epoch(self) -> int:
        return self.count("SELECT epoch FROM leases")

    def taken_over(self, epoch: int) -> None:
        self.own.until(lambda: self.epoch() > epoch, "the other takes over", TAKEOVER)

    def quiet(self, seconds: float = TAKEOVER) -> None:
        self.own.until(lambda: not any(self.count(query) for query in OPEN_ENDS), "no open ends", seconds)

    def accepted(self, request: str) -> int:
        return [call["status"] for call in self.own.sent(request)].count(204)

    def sound(self, request: str) -> Shown:
        """One card, which says what Microsoft says; at most one decision accepted, and written down once."""
        card = only(self.own.cards(request))
        assert card is not None
        known = self.own.request(request)
        assert card.decidable == (known["status"] == "PendingApproval")
        decided = self.count(DECISIONS, request)
        assert decided == (1 if known["reviewed_by"] else 0)
        assert self.accepted(request) <= 1
        return card


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[Pair]:  # noqa: ANN401 - the fixture's own class
    folder = tmp_path_factory.mktemp("replicas")
    database = postgres_server.create()
    url = Stage(folder, lambda: str(postgres_server.url(database))).postgresql()
    with ExitStack() as stack:
        own = stack.enter_context(running(folder, database_url=url))
        own.signed_in("ann", "ben")
        own.bot("stop")
        port = urlsplit(own.settings["bot_url"]).port
        front = Chaos(port=port or 0)
        stack.callback(front.close)
        socket = f"{postgres_server.socket_dir}/.s.PGSQL.5432"
        first, second = (
            stack.enter_context(_replica(own, folder / name, database, socket)) for name in ("first", "second")
        )
        admin = stack.enter_context(
            psycopg.connect(host=postgres_server.socket_dir, user="postgres", dbname=database, autocommit=True)
        )
        yield Pair(own, front, first, second, admin)


@pytest.fixture(autouse=True)
def _lined_up(pair: Pair) -> None:
    pair.line_up()


@contextmanager
def _replica(own: Sandbox, data: Path, database: str, socket: str) -> Iterator[Replica]:
    wire = Chaos(socket)
    [port] = free_ports(1)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{wire.port}/{database}"
    with own_bot(own, data, PIM_PORT=str(port), PIM_DATABASE_URL=url) as bot:
        yield Replica(bot, wire)
    wire.close()


def test_a_holder_stopped_past_its_lease_paints_and_writes_nothing_stale(pair: Pair) -> None:
    own = pair.own
    decided = own.ask()
    own.posted(decided)
    epoch = pair.epoch()
    own.fault("slack", "chat.postMessage", "slow", seconds=3, times=1)
    posting = own.ask("rita", "Teams Administrator")
    own.until(lambda: pair.count("SELECT count(*) FROM cards WHERE tried AND ts = ''"), "a post under way")
    os.kill(pair.first.bot.pid, signal.SIGSTOP)
    try:
        pair.front.aim(pair.second.place)
        own.decide_in_portal(decided, "ben", "deny", "While one of us slept")
        later = own.ask("rita", "Directory Readers")
        pair.taken_over(epoch)
        own.ended(decided, "Denied by Ben Brook in the portal")
        own.until(lambda: own.cards(later), "a card by the other", TAKEOVER)
    finally:
        pair.go_on()
    pair.quiet()
    assert "You approved" in own.approve("ann", own.posted(posting))
    own.ended(posting, "Approved by Ann Alder in Slack")
    pair.quiet()
    for request in (decided, posting, later):
        pair.sound(request)
    assert pair.epoch() == epoch + 1


def test_what_a_holder_saw_before_it_was_stopped_past_its_lease_is_not_written(pair: Pair) -> None:
    """Without the fence the row, and a card of a request that was withdrawn long ago, would come into being."""
    own = pair.own
    pair.lead(pair.first, PIM_FAILPOINT="stop after desk.policy")  # between the listing and the row
    epoch = pair.epoch()
    request = own.ask("rita", "Teams Administrator")
    own.until(lambda: stopped(pair.first.bot.pid), "the first one is stopped")
    own.withdraw(request)  # before anybody else could see it
    pair.taken_over(epoch)
    pair.go_on()
    own.until(lambda: "watch round was void" in pair.first.bot.log.read_text(encoding="utf-8"), "it is told so")
    pair.quiet()
    assert pair.count("SELECT count(*) FROM requests WHERE id = %s", request) == 0
    assert own.cards(request) == []


def test_a_post_that_was_stopped_before_it_left_makes_no_second_card(pair: Pair) -> None:
    own = pair.own
    pair.lead(pair.first, PIM_FAILPOINT="stop before slack.chat_postMessage")
    epoch = pair.epoch()
    request = own.ask()
    pair.stopped_and_replaced(epoch)
    own.until(lambda: own.cards(request), "a card by the other", TAKEOVER)
    pair.quiet()
    pair.go_on()
    assert "You approved" in own.approve("ann", own.posted(request))
    pair.quiet()
    pair.sound(request)


def test_an_edit_that_comes_after_the_others_edit_is_painted_over(pair: Pair) -> None:
    own = pair.own
    request = own.ask()
    form = own.form("ann", own.posted(request))
    pair.quiet()
    pair.lead(pair.first, PIM_FAILPOINT="stop before slack.chat_update")
    pair.front.aim(pair.second.place)
    epoch = pair.epoch()
    own.fault("graph", request, "slow", method="PATCH", seconds=3, times=1)  # the first edit says that Ann is deciding
    own.submit("ann", form, "Decided by the other")
    pair.stopped_and_replaced(epoch)
    own.ended(request, "Approved by Ann Alder in Slack")
    pair.quiet()
    edits = own.cards(request)[0].edits
    pair.go_on()
    own.until(lambda: own.cards(request)[0].edits >= edits + 2, "the late edit, and one over it")
    own.ended(request, "Approved by Ann Alder in Slack")
    pair.quiet()
    pair.sound(request)


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"


def is_awake(pair: Pair) -> bool:
    return bool(pair.own.http.get(f"{pair.first.bot.url}/readyz").is_success)


def test_of_two_decisions_through_two_replicas_one_is_accepted(pair: Pair) -> None:
    own = pair.own
    for _ in range(3):
        request = own.ask()
        card = own.posted(request)
        forms = [(user, own.form(user, card)) for user in ("ann", "ben")]
        concurrently(*[lambda user=user, form=form: own.submit(user, form, f"Me, {user}") for user, form in forms])
        own.ended(request, "Approved by")
        pair.quiet()
        assert pair.accepted(request) == 1
        pair.sound(request)


def test_killed_backends_lose_and_double_nothing(pair: Pair) -> None:
    own = pair.own
    requests = [own.ask() for _ in range(3)]
    forms = {request: own.form("ann", own.posted(request)) for request in requests}

    def kill_backends() -> None:
        for _ in range(8):
            pair.admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'pim-approvals'"
            )
            pair.admin.execute("SELECT pg_sleep(0.15)")

    submissions = [lambda form=form: try_to_submit(own, form) for form in forms.values()]
    concurrently(kill_backends, *submissions)
    pair.quiet(LEFT_BEHIND)
    for request in requests:
        if pair.sound(request).decidable:
            assert "You approved" in own.approve("ann", own.posted(request))
        own.ended(request, "Approved by Ann Alder in Slack")
        pair.quiet()
        assert pair.accepted(request) == 1
        pair.sound(request)


def try_to_submit(own: Sandbox, form: Shown) -> None:
    """What Slack hears of it is no matter."""
    body: Json = {"user": "ann", "view_id": form.id, "values": {"comment": "In the middle of it"}}
    own.http.post(f"{own.world_url}/control/submit", json=body)


def test_a_holder_cut_off_from_the_database_is_replaced_and_comes_back(pair: Pair) -> None:
    own = pair.own
    before = own.ask()
    own.posted(before)
    epoch = pair.epoch()
    pair.first.wire.stall()
    pair.front.aim(pair.second.place)
    meanwhile = own.ask("rita", "Directory Readers")
    pair.taken_over(epoch)
    own.until(lambda: own.cards(meanwhile), "a card by the other", TAKEOVER)
    assert "You approved" in own.approve("ann", own.posted(before))
    pair.first.wire.cut()
    pair.first.wire.heal()
    own.until(lambda: is_awake(pair), "the first one is ready again", TAKEOVER)
    pair.front.aim(pair.first.place)
    assert "You approved" in own.approve("ben", own.posted(meanwhile))
    pair.quiet()
    for request, user in ((before, "ann"), (meanwhile, "ben")):
        pair.sound(request)
        assert own.request(request)["reviewed_by"] == user


def test_a_stop_under_load_finishes_what_was_clicked_or_leaves_it_whole(pair: Pair) -> None:
    own = pair.own
    requests = [own.ask() for _ in range(4)]
    forms = [own.form("ann", own.posted(request)) for request in requests]
    pair.front.aim(pair.first.place)
    submissions = [lambda form=form: try_to_submit(own, form) for form in forms]
    _, code = concurrently(lambda: concurrently(*submissions), pair.first.bot.stop)
    assert code == 0
    pair.front.aim(pair.second.place)
    pair.quiet(LEFT_BEHIND)
    for request in requests:
        if pair.sound(request).decidable:
            assert "You approved" in own.approve("ann", own.posted(request))
        own.ended(request, "Approved by Ann Alder in Slack")
        pair.quiet()
        assert pair.accepted(request) == 1
        pair.sound(request)
