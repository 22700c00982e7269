"""What the use cases need of the world, as Protocols, with the small values that cross. It contains no behaviour.

Rooms on one floor never import each other; they meet here and are wired in main.
Every time is aware UTC, every length of time is in seconds unless it is a timedelta.
"""

from __future__ import annotations

from app.ports.attention import Homes, Looks, Offer, OpenHome, Questions, StoredQuestion
from app.ports.book import Counters, Intent, Outcome, Page, Query, RequestBook, Seen
from app.ports.callers import APPROVE, AUDIT, READ, Bearers, Caller, OnBehalf, Stranger
from app.ports.calls import Alarm, Audience, Calls, Due
from app.ports.clock import Clock
from app.ports.correlation import correlated, correlation
from app.ports.directs import Direct, Directs, Entry, Letter, Topic
from app.ports.exports import Files, Ledger
from app.ports.figures import AGES, FigureBook, Figures
from app.ports.links import Flows, Kin, Link, Links, LinkState, MicrosoftIdentity, SealedCache, SignIn, SlackIdentity
from app.ports.microsoft import (
    Accounts,
    Chronicle,
    Desk,
    Reader,
    Removal,
    Resource,
    Tokens,
    TokenSource,
    Vote,
)
from app.ports.operating import Act, LinkCare, LinkLine
from app.ports.outbox import Card, Cards, ChannelNote, Earlier, Inbox, Leases, Modal, Notice, Outbox
from app.ports.reminding import Preferences, Reminder, Reminding, Watched
from app.ports.removals import RemovalFate, Removals, StoredRemoval
from app.ports.sights import Coverage, Gap, Sights
from app.ports.slack import Block, Matching, People, Screens, SlackPerson, View
from app.ports.strangers import Strangers
from app.ports.switches import PAUSE, PORTAL_ONLY, Announcement, Switch, Switches
from app.ports.waiting import Freezes, WaitingDecision, WaitingDecisions
from app.ports.weekly import Weeks
from app.ports.withdrawals import Withdrawal, Withdrawals

__all__ = [
    "AGES",
    "APPROVE",
    "AUDIT",
    "PAUSE",
    "PORTAL_ONLY",
    "READ",
    "Accounts",
    "Act",
    "Alarm",
    "Announcement",
    "Audience",
    "Bearers",
    "Block",
    "Caller",
    "Calls",
    "Card",
    "Cards",
    "ChannelNote",
    "Chronicle",
    "Clock",
    "Counters",
    "Coverage",
    "Desk",
    "Direct",
    "Directs",
    "Due",
    "Earlier",
    "Entry",
    "FigureBook",
    "Figures",
    "Files",
    "Flows",
    "Freezes",
    "Gap",
    "Homes",
    "Inbox",
    "Intent",
    "Kin",
    "Leases",
    "Ledger",
    "Letter",
    "Link",
    "LinkCare",
    "LinkLine",
    "LinkState",
    "Links",
    "Looks",
    "Matching",
    "MicrosoftIdentity",
    "Modal",
    "Notice",
    "Offer",
    "OnBehalf",
    "OpenHome",
    "Outbox",
    "Outcome",
    "Page",
    "People",
    "Preferences",
    "Query",
    "Questions",
    "Reader",
    "Reminder",
    "Reminding",
    "Removal",
    "RemovalFate",
    "Removals",
    "RequestBook",
    "Resource",
    "Screens",
    "SealedCache",
    "Seen",
    "Sights",
    "SignIn",
    "SlackIdentity",
    "SlackPerson",
    "StoredQuestion",
    "StoredRemoval",
    "Stranger",
    "Strangers",
    "Switch",
    "Switches",
    "TokenSource",
    "Tokens",
    "Topic",
    "View",
    "Vote",
    "WaitingDecision",
    "WaitingDecisions",
    "Watched",
    "Weeks",
    "Withdrawal",
    "Withdrawals",
    "correlated",
    "correlation",
]
