"""What people do on the page: act in Slack; ask, withdraw or decide in the portal. A refusal is one sentence."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
from starlette.routing import Route

from app.sandbox import slack_acts
from app.sandbox.activations import Ask, Refused, Ticket, parse_duration
from app.sandbox.approvers import policy_for
from app.sandbox.page_faults import SWITCHES, switch
from app.sandbox.page_offers import offered
from app.sandbox.slack_inputs import ActError, FieldError
from app.sandbox.slack_places import find_channel, find_person, open_modal
from app.sandbox.slack_state import interactive
from app.sandbox.wire import JsonAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from app.sandbox.activations import Verdict
    from app.sandbox.people import Person
    from app.sandbox.slack_records import Json
    from app.sandbox.world import World

    Act = Callable[[World, httpx.AsyncClient, Json], Awaitable[Json]]
    NewClient = Callable[[], httpx.AsyncClient]


NEARLY_OVER = timedelta(hours=23, minutes=50)  # how old a request is made that shows the last ten minutes


def act_routes(world: World, new_client: NewClient) -> list[BaseRoute]:
    """One POST route for each thing a person can do, below `/page/`."""
    return [Route(f"/page/{name}", _endpoint(world, new_client, act), methods=["POST"]) for name, act in _ACTS.items()]


def _endpoint(world: World, new_client: NewClient, act: Act) -> Callable[[Request], Awaitable[JsonAnswer]]:
    async def answer(request: Request) -> JsonAnswer:
        try:
            fields = _fields(request.headers.get("content-type", ""), await request.body())
            async with new_client() as client:
                return JsonAnswer(await act(world, client, fields))
        except ActError as problem:
            return JsonAnswer({"error": str(problem)}, 400)

    return answer


def _fields(content_type: str, body: bytes) -> Json:
    # Another site's page can post a form here, but not JSON: browsers ask first, and nobody answers them.
    if not content_type.startswith("application/json"):
        raise ActError("The page sends JSON only.")
    try:
        fields = json.loads(body)
    except ValueError:
        raise ActError("That was not JSON.") from None
    if not isinstance(fields, dict):
        raise ActError("That was not a JSON object.")
    return fields


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ActError(f"The field {name!r} is missing.")
    return value


async def _click(world: World, client: httpx.AsyncClient, fields: Json) -> Json:
    names = ("channel", "ts", "view_id", "home", "block_id", "value", "typed")
    place = {name: fields[name] for name in names if fields.get(name) is not None}
    if _is_repainted(world, place, _text(fields, "action_id")):
        del place["block_id"]
    answer = await slack_acts.click(
        world, client, user=_text(fields, "user"), action_id=_text(fields, "action_id"), **place
    )
    return asdict(answer)


def _is_repainted(world: World, place: Json, action_id: str) -> bool:
    """Whether a message got new block ids since the browser drew it, and still has the one thing that was pressed."""
    channel = world.workspace.channels.get(str(place.get("channel")))
    message = channel.messages.get(str(place.get("ts"))) if channel else None
    if message is None or "block_id" not in place:
        return False
    shown = [
        block["block_id"] for block in message.blocks for one in interactive(block) if one["action_id"] == action_id
    ]
    return len(shown) == 1 and place["block_id"] not in shown


async def _submit(world: World, client: httpx.AsyncClient, fields: Json) -> Json:
    user, view_id, values = _text(fields, "user"), _text(fields, "view_id"), fields.get("values", {})
    try:
        return asdict(await slack_acts.submit(world, client, user=user, view_id=view_id, values=values))
    except FieldError as problem:  # Slack says this in the form, and the app never hears of it
        view = open_modal(world.workspace, find_person(world, user), view_id)
        view.errors = {problem.block_id: str(problem)}
        world.touch()
        return {}


async def _close(world: World, client: httpx.AsyncClient, fields: Json) -> Json:
    answer = await slack_acts.close(world, client, user=_text(fields, "user"), view_id=_text(fields, "view_id"))
    return asdict(answer) if answer else {}


async def _command(world: World, client: httpx.AsyncClient, fields: Json) -> Json:
    user, text, channel = _text(fields, "user"), _text(fields, "text"), fields.get("channel")
    return asdict(await slack_acts.command(world, client, user=user, text=text, channel=channel))


async def _home(world: World, client: httpx.AsyncClient, fields: Json) -> Json:
    return asdict(await slack_acts.home(world, client, user=_text(fields, "user")))


async def _say(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    """Write an ordinary message into a channel, as people do between the cards."""
    person = find_person(world, _text(fields, "user"))
    channel = find_channel(world.workspace, person, _text(fields, "channel"))
    if channel.kind == "dm":
        raise ActError("Sending messages to this app has been turned off. Commands start with /pim.")
    text = _text(fields, "text").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    message = world.workspace.post(channel, text, [], user=person.slack or "")
    return {"ts": message.ts}


async def _read(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    person = find_person(world, _text(fields, "user"))
    world.workspace.mark_read(person.slack or "", find_channel(world.workspace, person, _text(fields, "channel")))
    return {}


async def _dismiss(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    person = find_person(world, _text(fields, "user"))
    note = world.workspace.whispered(_text(fields, "channel"), _text(fields, "ts"))
    if note and note.user == person.slack:
        world.workspace.dismiss(note)
    return {}


async def _ask(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    """Ask for a role as in PIM, with what the role's policy demands."""
    person = _anybody(world, _text(fields, "user"))
    found = offered(_text(fields, "kind"), _text(fields, "role"), _text(fields, "scope"))
    if found is None:
        raise ActError("There is no such role.")
    kind, role, scope = found
    why, number = _text(fields, "justification").strip(), _text(fields, "ticket").strip()
    ticket = Ticket(number, "ServiceNow") if number else None
    age = NEARLY_OVER if fields.get("is_old") else timedelta(0)
    asked = Ask(kind, person.id, role, scope, _text(fields, "duration"), why or None, ticket, age)
    _check_demands(asked)
    return {"id": world.ask(asked).id}


