"""Acting as people in Slack: press, submit, close, type, open the home, choose a shortcut. Each act is delivered.

An act returns once the bot has answered, or after Slack's 3 seconds; nothing is locked meanwhile, since the bot
calls the Web API back. What no person could do (press what is not shown) raises ActError and sends nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox import slack_delivery
from app.sandbox import slack_payloads as payloads
from app.sandbox.slack_answers import after_click, after_command, after_submission
from app.sandbox.slack_delivery import Answer
from app.sandbox.slack_inputs import FIELDS, ActError, check_filled, chosen, state_of
from app.sandbox.slack_methods_chat import message_wire
from app.sandbox.slack_methods_views import view_wire
from app.sandbox.slack_places import find_channel, find_element, find_person, find_place, mentions, open_modal
from app.sandbox.slack_records import Ephemeral, Message, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from app.sandbox.people import Person
    from app.sandbox.slack_records import Json
    from app.sandbox.world import World

__all__ = ["ActError", "Answer", "click", "close", "command", "home", "shortcut", "submit"]


async def click(  # noqa: PLR0913  (the fields of a click, each with a name)
    world: World,
    client: httpx.AsyncClient,
    *,
    user: str,
    action_id: str,
    channel: str | None = None,
    ts: str | None = None,
    view_id: str | None = None,
    home: bool = False,
    block_id: str | None = None,
    value: str | None = None,
    typed: Mapping[str, object] | None = None,
) -> Answer:
    """Press a button or choose from a menu in a message, a modal or the home; `typed` is what inputs hold."""
    person = find_person(world, user)
    place = find_place(world.workspace, person, channel=channel, ts=ts, view_id=view_id, home=home)
    block, element = find_element(place.blocks, action_id, block_id)
    values = state_of(place.blocks, typed or {})
    picked = chosen(element, value)
    if element["type"] in FIELDS:
        values[block["block_id"]][action_id] = {"type": element["type"], **picked}
    if isinstance(place, View):
        place.values = values
    payload = payloads.common(world.settings, person) | _where(world, person, place, values)
    action = payloads.pressed(element, block["block_id"], picked, world.now())
    answer = await slack_delivery.interaction(world, client, payload | {"type": "block_actions", "actions": [action]})
    after_click(world.workspace, person, place, answer.status, answer.body)
    return answer


async def submit(
    world: World, client: httpx.AsyncClient, *, user: str, view_id: str, values: Mapping[str, object]
) -> Answer:
    """Press the submit button of the modal on top; `values` are keyed by block_id, the rest keeps its first value.

    The bot's answer is applied: the modal closes, shows errors, changes, is covered, or all close.
    """
    person = find_person(world, user)
    view = open_modal(world.workspace, person, view_id)
    if "submit" not in view.content:
        raise ActError("This modal has no submit button.")
    entered = state_of(view.blocks, values)
    check_filled(view.blocks, entered)
    view.values, view.errors, view.trouble = entered, {}, ""
    sent_as = view.hash
    trigger = world.workspace.new_trigger(view.user, view.id)
    payload = payloads.submission(world.settings, person, view, trigger.id)
    answer = await slack_delivery.interaction(world, client, payload)
    after_submission(world.workspace, view, sent_as, answer.status, answer.body)
    return answer


async def close(world: World, client: httpx.AsyncClient, *, user: str, view_id: str) -> Answer | None:
    """Close the modal on top; the bot hears of it only if the view asked for that (`notify_on_close`)."""
    person = find_person(world, user)
    view = open_modal(world.workspace, person, view_id)
    everything = bool(view.content.get("clear_on_close"))
    world.workspace.close_modal(view, everything=everything)
    if not view.content.get("notify_on_close"):
        return None
    payload = payloads.closing(world.settings, person, view, is_cleared=everything)
    return await slack_delivery.interaction(world, client, payload)


async def command(
    world: World, client: httpx.AsyncClient, *, user: str, text: str, channel: str | None = None
) -> Answer:
    """Type `/pim {text}` in a channel (#general unless given); @names become mentions, as with should_escape."""
    person = find_person(world, user)
    place = find_channel(world.workspace, person, channel or world.settings.general_channel)
    slack = person.slack or ""
    form = payloads.command_form(world.settings, person, place, mentions(world.workspace, text))
    form["trigger_id"] = world.workspace.new_trigger(slack).id
    form["response_url"] = world.workspace.new_hook(place.id, slack)
    answer = await slack_delivery.slash_command(world, client, form)
    after_command(world.workspace, place.id, slack, answer.status, answer.body)
    return answer


async def home(world: World, client: httpx.AsyncClient, *, user: str) -> Answer:
    """Open the app's Home tab: an app_home_opened event, with the view if one was published before."""
    person = find_person(world, user)
    slack = person.slack or ""
    channel = world.workspace.direct(slack)
    body = payloads.home_opened(world.settings, person, channel, world.now())
    if slack in world.workspace.homes:
        body["event"]["view"] = view_wire(world.workspace.homes[slack], world.settings)
    return await slack_delivery.event(world, client, body)


async def shortcut(world: World, client: httpx.AsyncClient, *, user: str, callback_id: str) -> Answer:
    """Choose a global shortcut: a trigger and nothing else, since it may be chosen anywhere."""
    person = find_person(world, user)
    trigger = world.workspace.new_trigger(person.slack or "")
    payload = payloads.common(world.settings, person) | payloads.shortcut(callback_id, trigger.id, world.now())
    return await slack_delivery.interaction(world, client, payload)


def _where(world: World, person: Person, place: Message | Ephemeral | View, values: Json) -> Json:
    """Container, message or view, state, trigger and response_url of a block_actions payload."""
    slack = person.slack or ""
    if isinstance(place, View):
        modal = place.id if place.content["type"] == "modal" else None
        part: Json = {"container": {"type": "view", "view_id": place.id}}
        part["trigger_id"] = world.workspace.new_trigger(slack, modal).id
        return part | {"view": view_wire(place, world.settings)}
    is_ephemeral = isinstance(place, Ephemeral)
    container = {"type": "message", "message_ts": place.ts, "channel_id": place.channel}
    part = {
        "container": container | {"is_ephemeral": is_ephemeral},
        "channel": payloads.channel_part(world.workspace.channels[place.channel]),
        "state": {"values": values},
        "trigger_id": world.workspace.new_trigger(slack).id,
        "response_url": world.workspace.new_hook(place.channel, slack, place.ts),
    }
    # An ephemeral message is not stored, so Slack cannot repeat it in the payload.
    return part | ({"message": message_wire(place, world.settings)} if isinstance(place, Message) else {})
