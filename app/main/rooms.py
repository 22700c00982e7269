"""Opening the rooms: database, Slack, Microsoft. What is opened here is closed by the exit stack, in reverse order."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import aiohttp

from app.api.metrics import Meters
from app.domain.errors import BadSettings
from app.domain.policy import Policy, Watch
from app.domain.request import Kind
from app.graph import azure_resources, directory_audits
from app.graph.azure_resources import AzureResources
from app.graph.client import Gate
from app.graph.directory import Directory
from app.graph.directory_audits import DirectoryAudits
from app.graph.directory_roles import DirectoryRoles
from app.graph.groups import Groups
from app.identity.bearer import Door, EntraBearers
from app.identity.clouds import CLOUDS
from app.identity.entra import Entra, Registration
from app.identity.json_web_keys import JsonWebKeys
from app.identity.keyring import Keyring
from app.identity.microsoft import MicrosoftSignIn
from app.identity.msal_http import LoginHttp
from app.identity.on_behalf import OnBehalfTokens
from app.identity.origins import Origins
from app.identity.sign_in import BrowserSignIn
from app.identity.slack import SlackClient, SlackSignIn
from app.identity.tokens import MicrosoftTokens
from app.identity.wire import PinnedHttp
from app.main.failpoints import failpoint
from app.main.greeting import check_app_token, check_channel, introduce
from app.main.keys import census
from app.notifier.channel import ChannelGuard, Channels
from app.notifier.files import SlackFiles
from app.notifier.gateway import Gateway, Identity
from app.notifier.people import SlackPeople
from app.notifier.screens import SlackScreens
from app.ports import Accounts, Chronicle, Desk, TokenSource
from app.settings import Settings
from app.store.audit import AuditTrail
from app.store.calls import StoredCalls
from app.store.cards import StoredCards
from app.store.directs import StoredDirects
from app.store.engine import open_engine
from app.store.figures import StoredFigures
from app.store.flows import StoredFlows
from app.store.homes import StoredHomes
from app.store.inbox import StoredInbox
from app.store.leases import StoredLeases
from app.store.ledger import StoredLedger
from app.store.links import StoredLinks
from app.store.looks import StoredLooks
from app.store.migrate import state, upgrade
from app.store.outbox import StoredOutbox
from app.store.preferences import StoredPreferences
from app.store.questions import StoredQuestions
from app.store.remember import Posting
from app.store.reminding import StoredReminding
from app.store.removals import StoredRemovals
from app.store.request_book import StoredRequests
from app.store.sights import StoredSights
from app.store.strangers import StoredStrangers
from app.store.switches import StoredSwitches
from app.store.waiting import StoredFreezes, StoredWaiting
from app.store.withdrawals import StoredWithdrawals
from app.store.writer import Store
from blocks.links import Portal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """The store's rooms."""

    book: StoredRequests
    cards: StoredCards
    outbox: StoredOutbox
    directs: StoredDirects
    reminding: StoredReminding
    preferences: StoredPreferences
    inbox: StoredInbox
    links: StoredLinks
    flows: StoredFlows
    waiting: StoredWaiting
    freezes: StoredFreezes
    leases: StoredLeases
    looks: StoredLooks
    homes: StoredHomes
    questions: StoredQuestions
    removals: StoredRemovals
    switches: StoredSwitches
    sights: StoredSights
    figures: StoredFigures
    ledger: StoredLedger
    strangers: StoredStrangers
    trail: AuditTrail
    withdrawals: StoredWithdrawals
    posting: Posting
    calls: StoredCalls
    store: Store
    warning: str = ""  # what was wrong with the keys when the bot started


@dataclass(frozen=True, slots=True)
class SlackSide:
    """What speaks to Slack."""

    me: Identity
    gateway: Gateway
    people: SlackPeople
    screens: SlackScreens
    files: SlackFiles
    channels: Channels
    session: aiohttp.ClientSession