async def _withdraw(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    return _settled(world.cancel(_own(world, fields, "withdraw a request")))


async def _deactivate(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    return _settled(world.end(_own(world, fields, "deactivate a role"), "deactivate"))


def _own(world: World, fields: Json, what: str) -> str:
    person, request = _anybody(world, _text(fields, "user")), world.requests.get(_text(fields, "id"))
    if request is not None and request.asked.requestor != person.id:
        raise ActError(f"Only the requestor can {what}.")
    return _text(fields, "id")


async def _decide(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    person, why = _anybody(world, _text(fields, "user")), _text(fields, "comment").strip()
    if not why:
        raise ActError("The portal wants a justification for every decision.")
    verdict: Verdict = "approve" if _text(fields, "verdict") == "approve" else "deny"
    return _settled(world.decide(_text(fields, "id"), person.id, verdict, why))


async def _fault(world: World, _client: httpx.AsyncClient, fields: Json) -> Json:
    name = _text(fields, "switch")
    if name not in SWITCHES:
        raise ActError("There is no such switch.")
    switch(world, name, on=bool(fields.get("on")))
    return {}


def _anybody(world: World, user: str) -> Person:
    person = world.person(user)
    if person is None:
        raise ActError(f"There is nobody called {user!r}.")
    return person


def _check_demands(asked: Ask) -> None:
    policy, name = policy_for(asked), asked.role.name
    length, most = parse_duration(asked.duration), parse_duration(policy.max_duration)
    if not length or (most and length > most):
        raise ActError(f"{name} can be active for {policy.max_duration[2:-1]} h at most.")
    if "Justification" in policy.enabled and not asked.justification:
        raise ActError(f"{name} needs a justification.")
    if "Ticketing" in policy.enabled and not asked.ticket:
        raise ActError(f"{name} needs a ticket number.")


def _settled(outcome: object) -> Json:
    if isinstance(outcome, Refused):
        raise ActError(outcome.sentence)
    return {}


_ACTS: dict[str, Act] = {
    "ask": _ask,
    "click": _click,
    "close": _close,
    "command": _command,
    "deactivate": _deactivate,
    "decide": _decide,
    "dismiss": _dismiss,
    "fault": _fault,
    "home": _home,
    "read": _read,
    "say": _say,
    "submit": _submit,
    "withdraw": _withdraw,
}
