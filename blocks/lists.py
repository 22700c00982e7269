"""Answers to `/pim`: overview, what waits, history, help. Only the person who asked sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock

from app.domain.policy import Windows
from app.ports import Counters, Coverage, Link, Page
from blocks import ids
from blocks.elements import actions, bullets, button, header, labelled, own, rich, said, section, wire
from blocks.message import Message
from blocks.rows import (
    Waiting,
    counter_block,
    counter_text,
    covered_lines,
    hidden_words,
    history_block,
    history_text,
    session_blocks,
    waiting_block,
    waiting_text,
)
from blocks.text import escaped

MOST_ROWS = 10  # a message; Slack's size limit for blocks leaves room for no more long ones
NOTHING_WAITS = "No request that you may see is waiting for a decision."

COMMANDS = (
    ("/pim", "counters, what waits, your sign-in, this help"),
    ("/pim pending", "what waits for a decision, the soonest to expire first"),
    ("/pim history", "what became of requests, newest first"),
    ("/pim mine", "your own requests, and what became of them"),
    ("/pim approved", "requests you decided"),
    ("/pim sign-in", "connect your Microsoft account"),
    ("/pim sign-out", "end your Microsoft session here"),
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


def pending_list(waiting: Sequence[Waiting], *, now: datetime, more: int = 0, hidden: int = 0) -> Message:
    """`/pim pending`. `more` further requests wait that were not passed in; `hidden` ones nobody can decide."""
    if not waiting:
        return _single(f"{NOTHING_WAITS} {hidden_words(hidden)}".strip())
    shown = waiting[:MOST_ROWS]
    rest = more + len(waiting) - len(shown)
    title = f"Waiting for a decision: {len(waiting) + more}"
    unseen = rich(section((own(hidden_words(hidden)),))) if hidden else None
    blocks = wire(header(title), *(waiting_block(item) for item in shown), _more(rest), unseen)
    return Message(_listed(title, [waiting_text(item, now) for item in shown]), blocks)


def history_page(page: Page, *, now: datetime, which: str = "history", coverage: Sequence[Coverage] = ()) -> Message:
    """`/pim history`, `mine` or `approved`, newest first; the Older button says which, and where to go on.

    `coverage`: since when history is complete on each desk, for those who must know what it does not hold.
    """
    covered = rich(section(covered_lines(coverage))) if coverage else None
    if not page.rows:
        words = "No request here yet, or none that you may see."
        return Message(words, wire(rich(section((own(words),))), covered))
    title = _TITLES.get(which, _TITLES["history"])
    older = actions(ids.block("page"), button(ids.PAGE, "Older", f"{which}:{page.next}")) if page.next else None
    blocks = wire(header(title), *(history_block(row) for row in page.rows[:MOST_ROWS]), older, covered)
    return Message(_listed(title, [history_text(row, now) for row in page.rows[:MOST_ROWS]]), blocks)


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


_HISTORY = "History, newest first"
_FEW_ROWS = 5
_WORD_LIMIT = 60
_FACT_LIMIT = 200


def _more(count: int) -> SlackBlock | None:
    return rich(section((own(f"… and {count} more: see /pim pending."),))) if count > 0 else None


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join((f"{title}.", *lines))


def _single(words: str) -> Message:
    return Message(words, wire(rich(section((own(words),)))))
