"""What Slack delivers, and to whom: Bolt, its listeners, and the two ways in, HTTP through the gate or the socket."""

from __future__ import annotations

import time

from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from app.api.gate import SlackGate
from app.api.server import SLACK_PATH
from app.decisions.asking import Asking
from app.decisions.deciding import Decisions
from app.decisions.opening import Openings
from app.decisions.removing import Removing
from app.decisions.withdrawing import Withdrawing
from app.exports import Exports
from app.linking import Freezing
from app.lookups import Lookups
from app.main.rooms import Memory, Rooms, SlackSide, new_name, new_token, utc_now
from app.notifier.gateway import Payload
from app.notifier.socket_mode import Deliver, SocketMode
from app.ports import correlated
from app.reminders import Nudging, OwnSettings
from handlers import Listeners, register
from handlers.buttons import Buttons
from handlers.commands import Commands
from handlers.envelopes import Envelopes
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


def make_bolt(slack: SlackSide) -> AsyncApp:
    """Bolt without its own ideas: verified before it, one workspace, nothing read from the environment."""
    me = slack.me

    async def authorize() -> AuthorizeResult:
        # never None: Bolt would post a "please reinstall" text inside the request
        return AuthorizeResult(
            enterprise_id=None,
            team_id=me.team,
            bot_id=me.bot,
            bot_user_id=me.user,
            bot_token="never-used",  # noqa: S106 - listeners never use Bolt's own client
        )

    return AsyncApp(
        name="pim-approvals",  # else Bolt looks through the source of every caller for one
        signing_secret="checked by the gate",  # noqa: S106 - the gate in front verifies
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,  # an ack is an ack at once, and an error before it is an answer at once
    )


def listen(bolt: AsyncApp, rooms: Rooms, decisions: Decisions, reception: Reception, nudging: Nudging) -> Home:
    """Every listener with the use case behind it; the Home comes back, since it is also drawn anew in rounds."""
    lookups = _lookups(rooms)
    exporting = Exporting(exports=_exports(rooms), files=rooms.slack.files)
    listings = Listings(
        answers=reception.answers, lookups=lookups, homes=rooms.memory.homes, clock=utc_now, exporting=exporting
    )
    commands = Commands(
        reception=reception,
        lookups=lookups,
        listings=listings,
        settings=_settings(rooms, reception),
        clock=utc_now,
    )
    home = Home(
        reception=reception,
        lookups=lookups,
        homes=rooms.memory.homes,
        screens=rooms.slack.screens,
        clock=utc_now,
        policy=rooms.policy,
    )
    listeners = Listeners(
        buttons=_buttons(rooms, reception, commands, nudging),
        modals=Modals(
            reception=reception,
            decisions=decisions,
            screens=rooms.slack.screens,
            outbox=rooms.memory.outbox,
            clock=utc_now,
            decided=rooms.meters.decided,
        ),
        commands=commands,
        home=home,
        shortcuts=Shortcuts(reception=reception, lookups=lookups, screens=rooms.slack.screens, clock=utc_now),
    )
    place = Place(
        app_id=rooms.slack.me.app,
        team=rooms.slack.me.team,
        answers=reception.answers,
        strangers=rooms.memory.strangers,
        clock=utc_now,
    )
    register(bolt, place, listeners)
    return home


def _lookups(rooms: Rooms) -> Lookups:
    return Lookups(
        book=rooms.memory.book,
        links=rooms.memory.links,
        people=rooms.slack.people,
        cards=rooms.memory.cards,
        sights=rooms.memory.sights,
        clock=utc_now,
        slack_url=rooms.slack.me.url,
        freshness=rooms.policy.freshness,
    )


def _settings(rooms: Rooms, reception: Reception) -> SettingsForm:
    own = OwnSettings(
        preferences=rooms.memory.preferences,
        people=rooms.slack.people,
        clock=utc_now,
        company=rooms.policy.reminders.quiet,
    )
    return SettingsForm(reception=reception, settings=own, screens=rooms.slack.screens)


def _exports(rooms: Rooms) -> Exports:
    return Exports(book=rooms.memory.book, ledger=rooms.memory.ledger, sights=rooms.memory.sights, clock=utc_now)


def _buttons(rooms: Rooms, reception: Reception, commands: Commands, nudging: Nudging) -> Buttons:
    """What is pressed on cards, in messages and on App Home."""
    openings = Openings(
        book=rooms.memory.book,
        cards=rooms.memory.cards,
        links=rooms.memory.links,
        looks=rooms.memory.looks,
        homes=rooms.memory.homes,
        clock=utc_now,
        new_token=new_token,
        policy=rooms.policy,
    )
    asking = Asking(openings=openings, questions=rooms.memory.questions, clock=utc_now, new_token=new_token)
    menu = Menu(
        reception=reception,
        openings=openings,
        questions=QuestionForms(reception=reception, asking=asking),
        removals=_removals(rooms, reception, openings),
        clock=utc_now,
        policy=rooms.policy,
    )
    return Buttons(
        reception=reception,
        openings=openings,
        freezing=_freezing(rooms.memory),
        commands=commands,
        menu=menu,
        own=_own_requests(rooms, reception, openings, nudging),
        clock=utc_now,
        policy=rooms.policy,
    )


def _removals(rooms: Rooms, reception: Reception, openings: Openings) -> RemovalForms:
    removing = Removing(
        openings=openings,
        removals=rooms.memory.removals,
        people=rooms.slack.people,
        tokens=rooms.microsoft.tokens,
        desks=rooms.microsoft.desks,
        clock=utc_now,
        policy=rooms.policy,
    )
    return RemovalForms(
        reception=reception,
        removing=removing,
        screens=rooms.slack.screens,
        outbox=rooms.memory.outbox,
        clock=utc_now,
    )


def _own_requests(rooms: Rooms, reception: Reception, openings: Openings, nudging: Nudging) -> OwnRequests:
    withdrawing = Withdrawing(
        openings=openings,
        desks=rooms.microsoft.desks,
        tokens=rooms.microsoft.tokens,
        withdrawals=rooms.memory.withdrawals,
        clock=utc_now,
    )
    return OwnRequests(
        reception=reception, withdrawing=withdrawing, nudging=nudging, screens=rooms.slack.screens, clock=utc_now
    )


def open_gate(rooms: Rooms, bolt: AsyncApp) -> SlackGate | None:
    """Slack's door, where Slack delivers by HTTP."""
    secret = rooms.settings.slack_signing_secret
    if rooms.settings.slack_app_token is not None or secret is None:
        return None
    return SlackGate(AsyncSlackRequestHandler(bolt, path=SLACK_PATH), secret.get_secret_value(), time.time)


def open_socket(rooms: Rooms, bolt: AsyncApp) -> SocketMode | None:
    """The socket, where Slack delivers through one."""
    token = rooms.settings.slack_app_token
    if token is None:
        return None
    return SocketMode(
        gateway=rooms.slack.gateway,
        session=rooms.slack.session,
        token=token.get_secret_value(),
        deliver=_correlating(Envelopes(bolt).answer),
    )


def _correlating(deliver: Deliver) -> Deliver:
    async def delivered(envelope: Payload) -> Payload | None:
        with correlated(new_name()):
            return await deliver(envelope)

    return delivered


def _freezing(memory: Memory) -> Freezing:
    return Freezing(links=memory.links, outbox=memory.outbox, freezes=memory.freezes, clock=utc_now)
