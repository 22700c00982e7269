"""What the page shows one person, as JSON: their Slack, their side of PIM, the bot's last calls. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox.approvers import can_decide
from app.sandbox.control_views import request_view
from app.sandbox.page_faults import switches
from app.sandbox.people import APPROVERS
from app.sandbox.slack_methods_people import BOT_NAME
from app.sandbox.slack_state import SLACKBOT, interactive
from app.sandbox.wire import stamp

if TYPE_CHECKING:
    from app.sandbox.activations import Request
    from app.sandbox.faults import Call
    from app.sandbox.people import Person
    from app.sandbox.slack_records import Channel, Ephemeral, Json, View
    from app.sandbox.world import World

MESSAGES_SHOWN = 200
CALLS_SHOWN = 60
REQUESTS_SHOWN = 50
INVITATION = "pim_sign_in_page"  # leads to the bot's own page; only one person sees it
RECEIPT = "pim_not_me"  # stands under the DM that confirms a link


def cast(world: World) -> list[Json]:
    """The people one can look as: those with Slack, and approvers, who at least have the portal."""
    shown = [p for p in world.people.values() if p.slack or p.id in APPROVERS]
    return [{"id": p.id, "name": p.name, "role": p.role, "slack": p.slack} for p in shown]


def page_state(world: World, person: Person) -> Json:
    """Everything the page needs to draw itself for `person`."""
    return {
        "revision": world.revision,
        "now": stamp(world.now()),
        "me": {"id": person.id, "name": person.name, "role": person.role, "slack": person.slack},
        "names": _names(world),
        "ids": {slack: someone.id for slack, someone in world.workspace.members.items()},
        "bot": {"id": world.settings.bot_user, "name": BOT_NAME},
        "slack": _slack(world, person.slack) if person.slack else None,
        "portal": _portal(world, person),
        "calls": [_call(call) for call in world.log[-CALLS_SHOWN:]],
        "faults": switches(world),
        "unread": {p.id: _unread(world, p.slack) for p in world.people.values() if p.slack},
        "tour": _tour(world, person),
    }


def _names(world: World) -> dict[str, str]:
    names = {slack: person.name for slack, person in world.workspace.members.items()}
    return names | {world.settings.bot_user: BOT_NAME, SLACKBOT: "Slackbot"}


def _slack(world: World, slack: str) -> Json:
    workspace = world.workspace
    mine = [channel for channel in workspace.channels.values() if slack in channel.members]
    notes = [note for note in workspace.ephemerals if note.user == slack]
    home = workspace.homes.get(slack)
    return {
        "channels": [_channel(world, slack, channel, notes) for channel in mine],
        "modals": [_view(view) for view in workspace.modals.get(slack, [])],
        "home": _view(home) if home else None,
    }


def _unread(world: World, slack: str) -> int:
    workspace = world.workspace
    return sum(workspace.unread(slack, room) for room in workspace.channels.values() if slack in room.members)


def _tour(world: World, person: Person) -> Json:
    """How far the first minute has come: the way to sign in was given, signing in was confirmed, what was decided last.

    A token alone is no sign-in yet: the bot links two accounts, and says so in the DM, once its last page is confirmed.
    """
    notes = [note for note in world.workspace.ephemerals if note.user == person.slack]
    rooms = [room for room in world.workspace.channels.values() if room.partner == person.id]
    told = [message for room in rooms for message in room.messages.values()]
    has_token = any(issued.grant.person == person.id for issued in world.login.refresh.values())
    decided = [r for r in world.requests.values() if r.review and r.review.by == person.id]
    return {
        "invited": any(_offers(note.blocks, INVITATION) for note in notes),
        "signed_in": has_token and any(_offers(message.blocks, RECEIPT) for message in told),
        "decided": len(decided),
        "requestor": decided[-1].asked.requestor if decided else None,
    }


def _offers(blocks: list[Json], action_id: str) -> bool:
    return any(element["action_id"] == action_id for block in blocks for element in interactive(block))


def _channel(world: World, slack: str, channel: Channel, notes: list[Ephemeral]) -> Json:
    said = [message.summary() for message in list(channel.messages.values())[-MESSAGES_SHOWN:]]
    whispered = [_note(note) for note in notes if note.channel == channel.id]
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "is_private": channel.is_private,
        "members": len(channel.members),
        "unread": world.workspace.unread(slack, channel),
        "read": world.workspace.read.get((slack, channel.id), ""),
        "messages": sorted(said + whispered, key=lambda message: str(message["ts"])),
    }


def _note(note: Ephemeral) -> Json:
    return {
        "channel": note.channel,
        "ts": note.ts,
        "user": note.author,
        "text": note.text,
        "blocks": note.blocks,
        "only_you": True,
    }


def _view(view: View) -> Json:
    shown = ("type", "title", "submit", "close")
    return {name: view.content.get(name) for name in shown} | {
        "id": view.id,
        "hash": view.hash,
        "blocks": view.blocks,
        "errors": view.errors,
        "trouble": view.trouble,
    }


def _portal(world: World, person: Person) -> Json:
    now, newest_first = world.now(), list(reversed(world.requests.values()))
    mine = [request for request in newest_first if request.asked.requestor == person.id]
    waiting = [r for r in newest_first if r.standing(now) in {"waiting", "for_admin"} and can_decide(r, person.id)]
    return {
        "mine": [_request(world, request) for request in mine[:REQUESTS_SHOWN]],
        "mine_count": len(mine),
        "waiting": [_request(world, request) for request in waiting[:REQUESTS_SHOWN]],
        "waiting_count": len(waiting),
        "may_approve": person.id in APPROVERS,
    }


def _request(world: World, request: Request) -> Json:
    review = request.review
    scope = request.asked.scope
    return request_view(world, request) | {
        "standing": request.standing(world.now()),
        "requestor_name": world.people[request.asked.requestor].name,
        "reviewer_name": world.people[review.by].name if review else None,
        "scope_name": scope.name,
        "scope_type": scope.type,
    }


def _call(call: Call) -> Json:
    return {
        "n": call.n,
        "at": stamp(call.at),
        "service": call.service,
        "method": call.method,
        "line": call.path,
        "who": call.who,
        "status": call.status,
    }
