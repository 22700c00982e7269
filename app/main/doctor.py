"""Wiring of the examination: the same rooms as the bot's, opened only to be looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import aiohttp

from app.doctor import Doctor
from app.domain.errors import BotError
from app.domain.findings import Finding, Grade
from app.identity.keyring import Keyring
from app.main.rooms import Memory, MicrosoftSide, open_memory, open_microsoft, utc_now
from app.notifier.examining import examine
from app.notifier.gateway import Gateway
from app.notifier.matching import SlackMatching
from app.notifier.people import SlackPeople
from app.ports import Desk, Link
from app.settings import Settings


async def diagnose(settings: Settings, slack_scopes: Sequence[str]) -> AsyncIterator[Finding]:
    """Everything that can be asked, beside a running bot or without one."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        gateway = Gateway(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        routed = [route.channel for route in settings.policy().routes]
        channels = tuple(dict.fromkeys((settings.approvers_channel, *routed)))
        async for finding in examine(gateway, slack_scopes, channels):
            yield finding
        keyring = Keyring.parse(settings.keys.get_secret_value())
        try:
            memory = await open_memory(settings, keyring, stack)
            microsoft = await open_microsoft(settings, keyring, memory, "", stack)
        except BotError as failure:
            yield Finding(
                Grade.WRONG, "database", str(failure), "run `pim-approvals db upgrade`, and look at its server"
            )
            return
        if memory.warning:
            yield Finding(Grade.WRONG, "keys", memory.warning, "see `pim-approvals keys status`")
        async for finding in _doctor(settings, memory, microsoft, gateway).examine():
            yield finding


def _doctor(settings: Settings, memory: Memory, microsoft: MicrosoftSide, gateway: Gateway) -> Doctor:
    people = SlackPeople(gateway=gateway, clock=utc_now, channels=(settings.approvers_channel,))
    matching = SlackMatching(
        links=memory.links,
        people=people,
        aliases=settings.policy().aliases,
        tenant=settings.tenant_id.lower(),
    )

    async def granted(link: Link, desk: Desk) -> frozenset[str]:
        return await microsoft.tokens.granted(link, desk.resource)

    return Doctor(
        desks=tuple(microsoft.desks.values()),
        tokens=microsoft.tokens,
        links=memory.links,
        book=memory.book,
        chronicle=microsoft.chronicle,
        matching=matching,
        clock=utc_now,
        as_application=settings.watch_as == "application",
        granted=granted,
    )
