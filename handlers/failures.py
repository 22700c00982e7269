"""The last resort: a listener that failed before its ack. The person gets a sentence, the log the reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from slack_bolt import BoltResponse

from blocks import notices
from blocks.modal import refused_modal
from handlers.answers import SOMETHING_FAILED, Answers

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Failures:
    """`failed` is Bolt's error handler."""

    answers: Answers

    async def failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """200, so that Slack shows our sentence and not its own: in the modal, as a whisper, or with the ack."""
        log.error("A payload of Slack could not be handled.", exc_info=error)
        if body.get("type") == "view_submission":
            return BoltResponse(status=200, body={"response_action": "update", "view": refused_modal(SOMETHING_FAILED)})
        if body.get("type") == "block_actions":
            await self.answers.whisper(str(body.get("response_url") or ""), notices.refusal(SOMETHING_FAILED))
            return BoltResponse(status=200, body="")
        return BoltResponse(status=200, body=SOMETHING_FAILED)
