"""The five things to look at before approving, as facts: who, why, ticket, how long, which role. Pure.

What nobody has checked is said to be unchecked. It gives no advice on the verdict; the words of people stay theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import RichTextElement

from app.domain.durations import in_words
from app.domain.powers import power
from app.domain.row import RequestRow
from app.domain.ticket_pages import TicketFacts
from app.domain.weak_points import is_guest
from blocks.elements import TEXT_LIMIT, Line, Part, date, labelled, link, own, quote, said, section
from blocks.facts import NAME_LIMIT, REASON_LIMIT, in_slack, length, mixed_names, ticket_line, who
from blocks.habits import whole_habits
from blocks.links import Portal

SHORTER = "Microsoft cannot approve a shorter time: deny, and suggest one."
_ACCOUNTS = {
    True: "enabled when this was asked",
    False: "disabled when this was asked",
    None: "whether it is enabled could not be read",
}
_NOT_ASKED = "Whether it exists and is about this is not checked: open it."


def checks(row: RequestRow, now: datetime, portal: Portal, ticket: TicketFacts) -> list[Sequence[RichTextElement]]:
    """One group of pieces for each of the five, in the order in which people judge."""
    return [
        _identity(row, portal),
        _justification(row),
        (section(_title(3, "Does the ticket fit?"), *_ticket(row, ticket)),),
        (section(_title(4, "Is the time right?"), *_duration(row, now)),),
        (section(_title(5, "Is this role needed for it?"), *_role(row, now)),),
    ]


def _title(number: int, words: str) -> Line:
    return (own(f"{number} · {words}", bold=True),)


def _identity(row: RequestRow, portal: Portal) -> Sequence[RichTextElement]:
    person = row.request.requestor
    guest = "yes, by their sign-in name" if is_guest(person) else "no mark of it in their sign-in name"
    page = portal.person(person.id)
    look = (own(": "), link(page, "look in Entra")) if page else ()
    lines = [
        *mixed_names(row.request),
        labelled("Requestor", *who(person)),
        *in_slack(row.match),
        labelled("Guest", own(guest, bold=is_guest(person))),
        labelled("Account", own(_ACCOUNTS[row.enabled], bold=row.enabled is False), *look),
    ]
    return (section(_title(1, "Is it really them?"), *lines),)


def _justification(row: RequestRow) -> Sequence[RichTextElement]:
    vague = _fired(row, "justification")
    weak = [(said(vague, REASON_LIMIT, bold=True),)] if vague else []
    words = quote(row.request.justification, TEXT_LIMIT, lines=True)
    label = (own("Justification, in the requestor's words", bold=False),)
    return (section(_title(2, "Is the reason good?"), *weak, label), words)


def _ticket(row: RequestRow, ticket: TicketFacts) -> list[Line]:
    lines = [ticket_line(row.request.ticket, ticket.url)]
    if row.request.ticket.given:
        words = {True: "has the form of its system", False: "has not the form of its system", None: "not checked"}
        return [*lines, labelled("Form", own(words[ticket.fits], bold=ticket.fits is False)), (own(_NOT_ASKED),)]
    demanded = row.policy.ticket_required
    return [*lines, (own("This role's settings in PIM demand one."),)] if demanded else lines


def _duration(row: RequestRow, now: datetime) -> list[Line]:
    request = row.request
    asked: list[Part] = [said(length(request.duration, request.duration_text), NAME_LIMIT, bold=True)]
    lines = [labelled("Duration", *asked)]
    if request.duration is None:
        lines.append((own("No end that we can read: check it in the portal."),))
    if request.start is not None and request.start > now:
        lines.append(labelled("Starts", date(request.start)))
    longest, usual = row.policy.longest, row.pattern.typical if row.pattern is not None else None
    lines.append(labelled("Longest allowed", own(in_words(longest) if longest is not None else "not known")))
    if usual is not None:
        lines.append(labelled("Usually", own(in_words(usual))))
    return [*lines, (own(SHORTER),)]


def _role(row: RequestRow, now: datetime) -> list[Line]:
    request = row.request
    can = power(row.key, request.role)
    return [
        labelled("Role", said(request.role.label, NAME_LIMIT, bold=True)),
        labelled("It", own(can)) if can else (own("What it can do is not known here: it is not a built-in role."),),
        labelled("Scope", said(request.scope.label, NAME_LIMIT)),
        *whole_habits(row, now),
    ]


def _fired(row: RequestRow, rule: str) -> str:
    """The words of a rule that fired when the request was judged; empty when it did not."""
    pairs = zip(row.risk.fired, row.risk.reasons, strict=False)  # judgements of old have no names of rules
    return next((words for name, words in pairs if name == rule), "")
