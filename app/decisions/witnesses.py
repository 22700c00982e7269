"""Asking those who are signed in what Microsoft shows of a request or a role, until one of them can tell."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.domain.errors import BotError, Unavailable
from app.domain.request import ActivationRequest
from app.ports import Desk, Tokens, TokenSource

WITNESSES = 5  # how many are asked: the bot, the person themselves, and a few others
log = logging.getLogger(__name__)


async def readers_of(tokens: Tokens, desk: Desk, own: TokenSource | None = None) -> Sequence[TokenSource]:
    """Whom to ask: the bot, who stands last among readers, then the person's own token, then the others."""
    readers = [reader.token for reader in await tokens.readers(desk.resource)]
    return [*readers[-1:], *((own,) if own is not None else ()), *readers[:-1]][:WITNESSES]


async def fresh(desk: Desk, request: ActivationRequest, sources: Sequence[TokenSource]) -> ActivationRequest:
    """The request in Microsoft's own words, as the first who may read it is shown it; Unavailable when nobody may."""
    for source in sources:
        try:
            return await desk.fetch(request, source)
        except BotError as failure:
            log.info("%s: one reader cannot read it: %s", request.key, failure)
    raise Unavailable("Nobody who is signed in can read this request right now.")


async def witness(desk: Desk, request: ActivationRequest, sources: Sequence[TokenSource]) -> TokenSource | None:
    """Whose token shows that the role is held; None: it is held no more. Unavailable when nobody can look.

    Somebody may be shown nothing because it is not theirs to see, so one who sees it counts for more.
    """
    answered = False
    for source in sources:
        try:
            held = await desk.term(request, source) is not None
        except BotError as failure:
            log.info("%s: one reader cannot see whether it is held: %s", request.key, failure)
            continue
        if held:
            return source
        answered = True
    if answered:
        return None
    raise Unavailable("Nobody who is signed in can see right now whether this role is held.")
