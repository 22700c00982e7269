"""What `/control` shows: settings, the world and the call log as JSON. Reads only."""

from __future__ import annotations

from typing import Any

from app.sandbox.activations import Request
from app.sandbox.faults import Call
from app.sandbox.wire import stamp
from app.sandbox.world import World

Json = dict[str, Any]


def settings_view(world: World, env: dict[str, str]) -> Json:
    """The bot's environment and the ids that a test needs to speak to it."""
    settings = world.settings
    return {
        "env": env,
        "bot_url": settings.bot_url,
        "team": settings.team,
        "app_id": settings.app_id,
        "channel": settings.channel,
        "tenant": settings.tenant,
        "redirect_uris": list(settings.redirect_uris.values()),
        "subscription": settings.subscription,
        "groups": [{"id": group.id, "name": group.name} for group in settings.groups],
    }


def world_view(world: World) -> Json:
    """Everything a test may look at, at one moment."""
    people = [
        {
            "id": person.id,
            "name": person.name,
            "role": person.role,
            "slack": person.slack,
            "oid": person.oid,
            "upn": person.upn,
            "mail": person.mail,
        }
        for person in world.people.values()
    ]
    requests = [request_view(world, request) for request in world.requests.values()]
    return {"now": stamp(world.now()), "people": people, "requests": requests, **world.workspace.snapshot()}


def request_view(world: World, request: Request) -> Json:
    """One request: Microsoft's own status and scope id, people by short id, the verdict as it is sent to `decide`."""
    asked, review, now = request.asked, request.review, world.now()
    active = request.active(now)
    return {
        "id": request.id,
        "kind": asked.kind,
        "status": request.status(now),
        "requestor": asked.requestor,
        "role": asked.role.name,
        "scope": asked.scope.id,
        "duration": asked.duration,
        "justification": asked.justification,
        "ticket": {"number": asked.ticket.number, "system": asked.ticket.system} if asked.ticket else None,
        "created": stamp(request.created),
        "expires": stamp(request.expires),
        "reviewed_by": review.by if review else None,
        "verdict": review.verdict if review else None,
        "comment": review.comment if review else None,
        "active": {"start": stamp(active[0]), "end": stamp(active[1])} if active else None,
    }


def call_view(call: Call) -> Json:
    """One line of the call log."""
    return {
        "n": call.n,
        "at": stamp(call.at),
        "service": call.service,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "who": call.who,
        "status": call.status,
        "body": call.body,
    }
