"""App Home: what matters to this one person, the work that waits for them first. Published anew, never edited."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.views import View as SlackView

from app.domain.policy import Windows
from app.domain.request import Kind
from app.ports import Counters, Link, View
from blocks import ids
from blocks.elements import actions, header, link_button, own, rich, section
from blocks.links import GLOBAL, Portal
from blocks.lists import NOTHING_WAITS, help_blocks
from blocks.rows import Waiting, counter_block, session_blocks, waiting_block

_MOST_ROWS = 20


def home(
    counters: Counters,
    waiting: Sequence[Waiting],
    session: Link | None,
    *,
    windows: Windows | None = None,
    portal: Portal = GLOBAL,
) -> View:
    """The Home tab. `counters` and `waiting` are what this person may see; `session` is None when never signed in.

    `windows`: what the session is still good for.
    """
    shown = waiting[:_MOST_ROWS]
    rest = len(waiting) - len(shown)
    entries = [waiting_block(item) for item in shown] or [rich(section((own(NOTHING_WAITS),)))]
    more = [rich(section((own(f"… and {rest} more: see /pim pending."),)))] if rest else []
    open_portal = link_button(ids.PORTAL, "Open portal", portal.decide(Kind.ENTRA))
    view = SlackView(
        type="home",
        blocks=[
            header("Waiting for a decision"),
            *entries,
            *more,
            header("Overview"),
            counter_block(counters),
            header("Your sign-in"),
            *session_blocks(session, windows),
            header("Help"),
            *help_blocks(),
            actions(ids.block("home"), open_portal),
        ],
    )
    return view.to_dict()