@dataclass(frozen=True, slots=True)
class MicrosoftSide:
    """What speaks to Microsoft."""

    desks: Mapping[Kind, Desk]
    accounts: Accounts
    chronicle: Chronicle
    tokens: MicrosoftTokens
    bearers: EntraBearers
    on_behalf: OnBehalfTokens
    gates: Mapping[str, Sequence[Gate]]  # by whom they lead to
    sign_in: BrowserSignIn
    form_targets: tuple[str, ...]
    portal: Portal


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything that is open."""

    settings: Settings
    memory: Memory
    slack: SlackSide
    microsoft: MicrosoftSide
    policy: Policy
    meters: Meters = field(default_factory=Meters)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def new_token() -> str:
    """An unguessable URL-safe text."""
    return secrets.token_urlsafe(24)  # 192 random bits


def new_name() -> str:
    """A short text that names something in log lines. It is no secret."""
    return secrets.token_hex(8)


async def open_memory(settings: Settings, keyring: Keyring, stack: AsyncExitStack) -> Memory:
    """The database, brought up to date where that is ours to do."""
    await _migrate(settings.database_url)
    store = Store(open_engine(settings.database_url))
    stack.push_async_callback(store.aclose)
    warning = (await census(store, keyring, utc_now())).warning()
    if warning:
        log.warning("%s", warning)
    posting = Posting(settings.approvers_channel, new_token, new_token, settings.policy().routes)
    trail = AuditTrail(store, keyring.chain_key())
    here = failpoint(settings.failpoint)
    return Memory(
        book=here.of("book", StoredRequests(store, trail, posting)),
        cards=here.of("cards", StoredCards(store)),
        outbox=here.of("outbox", StoredOutbox(store)),
        directs=here.of("directs", StoredDirects(store, new_token)),
        reminding=StoredReminding(store, new_token),
        preferences=StoredPreferences(store),
        inbox=here.of("inbox", StoredInbox(store)),
        links=StoredLinks(store, trail, new_token),
        flows=StoredFlows(store),
        waiting=StoredWaiting(store),
        freezes=StoredFreezes(store, trail),
        leases=StoredLeases(store),
        looks=StoredLooks(store),
        homes=StoredHomes(store, new_token),
        questions=StoredQuestions(store),
        removals=StoredRemovals(store, trail),
        switches=StoredSwitches(store, trail),
        strangers=StoredStrangers(store, trail),
        sights=StoredSights(store),
        figures=StoredFigures(store),
        trail=trail,
        ledger=StoredLedger(store, trail),
        withdrawals=here.of("withdrawals", StoredWithdrawals(store, trail)),
        posting=posting,
        calls=StoredCalls(store, posting),
        store=store,
        warning=warning,
    )


async def _migrate(url: str) -> None:
    """SQLite is brought up to date here; PostgreSQL may be shared, so there it is asked for."""
    if url.startswith("sqlite"):
        await upgrade(url)
        return
    found = await state(url)
    if found == "newer":
        raise BadSettings("The database belongs to a newer version of PIM Approvals. Start that version.")
    if found != "current":
        raise BadSettings("The database is not up to date. Run `pim-approvals db upgrade`, then start again.")


async def open_slack(settings: Settings, policy: Policy, memory: Memory, stack: AsyncExitStack) -> SlackSide:
    """Slack, once it has told us who we are."""
    session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
    gateway = Gateway(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
    gateway = failpoint(settings.failpoint).of("slack", gateway)
    me = await introduce(gateway, settings.slack_app_id)
    if settings.slack_app_token is not None:
        await check_app_token(gateway, settings.slack_app_token.get_secret_value())
    channel = settings.approvers_channel
    await check_channel(gateway, channel)
    routed = tuple(dict.fromkeys(route.channel for route in policy.routes if route.channel != channel))
    people = SlackPeople(gateway=gateway, clock=utc_now, channels=(channel, *routed))
    channels = Channels(
        home=ChannelGuard(gateway=gateway, channel=channel, clock=utc_now),
        routed=tuple(ChannelGuard(gateway=gateway, channel=name, clock=utc_now, routed=True) for name in routed),
        outbox=memory.outbox,
        new_text=new_token,
    )
    screens, files = SlackScreens(gateway=gateway), SlackFiles(gateway)
    return SlackSide(me, gateway, people, screens, files, channels, session)


async def open_microsoft(
    settings: Settings, keyring: Keyring, memory: Memory, team: str, stack: AsyncExitStack
) -> MicrosoftSide:
    """Graph and sign-in; nothing is called yet. `team`: whose Slack accounts sign in, empty where nobody does."""
    cloud = CLOUDS[settings.cloud]
    origins = Origins(settings.graph_url, settings.arm_url, settings.login_url, settings.slack_api_url, cloud)
    people = Registration(settings.tenant_id, settings.client_id, settings.credential(), cloud)
    entra = Entra(people, LoginHttp(origins), _poller(settings))
    stack.callback(entra.close)
    http = PinnedHttp(origins)
    stack.push_async_callback(http.aclose)
    graph = Gate(settings.graph_url, utc_now)
    reports = Gate(settings.graph_url, utc_now, manners=directory_audits.MANNERS)
    arm = Gate(settings.arm_url, utc_now, manners=azure_resources.MANNERS)
    for gate in (graph, arm, reports):
        stack.push_async_callback(gate.aclose)
    slack = SlackClient(settings.slack_client_id, settings.slack_client_secret.get_secret_value(), team)
    proven = settings.policy().freshness.require_auth_time
    sign_in = BrowserSignIn(
        SlackSignIn(slack, http, origins, settings.public_url),
        MicrosoftSignIn(entra, http, origins, settings.public_url, require_auth_time=proven),
        keyring,
        utc_now,
    )
    tokens = MicrosoftTokens(entra, memory.links, keyring, utc_now)
    directory = Directory(graph, partial(_directory_readers, tokens), utc_now)
    here = failpoint(settings.failpoint)
    watched = _desks(graph, arm, directory, settings.policy().watch)
    desks = {kind: here.of("desk", desk) for kind, desk in watched.items()}
    portal = Portal(cloud.portal)
    return MicrosoftSide(
        desks=desks,
        accounts=directory,
        chronicle=DirectoryAudits(reports),
        tokens=tokens,
        bearers=_bearers(people, http, settings.api_callers),
        on_behalf=OnBehalfTokens(entra, http, utc_now),
        gates={"graph": (graph, reports), "arm": (arm,)},
        sign_in=sign_in,
        form_targets=origins.form_targets(),
        portal=portal,
    )


def _bearers(people: Registration, http: PinnedHttp, clients: frozenset[str]) -> EntraBearers:
    """With keys of its own: nobody who makes up keys at our door can hold up a sign-in."""
    keys = JsonWebKeys(http, people.keys_url, people.key_issuers)
    return EntraBearers(keys, Door(people.issuer, people.client_id, people.tenant, clients), utc_now)


def _desks(graph: Gate, arm: Gate, directory: Directory, watch: Watch) -> dict[Kind, Desk]:
    """Every kind of request that is watched and decided here. Another desk is one more line."""
    desks: tuple[Desk, ...] = (
        DirectoryRoles(graph, directory),
        AzureResources(arm, directory, watch.azure_scopes),
        Groups(graph, directory, watch.groups),
    )
    return {desk.kind: desk for desk in desks}


async def _directory_readers(tokens: MicrosoftTokens) -> Sequence[TokenSource]:
    """The bot's own token first: what is asked of the directory belongs to nobody's session."""
    return [reader.token for reader in reversed(await tokens.readers())]


def _poller(settings: Settings) -> Registration | None:
    """What the bot is when it asks for itself, unless that is the application where people sign in."""
    credential = settings.poller_credential()
    if settings.poller_client_id is None or credential is None:
        return None
    return Registration(settings.tenant_id, settings.poller_client_id, credential, CLOUDS[settings.cloud])
