"""Examining the bot's place in Slack: its token, its scopes, its channels. It posts nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from app.domain.errors import BotError, SlackFailed, Unavailable
from app.domain.findings import Finding, Grade
from app.notifier.channel import unfit
from app.notifier.gateway import Gateway

ABOUT = "slack"


async def examine(gateway: Gateway, scopes: Iterable[str], channels: Iterable[str]) -> AsyncIterator[Finding]:
    """Who the token is, which of the `scopes` it lacks, and whether each of the channels is fit for cards."""
    try:
        granted = await gateway.scopes()
    except SlackFailed as failure:
        yield Finding(Grade.WRONG, ABOUT, f"the bot token is not accepted: {failure}", "set PIM_SLACK_BOT_TOKEN anew")
        return
    except Unavailable as failure:
        yield Finding(Grade.NOTE, ABOUT, str(failure), "run this again")
        return
    yield Finding(Grade.OK, ABOUT, "the bot token is accepted")
    for scope in sorted(set(scopes) - granted) if granted else ():
        fix = "update the app from `pim-approvals manifest` and install it again"
        yield Finding(Grade.WRONG, ABOUT, f"the scope {scope} is missing", fix)
    for channel in channels:
        yield await _channel(gateway, channel)


async def _channel(gateway: Gateway, channel: str) -> Finding:
    try:
        words = await unfit(gateway, channel)
    except BotError as failure:
        return Finding(Grade.NOTE, ABOUT, f"{channel} could not be looked at: {failure}", "run this again")
    if words:
        return Finding(Grade.WRONG, ABOUT, words, "no card is posted there until then")
    return Finding(Grade.OK, ABOUT, f"{channel} is private, ours alone, and has the bot in it")
