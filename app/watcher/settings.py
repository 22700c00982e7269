"""Reading what PIM's settings demand of a request, with whichever token may. What is kept of it, its callers decide."""

from __future__ import annotations

import logging

from app.domain.errors import BotError
from app.domain.lifecycle import Nothing
from app.domain.request import ActivationRequest, PolicyFacts
from app.ports import Desk
from app.watcher.readers import THE_BOT, Readers

log = logging.getLogger(__name__)


def kept_under(request: ActivationRequest) -> tuple[str, str, str]:
    """What one reading serves: settings belong to a role and a scope, a manager who approves to the requestor."""
    return request.role.id, request.scope.id, request.requestor.id


async def read_settings(desk: Desk, readers: Readers, request: ActivationRequest) -> PolicyFacts | None:
    """The settings as they are now, unknown where nobody may read them; None: an outage, so ask again."""
    try:
        facts = await readers.ask(
            desk,
            "settings",
            lambda token: desk.policy(request, token),
            first=THE_BOT,
            useful=lambda read: read != PolicyFacts(),
        )
    except BotError as outage:
        log.info("The settings of %s could not be read: %s", request.role.label, outage)
        return None
    return PolicyFacts() if isinstance(facts, Nothing) else facts
