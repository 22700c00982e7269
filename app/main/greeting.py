"""The first words with Slack: who we are, and whether what the settings name is there and will do."""

from __future__ import annotations

import asyncio
import logging

from app.domain.errors import BadSettings, SlackFailed, Unavailable
from app.notifier.channel import unfit
from app.notifier.gateway import Gateway, Identity

FIRST_PATIENCE, LONGEST_PATIENCE = 1.0, 30.0  # seconds between two attempts to reach Slack at the start
log = logging.getLogger(__name__)


async def introduce(gateway: Gateway, app_id: str) -> Identity:
    """Learn our own ids. A refusal is a wrong setting; an outage is waited out, since nothing works without them."""
    patience = FIRST_PATIENCE
    while True:
        try:
            return await gateway.whoami(app_id)
        except SlackFailed as failure:
            raise BadSettings(f"PIM_SLACK_BOT_TOKEN is not accepted: {failure}") from None
        except Unavailable as failure:
            log.warning("%s Trying again in %.0f seconds.", failure, patience)
        await asyncio.sleep(patience)
        patience = min(patience * 2, LONGEST_PATIENCE)


async def check_app_token(gateway: Gateway, token: str) -> None:
    """A refused token is a wrong setting. An outage ends nothing: the socket is tried for as long as it takes."""
    try:
        await gateway.socket_address(token)
    except SlackFailed as failure:
        raise BadSettings(f"PIM_SLACK_APP_TOKEN is not accepted: {failure}") from None
    except Unavailable as failure:
        log.warning("The app token could not be checked yet: %s", failure)


async def check_channel(gateway: Gateway, channel: str) -> None:
    """A wrong channel is a wrong setting. An outage ends nothing: cards wait until somebody could look."""
    try:
        words = await unfit(gateway, channel)
    except Unavailable as failure:
        log.warning("The approvers channel could not be checked yet: %s", failure)
        return
    if words:
        raise BadSettings(f"PIM_APPROVERS_CHANNEL: {words}")
