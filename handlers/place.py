"""The place check, before every listener and on both transports: our app, our workspace, a person of our workspace.

Bolt accepts any validly signed payload, also of another app, of another workspace, and of a stranger in a shared
channel; this middleware does not.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slack_bolt import BoltResponse

from app.domain.errors import BotError
from app.ports import Clock, Strangers
from blocks import notices
from handlers.answers import Answers
from handlers.payloads import Body

STRANGER = "Only members of this workspace can use this. Nothing was changed."
NOTE_AGAIN = timedelta(hours=1)
MOST_NOTES = 100  # origins in that time
LONGEST_ID = 64  # characters
log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Place:
    """`check` is a Bolt global middleware. `app_id` and `team` are pinned at the start of the process."""

    app_id: str
    team: str
    answers: Answers
    strangers: Strangers
    clock: Clock
    _noted: dict[tuple[str, str], datetime] = field(init=False, default_factory=dict)

    async def check(
        self,
        body: dict[str, Any],
        next: Callable[[], Awaitable[Any]],  # noqa: A002 - Bolt injects it by this name
    ) -> BoltResponse | None:
        """Pass on, or end here with 200 so that Slack does not send it again."""
        if _text(body, "api_app_id") != self.app_id or _team(body) != self.team:
            log.warning("A signed payload of another app or workspace was ignored.")
            await self._note(_text(body, "api_app_id")[:LONGEST_ID], _team(body)[:LONGEST_ID])
            return BoltResponse(status=403, body="This bot serves another workspace.")
        if "user" in body and _text(_part(body, "user"), "team_id") != self.team:  # events and commands name none here
            log.warning("Somebody of another workspace pressed one of our buttons; refused.")
            await self.answers.whisper(_text(body, "response_url"), notices.refusal(STRANGER))
            return BoltResponse(status=200, body="")
        await next()
        return None

    async def _note(self, app: str, team: str) -> None:
        """Once an hour for each origin, and for so many: whoever holds our signing secret may send a flood."""
        now = self.clock()
        self._noted = {origin: at for origin, at in self._noted.items() if now - at < NOTE_AGAIN}
        if (app, team) in self._noted or len(self._noted) >= MOST_NOTES:
            return
        self._noted[app, team] = now
        try:
            await self.strangers.turned_away(app, team, now)
        except BotError as failure:
            log.warning("That could not be written down: %s", failure)


def _team(body: Body) -> str:
    """The workspace of an action or submission (`team.id`), a command or an event (`team_id`)."""
    return _text(_part(body, "team"), "id") if isinstance(body.get("team"), dict) else _text(body, "team_id")


def _part(body: Body, name: str) -> Body:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
