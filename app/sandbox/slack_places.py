"""Where people act in Slack: finding the person, the channel, the message or view, and the element in it.

Nothing is changed. What is not there raises ActError with a plain sentence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.sandbox.slack_inputs import ActError
from app.sandbox.slack_state import interactive

if TYPE_CHECKING:
    from app.sandbox.people import Person
    from app.sandbox.slack_records import Channel, Ephemeral, Json, Message, View
    from app.sandbox.slack_state import Workspace
    from app.sandbox.world import World

# What Slack's client itself writes into a command's text for a person or a channel.
_TOKEN = re.compile(r"(<[@#][A-Z0-9]+(?:\|[^>]*)?>)")


def find_person(world: World, user: str) -> Person:
    """The person named by id or name, who must have a Slack account."""
    person = world.person(user)
    if person is None:
        raise ActError(f"There is nobody called {user!r}.")
    if person.slack is None:
        raise ActError(f"{person.name} has no Slack account.")
    return person


def find_channel(workspace: Workspace, person: Person, known: str) -> Channel:
    """A channel by id; other people's DMs are out of reach."""
    channel = workspace.channels.get(known)
    if channel is None:
        raise ActError(f"There is no channel {known!r}.")
    if channel.kind == "dm" and person.slack not in channel.members:
        raise ActError(f"{person.name} cannot see the direct messages of somebody else.")
    return channel


def find_place(
    workspace: Workspace,
    person: Person,
    *,
    channel: str | None,
    ts: str | None,
    view_id: str | None,
    home: bool,
) -> Message | Ephemeral | View:
    """The message (channel and ts), modal (view_id) or home the person is looking at.

    Channel membership is not asked: whether a stranger's press counts is for the bot to decide.
    """
    if home:
        return _home(workspace, person)
    if view_id:
        return open_modal(workspace, person, view_id)
    if not channel or not ts:
        raise ActError("Say where: channel and ts, view_id, or home.")
    place = find_channel(workspace, person, channel).messages.get(ts)
    note = workspace.whispered(channel, ts)
    if note and note.user == person.slack:
        return note
    if place is None:
        raise ActError(f"{person.name} sees no message {ts} in {channel}.")
    return place


def open_modal(workspace: Workspace, person: Person, view_id: str) -> View:
    """The modal on top of a person's screen, which must have this id."""
    stack = workspace.modals.get(person.slack or "", [])
    if not stack or stack[-1].id != view_id:
        raise ActError(f"{person.name} does not have the modal {view_id} on the screen.")
    return stack[-1]


def find_element(blocks: list[Json], action_id: str, block_id: str | None) -> tuple[Json, Json]:
    """The block and the element in it that carries `action_id`; the first one if several do."""
    for block in blocks:
        for element in interactive(block):
            if element["action_id"] == action_id and block_id in {None, block["block_id"]}:
                return block, element
    raise ActError(f"Nothing with action_id {action_id!r} is shown there.")


def mentions(workspace: Workspace, text: str) -> str:
    """A command's text as Slack sends it with should_escape: @name becomes a mention, & < > become entities."""
    parts = _TOKEN.split(text)
    parts[::2] = [_with_mentions(workspace, _escaped(part)) for part in parts[::2]]
    return "".join(parts)


def _home(workspace: Workspace, person: Person) -> View:
    view = workspace.homes.get(person.slack or "")
    if view is None:
        raise ActError(f"The app has not published a home for {person.name} yet.")
    return view


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _with_mentions(workspace: Workspace, text: str) -> str:
    for slack, person in workspace.members.items():
        name = rf"@(?:{re.escape(person.name)}|{re.escape(person.id)})\b"
        text = re.sub(name, f"<@{slack}|{person.id}>", text, flags=re.IGNORECASE)
    return text
