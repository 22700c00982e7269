"""Where the bot is killed on the way from a listing to a card and from a click to a painted card, and what must follow.

Every call of the ports on that way is here, or is named with the reason why it is not; a new one fails a quick test.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.ports import Cards, Desk, Inbox, Outbox, RequestBook, Withdrawals

PORTS = {
    "book": RequestBook,
    "cards": Cards,
    "desk": Desk,
    "inbox": Inbox,
    "outbox": Outbox,
    "withdrawals": Withdrawals,
}
NOTIFIER = Path(__file__).resolve().parents[2] / "app" / "notifier"


class When(StrEnum):
    """What is under way when the bot dies."""

    LISTED = "a request is listed and gets its card"
    CLICKED = "a press on Approve opens the form"
    SUBMITTED = "a submitted form is decided, painted and told"
    DOUBTED = "Microsoft's answer to the decision is lost"
    REFUSED = "Microsoft does not take the decision"
    WITHDRAWN = "the requestor withdraws it"


class Then(StrEnum):
    """What must be true after the next start, before anybody does anything."""

    OPEN = "one card with buttons; the person decides again"
    DECIDED = "the decision counts, without anybody's doing"
    WITHDRAWN = "it is withdrawn, without anybody's doing"


@dataclass(frozen=True, slots=True)
class Kill:
    """One round of the matrix. `point` as in PIM_FAILPOINT."""

    point: str
    when: When
    then: Then

    @property
    def call(self) -> str:
        return self.point.partition(" ")[2]


def _kills(when: When, then: Then, *points: str) -> tuple[Kill, ...]:
    return tuple(Kill(point, when, then) for point in points)


MATRIX = (
    *_kills(
        When.LISTED,
        Then.OPEN,
        "before desk.list_all",
        "after desk.list_all",
        "after desk.policy",
        "before book.remember",
        "after book.remember",
        "after slack.users_lookupByEmail",
        "after book.matched",
        "after outbox.trying",
        "before slack.chat_postMessage",
        "after slack.chat_postMessage",
        "after outbox.painted",
    ),
    *_kills(
        When.CLICKED,
        Then.OPEN,
        "before inbox.take",
        "after inbox.take",
        "before cards.open_modal",
        "after cards.open_modal",
        "before slack.views_open",
        "after slack.views_open",
        "after inbox.close",
    ),
    *_kills(
        When.SUBMITTED,
        Then.OPEN,
        "before inbox.take",
        "after inbox.take",
        "after slack.users_info",
        "after desk.fetch",
        "after desk.steps",
        "before book.claim",
    ),
    *_kills(
        When.SUBMITTED,
        Then.DECIDED,
        "after book.claim",
        "after book.sending",
        "before desk.decide",
        "after desk.decide",
        "before book.settle",
        "after book.settle",
        "after slack.views_update",
        "before inbox.close",
        "after inbox.close",
        "after slack.chat_update",
        "after outbox.painted",
        "after outbox.trying_notice",
        "after slack.chat_postMessage",
        "after outbox.sent",
    ),
    *_kills(When.DOUBTED, Then.DECIDED, "before book.mark", "after book.mark"),
    *_kills(When.REFUSED, Then.OPEN, "after book.release"),
)

WITHDRAWALS = (
    *_kills(When.WITHDRAWN, Then.OPEN, "before withdrawals.begin", "after withdrawals.begin", "before desk.cancel"),
    *_kills(
        When.WITHDRAWN,
        Then.WITHDRAWN,
        "after desk.cancel",
        "before book.settle",
        "after book.settle",
        "after slack.chat_update",
    ),
)

_READ = "a look-up: dying in it is dying after the step before it"
_MARK = "a mark on a pending row, which the next poll makes again"
_LATER = "what follows an ending: the next look repeats it"
_START = "asked before the bot serves anybody"
_NOTE = "standing notes carry no decision; tests/notifier/test_notes.py"
_FILE = "a file of history decides nothing; whoever asked is told of the restart and asks again"
ELSEWHERE = {
    "book.known": _READ,
    "book.find": _READ,
    "book.open_rows": _READ,
    "book.unmatched": _READ,
    "book.unsettled": _READ,
    "book.page": _READ,
    "book.waiting": _READ,
    "book.counters": _READ,
    "book.find_id": _READ,
    "book.asked_roles": _READ,
    "book.overdue": _READ,
    "book.incomplete": _READ,
    "book.lacking": _READ,
    "book.look_due": _READ,
    "book.past": _READ,
    "book.doubted": _MARK,
    "book.staled": _MARK,
    "book.learned": _LATER,
    "book.followed": _LATER,
    "book.look_again": _LATER,
    "cards.adopt": "a press on a copy that is not on our books decides nothing; the next press adopts it",
    "cards.copy": _READ,
    "cards.places": _READ,
    "cards.modal": _READ,
    "outbox.crowds": _READ,
    "outbox.unpainted": _READ,
    "outbox.due_notices": _READ,
    "outbox.notice": _READ,
    "outbox.standing_notes": _READ,
    "outbox.unpainted_notes": _READ,
    "slack.conversations_history": _READ,
    "slack.apps_connections_open": _START,
    "slack.auth_test": _START,
    "slack.bots_info": _START,
    "slack.conversations_info": _START,
    "slack.conversations_replies": _READ,
    "slack.conversations_members": _READ,
    "desk.list_for": "the same step as list_all, asked as the approvers",
    "desk.list_ended": "history of other tools; it opens no card",
    "desk.remove": "not a decision; sent once, and what is held tells the rest: tests/use_cases/test_removing.py",
    "withdrawals.refused": "an audit row about nothing done; the claim before it lapses by itself",
    "desk.term": "asked after the ending",
    "inbox.earlier": _READ,
    "inbox.forget": "a call over HTTP, whose caller tries again with the same key",
    "outbox.move": "an unposted card gets another channel; the next tick does the same",
    "slack.conversations_open": "where a person's messages go: asked again, it is the same place",
    "outbox.evacuate": "done at the start, before the rounds",
    "outbox.abandon": "a message nobody can get: given up again at the next tick",
    "inbox.abandon": "what happens after every kill here",
    "outbox.owe": "written with the sweep after a kill, or for one whose form was closed",
    "outbox.lost": "a card gone from Slack; tests/notifier/test_painter_lost.py",
    "slack.chat_delete": "the same",
    "outbox.put_note": _NOTE,
    "outbox.announce": _NOTE,
    "outbox.trying_note": _NOTE,
    "outbox.painted_note": _NOTE,
    "slack.files_getUploadURLExternal": _FILE,
    "slack.files_completeUploadExternal": _FILE,
    "slack.views_publish": "App Home is drawn anew whenever it is opened",
}


def steps() -> set[str]:
    """Every call of the ports on the way, and every Web API method of the notifier, read from the code."""
    calls = {f"{name}.{call}" for name, port in PORTS.items() for call in _calls(port)}
    return calls | {f"slack.{method}" for path in NOTIFIER.glob("*.py") for method in _methods(path)}


def _calls(port: type) -> list[str]:
    return [name for name, found in vars(port).items() if inspect.iscoroutinefunction(found)]


def _methods(path: Path) -> Iterator[str]:
    """The first argument of every `….call("method", …)`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant):
                yield str(first.value)
