"""Requests in every state, and everything the builders emit for one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.lifecycle import Doubt, Holding, HowEnded, Removed
from app.domain.pattern import Held, Hours, Pattern, Resubmission, Use
from app.domain.preferences import Preference
from app.domain.reminding import NIGHT
from app.domain.request import (
    ActivationRequest,
    Decided,
    Kind,
    Person,
    PolicyFacts,
    RequestKey,
    Role,
    Scope,
    Status,
    Ticket,
    Verdict,
    Where,
)
from app.domain.risk import assess
from app.domain.roles import EXCHANGE_ADMINISTRATOR
from app.domain.row import Looking, Question, RequestRow
from app.ports import Counters, Link, LinkState
from blocks import home, lists, modal, notices, own_request, questions, reminders, removal, settings
from blocks.card import OCCASIONS, Call, card, fallback_card
from blocks.links import GLOBAL
from blocks.lint import Surface
from blocks.message import Message
from blocks.rows import Waiting

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANN = Person("oid-ann", "Ann Ames", "ann@contoso.example")
BOB = Person("oid-bob", "Bob Berg", "bob@contoso.example")
URL = "https://bot.example/sign-in/one-time"
REQUEST = ActivationRequest(
    key=RequestKey(Kind.ENTRA, "6f1d0c7e-0000-4000-8000-000000000001"),
    native_status="PendingApproval",
    action="selfActivate",
    requestor=BOB,
    created_by=BOB.id,
    role=Role(EXCHANGE_ADMINISTRATOR, "Exchange Administrator", built_in=True),
    scope=Scope("/"),
    justification="Move the mailboxes of the Lyon office to the new hub,\nplanned for tonight",
    ticket=Ticket("CHG0031337", "ServiceNow"),
    created=NOW - timedelta(hours=1),
    duration=timedelta(hours=4),
)

PATTERN = Pattern(
    uses=6,
    last=tuple(Use(NOW - timedelta(days=days), timedelta(hours=2)) for days in (3, 10, 11)),
    typical=timedelta(hours=2),
    hours=Hours(8, 10),
    denials=2,
    counted=2,
    active=(
        Held("Teams Administrator", "", NOW + timedelta(hours=1)),
        Held("Contributor", "rg-prod", NOW + timedelta(hours=2)),
        Held("Reports Reader", "", NOW - timedelta(minutes=1)),
    ),
    since=NOW - timedelta(days=90),
)
EARLIER = Resubmission(
    RequestKey(Kind.ENTRA, "6f1d0c7e-0000-4000-8000-000000000000"),
    Status.DENIED,
    REQUEST.created - timedelta(minutes=40),
    "Ben Bauer",
    "too long",
    ("8 h → 4 h", "ticket CHG0031337 added"),
)

Emitted = tuple[str, Surface, dict[str, Any]]


def row(status: Status = Status.PENDING, request: ActivationRequest = REQUEST, **facts: object) -> RequestRow:
    values: dict[str, Any] = {"risk": assess(request), "version": 3, **facts}
    return RequestRow(request, status, **values)


def decided(comment: str = "", by: Person | None = ANN, where: Where = Where.SLACK) -> Decided:
    return Decided(NOW + timedelta(minutes=5), where, by, comment)


def every_state() -> dict[str, RequestRow]:
    late = NOW + timedelta(hours=23)
    began, ends = NOW - timedelta(minutes=6), NOW + timedelta(hours=4)
    active = Holding(began, ends)
    before = replace(decided("Fits CHG0031337"), at=NOW - timedelta(minutes=7))
    approved = {"decided": before, "version": 5}
    only_ann = PolicyFacts(approvers=(ANN,), comment_required=True, longest=timedelta(hours=8), ticket_required=True)
    later = replace(REQUEST, start=NOW + timedelta(hours=5))
    return {
        "pending": row(),
        "pending_critical": row(request=critical()),
        "pending_low": row(request=low()),
        "pending_starts_later": row(request=replace(REQUEST, start=NOW + timedelta(hours=5))),
        "pending_over": row(request=replace(REQUEST, created=NOW - timedelta(hours=25))),
        "pending_looked_at": row(looking=(Looking(BOB, NOW), Looking(ANN, NOW))),
        "pending_verifying": row(verifying=ANN),
        "pending_last_minutes": row(request=replace(REQUEST, created=NOW - timedelta(hours=23, minutes=50))),
        "pending_asked": row(questions=(Question("Ann Ames", "Which mailboxes?"),)),
        "pending_answered": row(questions=(Question("Ann Ames", "Which?"), Question("Ann Ames", "All?", "Only Lyon"))),
        "undecidable": row(request=replace(REQUEST, action="selfExtend")),
        "pending_known": row(pattern=PATTERN),
        "pending_first_use": row(pattern=Pattern(hours=Hours(8, 10), since=NOW - timedelta(days=45))),
        "pending_again": row(pattern=replace(PATTERN, denials=1, active=()), earlier=EARLIER),
        "pending_again_unchanged": row(earlier=replace(EARLIER, status=Status.EXPIRED, by="", reason="", changed=())),
        "deciding": row(Status.DECIDING, deciding=ANN, version=4),
        "approved": row(Status.APPROVED, holding=active, **approved),
        "approved_being_removed": row(Status.APPROVED, holding=active, removed=Removed(BOB, NOW), **approved),
        "approved_removed": row(
            Status.APPROVED, holding=ended(HowEnded.REVOKED), removed=Removed(BOB, NOW), **approved
        ),
        "approved_unseen": row(Status.APPROVED, **approved),
        "approved_scheduled": row(Status.APPROVED, later, **approved),
        "approved_ended": row(Status.APPROVED, holding=replace(active, until=NOW, deactivated=NOW), **approved),
        "approved_early": row(Status.APPROVED, holding=ended(HowEnded.EARLY), **approved),
        "approved_revoked": row(Status.APPROVED, holding=ended(HowEnded.REVOKED), **approved),
        "approved_failed": row(Status.APPROVED, holding=Holding(how=HowEnded.FAILED), **approved),
        "approved_lapsed_unseen": row(Status.APPROVED, holding=Holding(how=HowEnded.LAPSED), **approved),
        "pending_everybody_away": row(away_until=NOW + timedelta(days=2)),
        "one_approver": row(policy=only_ann),
        "many_approvers": row(policy=PolicyFacts(approvers=(ANN, BOB) * 4)),
        "default_approvers": row(policy=PolicyFacts(approvers=(), by_default=True)),
        "nobody_approves": row(policy=PolicyFacts(approvers=())),
        "stale": row(stale=True),
        "uncheckable": row(doubt=Doubt(0, uncheckable=True)),
        "unknown": row(Status.UNKNOWN, decided=Decided(late, Where.OUTSIDE), version=4),
        "approved_in_portal": row(Status.APPROVED, decided=decided(by=None, where=Where.OUTSIDE), version=5),
        "denied": row(Status.DENIED, decided=decided("Two hours are enough, please ask again"), version=5),
        "expired": row(Status.EXPIRED, decided=Decided(late, Where.OUTSIDE), version=4),
        "canceled": row(Status.CANCELED, decided=Decided(NOW, Where.OUTSIDE), version=4),
        "failed": row(Status.FAILED, decided=decided("RoleAssignmentExists"), version=5),
    }


def ended(how: HowEnded) -> Holding:
    """A role that was held for a while and is not any more."""
    return Holding(NOW - timedelta(minutes=6), NOW + timedelta(hours=4), NOW, how)


def critical() -> ActivationRequest:
    """Every weak point at once, on the strongest role."""
    role = Role("62e90394-69f5-4237-9190-012177145e10", "Global Administrator", built_in=True)
    return replace(REQUEST, role=role, justification="need admin access", ticket=Ticket(), duration=timedelta(hours=8))


def low() -> ActivationRequest:
    return replace(REQUEST, role=Role("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader", built_in=True))


def hostile(text: str, status: Status = Status.PENDING) -> RequestRow:
    """The same text in every field that people or Microsoft fill."""
    person = Person(text, text, text, text)
    request = replace(
        REQUEST,
        key=RequestKey(Kind.ENTRA, text),
        requestor=person,
        role=Role(text, text),
        scope=Scope(text, text),
        justification=text,
        ticket=Ticket(text, text),
        duration=None,
        duration_text=text,
    )
    return row(
        status,
        request,
        deciding=person,
        decided=decided(text, person),
        policy=PolicyFacts(comment_required=True),
        pattern=replace(PATTERN, active=(Held(text, text, NOW + timedelta(hours=1)),)),
        earlier=replace(EARLIER, by=text, reason=text, changed=(text, text)),
    )


def link(person: Person = ANN, state: LinkState = LinkState.ACTIVE) -> Link:
    return Link("l1", "T1", "U1", "tenant", person, state, NOW, 1)


def message(name: str, made: Message) -> Emitted:
    return name, "message", made.payload()


def everything(one: RequestRow) -> Iterator[Emitted]:
    """Whatever the builders can say about this row, long lists included."""
    name = one.request.requestor.name
    yield message("card", card(one, "token", card_id="c1", now=NOW))
    yield message("first card", card(one, "token", card_id="c1", now=NOW, call=Call(("U0ANN00001", "S0ONCALL01"))))
    for occasion in OCCASIONS:
        yield message(occasion, card(one, "token", card_id="c1", now=NOW, call=Call(occasion=occasion)))
    yield message("fallback card", fallback_card(one, card_id="c1", now=NOW))
    yield message("result", notices.result_message(one, name, name))
    yield message("receipt", notices.linked_receipt(one.request.requestor, now=NOW))
    for by_operator in (True, False):
        yield message("unlinked", notices.unlinked(one.request.requestor, by_operator=by_operator))
    yield message("moved", notices.moved(one.request.requestor))
    yield message(
        "digest", notices.digest_note(notices.digest_words(50), [one] * 15, now=NOW, version=3, portal=GLOBAL)
    )
    yield message("question", questions.question_message(one, name, name, "q" * 43))
    yield message("answer", questions.answer_message(one, name, name))
    yield "question form", "modal", questions.question_form(one, "q" * 43, 300)
    yield "answer form", "modal", questions.answer_form(one, "q" * 43, name, 500)
    yield "remove form", "modal", removal.remove_form(one, "q" * 43)
    yield "removing", "modal", modal.removing_modal(one)
    yield message("taken away", removal.taken_away(one, name, name))
    yield message("revoke wanted", removal.revoke_wanted(one, name, name, name, GLOBAL))
    yield message("refusal", notices.refusal(f"{name} is first."))
    told = notices.outcome_notice(one, now=NOW)
    if told is not None:
        yield message("outcome", told)
    yield from own(one)
    yield from directs(one)
    yield from _modals(one, name)
    yield from _lists(one, name)


def own(one: RequestRow) -> Iterator[Emitted]:
    """What its requestor reads of it."""
    yield message("own", own_request.following(one, "t" * 43, seen=NOW, now=NOW))
    for told in (own_request.dying(one, now=NOW), own_request.ending(one, now=NOW)):
        if told is not None:
            yield message("last call", told)


def directs(one: RequestRow) -> Iterator[Emitted]:
    """Messages in which an approver decides this row: alone, or among many of its kind."""
    item = reminders.Item(one, "t" * 32, "https://team.slack.com/archives/C1/p1")
    for count in (1, 2, 30):
        yield message(f"direct of {count}", reminders.deciding_message("They wait.", [item] * count, now=NOW))
    closed = replace(item, closed=f"{one.request.role.label} is decided elsewhere.", card_url="")
    yield message("closed direct", reminders.deciding_message("They wait.", [closed] * 3, now=NOW))
    for why in ("unknown", "crowd"):
        yield message("unreachable", reminders.unreachable_note(one, why))
    yield message("plain direct", reminders.plain_message([item] * 30, now=NOW))


def _modals(one: RequestRow, name: str) -> Iterator[Emitted]:
    for verdict in Verdict:
        yield f"decide {verdict}", "modal", modal.decide_modal(one, verdict, "m" * 43, now=NOW)
        yield f"sending {verdict}", "modal", modal.sending_modal(one, verdict)
    yield "details", "modal", modal.details_modal(one, now=NOW)
    yield "done", "modal", modal.outcome_modal(one, name, name)
    yield "refused", "modal", modal.refused_modal(f"{name} is first.")


def _lists(one: RequestRow, name: str) -> Iterator[Emitted]:
    waiting = [Waiting(one, "https://team.slack.com/archives/C1/p1")] * 25
    session = link(one.request.requestor)
    counters = Counters(25, 3, 2, 1)
    turning = {"older": "o" * 300, "newer": "n" * 300}
    pending = lists.Sheet("pending", name, **turning)
    yield message("pending", lists.pending_list(waiting, pending, now=NOW, total=30, hidden=2))
    for which in ("history", "mine"):
        sheet = lists.Sheet(which, name, **turning, tokens={one.key: "t" * 43})
        yield message(which, lists.history_page((one,) * 10, sheet, now=NOW))
    yield message("overview", lists.overview(counters, waiting, session, now=NOW))
    yield message("help", lists.help_text(name))
    past = (one,) * 5
    tokens = {one.key: "t" * 43}
    contents = home.Contents(counters, tuple(waiting), past, past, session, tokens=tokens, own_tokens=tokens)
    yield "home", "home", home.home(contents, now=NOW)


def fixed() -> Iterator[Emitted]:
    """What does not depend on any request."""
    mine = Preference(NOW, NOW.date(), reminders=False, quiet="23:00-06:30")
    for preference in (Preference(), mine, Preference(quiet="")):
        yield "settings", "modal", settings.settings_form(preference, NIGHT)
        yield "saved settings", "modal", settings.saved_modal(preference, None)
    yield "saving settings", "modal", settings.saving_modal()
    yield message("restarted", notices.restarted())
    yield message("not linked", notices.not_linked(URL))
    yield "sign in", "modal", modal.sign_in_modal(URL)
    for kind in Kind:
        for words in (notices.blind_words([kind]), notices.incomplete_words(kind), notices.sighted_words([kind], 2)):
            yield message(words, notices.channel_note(words, button_shown=True, version=2))
        for words in (notices.outage_words(kind), notices.unconsented_words(kind), notices.answering_words(kind)):
            yield message(words, notices.channel_note(words, button_shown=False, version=1))
    yield message("no requests", lists.pending_list([], lists.Sheet("pending"), now=NOW))
    yield message("no history", lists.history_page((), lists.Sheet(), now=NOW))
    for session in (None, link(state=LinkState.SUSPENDED)):
        yield message("overview", lists.overview(Counters(), [], session, now=NOW))
        yield "home", "home", home.home(home.Contents(session=session), now=NOW)
