"""Which message a notice becomes. Pure; the words themselves live in `blocks`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.domain.last_calls import LastCall
from app.domain.request import Person, Status
from app.domain.row import RequestRow
from app.domain.weekly import read_tally
from app.ports import ChannelNote, Direct, Notice, Topic
from blocks import ids, notices, own_request, questions, reminders, removal
from blocks.links import Portal
from blocks.message import Message
from blocks.reminders import Item
from blocks.weekly import weekly_message


def notice_message(notice: Notice, row: RequestRow | None, now: datetime, portal: Portal) -> Message | None:
    """The direct message for a notice, drawn from how things stand now; None when there is nothing to say."""
    about_account = _about_account(notice, now)
    if about_account is not None:
        return about_account
    if row is None:
        return None
    if notice.topic == "fate":
        return _fate(row, notice.facts.get("refused", ""))
    if notice.topic in ("question", "answer"):
        return _talk(notice, row)
    if notice.topic in _REMOVALS:
        return _removed(notice, row, portal)
    if notice.topic == "unreachable":
        return reminders.unreachable_note(row, notice.facts.get("why", "")) if row.status.open else None
    return _own(notice, row, now, portal)


def _own(notice: Notice, row: RequestRow, now: datetime, portal: Portal) -> Message | None:
    """What a requestor is told of their own request beside the message that follows it."""
    match notice.topic:
        case "outcome":
            return notices.outcome_notice(row, now=now, portal=portal)
        case LastCall.DYING:
            return own_request.dying(row, now=now, portal=portal)
        case LastCall.ENDING:
            return own_request.ending(row, now=now, portal=portal)
    return None


def _talk(notice: Notice, row: RequestRow) -> Message | None:
    """A question or its answer; nothing once the request has ended."""
    if not row.status.open:
        return None
    facts = notice.facts
    if notice.topic == "answer":
        return questions.answer_message(row, facts.get("question", ""), facts.get("text", ""))
    return questions.question_message(row, facts.get("by", ""), facts.get("text", ""), facts.get("id", ""))


def _removed(notice: Notice, row: RequestRow, portal: Portal) -> Message:
    """About a role that was taken away, or that somebody could not."""
    facts = notice.facts
    by, reason, refused = facts.get("by", ""), facts.get("reason", ""), facts.get("refused", "")
    if notice.topic == "taken_away":
        return removal.taken_away(row, by, reason)
    if notice.topic == "revoke":
        return removal.revoke_wanted(row, by, reason, refused, portal)
    return notices.result_message(row, removal.TITLE, facts.get("said", ""))


def direct_message(direct: Direct, items: Sequence[Item], now: datetime, portal: Portal) -> Message:
    """A message about requests, as they are now."""
    if direct.topic is Topic.OWN:
        return own_request.following(items[0].row, items[0].token, seen=_moment(direct.facts.get("seen", "")), now=now)
    return reminders.deciding_message(_headline(direct, items, now), items, now=now, portal=portal)


def _headline(direct: Direct, items: Sequence[Item], now: datetime) -> str:
    if direct.topic is Topic.NUDGE:
        return reminders.ASKED_AGAIN
    return reminders.many_wait(sum(item.open(now) for item in items))


def _about_account(notice: Notice, now: datetime) -> Message | None:
    """What concerns somebody's accounts; None for a notice about a request."""
    person = Person("", notice.facts.get("name", ""), notice.facts.get("upn", ""))
    match notice.topic:
        case "linked":
            return notices.linked_receipt(person, now=_moment(notice.facts.get("at", "")) or now, receipt=notice.id)
        case "unlinked":
            return notices.unlinked(person, by_operator=notice.facts.get("how") == "removed")
        case "moved":
            return notices.moved(person)
        case "link_refused":
            return notices.refusal(_FORWARDED)
        case "suspended":
            return notices.refusal(_SUSPENDED)
        case "restarted":
            return notices.restarted()
    return None


def note_message(note: ChannelNote, portal: Portal) -> Message:
    """A standing note of the approvers channel, found again by its topic."""
    if note.topic.startswith(ids.WEEK):
        return weekly_message(read_tally(note.text), note.version).stamped(ids.NOTE_EVENT, topic=note.topic)
    drawn = notices.channel_note(note.text, button_shown=note.button, version=note.version, portal=portal)
    return drawn.stamped(ids.NOTE_EVENT, topic=note.topic)


def _fate(row: RequestRow, refused: str) -> Message:
    if refused:
        return notices.result_message(row, "Your decision was not made", refused)
    done = "approved" if row.status is Status.APPROVED else "denied"
    return notices.result_message(row, f"You {done} this request", "Microsoft recorded your decision.")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_REMOVALS = ("taken_away", "revoke", "removal")
_FORWARDED = (
    "Somebody opened a sign-in link in a browser that is signed in to another Slack account than the one it was made "
    "for. Nothing was linked. If you were sent such a link, do not use it, and tell your administrators."
)
_SUSPENDED = (
    "Your Microsoft session is over, so you cannot decide requests here until you sign in again. Nothing was changed. "
    "Type /pim sign-in."
)
