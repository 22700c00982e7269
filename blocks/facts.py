"""What a request says of itself, as rich_text pieces in a phone's reading order. The card and the modal share them."""

from __future__ import annotations

from datetime import datetime, timedelta

from slack_sdk.models.blocks import RichTextElement

from app.domain.durations import in_words
from app.domain.fuse import left
from app.domain.lifecycle import Holding, HowEnded, Phase
from app.domain.match import How, Match
from app.domain.request import ActivationRequest, Kind, Person, Status, Ticket
from app.domain.risk import Level
from app.domain.row import RequestRow
from blocks.elements import Line, Part, bullets, date, labelled, link, own, quote, said, section
from blocks.text import inert, mixed_alphabets

NAME_LIMIT = 100  # code points, as are all limits here
REASON_LIMIT = 200

# A shape as well as a word, so that nobody needs colours to tell the levels apart.
_SHAPES = {Level.CRITICAL: "⬤", Level.HIGH: "▲", Level.MEDIUM: "◆", Level.LOW: "■"}


DESK_NAMES = {Kind.ENTRA: "Entra role", Kind.AZURE: "Azure resource role", Kind.GROUP: "PIM group"}
_APPROVER_LIMIT = 40
_MOST_APPROVERS, _ONE_LINE = 4, 2
_OVER = {HowEnded.EARLY: "Ended early", HowEnded.REVOKED: "Taken away"}

_SURE = {
    How.SIGNED_IN: "signed in",
    How.BY_MAIL: "matched by mail, not proven",
    How.NOT_IN_SLACK: "not in Slack: will not be told",
}


def risk_words(level: Level) -> str:
    """`▲ High risk`."""
    return f"{_SHAPES[level]} {level.word} risk"


def headline(row: RequestRow) -> str:
    """`▲ High risk · Exchange Administrator`, not yet made inert."""
    return f"{risk_words(row.risk.level)} · {row.request.what}"


def who(person: Person) -> Line:
    """The name, and the sign-in name where it says more."""
    name = said(person.label, NAME_LIMIT, bold=True)
    if not person.upn or person.upn == person.label:
        return (name,)
    return (name, own(" ("), said(person.upn, NAME_LIMIT), own(")"))


def asked(row: RequestRow, now: datetime) -> RichTextElement:
    """Who asks for what, where and how long; the start only when it lies ahead of `now`."""
    request = row.request
    lines: list[Line] = [
        *mixed_names(request),
        labelled("Requestor", *who(request.requestor)),
        *in_slack(row.match),
        labelled("Scope", said(request.scope.label, NAME_LIMIT)),
        labelled("Duration", *_duration(row)),
    ]
    if request.start is not None and request.start > now:
        lines.append(labelled("Starts", date(request.start)))
    return section(*lines)


def justification(row: RequestRow, limit: int, *, lines: bool = False) -> tuple[RichTextElement, RichTextElement]:
    """The requestor's own words, announced as such, so that nothing in them passes for ours."""
    label = section((own("Justification, in the requestor's words", bold=True),))
    return label, quote(row.request.justification, limit, lines=lines)


def papers(
    row: RequestRow, now: datetime, *, deadline: bool, ticket_url: str = "", brief: bool = False
) -> RichTextElement:
    """Ticket and dates, and who may approve; the deadline only while it means something. `brief`: to fit a phone."""
    return section(ticket_line(row.request.ticket, ticket_url), *dates(row, now, deadline=deadline, brief=brief))


def dates(row: RequestRow, now: datetime, *, deadline: bool, brief: bool = False) -> list[Line]:
    """When it was made and when it ends, and who may approve it."""
    lines: list[Line] = [labelled("Requested", date(row.request.created))]
    if deadline and row.request.mortal:
        lines.append(_fuse(row.request.expires, now))
    if row.status is Status.PENDING:
        lines += may_approve(row, _ONE_LINE if brief else _MOST_APPROVERS)
    return lines


def may_approve(row: RequestRow, most: int) -> list[Line]:
    """Who may approve, by PIM's settings, and at most so many names; never a guess where they cannot be read."""
    policy = row.policy
    if policy.by_default:
        return [labelled("May approve", own("Privileged Role and Global Administrators: no approver is named"))]
    if not policy.approvers:
        return []
    if len(policy.approvers) == 1:
        return [(own("Only "), said(policy.approvers[0].label, NAME_LIMIT, bold=True), own(" can approve this"))]
    shown = [said(person.label, _APPROVER_LIMIT) for person in policy.approvers[:most]]
    names: list[Part] = [part for name in shown for part in (own(", "), name)][1:]
    more = len(policy.approvers) - len(shown)
    return [labelled("May approve", *names, *([own(f" and {more} more")] if more else []))]


