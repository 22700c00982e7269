"""Wiring of everything that speaks to people in Slack by itself, and of the alarm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from app.alarm import Webhook
from app.arrivals import Arrivals
from app.domain.row import RequestRow
from app.main.rooms import Rooms, new_token, utc_now
from app.notifier.audience import SlackAudience
from app.notifier.directs import DirectPainter
from app.notifier.matching import SlackMatching
from app.notifier.messenger import Messenger
from app.notifier.painter import Painter
from app.reminders import LastCalls, Nudging, Recipients, Rounds
from app.requestors import Requestors
from app.store.weekly import StoredWeeks
from app.weekly import WeeklyDigest
from blocks.links import card_address


@dataclass(frozen=True, slots=True)
class Telling:
    """Who tells whom what."""

    painter: Painter
    messenger: Messenger
    directs: DirectPainter
    requestors: Requestors
    arrivals: Arrivals
    reminders: Rounds
    last_calls: LastCalls
    nudging: Nudging
    weekly: WeeklyDigest


def make_telling(rooms: Rooms, stack: AsyncExitStack) -> Telling:
    """All of them, over one matching of accounts."""
    matching = make_matching(rooms)
    audience = SlackAudience(matching=matching, aliases=rooms.policy.aliases, clock=utc_now)
    painter = Painter(
        gateway=rooms.slack.gateway,
        outbox=rooms.memory.outbox,
        clock=utc_now,
        new_token=new_token,
        portal=rooms.microsoft.portal,
        policy=rooms.policy,
        channels=rooms.slack.channels,
        audience=audience,
        posted=rooms.meters.posted,
    )
    messenger = Messenger(
        gateway=rooms.slack.gateway,
        outbox=rooms.memory.outbox,
        book=rooms.memory.book,
        cards=rooms.memory.cards,
        matching=matching,
        clock=utc_now,
        portal=rooms.microsoft.portal,
    )
    requestors = Requestors(book=rooms.memory.book, matching=matching, clock=utc_now)
    arrivals, reminders = _arrivals(rooms, audience, stack), _reminders(rooms, audience)
    last_calls = LastCalls(rows=rooms.memory.reminding, outbox=rooms.memory.outbox, clock=utc_now)
    nudging = Nudging(rows=rooms.memory.reminding, recipients=reminders.recipients, clock=utc_now)
    return Telling(
        painter=painter,
        messenger=messenger,
        directs=_directs(rooms),
        requestors=requestors,
        arrivals=arrivals,
        reminders=reminders,
        last_calls=last_calls,
        nudging=nudging,
        weekly=_weekly(rooms),
    )


def make_matching(rooms: Rooms) -> SlackMatching:
    """Which Slack account a Microsoft account belongs to, for telling people and for refusing."""
    return SlackMatching(
        links=rooms.memory.links,
        people=rooms.slack.people,
        aliases=rooms.policy.aliases,
        tenant=rooms.settings.tenant_id.lower(),
    )


def _directs(rooms: Rooms) -> DirectPainter:
    return DirectPainter(
        gateway=rooms.slack.gateway,
        directs=rooms.memory.directs,
        cards=rooms.memory.cards,
        clock=utc_now,
        portal=rooms.microsoft.portal,
        slack_url=rooms.slack.me.url,
        policy=rooms.policy,
    )


def _reminders(rooms: Rooms, audience: SlackAudience) -> Rounds:
    recipients = Recipients(
        audience=audience,
        people=rooms.slack.people,
        preferences=rooms.memory.preferences,
        clock=utc_now,
        team=rooms.slack.me.team,
        quiet=rooms.policy.reminders.quiet,
    )
    return Rounds(
        rows=rooms.memory.reminding,
        recipients=recipients,
        cards=rooms.memory.cards,
        outbox=rooms.memory.outbox,
        clock=utc_now,
        policy=rooms.policy.reminders,
    )


def _weekly(rooms: Rooms) -> WeeklyDigest:
    return WeeklyDigest(
        weeks=StoredWeeks(rooms.memory.store),
        outbox=rooms.memory.outbox,
        clock=utc_now,
        channel=rooms.settings.approvers_channel,
        policy=rooms.policy.weekly,
        routed=bool(rooms.policy.routes),
    )


def _arrivals(rooms: Rooms, audience: SlackAudience, stack: AsyncExitStack) -> Arrivals:
    return Arrivals(
        calls=rooms.memory.calls,
        audience=audience,
        clock=utc_now,
        address=_address(rooms),
        arrival=rooms.policy.arrival,
        escalation=rooms.policy.escalation,
        alarm=_alarm(rooms, stack),
    )


def _alarm(rooms: Rooms, stack: AsyncExitStack) -> Webhook | None:
    escalation = rooms.policy.escalation
    if escalation is None:
        return None
    alarm = Webhook(escalation.url, rooms.settings.alarm_key(), utc_now)
    stack.push_async_callback(alarm.aclose)
    return alarm


def _address(rooms: Rooms) -> Callable[[RequestRow], Awaitable[str]]:
    async def address(row: RequestRow) -> str:
        place = (await rooms.memory.cards.places([row.key])).get(row.key)
        return card_address(rooms.slack.me.url, *place) if place is not None else ""

    return address
