"""What is known of a requestor besides their request: an earlier attempt, and their habits with the role.

The card says it in three short lines at most, the modal in full. Both as it was when the request was judged; only what
is over by `now` is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.domain.durations import in_words
from app.domain.pattern import Held, Pattern, Resubmission, Use
from app.domain.request import Status
from app.domain.row import RequestRow
from blocks.elements import Line, Part, date, labelled, own, said

_NAME_LIMIT = 40  # code points, as are all limits here
_REASON_LIMIT = 80
_CHANGES_LIMIT = 60
_WHOLE_LIMIT = 500


def habits(row: RequestRow, now: datetime) -> list[Line]:
    """For the card: whether they ask again, how they use this role, and what else there is to know."""
    lines = [again(row, _REASON_LIMIT, _CHANGES_LIMIT)]
    if row.pattern is not None:
        lines += [_uses(row.pattern), _besides(row.pattern, now)]
    return [line for line in lines if line]


def whole_habits(row: RequestRow, now: datetime) -> list[Line]:
    """For the modal: the same, with the last uses one by one and all that is held."""
    lines = [again(row, _WHOLE_LIMIT, _WHOLE_LIMIT)]
    if row.pattern is not None:
        lines += [_uses(row.pattern), _last_uses(row.pattern), _denials(row.pattern), *_all_held(row.pattern, now)]
    return [line for line in lines if line]


def again(row: RequestRow, reason_limit: int, changes_limit: int) -> Line:
    """`Asked again 40 min after a denial by Ben: “too long”. Changed: 8 h → 2 h`; empty for a first attempt."""
    earlier = row.earlier
    if earlier is None:
        return ()
    reason = (own(": “"), said(earlier.reason, reason_limit), own("”")) if earlier.reason else ()
    changed = said(", ".join(earlier.changed), changes_limit) if earlier.changed else own("nothing", bold=True)
    return (own("Asked again", bold=True), *_after(earlier, row), *reason, own(". Changed: "), changed)


def again_text(row: RequestRow) -> str:
    """The beginning of the same for screen readers: `asked again 40 min after a denial`; empty for a first attempt."""
    return f"asked again {_when(row.earlier, row)}" if row.earlier is not None else ""


def _after(earlier: Resubmission, row: RequestRow) -> Line:
    by = (own(" by "), said(earlier.by, _NAME_LIMIT)) if earlier.by else ()
    return (own(f" {_when(earlier, row)}"), *by)


def _when(earlier: Resubmission, row: RequestRow) -> str:
    what = "a denial" if earlier.status is Status.DENIED else "nobody decided"
    since = max(row.request.created - earlier.at, timedelta(0))  # two clocks: the end may seem to come later
    return f"{in_words(since)} after {what}"


def _uses(pattern: Pattern) -> Line:
    if not pattern.last:
        return _first_use(pattern)
    times = "once" if pattern.uses == 1 else f"{pattern.uses} times"
    usual = (own(f"; usually {words}"),) if (words := _usual(pattern)) else ()
    return (own(f"Held this role {times}", bold=True), own(", last "), date(pattern.last[0].at), *usual)


def _first_use(pattern: Pattern) -> Line:
    """With the beginning of our history: before that, anything may have been. Nothing where there is no history."""
    if pattern.since is None:
        return ()
    others = (own(f"; other roles usually {pattern.hours}"),) if pattern.hours is not None else ()
    first = own("First known use of this role", bold=True)
    return (first, own(" (history begins "), date(pattern.since), own(")"), *others)


def _usual(pattern: Pattern) -> str:
    """Length and hours; empty before three uses, when the hours would be those of all their roles together."""
    if pattern.typical is None:
        return ""
    return in_words(pattern.typical) + (f", {pattern.hours}" if pattern.hours is not None else "")


def _besides(pattern: Pattern, now: datetime) -> Line:
    """Denials and the first of what else is held, on one line."""
    held = _still_held(pattern, now)
    more = (own(f" and {len(held) - 1} more"),) if len(held) > 1 else ()
    active = (own("Also active: "), *_held(held[0]), *more) if held else ()
    denials = _denials(pattern)
    return (*denials, own(" · "), *active) if denials and active else (*denials, *active)


def _denials(pattern: Pattern) -> Line:
    if not pattern.denials:
        return ()
    count = "1 denial" if pattern.denials == 1 else f"{pattern.denials} denials"
    return (own(f"{count} in the last 7 days", bold=True),)


def _last_uses(pattern: Pattern) -> Line:
    parts = [part for use in pattern.last for part in (own(", "), *_use(use))]
    return labelled("Last uses", *parts[1:]) if parts else ()


def _use(use: Use) -> Sequence[Part]:
    return (date(use.at), own(f" ({in_words(use.length)})")) if use.length is not None else (date(use.at),)


def _all_held(pattern: Pattern, now: datetime) -> list[Line]:
    return [(own("Also active: "), *_held(one)) for one in _still_held(pattern, now)]


def _still_held(pattern: Pattern, now: datetime) -> list[Held]:
    return [one for one in pattern.active if now < one.until]


def _held(one: Held) -> Line:
    where = (own(" ("), said(one.scope, _NAME_LIMIT), own(")")) if one.scope else ()
    return (said(one.role, _NAME_LIMIT), *where, own(" until "), date(one.until))
