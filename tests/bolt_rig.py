"""The listeners on a real Bolt app before the real use cases. Payloads are Slack's; what people see is recorded."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from fakes import FakeAudience, FakeFiles
from fakes_identity import FakeSignIn
from people import CHANNEL, TEAM, ann, slack_of
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest
from use_cases.house import House

from app.domain.errors import BotError, SlackFailed
from app.domain.reminding import NIGHT
from app.domain.request import ActivationRequest, Person
from app.inbox import Deliveries
from app.linking import Linking
from app.main.listening import make_bolt  # the very Bolt of production, its switches included
from app.main.rooms import SlackSide
from app.notifier.gateway import Identity
from app.ports import Block, View
from app.reminders import Nudging, OwnSettings, Recipients
from app.store.flows import StoredFlows
from app.store.preferences import StoredPreferences
from app.store.reminding import StoredReminding
from app.store.writer import Store
from blocks import ids
from blocks.links import Portal
from handlers import Listeners, register
from handlers.answers import Answers
from handlers.buttons import Buttons
from handlers.commands import Commands
from handlers.exporting import Exporting
from handlers.home import Home
from handlers.listings import Listings
from handlers.menu import Menu
from handlers.modals import Modals
from handlers.own_requests import OwnRequests
from handlers.place import Place
from handlers.questions import QuestionForms
from handlers.reception import Reception
from handlers.removals import RemovalForms
from handlers.settings import SettingsForm
from handlers.shortcuts import Shortcuts
from handlers.tasks import Tasks

APP = "A0PIM00001"
PUBLIC = "https://pim.example"
PORTAL = Portal("https://portal.azure.us")  # not the default one, so that nobody may forget to pass it on
HOOK = "https://hooks.slack.com/actions/T0ACME0001/1/x"
COMMAND_HOOK = "https://hooks.slack.com/commands/T0ACME0001/1/x"
SOON = 20.0  # seconds until a test gives up waiting

Json = dict[str, Any]


@dataclass(frozen=True)
class Whisper:
    """A message only one person sees."""

    address: str
    text: str
    blocks: list[Block]
    replace: bool


@dataclass
class FakeScreens:
    """What people see, recorded. `failures` are raised by method; modals in `closed` are closed."""

    whispers: list[Whisper] = field(default_factory=list)
    opened: list[tuple[str, View]] = field(default_factory=list)
    updated: list[tuple[str, View]] = field(default_factory=list)
    homes: dict[str, View] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    async def open_modal(self, trigger_id: str, view: View) -> str:
        self._fail("open_modal")
        self.opened.append((trigger_id, view))
        return f"V{len(self.opened):07}"

    async def update_modal(self, view_id: str, view: View) -> bool:
        self._fail("update_modal")
        self.updated.append((view_id, view))
        return view_id not in self.closed

    async def whisper(self, response_url: str, text: str, blocks: Sequence[Block], *, replace: bool = False) -> None:
        self._fail("whisper")
        self.whispers.append(Whisper(response_url, text, list(blocks), replace))

    async def publish_home(self, user: str, view: View) -> None:
        self._fail("publish_home")
        self.homes[user] = view

    def _fail(self, method: str) -> None:
        if method in self.failures:
            raise self.failures[method]


class BoltRig:
    """One bot's listeners, and the ways Slack delivers to them. `wakes` counts calls for the painter."""

    def __init__(self, store: Store) -> None:
        self.house = House(store)
        self.screens = FakeScreens()
        self.files = FakeFiles()
        self.tasks = Tasks()
        self.wakes = 0
        self.audience = FakeAudience()
        self.decided: list[tuple[object, ...]] = []
        self.numbers = itertools.count(1)
        house = self.house
        self.linking = Linking(
            sign_in=FakeSignIn(),
            flows=StoredFlows(store),
            links=house.links,
            clock=house.clock,
            new_token=house.new_id,
            public_url=PUBLIC,
            team=TEAM,
        )
        deliveries = Deliveries(inbox=house.inbox, outbox=house.outbox, clock=house.clock)
        answers = Answers(screens=self.screens, linking=self.linking, portal=PORTAL)
        self.reception = Reception(deliveries=deliveries, answers=answers, tasks=self.tasks, wake=self._wake)
        exporting = Exporting(exports=house.exports, files=self.files)
        listings = Listings(
            answers=answers, lookups=house.lookups, homes=house.homes, clock=house.clock, exporting=exporting
        )
        self.own_settings = OwnSettings(
            preferences=StoredPreferences(store), people=house.people, clock=house.clock, company=NIGHT
        )
        self.commands = Commands(
            reception=self.reception,
            lookups=house.lookups,
            listings=listings,
            settings=SettingsForm(reception=self.reception, settings=self.own_settings, screens=self.screens),
            clock=house.clock,
        )
        me = Identity(TEAM, "U0PIM00001", "B0PIM00001", APP, "https://acme.slack.example/")
        self.bolt = make_bolt(SlackSide(me, *(cast("Any", None) for _ in range(6))))
        self.home = Home(
            reception=self.reception,
            lookups=house.lookups,
            homes=house.homes,
            screens=self.screens,
            clock=house.clock,
        )
        ours = {"app_id": APP, "team": TEAM, "answers": answers, "strangers": house.strangers, "clock": house.clock}
        register(self.bolt, Place(**ours), self._listeners())

    def _listeners(self) -> Listeners:
        house = self.house
        return Listeners(
            buttons=Buttons(
                reception=self.reception,
                openings=house.openings,
                freezing=house.freezing,
                commands=self.commands,
                menu=self._menu(),
                own=self._own_requests(),
                clock=house.clock,
            ),
            modals=Modals(
                reception=self.reception,
                decisions=house.decisions,
                screens=self.screens,
                outbox=house.outbox,
                clock=house.clock,
                decided=lambda *told: self.decided.append(told),
            ),
            commands=self.commands,
            home=self.home,
            shortcuts=Shortcuts(
                reception=self.reception, lookups=house.lookups, screens=self.screens, clock=house.clock
            ),
        )

    def _menu(self) -> Menu:
        asking = QuestionForms(reception=self.reception, asking=self.house.asking)
        return Menu(
            reception=self.reception,
            openings=self.house.openings,
            questions=asking,
            removals=RemovalForms(
                reception=self.reception,
                removing=self.house.removing,
                screens=self.screens,
                outbox=self.house.outbox,
                clock=self.house.clock,
            ),
            clock=self.house.clock,
        )

    def _own_requests(self) -> OwnRequests:
        house = self.house
        recipients = Recipients(
            audience=self.audience,
            people=house.people,
            preferences=StoredPreferences(house.store),
            clock=house.clock,
            team=TEAM,
            quiet=None,
        )
        reminding = StoredReminding(house.store, house.new_id)
        return OwnRequests(
            reception=self.reception,
            withdrawing=house.withdrawing,
            nudging=Nudging(rows=reminding, recipients=recipients, clock=house.clock),
            screens=self.screens,
            clock=house.clock,
        )

    def _wake(self) -> None:
        self.wakes += 1

    # --- what Slack delivers ---

    def common(self, person: Person) -> Json:
        user = {"id": slack_of(person), "username": "x", "name": "x", "team_id": TEAM}
        return {
            "team": {"id": TEAM, "domain": "acme"},
            "user": user,
            "api_app_id": APP,
            "token": "legacy",
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def press(self, person: Person, action_id: str, value: str = "", **over: object) -> Json:
        """A press on a button of a message in the approvers channel."""
        number = next(self.numbers)
        pressed = {"type": "button", "action_id": action_id, "block_id": "pim_decide:1", "value": value}
        return self.common(person) | {
            "type": "block_actions",
            "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": CHANNEL},
            "channel": {"id": CHANNEL, "name": "privategroup"},
            "trigger_id": f"{number}.2.trigger",
            "state": {"values": {}},
            "response_url": HOOK,
            "actions": [pressed | {"action_ts": f"1700000{number:03}.000000"}],
            **over,
        }

    def press_home(self, person: Person, action_id: str, value: str) -> Json:
        """A press on a button of this person's Home tab."""
        container = {"type": "view", "view_id": "V0HOME0001"}
        payload = self.press(person, action_id, value, container=container)
        return {name: part for name, part in payload.items() if name not in ("channel", "response_url")}

    async def choose(self, person: Person, request: ActivationRequest, choice: str) -> BoltResponse:
        """A choice in the menu of this request's card, and all that follows."""
        card = await self.house.card(request)
        payload = await self.press_card(person, request, ids.MORE)
        option = {"text": {"type": "plain_text", "text": "x"}, "value": f"{choice}:{card.token}"}
        payload["actions"][0] |= {"type": "overflow", "value": None, "selected_option": option}
        return await self.act(payload)

    async def press_card(
        self, person: Person, request: ActivationRequest, action_id: str = ids.APPROVE, **over: object
    ) -> Json:
        """A press on a button of this request's card as it stands."""
        card = await self.house.card(request)
        container = {"type": "message", "message_ts": card.ts, "channel_id": card.channel}
        return self.press(person, action_id, card.token, container=container) | over

    def written(self, person: Person, callback_id: str, token: str, words: str) -> Json:
        """What somebody submits of the form of a question, an answer or a removal."""
        payload = self.submission(person, token, words=words)
        payload["view"]["callback_id"] = callback_id
        return payload

    def submission(self, person: Person, token: str, *, view_id: str = "V0000001", **values: str) -> Json:
        """What somebody submits of a decision modal; `values` by block id."""
        entered = {
            block: {f"pim_{block}": {"type": "plain_text_input", "value": text}} for block, text in values.items()
        }
        view = {
            "id": view_id,
            "team_id": TEAM,
            "type": "modal",
            "callback_id": ids.DECIDE_MODAL,
            "private_metadata": token,
            "state": {"values": entered},
        }
        trigger = f"{next(self.numbers)}.3.submit"
        return self.common(person) | {
            "type": "view_submission",
            "trigger_id": trigger,
            "response_urls": [],
            "view": view,
        }

    def typed(self, person: Person, text: str = "", **over: str) -> dict[str, str]:
        """The form of a typed `/pim ...`."""
        return {
            "token": "legacy",
            "team_id": TEAM,
            "team_domain": "acme",
            "channel_id": "C0GENERAL00",
            "channel_name": "general",
            "user_id": slack_of(person),
            "user_name": "x",
            "command": "/pim",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": COMMAND_HOOK,
            "trigger_id": f"{next(self.numbers)}.4.command",
            **over,
        }

    def shortcut(self, person: Person, **over: object) -> Json:
        """Somebody chose the global shortcut."""
        trigger = f"{next(self.numbers)}.5.shortcut"
        chosen = {"type": "shortcut", "callback_id": ids.WAITING, "trigger_id": trigger, "action_ts": "1700000000.1"}
        return self.common(person) | chosen | over

    def home_opened(self, person: Person = ann, *, tab: str = "home", **over: object) -> Json:
        """Somebody opened the bot's Home tab."""
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event_id": f"Ev{next(self.numbers):06}",
            "event": {"type": "app_home_opened", "user": slack_of(person), "channel": "D1", "tab": tab},
            "authorizations": [{"team_id": TEAM, "user_id": "U0PIM00001", "is_bot": True}],
            **over,
        }

    # --- delivering ---

    async def deliver(self, payload: Mapping[str, object]) -> BoltResponse:
        """An interaction, up to its ack. What follows the ack may still run."""
        return await self._dispatch(urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded")

    async def deliver_form(self, form: Mapping[str, str]) -> BoltResponse:
        """A slash command, up to its ack."""
        return await self._dispatch(urlencode(form), "application/x-www-form-urlencoded")

    async def deliver_event(self, event: Mapping[str, object], **headers: list[str]) -> BoltResponse:
        """An event, up to its ack."""
        return await self._dispatch(json.dumps(event), "application/json", **headers)

    async def settled(self) -> None:
        """Wait until everybody is answered."""
        async with asyncio.timeout(SOON):
            await self.tasks.drain(SOON)

    async def act(self, payload: Mapping[str, object]) -> BoltResponse:
        """An interaction and all that follows."""
        answer = await self.deliver(payload)
        await self.settled()
        return answer

    async def type(self, person: Person, text: str = "", **over: str) -> Json:
        """A typed command and all that follows; the message that came with the ack."""
        answer = await self.deliver_form(self.typed(person, text, **over))
        await self.settled()
        return body_of(answer)

    async def open_form(self, person: Person, request: ActivationRequest, action_id: str = ids.APPROVE) -> str:
        """Press a button of the card; the token of the modal that opens."""
        await self.act(await self.press_card(person, request, action_id))
        return str(self.screens.opened[-1][1]["private_metadata"])

    async def outcomes(self) -> list[str | None]:
        """How the deliveries of the inbox were closed, in order."""
        return [row["outcome"] for row in await self.house.sql("SELECT outcome FROM inbox ORDER BY key")]

    async def _dispatch(self, body: str, content_type: str, **headers: list[str]) -> BoltResponse:
        sent = {"content-type": [content_type], **headers}
        return await self.bolt.async_dispatch(AsyncBoltRequest(body=body, headers=sent))


@dataclass
class BrokenInbox:
    """The inbox when the database is gone, or when a row can be taken but not closed."""

    failure: Exception
    takes: bool = False

    async def take(self, *_: object) -> bool:
        if not self.takes:
            raise self.failure
        return True

    async def close(self, *_: object) -> None:
        raise self.failure

    async def abandon(self, before: datetime, now: datetime) -> Sequence[str]:
        del before, now
        raise self.failure


def body_of(answer: BoltResponse) -> Json:
    """The JSON that came with an ack; empty for a bare ack."""
    found: Json = json.loads(answer.body) if answer.body else {}
    return found


def texts(blocks: object) -> str:
    """Every text in blocks or a view, one after the other."""
    if isinstance(blocks, dict):
        own = [blocks["text"]] if isinstance(blocks.get("text"), str) else []
        return " ".join(own + [texts(value) for value in blocks.values() if isinstance(value, dict | list)])
    return " ".join(texts(item) for item in blocks) if isinstance(blocks, list) else ""


def addresses(blocks: object) -> list[str]:
    """Every sign-in address in blocks or a view."""
    if isinstance(blocks, dict):
        own = [str(blocks["url"])] if str(blocks.get("url", "")).startswith(PUBLIC) else []
        return own + [found for value in blocks.values() for found in addresses(value)]
    return [found for item in blocks for found in addresses(item)] if isinstance(blocks, list) else []


def slack_no(code: str = "expired_trigger_id") -> BotError:
    """Slack refuses."""
    return SlackFailed(f"Slack refused: {code}.", code=code)
