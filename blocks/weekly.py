"""The weekly digest as a message: five figures, the busiest roles, and where a second approver is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from slack_sdk.models.blocks import Block as SlackBlock

from app.domain.durations import in_words
from app.domain.weekly import Tally
from blocks import ids, text
from blocks.elements import bullets, header, labelled, own, rich, section, wire
from blocks.message import Message

_ROLE_LIMIT = 80
_ITEM_LIMIT = 120


def weekly_message(tally: Tally, version: int) -> Message:
    """What happened in the seven days before it. It has no buttons and mentions nobody."""
    span = _span(tally)
    lines = _lines(tally)
    return Message(
        "\n".join((f"{span}.", *(f"{label}: {words}." for label, words in lines), *_listed(tally))),
        wire(
            header(span, block_id=ids.block("week", version)),
            rich(section(*(labelled(label, own(words)) for label, words in lines))),
            _list("Busiest roles", [f"{title}: {_times(count)}" for title, count in tally.busiest]),
            _list("Only one person can approve, so nobody covers for them", _alone(tally)),
        ),
    )


def _lines(tally: Tally) -> list[tuple[str, str]]:
    decided = tally.approved + tally.denied
    return [
        ("Asked", _requests(tally.asked)),
        ("Decided", f"{_requests(decided)}, {tally.approved} approved and {tally.denied} denied"),
        ("Time to decide", _waited(tally)),
        ("Expired unanswered", _requests(tally.expired)),
    ]


def _waited(tally: Tally) -> str:
    if tally.median is None or tally.almost_all is None:
        return "nothing was decided"
    half, most = (in_words(timedelta(seconds=seconds)) for seconds in (tally.median, tally.almost_all))
    return f"{half} in the middle (median), 95 of 100 within {most}"


def _alone(tally: Tally) -> list[str]:
    more = [f"and {tally.alone_more} more: pim-approvals check names them"] if tally.alone_more else []
    return [*tally.alone, *more]


def _list(title: str, items: Sequence[str]) -> SlackBlock | None:
    return rich(section((own(title, bold=True),)), bullets(items, _ITEM_LIMIT)) if items else None


def _listed(tally: Tally) -> list[str]:
    """The same lists for whoever hears the message."""
    busiest = ", ".join(f"{text.escaped(title, _ROLE_LIMIT)} {count}" for title, count in tally.busiest)
    alone = ", ".join(text.escaped(title, _ROLE_LIMIT) for title in _alone(tally))
    return [*([f"Busiest roles: {busiest}."] if busiest else []), *([f"One approver only: {alone}."] if alone else [])]


def _span(tally: Tally) -> str:
    begin, end = (datetime.fromisoformat(moment) for moment in (tally.begin, tally.end))
    return f"The week from {begin:%Y-%m-%d} to {end:%Y-%m-%d}"


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
