"""Where the audit trail ends, told again and again to those who keep it: the log, and a channel if there is one.

Without it, rows cut off at the end together with the database's own word of its end would leave no trace. It verifies
nothing. An anchor said twice does no harm, so nothing remembers across a restart what was said.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.domain.anchors import Anchor
from app.domain.errors import BotError

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Anchoring:
    """One anchor a round, if rows were added. `head`: the trail's end; `post`: tells the channel, if there is one."""

    head: Callable[[], Awaitable[Anchor]]
    post: Callable[[Anchor], Awaitable[None]] | None = None
    _logged: Anchor = field(init=False, default=Anchor())
    _posted: Anchor = field(init=False, default=Anchor())

    async def tick(self) -> None:
        """Say where it ends. A channel that does not take it is tried again in the next round; the log has it."""
        anchor = await self.head()
        if anchor != self._logged:
            log.info("%s", anchor)
            self._logged = anchor
        if self.post is None or anchor == self._posted:
            return
        try:
            await self.post(anchor)
        except BotError as failure:
            log.warning("The anchor of the audit trail could not be posted: %s", failure)
        else:
            self._posted = anchor
