"""Answers to `/pim`: overview, what waits, history, help. Only the person who asked sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock

from app.domain.policy import Windows
from app.domain.request import RequestKey
from app.domain.row import RequestRow
from app.ports import Counters, Coverage, Link
from blocks import ids
from blocks.elements import actions, bullets, button, context, header, labelled, own, rich, said, section, wire
from blocks.message import Message
from blocks.rows import (
    Waiting,
    counter_block,
    counter_text,
    covered_lines,
    hidden_words,
    history_block,
    history_text,
    mine_blocks,
    session_blocks,
    waiting_block,
    waiting_text,
)
from blocks.text import escaped, inert

MOST_ROWS = 10  # a message; Slack's size limit for blocks leaves room for no more long ones
NO_REQUEST = "No request here yet, or none that you may see."
NOTHING_WAITS = "No request that you may see is waiting for a decision."

COMMANDS = (
    ("/pim", "counters, what waits, your sign-in, this help"),
    ("/pim pending", "what waits for a decision, the soonest to expire first"),
    (
        "/pim history",
        "what became of requests, newest first; narrow it by @person, role:, status:, desk: and 7d; export: as a file",
    ),
    ("/pim mine", "your own requests, and what became of them"),
    ("/pim approved", "requests you decided"),
    ("/pim sign-in", "connect your Microsoft account"),
    ("/pim sign-out", "end your Microsoft session here"),
    ("/pim settings", "until when you are away, reminders, your quiet hours"),
    ("/pim help", "this help"),
)
_TITLES = {
    "history": "History, newest first",
    "mine": "Your requests, newest first",
    "approved": "Requests you decided, newest first",
}
_FACTS = (
    "You see requests you made, decided or may decide, and those whose card is in a channel you are in.",
    "A decision is sent to Microsoft in your own name; who may decide is set for each role in PIM's role settings.",
    "Microsoft ends a request that nobody decided within 24 hours. PIM needs the Entra ID P2 licence.",
)


def overview(
    counters: Counters,
    waiting: Sequence[Waiting],
    session: Link | None,
    *,
    now: datetime,
    windows: Windows | None = None,
) -> Message:
    """`/pim` alone: counters, what waits for this person, their sign-in state and what it is good for, help."""
    shown = waiting[:_FEW_ROWS]
    blocks = wire(
        counter_block(counters),
        *([waiting_block(item) for item in shown] or [rich(section((own(NOTHING_WAITS),)))]),
        _more(len(waiting) - len(shown)),
        *session_blocks(session, windows),
        *help_blocks(),
    )
    return Message(_listed(counter_text(counters), [waiting_text(item, now) for item in shown]), blocks)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page of a list shows beside its rows.

    `which` list it is; `about`: what it was narrowed to, in words; `older` and `newer`: what the buttons carry that
    turn the page, empty where there is nothing; `coverage`: since when history is complete on each desk, for those who
    must know what it does not hold; `tokens`: what the buttons carry that withdraw one's own.
    """

    which: str = "history"
    about: str = ""
    older: str = ""
    newer: str = ""
    coverage: Sequence[Coverage] = ()
    tokens: Mapping[RequestKey, str] = field(default_factory=dict)


def pending_list(
    waiting: Sequence[Waiting], sheet: Sheet, *, now: datetime, total: int = 0, hidden: int = 0
) -> Message:
    """`/pim pending`: `total` wait in all, and `hidden` are those that nobody can decide."""
    about = _about(sheet)
    unseen = rich(section((own(hidden_words(hidden)),))) if hidden else None
    if not waiting:
        words = f"{NOTHING_WAITS} {hidden_words(hidden)}".strip()
        return Message(words, wire(rich(section((own(NOTHING_WAITS),))), about, unseen, _turning(sheet)))
    shown = waiting[:MOST_ROWS]
    title = f"Waiting for a decision: {max(total, len(waiting))}"
    # Where no button turns the page, the words say where to read on.
    rest = 0 if sheet.older or sheet.newer or sheet.about else max(total, len(waiting)) - len(shown)
    blocks = wire(header(title), about, *(waiting_block(item) for item in shown), _more(rest), _turning(sheet), unseen)
    return Message(_listed(title, [waiting_text(item, now) for item in shown]), blocks)


def history_page(rows: Sequence[RequestRow], sheet: Sheet, *, now: datetime) -> Message:
    """`/pim history`, `mine` or `approved`, newest first."""
    covered = rich(section(covered_lines(sheet.coverage))) if sheet.coverage else None
    about = _about(sheet)
    if not rows:
        words = "No request fits that, or none that you may see." if sheet.about else NO_REQUEST
        return Message(words, wire(rich(section((own(words),))), about, covered))
    title, shown = _TITLES.get(sheet.which, _TITLES["history"]), rows[:MOST_ROWS]
    entries = _mine(shown, sheet, now) if sheet.which == "mine" else [history_block(row, now) for row in shown]
    blocks = wire(header(title), about, *entries, _turning(sheet), covered)
    return Message(_listed(title, [history_text(row, now) for row in shown]), blocks)


def _mine(rows: Sequence[RequestRow], sheet: Sheet, now: datetime) -> Iterable[SlackBlock]:
    """The first few that wait have a button; for more there is no room, and each has its own message with one."""
    buttons = [number for number, row in enumerate(rows) if row.key in sheet.tokens][:_MOST_BUTTONS]
    for number, row in enumerate(rows):
        token = sheet.tokens[row.key] if number in buttons else ""
        yield from mine_blocks(row, token, ids.block(f"mine{number}", row.version), now)


def help_text(unknown: str = "") -> Message:
    """`/pim help`, and the answer to a sub-command we do not know."""
    said_wrong = unknown.strip()
    oops = rich(section((own("There is no "), said(f"/pim {said_wrong}", _WORD_LIMIT, bold=True), own("."))))
    first = f"There is no /pim {escaped(said_wrong, _WORD_LIMIT)}." if said_wrong else "PIM approvals."
    commands = " ".join(f"{command}: {does}." for command, does in COMMANDS)
    return Message(f"{first} {commands}", wire(oops if said_wrong else None, *help_blocks()))


def help_blocks() -> tuple[SlackBlock, ...]:
    """The commands, and what people must know about PIM."""
    lines = [labelled(command, own(does)) for command, does in COMMANDS]
    return (rich(section(*lines)), rich(bullets(_FACTS, _FACT_LIMIT)))


_FEW_ROWS = 5
_MOST_BUTTONS = 4
_WORD_LIMIT = 60
_ABOUT_LIMIT = 120
_FACT_LIMIT = 200


def _about(sheet: Sheet) -> SlackBlock | None:
    return context(f"Only {inert(sheet.about, _ABOUT_LIMIT)}") if sheet.about else None


def _turning(sheet: Sheet) -> SlackBlock | None:
    back, on = ("Back", "Next") if sheet.which == "pending" else ("Newer", "Older")
    pair = ((ids.NEWER, back, sheet.newer), (ids.PAGE, on, sheet.older))
    buttons = [button(action_id, words, value) for action_id, words, value in pair if value]
    return actions(ids.block("page"), *buttons) if buttons else None


def _more(count: int) -> SlackBlock | None:
    return rich(section((own(f"… and {count} more: see /pim pending."),))) if count > 0 else None


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join((f"{title}.", *lines))


def _single(words: str) -> Message:
    return Message(words, wire(rich(section((own(words),)))))
