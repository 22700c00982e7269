"""Mistakes that somebody could make, each as a room that does one thing differently. A model that bites finds each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.town import Rooms
from sqlalchemy import text

from app.decisions.claiming import Claiming
from app.domain.errors import OutcomeUnknown, Unavailable

ENDINGS = frozenset({"approved", "denied", "canceled", "expired", "failed"})
FOR_EVER = 1_000_000


class Other:
    """A room in everything that a subclass does not do differently."""

    def __init__(self, room: Any) -> None:  # noqa: ANN401 - whatever room
        self._room = room

    def __getattr__(self, name: str) -> object:
        return getattr(self._room, name)


class ClaimHoldsNothing(Other):
    """The book: who comes second takes the claim away from who has it."""

    async def claim(self, intent: Any) -> object:  # noqa: ANN401 - as the port has it
        free = text("UPDATE requests SET status = 'pending', intent_id = NULL WHERE status = 'deciding'")
        await self._room._store.write(lambda connection: connection.execute(free))  # noqa: SLF001 - behind its back
        return await self._room.claim(intent)


class SentAgainBlindly(Other):
    """The desk: no answer, so once more."""

    async def decide(self, *call: object) -> object:
        try:
            return await self._room.decide(*call)
        except OutcomeUnknown:
            return await self._room.decide(*call)


class UnknownIsNo(Other):
    """The desk: no answer, so it was not taken."""

    async def decide(self, *call: object) -> object:
        try:
            return await self._room.decide(*call)
        except OutcomeUnknown:
            raise Unavailable from None


class FreshReadIgnored(Claiming):
    """Claiming: whatever the first step says, it can be decided."""

    async def _live_step(self, _wish: Any, row: Any, claimant: Any) -> Any:  # noqa: ANN401 - as it is overridden
        return (await self.desks[row.key.kind].steps(row.request, claimant.token))[0]


class AuditForgotten(Other):
    """The trail: an ending leaves no row."""

    async def append(self, connection: Any, entry: Any) -> None:  # noqa: ANN401 - as it is called
        if entry.what not in ENDINGS:
            await self._room.append(connection, entry)


class PaintedForGood(Other):
    """The outbox: what was painted once counts as painted, whatever version the row has by now."""

    async def painted(self, card: Any, ts: str, version: int) -> object:  # noqa: ANN401 - as the port has it
        return await self._room.painted(card, ts, FOR_EVER if version else version)


class EverybodyIsTheFirst(Other):
    """Tokens: one session decides for all."""

    def of(self, link: Any, *resource: Any) -> object:  # noqa: ANN401 - as the port has it
        oid = min(person.oid for person in self._room._world.people.values() if person.id in ("ann", "ben"))  # noqa: SLF001 - behind its back
        return self._room._source(oid, *resource) if link else None  # noqa: SLF001 - the same


class NothingResumed(Other):
    """The courier: what a crash left behind stays there."""

    async def resume(self, *, after_start: bool) -> None:
        """Look away."""


def _unread(claiming: Claiming) -> Claiming:
    return FreshReadIgnored(
        desks=claiming.desks,
        book=claiming.book,
        clock=claiming.clock,
        new_token=claiming.new_token,
        policy=claiming.policy,
    )


@dataclass(frozen=True, slots=True)
class Defect:
    """Rooms with a mistake in them, and the words in which the model reports it: any of them."""

    rooms: Rooms
    found_by: tuple[str, ...]


SENT_TWICE = ("one of ours had counted", "nobody looked what became of the one before", "while one is under way")
DEFECTS = {
    "a claim holds nothing": Defect({"book": ClaimHoldsNothing}, SENT_TWICE),
    "sent again blindly": Defect({"desk": SentAgainBlindly}, SENT_TWICE),
    "unknown counts as not taken": Defect({"desk": UnknownIsNo}, ("another place is named", *SENT_TWICE)),
    "the fresh read is ignored": Defect({"claiming": _unread}, ("on what had ended before anybody submitted it",)),
    "the audit row is forgotten": Defect({"trail": AuditForgotten}, ("the trail has other endings",)),
    "painted once is painted for good": Defect({"outbox": PaintedForGood}, ("buttons of what is over",)),
    "one session decides for all": Defect(
        {"tokens": EverybodyIsTheFirst}, ("another place is named", "a decision counted that nobody made")
    ),
    "nothing is resumed after a crash": Defect({"courier": NothingResumed}, ("fate of a decision is still unknown",)),
}
