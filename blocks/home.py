"""App Home: what matters to this one person, the work that waits for them first. Published anew, never edited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk.models.blocks import Block as SlackBlock
from slack_sdk.models.views import View as SlackView

from app.domain.policy import Windows
from app.domain.request import Kind, RequestKey
from app.domain.row import RequestRow
from app.ports import Counters, Link, View
from blocks import ids
from blocks.card import decide_buttons
from blocks.elements import actions, button, header, link_button, own, rich, section
from blocks.links import GLOBAL, Portal
from blocks.lists import NOTHING_WAITS, help_blocks
from blocks.rows import Waiting, counter_block, history_block, mine_blocks, session_blocks, waiting_block

MOST_WAITING = 10
MOST_PAST = 5  # of one's own requests, and of those one decided
_NO_COUNT = Counters()
_NO_REQUEST = "You asked for nothing yet."
_NO_DECISION = "You decided nothing yet."


@dataclass(frozen=True, slots=True)
class Contents:
    """What one person may see: `waiting` and counters, their own requests, those they decided, their sign-in.

    `session` is None when they never signed in; `windows`: what it is still good for. `tokens` are what buttons carry
    that decide, `own_tokens` those that withdraw.
    """

    counters: Counters = _NO_COUNT
    waiting: tuple[Waiting, ...] = ()
    mine: tuple[RequestRow, ...] = ()
    decided: tuple[RequestRow, ...] = ()
    session: Link | None = None
    windows: Windows | None = None
    tokens: Mapping[RequestKey, str] = field(default_factory=dict)
    own_tokens: Mapping[RequestKey, str] = field(default_factory=dict)


def home(contents: Contents, *, now: datetime, portal: Portal = GLOBAL) -> View:
    """The Home tab. A request has buttons where `contents` has a token for it."""
    open_portal = link_button(ids.PORTAL, "Open portal", portal.decide(Kind.ENTRA))
    view = SlackView(
        type="home",
        blocks=[
            header("Waiting for you"),
            *_waiting(contents, portal),
            header("Overview"),
            counter_block(contents.counters),
            *_past(contents, now),
            header("Your sign-in"),
            *session_blocks(contents.session, contents.windows),
            header("Help"),
            *help_blocks(),
            actions(ids.block("home"), button(ids.SETTINGS, "Settings…", "settings"), open_portal),
        ],
    )
    return view.to_dict()


def _waiting(contents: Contents, portal: Portal) -> Iterator[SlackBlock]:
    if not contents.waiting:
        yield rich(section((own(NOTHING_WAITS),)))
    for number, item in enumerate(contents.waiting[:MOST_WAITING]):
        yield waiting_block(item)
        token = contents.tokens.get(item.row.key)
        if token:
            where = portal.decide(item.row.key.kind)
            yield decide_buttons(item.row, token, where, ids.block(f"home{number}", item.row.version))
    rest = max(contents.counters.pending, len(contents.waiting)) - len(contents.waiting[:MOST_WAITING])
    if rest > 0:
        yield rich(section((own(f"… and {rest} more: see /pim pending."),)))


def _past(contents: Contents, now: datetime) -> Iterator[SlackBlock]:
    """Nothing about them for somebody whom Microsoft does not know here."""
    if contents.session is None:
        return
    yield header("Your requests")
    for number, row in enumerate(contents.mine[:MOST_PAST]):
        yield from mine_blocks(row, contents.own_tokens.get(row.key, ""), ids.block(f"mine{number}", row.version), now)
    if not contents.mine:
        yield _words(_NO_REQUEST)
    yield header("Requests you decided")
    yield from [history_block(row, now) for row in contents.decided[:MOST_PAST]] or [_words(_NO_DECISION)]


def _words(words: str) -> SlackBlock:
    return rich(section((own(words),)))


def offers(contents: Contents) -> Sequence[RequestRow]:
    """The requests for which buttons may be shown."""
    return [item.row for item in contents.waiting[:MOST_WAITING]]