def demands(row: RequestRow) -> list[Line]:
    """What this role's settings in PIM demand of whoever activates it, as far as somebody may read them."""
    policy = row.policy
    lines: list[Line] = []
    asked_for = [
        name
        for name, wanted in (("a justification", policy.justification_required), ("a ticket", policy.ticket_required))
        if wanted
    ]
    if asked_for:
        lines.append(labelled("Requestors must give", own(" and ".join(asked_for))))
    if policy.context:
        lines.append(labelled("Activating demands authentication context", said(policy.context, _APPROVER_LIMIT)))
    return lines


def reasons(row: RequestRow, most: int) -> tuple[RichTextElement, ...]:
    """Why the level is what it is, the weightiest first, in at most `most` lines; nothing when there are none."""
    found = row.risk.reasons
    if not found:
        return ()
    label = section((own(f"Why {row.risk.level.word}", bold=True),))
    if len(found) <= most:
        return label, bullets(found, REASON_LIMIT)
    return label, bullets([*found[: most - 1], f"{len(found) - most + 1} more: see Details"], REASON_LIMIT)


def term(row: RequestRow, now: datetime) -> Line:
    """When an approved role starts, is active, or was; empty while Microsoft has not told us."""
    phase, start = row.phase(now), row.request.start
    if phase is Phase.SCHEDULED and start is not None:
        return (own("Starts "), date(start))
    if phase is Phase.ACTIVE:
        return _active(row.holding)
    return _over(row.holding) if phase is Phase.ENDED else ()


def taken_away_by(row: RequestRow, now: datetime) -> Line:
    """Who took an approved role away here; while Microsoft still shows it, that this is under way."""
    if row.removed is None:
        return ()
    name = said(row.removed.by.label, NAME_LIMIT, bold=True)
    if row.phase(now) is Phase.ACTIVE:
        return (name, own(" took it away. Microsoft is carrying that out."))
    return (own("Taken away by "), name) if row.holding.how is HowEnded.REVOKED else ()


def ends(row: RequestRow) -> datetime | None:
    """When the role ends or ended; None while it is not active or Microsoft has not told us."""
    return row.holding.deactivated or row.holding.until


def _active(holding: Holding) -> Line:
    since: Line = (own("Active since "), date(holding.activated)) if holding.activated is not None else (own("Active"),)
    return (*since, own(", until "), date(holding.until)) if holding.until is not None else since


def _over(holding: Holding) -> Line:
    end = holding.deactivated or holding.until
    if holding.how is HowEnded.FAILED:
        return (own("Microsoft could not activate the role"),)
    words = _OVER.get(holding.how or HowEnded.LAPSED, "Ended")
    if end is None:
        return (own(f"{words}; Microsoft no longer shows when"),)
    since: Line = (own("Active from "), date(holding.activated), own("; ")) if holding.activated is not None else ()
    shown = words[0].lower() + words[1:] if since else words
    return (*since, own(f"{shown} "), date(end))


def length(duration: timedelta | None, raw: str) -> str:
    """The duration in words, or Microsoft's raw ones, not yet made inert."""
    return in_words(duration) if duration is not None else raw.strip() or "no duration given"


def mixed_names(request: ActivationRequest) -> list[Line]:
    """A warning about names that mix alphabets: somebody may want them to read like other names."""
    names = {
        "requestor": (request.requestor.name, request.requestor.upn),
        "role": (request.role.name,),
        "scope": (request.scope.name,),
        "ticket": (request.ticket.number, request.ticket.system),
    }
    odd = [label for label, texts in names.items() if any(map(mixed_alphabets, texts))]
    return [(own("Mixed alphabets: read closely", bold=True), own(f" ({', '.join(odd)})"))] if odd else []


def in_slack(match: Match) -> list[Line]:
    """How sure we are of the requestor's Slack account; nothing while nobody could ask."""
    if match.how is How.BY_ALIAS:
        everyday = said(match.everyday, NAME_LIMIT)
        return [labelled("Slack account", own("admin account of "), everyday, own(", matched by alias"))]
    words = _SURE.get(match.how)
    return [labelled("Slack account", own(words))] if words else []


def _duration(row: RequestRow) -> Line:
    request = row.request
    words: Part = said(length(request.duration, request.duration_text), NAME_LIMIT, bold=True)
    return (words,) if request.duration is not None else (words, own(", check it in the portal"))


def _fuse(expires: datetime, now: datetime) -> Line:
    """Slack shows the date in each reader's time; how little is left is said in words that seldom change."""
    little = left(expires, now)
    return labelled("Decide by", date(expires), *([own(f", {little}", bold=True)] if little else []))


def ticket_line(ticket: Ticket, url: str) -> Line:
    """The number, as a link where its page is known, and its system."""
    if not ticket.given:
        return (own("No ticket", bold=True),)
    number = link(url, inert(ticket.number, NAME_LIMIT)) if url else said(ticket.number, NAME_LIMIT)
    if not ticket.system.strip():
        return labelled("Ticket", number)
    return labelled("Ticket", number, own(" ("), said(ticket.system, NAME_LIMIT), own(")"))
