"""SIGKILL at every step from listing to card and from click to painted card: after a start everything converges.

One round a step: prepare in peace, start the bot with its failpoint, act, see it die, start it again, look.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from journeys.driver import APPROVE, Json, Sandbox, Shown, only, running
from soak.bots import OwnBot, own_bot
from soak.kills import MATRIX, WITHDRAWALS, Kill, Then, When

pytestmark = [pytest.mark.soak, pytest.mark.timeout(240)]
WITHDRAW = "pim_withdraw"
ROLE = "Guest Inviter"  # nobody asks for it in another round
FAULTS = {When.DOUBTED: {"do": "drop_after"}, When.REFUSED: {"do": "answer", "status": 429}}
OPEN_ENDS = (
    "SELECT count(*) FROM cards WHERE painted < wanted",
    "SELECT count(*) FROM notices WHERE closed IS NULL",
    "SELECT count(*) FROM inbox WHERE closed IS NULL",
)


@dataclass
class Ground:
    """One sandbox for all rounds, with a bot that is ours to kill."""

    own: Sandbox
    bot: OwnBot
    database: Path

    def count(self, query: str, *values: str) -> int:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return int(connection.execute(query, values).fetchone()[0])

    def quiet(self) -> None:
        """Until no row is left to be worked on."""
        self.own.until(lambda: not any(self.count(query) for query in OPEN_ENDS), "no open ends")

    def restart(self) -> None:
        """Start as after a crash; the dead process's lease is ended by hand, waiting for it is tried elsewhere."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            connection.execute("UPDATE leases SET expires = 0")
        self.bot.start()
        self.bot.serving()

    def let_claims_lapse(self) -> None:
        """Withdrawals that a crash left: waiting two minutes for it is tried elsewhere."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            connection.execute("UPDATE withdrawals SET until = at")

    def try_to(self, path: str, body: Json) -> None:
        """Act as a person; what Slack hears from a dying bot is no matter."""
        self.own.http.post(f"{self.own.world_url}/control/{path}", json=body)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with running(tmp_path_factory.mktemp("kills")) as own:
        own.signed_in("ann", "rob")
        own.bot("stop")
        with own_bot(own, tmp_path_factory.mktemp("own")) as bot:
            database = Path(own.settings["env"]["PIM_DATABASE_URL"].partition(":///")[2])
            bot.start()
            bot.serving()
            yield Ground(own, bot, database)
            bot.stop()
            assert "Traceback" not in bot.log.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Round:
    """One request that is under way when the bot dies."""

    request: str
    card: Shown | None = None
    form: Shown | None = None


def prepare(ground: Ground, kill: Kill) -> Round:
    """Everything up to the act, by a bot that nothing happens to; it is stopped in the end."""
    own = ground.own
    if kill.when is When.LISTED:
        ground.quiet()
        ground.bot.stop()
        return Round(own.ask())
    request = own.ask()
    card = own.posted(request)
    form = None if kill.when is When.CLICKED else own.form("ann", card)
    ground.quiet()
    ground.bot.stop()
    return Round(request, card, form)


def die(ground: Ground, kill: Kill, the: Round) -> None:
    """Start the bot with its failpoint and do what leads there."""
    ground.bot.start(PIM_FAILPOINT=kill.point)
    if kill.when is not When.LISTED:
        ground.bot.serving()
    if kill.when in FAULTS:
        ground.own.fault("graph", the.request, method="PATCH", times=1, **FAULTS[kill.when])
    if kill.when is When.CLICKED and the.card is not None:
        where = {"channel": the.card.channel, "ts": the.card.id}
        ground.try_to("click", {"user": "ann", "action_id": APPROVE, **where})
    elif the.form is not None:
        body = {"user": "ann", "view_id": the.form.id, "values": {"comment": words(kill)}}
        ground.try_to("submit", body)
    assert ground.bot.died() == -signal.SIGKILL, kill.point
    ground.own.mend()


def words(kill: Kill) -> str:
    return f"Killed {kill.point}, when {kill.when}"


@pytest.mark.parametrize("kill", MATRIX, ids=lambda kill: f"{kill.when.name.lower()}: {kill.point}")
def test_one_decision_one_audit_row_one_card_and_the_right_name(ground: Ground, kill: Kill) -> None:
    own = ground.own
    the = prepare(ground, kill)
    die(ground, kill, the)
    ground.restart()
    if kill.then is Then.OPEN:
        card = own.posted(the.request)
        ground.quiet()
        assert own.request(the.request)["reviewed_by"] is None
        assert "You approved" in own.approve("ann", card, words(kill))
    own.ended(the.request, "Approved by Ann Alder in Slack")
    ground.quiet()
    card = only(own.cards(the.request))
    assert card is not None
    assert not card.decidable
    assert all(said in card.words for said in (words(kill), "Approved by Ann Alder in Slack"))
    assert [call["status"] for call in own.sent(the.request)].count(204) == 1
    assert own.request(the.request)["reviewed_by"] == "ann"
    assert ground.count("SELECT count(*) FROM audit WHERE request_id = ? AND what = 'approved'", the.request) == 1
    assert len([message for message in own.notices("rob") if words(kill) in message.words]) == 1


@pytest.mark.parametrize("kill", WITHDRAWALS, ids=lambda kill: kill.point)
def test_a_withdrawal_counts_once_and_the_card_says_so(ground: Ground, kill: Kill) -> None:
    own, request = ground.own, ground.own.ask("rob", ROLE)
    own.posted(request)
    mine = own.until(lambda: offered(own), "the requestor's own message")
    ground.quiet()
    ground.bot.stop()
    ground.bot.start(PIM_FAILPOINT=kill.point)
    ground.bot.serving()
    ground.try_to("click", {"user": "rob", "action_id": WITHDRAW, "channel": mine.channel, "ts": mine.id})
    assert ground.bot.died() == -signal.SIGKILL, kill.point
    ground.restart()
    if kill.then is Then.OPEN:
        own.posted(request)
        ground.let_claims_lapse()
        own.press("rob", own.until(lambda: offered(own), "the button"), WITHDRAW)
    own.ended(request, "withdrawn by the requestor")
    ground.quiet()
    own.until(lambda: offered(own) is None, "the requestor's message without buttons")
    taken = [call for call in own.get("log") if call["path"].endswith(f"{request}/cancel") and call["status"] == 204]
    assert len(taken) == 1
    assert ground.count("SELECT count(*) FROM audit WHERE request_id = ? AND what = 'canceled'", request) == 1


def offered(own: Sandbox) -> Shown | None:
    """The requestor's own message about this request, while it can be withdrawn there."""
    return only([one for one in own.directs("rob") if WITHDRAW in one.buttons and ROLE in one.words])
