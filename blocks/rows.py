"""Requests as entries of a list, counters and the sign-in state: the pieces that App Home and commands share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock
from slack_sdk.models.blocks import SectionBlock

from app.domain.policy import Windows
from app.domain.request import Status
from app.domain.row import RequestRow
from app.ports import Counters, Coverage, Link, LinkState
from blocks import ids, text
from blocks.elements import (
    Line,
    Part,
    actions,
    button,
    date,
    labelled,
    link,
    own,
    plain,
    quote,
    rich,
    said,
    section,
)
from blocks.facts import DESK_NAMES, length, risk_words, term
from blocks.outcome import ended, ended_text, said_why, status_word
from blocks.own_request import withdraw_row

# Short on purpose: Slack refuses a message whose blocks hold some 13,000 characters in all (`msg_blocks_too_long`).
_NAME_LIMIT = 50
_COMMENT_LIMIT = 60
_COUNTER_LIMIT = 60
_ENDED = {
    LinkState.SUSPENDED: "Your Microsoft session is over. Sign in again to decide.",
    LinkState.FROZEN: (
        "Your link to Microsoft is frozen, because you said that a sign-in here was not you. Once your administrators "
        "have looked at it, sign in again."
    ),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending request and the permalink of its card ('' when there is none yet)."""

    row: RequestRow
    card_url: str = ""


def waiting_block(item: Waiting) -> SlackBlock:
    """Role, level, who, how long, until when, and the way to the card."""
    request = item.row.request
    lines: list[Line] = [
        (
            own(f"{risk_words(item.row.risk.level)} · "),
            said(request.what, _NAME_LIMIT, bold=True),
            own(" · "),
            said(request.requestor.label, _NAME_LIMIT),
            own(" · "),
            said(length(request.duration, request.duration_text), _NAME_LIMIT),
        ),
        *([labelled("Decide by", date(request.expires))] if request.mortal else []),
    ]
    if item.card_url:
        lines.append((link(item.card_url, "Open the card"),))
    return rich(section(*lines))


def waiting_text(item: Waiting, now: datetime) -> str:
    """The same as one escaped line."""
    request = item.row.request
    names = f"{_escaped(request.what)} for {_escaped(request.requestor.label)}"
    return f"{item.row.risk.level.word}: {names}; decide by {text.hour(request.expires, now)}"


def history_block(row: RequestRow, _now: datetime) -> SlackBlock:
    """Status first, then role and who asked, then who decided, when and with what words."""
    return _entry(row, (own(" · "), said(row.request.requestor.label, _NAME_LIMIT)))


def mine_blocks(row: RequestRow, token: str, block_id: str, now: datetime) -> Iterator[SlackBlock]:
    """The same for whoever asked: with when their role was active, or until when an answer may come.

    With a `token` there is a button to withdraw it, in a block of this id.
    """
    if row.status is Status.APPROVED:
        yield _entry(row, (), term(row, now))
        return
    waits = row.status.open and row.request.mortal
    yield _entry(row, (), labelled("Answer until", date(row.request.expires)) if waits else ())
    if token and row.status.open:
        yield withdraw_row(row, token, block_id)


def _entry(row: RequestRow, asked_by: Line, more: Line = ()) -> SlackBlock:
    request = row.request
    what: Line = (
        said(request.what, _NAME_LIMIT, bold=True),
        *asked_by,
        own(" · requested "),
        date(request.created),
    )
    why = said_why(row)
    status = (own(status_word(row.status), bold=True),) if row.status.open else ended(row, _NAME_LIMIT)
    comment = (quote(why, _COMMENT_LIMIT),) if why else ()
    return rich(section(status, what, *([more] if more else [])), *comment)


def history_text(row: RequestRow, now: datetime) -> str:
    """The same as one escaped line."""
    names = f"{_escaped(row.request.what)} for {_escaped(row.request.requestor.label)}"
    return f"{names}: {row.status.value if row.status.open else ended_text(row, now, _NAME_LIMIT)}"


def counter_block(counters: Counters) -> SlackBlock:
    """The overview: what waits now, and what became of the rest in the last 7 days."""
    fields = [plain(line, _COUNTER_LIMIT) for line in _counter_lines(counters)]
    return SectionBlock(fields=fields)


def counter_text(counters: Counters) -> str:
    """The same as one line."""
    return ", ".join(_counter_lines(counters))


def session_blocks(session: Link | None, windows: Windows | None = None) -> Sequence[SlackBlock]:
    """Whether this person can decide, for how long, and the button that renews it or signs in.

    `windows`: what the sign-in is still good for; None where nobody asked.
    """
    if session is not None and session.state is LinkState.ACTIVE:
        line: Line = (own("Signed in to Microsoft as "), said(session.person.label, _NAME_LIMIT, bold=True), own("."))
        shown = rich(section(line, *(_windows(windows) if windows is not None else ())))
        return (shown, _session_button("Renew"))
    words = "You are not signed in to Microsoft. Sign in once to see and decide what waits for you."
    if session is not None:
        words = _ENDED[session.state]
    return (rich(section((own(words),))), _session_button("Sign in"))


def _windows(windows: Windows) -> tuple[Line, ...]:
    """Until when it is recent enough, as the company's policy has it. Seeing and being told need no recent one."""
    if windows.ordinary is None:
        return ((own("To decide, you will be asked to sign in again. Renew now, and you will not be."),),)
    until = labelled("Recent enough to decide until", date(windows.ordinary))
    if windows.critical is None:
        return (until, (own("For Critical roles you will be asked to sign in again."),))
    return (until, labelled("For Critical roles until", date(windows.critical)))


def _session_button(words: str) -> SlackBlock:
    return actions(ids.block("session"), button(ids.SIGN_IN, words, "sign_in"))


def covered_lines(coverage: Sequence[Coverage]) -> Line:
    """Since when history is complete on each desk, and the times between that nobody saw."""
    parts: list[Part] = [own("Complete", bold=True)]
    for desk in coverage:
        parts += [own(f" · {DESK_NAMES[desk.kind]}s since "), date(desk.since), *_gaps(desk)]
    return parts


def _gaps(desk: Coverage) -> list[Part]:
    if not desk.gaps:
        return []
    latest = desk.gaps[-1]
    which = "but not from " if len(desk.gaps) == 1 else f"but for {len(desk.gaps)} gaps, the last from "
    return [own(f", {which}"), date(latest.began), own(" to "), date(latest.ended)]


def hidden_words(count: int) -> str:
    """Requests that are listed nowhere here, and why; empty when there are none."""
    if not count:
        return ""
    which = "1 request is" if count == 1 else f"{count} requests are"
    return f"{which} hidden: Microsoft lists as pending what has no open approval step, so that nobody can decide it."


def _counter_lines(counters: Counters) -> tuple[str, ...]:
    hidden = (f"Hidden, nobody can decide: {counters.stale}",) if counters.stale else ()
    return (
        f"Pending now: {counters.pending}",
        f"Approved, last 7 days: {counters.approved}",
        f"Denied, last 7 days: {counters.denied}",
        f"Expired, last 7 days: {counters.expired}",
        *hidden,
    )


def _escaped(name: str) -> str:
    return text.escaped(name, _NAME_LIMIT) or text.NOTHING
