"""The first milliseconds of every delivery: written down once, acknowledged, then worked on in the background.

Nothing may raise after the ack inside Bolt's own call (it would answer 404 three seconds later), hence the tasks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.errors import BotError
from app.domain.ruling import Refused, Why
from app.inbox import Deliveries
from blocks import notices
from blocks.modal import refused_modal
from handlers.answers import NOT_RECORDED, SOMETHING_FAILED, Answers
from handlers.tasks import Tasks

Ack = Callable[..., Coroutine[Any, Any, Any]]
log = logging.getLogger(__name__)


class Delivery(Protocol):
    """What every parsed payload has."""

    @property
    def key(self) -> str:
        """Unique for one press, typed command or submission."""

    @property
    def user(self) -> str:
        """Who did it."""


@dataclass(kw_only=True, slots=True)
class Reception:
    """Takes deliveries in; `wake` tells the painter that rows changed."""

    deliveries: Deliveries
    answers: Answers
    tasks: Tasks
    wake: Callable[[], None]

    async def take(self, delivery: Delivery, what: str) -> bool:
        """True when this is the first delivery and its row is committed. Raises Unavailable."""
        with self.tasks.pace.taking():
            return await self.deliveries.take(delivery.key, what, delivery.user)

    async def first(self, delivery: Delivery, what: str, response_url: str) -> bool:
        """As `take`, but a lost database is said to the person."""
        try:
            return await self.take(delivery, what)
        except BotError:
            await self.answers.whisper(response_url, notices.refusal(NOT_RECORDED))
            return False

    def work(
        self, delivery: Delivery, job: Coroutine[Any, Any, str], on_error: Callable[[], Awaitable[None]]
    ) -> asyncio.Task[None]:
        """Run the job after the ack, and close its row with what the job returns."""

        async def run() -> None:
            outcome = await job
            log.info("A delivery was answered.", extra={"slack_user": delivery.user, "outcome": outcome})
            await self.close(delivery.key, outcome)

        return self.tasks.spawn(run(), on_error)

    async def close(self, key: str, outcome: str) -> None:
        """The person has their answer. A row that stays open costs them a word after the next restart, no more."""
        try:
            await self.deliveries.close(key, outcome)
        except BotError as failure:
            log.warning("An answered delivery could not be closed: %s", failure)

    def sorry(self, response_url: str) -> Callable[[], Awaitable[None]]:
        """What to do when a job fails: say so, to this person only."""

        async def failed() -> None:
            await self.answers.whisper(response_url, notices.refusal(SOMETHING_FAILED))

        return failed


async def send_back(ack: Ack, refused: Refused, block_id: str) -> None:
    """Say in the form what is missing, below the entry `block_id`, or replace the form by why nothing is sent."""
    if refused.why is Why.COMMENT_MISSING:
        await ack(response_action="errors", errors={block_id: refused.text})
    else:
        await ack(response_action="update", view=refused_modal(refused.text))
