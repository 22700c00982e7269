"""The calls of `/control` that act as a person: in Slack, in a browser, in the portal, or with a token."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.sandbox import slack_acts
from app.sandbox.activations import How, Refused, Request
from app.sandbox.control_input import BadInput, one_of, person_id, read
from app.sandbox.control_views import request_view
from app.sandbox.login_grants import app_answer, user_answer
from app.sandbox.login_scopes import Scopes, resources
from app.sandbox.login_tokens import Grant
from app.sandbox.people import Person
from app.sandbox.sign_in_walk import walk
from app.sandbox.world import World

Json = dict[str, Any]
LINK_SECONDS = 5.0
ENDINGS: dict[str, How] = {"deactivate": "deactivate", "revoke": "revoke", "fail": "fail"}


class Unknown(Exception):
    """The id in the path names nothing."""


class Acts:
    """Acting in one world; `new_client` makes the HTTP client that reaches the bot and the world's own pages."""

    def __init__(self, world: World, new_client: Callable[[], httpx.AsyncClient]) -> None:
        self.world = world
        self.new_client = new_client

    async def click(self, body: object) -> Json:
        """Press a button of a message (`channel`, `ts`), a modal (`view_id`) or the home (`home`: true)."""
        places = {"channel": str, "ts": str, "view_id": str, "home": bool}
        fields = read(body, {"user": str, "action_id": str}, {**places, "block_id": str, "value": str})
        return await self._in_slack(slack_acts.click, fields)

    async def submit(self, body: object) -> Json:
        """Submit an open modal with these values by block id."""
        return await self._in_slack(slack_acts.submit, read(body, {"user": str, "view_id": str, "values": dict}))

    async def command(self, body: object) -> Json:
        """Type `/pim` and a text."""
        return await self._in_slack(slack_acts.command, read(body, {"user": str, "text": str}, {"channel": str}))

    async def home(self, body: object) -> Json:
        """Open the app's home."""
        return await self._in_slack(slack_acts.home, read(body, {"user": str}))

    async def shortcut(self, body: object) -> Json:
        """Choose a global shortcut of the app."""
        return await self._in_slack(slack_acts.shortcut, read(body, {"user": str, "callback_id": str}))

    async def sign_in(self, body: object) -> Json:
        """Type `/pim sign-in`, open the address it gives and walk the pages; others may finish single legs."""
        fields = read(body, {"user": str}, {"slack": str, "microsoft": str})
        people = {name: self.world.people[person_id(self.world, value)] for name, value in fields.items()}
        address = await self._sign_in_address(people["user"])
        sitting = {name: people.get(name, people["user"]) for name in ("slack", "microsoft")}
        async with self.new_client() as client:
            walked = await walk(client, address, lambda url: _person_at(self.world, url, sitting), self.world.now)
        return asdict(walked)

    async def decide(self, request_id: str, body: object) -> Json:
        """Decide as an approver does in Microsoft's portal."""
        fields = read(body, {"by": str, "verdict": str}, {"comment": str})
        verdict = one_of("verdict", fields["verdict"], ("approve", "deny"))
        by = person_id(self.world, fields["by"])
        return self._settled(
            self.world.decide(request_id, by, "approve" if verdict == "approve" else "deny", fields.get("comment", ""))
        )

    async def cancel(self, request_id: str, body: object) -> Json:
        """Withdraw as the requestor does."""
        read(body, {})
        return self._settled(self.world.cancel(request_id))

    async def end(self, request_id: str, body: object) -> Json:
        """End an approved activation: its holder deactivates, an administrator revokes, or provisioning fails."""
        how = one_of("how", read(body, {"how": str})["how"], tuple(ENDINGS))
        return self._settled(self.world.end(request_id, ENDINGS[how]))

    def token(self, user: str, resource: str) -> Json:
        """An access token with everything the app registration was granted; `app` is the application itself."""
        known = resources(self.world.settings)
        wanted = known[one_of("resource", resource, tuple(known))]
        if user == "app":
            answer = app_answer(self.world, wanted)
            return {**_token_part(answer), "scope": f"{wanted.prefixes[0]}.default"}
        person = self.world.people[person_id(self.world, user)]
        echo = " ".join(f"{wanted.prefixes[0]}{name}" for name in wanted.delegated)
        scopes = Scopes(wanted, wanted.delegated, frozenset(), echo)
        grant = Grant(person.id, scopes, "", "", None, "", "", self.world.now())
        answer = user_answer(self.world, person, grant)
        return {**_token_part(answer), "scope": answer["scope"]}

    async def _in_slack(self, act: Callable[..., Awaitable[slack_acts.Answer]], fields: Json) -> Json:
        async with self.new_client() as client:
            try:
                answer = await act(self.world, client, **fields)
            except slack_acts.ActError as problem:
                raise BadInput(str(problem)) from problem
        return asdict(answer)

    async def _sign_in_address(self, person: Person) -> str:
        seen = {ephemeral["ts"] for ephemeral in self._ephemerals(person)}
        answer = await self._in_slack(slack_acts.command, {"user": person.id, "text": "sign-in"})
        texts = [json.dumps(answer["body"])]
        deadline = asyncio.get_running_loop().time() + LINK_SECONDS
        while True:
            revision = self.world.revision
            texts += [json.dumps(e) for e in self._ephemerals(person) if e["ts"] not in seen]
            found = _first_address(self.world.settings.bot_url, texts)
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0:
                break
            await self.world.wait_change(revision, left)
        if not found:
            raise BadInput(f"/pim sign-in gave {person.name} no address; the bot answered {answer['status']}.")
        return found

    def _ephemerals(self, person: Person) -> list[Json]:
        shown: list[Json] = self.world.workspace.snapshot()["ephemerals"]
        return [ephemeral for ephemeral in shown if ephemeral["user"] in {person.id, person.slack}]

    def _settled(self, outcome: Request | Refused) -> Json:
        if isinstance(outcome, Refused):
            raise (Unknown if outcome.why == "unknown" else BadInput)(outcome.sentence)
        return request_view(self.world, outcome)


def _token_part(answer: Json) -> Json:
    return {"access_token": answer["access_token"], "expires_in": answer["expires_in"]}


def _first_address(bot_url: str, texts: list[str]) -> str | None:
    pattern = re.compile(re.escape(f"{bot_url}/sign-in/") + r"[^\s\"'<>|\\)]+")
    found = (pattern.search(unescape(text)) for text in texts)
    return next((match[0] for match in found if match), None)


def _person_at(world: World, url: str, sitting: dict[str, Person]) -> Person | None:
    if not url.startswith(world.settings.world_url):
        return None
    return sitting["slack" if urlsplit(url).path.startswith("/slack/") else "microsoft"]
