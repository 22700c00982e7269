"""What became of a request that ended without us, from its final status, its approval and Microsoft's audit rows. Pure.

What none of them shows stays unknown: a time is never put in for one that nobody told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.chronicle import Event, What
from app.domain.endings import reviewed
from app.domain.lifecycle import Holding, HowEnded
from app.domain.request import ActivationRequest, Decided, Status, Where
from app.domain.ruling import Step

_DEED = {
    What.APPROVED: Status.APPROVED,
    What.DENIED: Status.DENIED,
    What.WITHDRAWN: Status.CANCELED,
    What.TIMED_OUT: Status.EXPIRED,
}
_END = {What.DEACTIVATED: HowEnded.EARLY, What.ENDED: HowEnded.LAPSED}


@dataclass(frozen=True, slots=True)
class Record:
    """A request as it ended. `decided` is None where nobody can say when; `holding` is empty unless it was approved."""

    request: ActivationRequest
    status: Status
    decided: Decided | None
    holding: Holding = Holding()


def record_of(
    request: ActivationRequest, native: Status, steps: Sequence[Step], events: Sequence[Event], now: datetime
) -> Record:
    """How it ended. `native` is what Microsoft's own status means; `events` are this request's, in any order.

    An audit row that tells of a time-out or a withdrawal is believed over a status that has no word for it (Failed).
    """
    ordered = sorted(events, key=lambda event: event.at)
    deed = next((event for event in reversed(ordered) if event.what in _DEED), None)
    status = _status(native, deed)
    return Record(request, status, _decided(request, status, steps, deed, now), _holding(status, ordered, request, now))


def _status(native: Status, deed: Event | None) -> Status:
    told = _DEED[deed.what] if deed is not None else native
    vague = native in (Status.FAILED, Status.DENIED) and told is Status.EXPIRED
    return told if vague else native


def _decided(
    request: ActivationRequest, status: Status, steps: Sequence[Step], deed: Event | None, now: datetime
) -> Decided | None:
    shown = reviewed(tuple(steps), now)
    if shown is not None and shown[0] is status and any(step.reviewed_at is not None for step in steps):
        return shown[1]
    if deed is not None and _DEED[deed.what] is status:
        by = request.requestor if status is Status.CANCELED and deed.by is None else deed.by
        return Decided(deed.at, Where.OUTSIDE, None if status is Status.EXPIRED else by, deed.comment)
    return Decided(request.expires, Where.OUTSIDE) if status is Status.EXPIRED else None


def _holding(status: Status, events: Sequence[Event], request: ActivationRequest, now: datetime) -> Holding:
    if status is not Status.APPROVED:
        return Holding()
    began = next((event.at for event in events if event.what is What.ACTIVATED), None)
    ended = next((event for event in events if event.what in _END), None)
    if ended is not None:
        return Holding(began, deactivated=ended.at, how=_END[ended.what])
    over = began is not None and request.duration is not None and now >= began + request.duration
    return Holding(began, how=HowEnded.LAPSED if over else None)
