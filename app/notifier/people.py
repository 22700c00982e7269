"""Who people are in Slack, asked fresh where it matters. An unclear answer is never taken for a yes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.errors import SlackFailed
from app.notifier.gateway import Gateway, Payload
from app.ports import Clock, SlackPerson

MEMBERS_LAST = timedelta(seconds=60)  # how long the list of a channel's members is believed
MOST_PAGES = 50
_NOT_FULL = (
    "deleted",
    "is_bot",
    "is_restricted",
    "is_ultra_restricted",
    "is_stranger",
    "is_app_user",
    "is_workflow_bot",
)


@dataclass(kw_only=True, slots=True)
class SlackPeople:
    """The People port over Slack's Web API."""

    gateway: Gateway
    clock: Clock
    channels: tuple[str, ...]
    _members: dict[str, tuple[datetime, frozenset[str]]] = field(init=False, default_factory=dict)

    async def person(self, user: str) -> SlackPerson | None:
        """Fresh from users.info; None when Slack does not know or show this account."""
        try:
            raw = (await self.gateway.call("users_info", user=user)).get("user") or {}
        except SlackFailed as failure:
            if failure.code in ("user_not_found", "user_not_visible"):
                return None
            raise
        return _person(raw)

    async def by_mail(self, mail: str) -> str | None:
        """The account with this address; deactivated ones do not count."""
        try:
            raw = (await self.gateway.call("users_lookupByEmail", email=mail)).get("user") or {}
        except SlackFailed as failure:
            if failure.code == "users_not_found":
                return None
            raise
        person = _person(raw)
        return person.id if person is not None and not raw.get("deleted") else None

    async def channels_of(self, user: str) -> frozenset[str]:
        """Which of the bot's channels this person is in; lists are at most a minute old."""
        return frozenset([channel for channel in self.channels if user in await self._members_of(channel)])

    async def _members_of(self, channel: str) -> frozenset[str]:
        now = self.clock()
        asked_at, members = self._members.get(channel, (None, frozenset()))
        if asked_at is None or now - asked_at > MEMBERS_LAST:
            members = await self._ask_members(channel)
            self._members[channel] = (now, members)
        return members

    async def _ask_members(self, channel: str) -> frozenset[str]:
        members: set[str] = set()
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await self.gateway.call("conversations_members", channel=channel, limit=200, cursor=cursor)
            members.update(page.get("members") or ())
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return frozenset(members)


def _person(raw: Payload) -> SlackPerson | None:
    profile = raw.get("profile") or {}
    if not raw.get("id"):
        return None
    return SlackPerson(
        id=str(raw["id"]),
        team=str(raw.get("team_id") or ""),
        name=str(profile.get("real_name") or raw.get("real_name") or raw.get("name") or ""),
        mail=str(profile.get("email") or ""),
        member=not any(raw.get(flag) for flag in _NOT_FULL),
        zone=str(raw.get("tz") or ""),
    )
