"""What the emulated Slack workspace remembers: channels, messages, views, triggers. No rules live here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Future
    from datetime import datetime

    from starlette.websockets import WebSocket

    from app.sandbox.login_tokens import SigningKey

Json = dict[str, Any]


@dataclass(slots=True)
class Message:
    """One message of a channel or a DM; `user` is the author's Slack id."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json]
    metadata: Json | None = None
    thread_ts: str | None = None
    edits: int = 0
    files: list[Json] = field(default_factory=list)

    def summary(self) -> Json:
        """The message as `/control/world` and the page show it."""
        return {
            "channel": self.channel,
            "ts": self.ts,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
            "metadata": self.metadata,
            "thread_ts": self.thread_ts,
            "edits": self.edits,
            **({"files": self.files} if self.files else {}),
        }


@dataclass(slots=True)
class Channel:
    """A channel or a DM; `members` are Slack ids, `partner` is the short id of a DM's person."""

    id: str
    name: str
    kind: str
    members: set[str]
    partner: str | None = None
    is_private: bool = True
    last_ts: str = ""
    messages: dict[str, Message] = field(default_factory=dict)

    def replies(self, ts: str) -> list[Message]:
        """The messages of the thread below `ts`, oldest first, without the parent."""
        return [m for m in self.messages.values() if m.thread_ts == ts and m.ts != ts]


@dataclass(slots=True)
class Ephemeral:
    """A message only `user` (a Slack id) sees; `author` is the bot, or Slackbot reporting trouble."""

    channel: str
    user: str
    ts: str
    text: str
    blocks: list[Json]
    author: str


@dataclass(slots=True)
class View:
    """An open modal or a published home; `content` is what the app sent, ids filled in."""

    id: str
    user: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    values: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def blocks(self) -> list[Json]:
        """The blocks as sent, ids filled in."""
        blocks: list[Json] = self.content["blocks"]
        return blocks


@dataclass(slots=True)
class Trigger:
    """The right to open one modal, once and within 3 seconds; `view_id` if it was pressed inside a modal."""

    id: str
    user: str
    at: datetime
    view_id: str | None = None
    is_used: bool = False


@dataclass(slots=True)
class Hook:
    """A response_url: where its answers go, whom it belongs to and how often it was used."""

    id: str
    channel: str
    user: str
    at: datetime
    source_ts: str | None = None
    uses: int = 0


@dataclass(slots=True)
class SlackCode:
    """A code of Sign in with Slack: whose, for which address, scopes and nonce; good once."""

    user: str
    redirect_uri: str
    scopes: tuple[str, ...]
    nonce: str
    at: datetime
    is_used: bool = False


@dataclass(slots=True)
class SignIns:
    """Codes and user tokens of Sign in with Slack by their secret, and the key that signs its ID tokens."""

    codes: dict[str, SlackCode] = field(default_factory=dict)
    tokens: dict[str, SlackCode] = field(default_factory=dict)
    key: SigningKey | None = None


@dataclass(slots=True)
class Sockets:
    """Socket Mode: addresses given out and not used yet, open connections, acknowledgements that are awaited."""

    tickets: set[str] = field(default_factory=set)
    connections: list[WebSocket] = field(default_factory=list)
    awaited: dict[str, Future[object]] = field(default_factory=dict)
