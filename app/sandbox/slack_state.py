"""The emulated Slack workspace: who is where, what was said, shown or opened. It never calls the bot."""

from __future__ import annotations

import copy
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from app.sandbox.people import IN_APPROVALS
from app.sandbox.slack_files import Files
from app.sandbox.slack_limits import Pace
from app.sandbox.slack_records import Channel, Ephemeral, Hook, Json, Message, SignIns, Sockets, Trigger, View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.sandbox.people import Person, Settings

TRIGGER_LIFE = timedelta(seconds=3)
HOOK_LIFE = timedelta(minutes=30)
HOOK_USES = 5
REMEMBERED = timedelta(minutes=10)
_Dated = TypeVar("_Dated", Trigger, Hook)
SLACKBOT = "USLACKBOT"


class Workspace:
    """One workspace with one installed app; every change ends with `touch`, so that the page can follow."""

    def __init__(
        self,
        settings: Settings,
        people: Mapping[str, Person],
        clock: Callable[[], datetime],
        touch: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.touch = touch
        self.pace = Pace()
        self.members = {p.slack: p for p in people.values() if p.slack}
        self.deleted: set[str] = set()
        self.channels = _first_channels(settings, self.members)
        self.ephemerals: list[Ephemeral] = []
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.hooks: dict[str, Hook] = {}
        self.sign_ins = SignIns()
        self.sockets = Sockets()
        self.files = Files()
        self.read: dict[tuple[str, str], str] = {}

    def short(self, slack: str) -> str:
        """The short id behind a Slack id ("ann"); the Slack id itself for the bot and Slackbot."""
        return self.members[slack].id if slack in self.members else slack

    # channels and messages

    def direct(self, slack: str) -> Channel:
        """The DM between the app and one person, made on first use."""
        person = self.members[slack]
        known = f"D0{slack[2:]}"
        if known not in self.channels:
            members = {slack, self.settings.bot_user}
            self.channels[known] = Channel(known, person.id, "dm", members, partner=person.id)
            self.touch()
        return self.channels[known]

    def next_ts(self, channel: Channel) -> str:
        """The time as Slack writes it, in microseconds: never twice in one channel, never backwards."""
        now = round(self.clock().timestamp() * 1_000_000)
        seconds, micros = divmod(max(now, _micros(channel.last_ts) + 1), 1_000_000)
        channel.last_ts = f"{seconds}.{micros:06d}"
        return channel.last_ts

    def post(self, channel: Channel, text: str, blocks: list[Json], *, user: str = "", **extra: object) -> Message:
        """Append a message; `user` is the bot unless given, `extra` may hold metadata, thread_ts and files."""
        author = user or self.settings.bot_user
        message = Message(channel.id, self.next_ts(channel), author, text, self.with_ids(blocks))
        for name, value in extra.items():
            setattr(message, name, value)
        channel.messages[message.ts] = message
        self.touch()
        return message

    def edit(self, message: Message, text: str, blocks: list[Json]) -> None:
        """Replace what a message says and count the edit."""
        message.text, message.blocks = text, self.with_ids(blocks)
        message.edits += 1
        self.touch()

    def remove(self, message: Message) -> None:
        """Delete a message and whatever stands in its thread."""
        messages = self.channels[message.channel].messages
        for gone in [message, *self.channels[message.channel].replies(message.ts)]:
            messages.pop(gone.ts, None)
        self.touch()

    def whisper(self, channel: str, user: str, text: str, blocks: list[Json], author: str = "") -> Ephemeral:
        """Show `user` alone a message in `channel`."""
        note = Ephemeral(
            channel=channel,
            user=user,
            ts=self.next_ts(self.channels[channel]),
            text=text,
            blocks=self.with_ids(blocks),
            author=author or self.settings.bot_user,
        )
        self.ephemerals.append(note)
        self.touch()
        return note

    def whispered(self, channel: str, ts: str) -> Ephemeral | None:
        """The ephemeral message of that channel and time, if it is still shown."""
        return next((e for e in self.ephemerals if (e.channel, e.ts) == (channel, ts)), None)

    def dismiss(self, note: Ephemeral) -> None:
        """Take an ephemeral message off its reader's screen."""
        self.ephemerals.remove(note)
        self.touch()

    def mark_read(self, slack: str, channel: Channel) -> None:
        """Remember that a person has seen everything in a channel so far."""
        if self.read.get((slack, channel.id), "") != channel.last_ts:
            self.read[(slack, channel.id)] = channel.last_ts
            self.touch()

    def unread(self, slack: str, channel: Channel) -> int:
        """How many messages of others a person has not seen."""
        since = self.read.get((slack, channel.id), "")
        return sum(m.ts > since and m.user != slack for m in channel.messages.values())

    # modals and homes

    def make_view(self, slack: str, content: Json, below: View | None = None) -> View:
        """A view that is not shown yet; `below` is the modal it will cover."""
        known = f"V{secrets.token_hex(5).upper()}"
        root = below.root_id if below else known
        return View(known, slack, self._content(content), self._hash(), root, below.id if below else None)

    def open_modal(self, view: View) -> None:
        """Show a modal alone: whatever the person had open is gone."""
        self.modals[view.user] = [view]
        self.touch()

    def push_modal(self, view: View) -> None:
        """Show a modal on top of those the person has open."""
        self.modals.setdefault(view.user, []).append(view)
        self.touch()

    def close_modal(self, view: View, *, everything: bool = False) -> None:
        """Close one modal, or the whole stack it stands in."""
        stack = self.modals.get(view.user, [])
        self.modals[view.user] = [] if everything else [v for v in stack if v.id != view.id]
        self.touch()

    def rewrite(self, view: View, content: Json) -> None:
        """Replace what a view shows: a new hash, no errors; what was typed stays."""
        view.content, view.hash = self._content(content), self._hash()
        view.errors, view.trouble = {}, ""
        self.touch()

    def publish(self, slack: str, content: Json) -> View:
        """Set what a person's App Home shows; the view keeps its id."""
        if slack in self.homes:
            self.rewrite(self.homes[slack], content)
        else:
            self.homes[slack] = self.make_view(slack, content)
            self.touch()
        return self.homes[slack]

    def views(self) -> list[View]:
        """Every view on somebody's screen: open modals and published homes."""
        return [*self.open_views(), *self.homes.values()]

    def open_views(self) -> list[View]:
        """The open modals, each person's from the bottom up."""
        return [view for stack in self.modals.values() for view in stack]

    def _content(self, content: Json) -> Json:
        return {**copy.deepcopy(content), "blocks": self.with_ids(content.get("blocks") or [])}

    def _hash(self) -> str:
        return f"{self.clock().timestamp():.0f}.{secrets.token_hex(4)}"

    # triggers and response_urls

    def new_trigger(self, slack: str, view_id: str | None = None) -> Trigger:
        """A trigger_id for something a person just did: one use within 3 seconds."""
        _forget(self.triggers, self.clock() - REMEMBERED)
        known = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[known] = Trigger(known, slack, self.clock(), view_id)
        return self.triggers[known]

    def spend_trigger(self, known: str) -> Trigger | str:
        """Use up a trigger_id; the answer is a string, Slack's error code, if that cannot be."""
        trigger = self.triggers.get(known)
        if trigger is None:
            return "invalid_trigger_id"
        if trigger.is_used:
            return "exchanged_trigger_id"
        if self.clock() - trigger.at > TRIGGER_LIFE:
            return "expired_trigger_id"
        trigger.is_used = True
        return trigger

    def new_hook(self, channel: str, slack: str, source_ts: str | None = None) -> str:
        """The address of a fresh response_url; `source_ts` is the message it may replace or delete."""
        _forget(self.hooks, self.clock() - HOOK_LIFE)
        known = secrets.token_hex(12)
        self.hooks[known] = Hook(known, channel, slack, self.clock(), source_ts)
        return f"{self.settings.world_url}/slack/response/{known}"

    def use_hook(self, known: str) -> Hook | str:
        """Count one use of a response_url (5 in 30 minutes); a string, Slack's error code, if it is spent."""
        hook = self.hooks.get(known)
        if hook is None or self.clock() - hook.at > HOOK_LIFE:
            return "expired_url"
        if hook.uses >= HOOK_USES:
            return "used_url"
        hook.uses += 1
        return hook

    # what others see

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """A copy of the blocks in which every block and every usable element has an id, as Slack does."""
        stored: list[Json] = copy.deepcopy(blocks)
        for block in stored:
            block.setdefault("block_id", secrets.token_urlsafe(4))
            for element in interactive(block):
                element.setdefault("action_id", secrets.token_urlsafe(4))
        return stored

    def snapshot(self) -> Json:
        """Channels, ephemerals, open modals and homes as `/control/world` prints them, people by short id."""
        return {
            "channels": [self._channel_summary(channel) for channel in self.channels.values()],
            "ephemerals": [
                {
                    "channel": e.channel,
                    "user": self.short(e.user),
                    "ts": e.ts,
                    "text": e.text,
                    "blocks": e.blocks,
                }
                for e in self.ephemerals
            ],
            "modals": [self._modal_summary(view) for view in self.open_views()],
            "homes": {self.short(slack): view.content for slack, view in self.homes.items()},
        }

    def _channel_summary(self, channel: Channel) -> Json:
        return {
            "id": channel.id,
            "name": channel.name,
            "kind": channel.kind,
            "with": channel.partner,
            "messages": [message.summary() for message in channel.messages.values()],
        }

    def _modal_summary(self, view: View) -> Json:
        return {
            "view_id": view.id,
            "user": self.short(view.user),
            "callback_id": view.content.get("callback_id", ""),
            "private_metadata": view.content.get("private_metadata", ""),
            "blocks": view.blocks,
        }


def interactive(block: Json) -> list[Json]:
    """The elements of a block that a person can use: buttons, menus, inputs."""
    if block.get("type") == "actions":
        return list(block["elements"])
    if block.get("type") == "input":
        return [block["element"]]
    accessory = block.get("accessory")
    return [accessory] if accessory and accessory.get("type") != "image" else []


def _first_channels(settings: Settings, members: Mapping[str, Person]) -> dict[str, Channel]:
    approvers = {slack for slack, person in members.items() if person.id in IN_APPROVALS}
    desk = Channel(settings.channel, "pim-approvals", "channel", approvers | {settings.bot_user})
    general = Channel(settings.general_channel, "general", "channel", set(members), is_private=False)
    return {general.id: general, desk.id: desk}


def _forget(book: dict[str, _Dated], before: datetime) -> None:
    """Drop the oldest entries, which stand first, so that a long load test does not fill the memory."""
    while book and (first := next(iter(book.values()))).at < before:
        del book[first.id]


def _micros(ts: str) -> int:
    return int(ts.replace(".", "") or 0)
