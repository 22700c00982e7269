"""What our memory holds of a request: Microsoft's facts, our reading of them, and how it ended. Never a wire shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.lifecycle import SURE, Doubt, Holding, Phase, Removed
from app.domain.match import Match
from app.domain.pattern import Pattern, Resubmission
from app.domain.request import ActivationRequest, Decided, Kind, Person, PolicyFacts, RequestKey, Status
from app.domain.risk import Risk
from app.domain.roles import GLOBAL_ADMINISTRATOR

STRONGEST_COMMENT = 15  # characters to approve Global Administrator, which "demands the strongest justification"


@dataclass(frozen=True, slots=True)
class Looking:
    """Somebody said that they are looking at a request. It holds nobody up, and lapses by itself."""

    person: Person
    since: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What an approver asked the requestor, and the answer ('' while there is none). Both are people's own words."""

    by: str
    text: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request as stored.

    `version` grows with every change a card could show; `approvers` are the object ids of people whose own listing
    held it (they may decide it); `channels` are where its cards stand; `deciding` is who holds the claim right now.
    `match` is the requestor's Slack account; `paused` is why nothing is decided here right now, empty when it is.
    `verifying` is somebody whose decision waits for a newer sign-in: it holds no claim. `holding` is how long an
    approved role is held; `doubt` what could not be confirmed of a request that is listed no more; `stale` that
    Microsoft lists it as pending though no approval step is open, so that nobody can decide it. `pattern` and `earlier`
    are the requestor's habits and their earlier attempt, as they were known when it was judged. `looking` are those who
    said that they are looking at it, the latest last; `questions` what the requestor was asked, likewise.
    `away_until` is when the first of its approvers is back, while all whom we know in Slack are away; `nudged_at` when
    the requestor last had them asked again. `removed` is who took an approved role away again, where that was done
    here. `enabled` is whether the requestor's account was, when the request was judged; None: nobody could read it.
    """

    request: ActivationRequest
    status: Status
    risk: Risk
    version: int
    policy: PolicyFacts = PolicyFacts()
    approvers: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    deciding: Person | None = None
    decided: Decided | None = None
    holding: Holding = Holding()
    match: Match = Match()
    paused: str = ""
    verifying: Person | None = None
    doubt: Doubt = SURE
    stale: bool = False
    pattern: Pattern | None = None
    earlier: Resubmission | None = None
    looking: tuple[Looking, ...] = ()
    questions: tuple[Question, ...] = ()
    away_until: datetime | None = None
    removed: Removed | None = None
    nudged_at: datetime | None = None
    enabled: bool | None = None

    @property
    def key(self) -> RequestKey:
        """Which request this is."""
        return self.request.key

    @property
    def known_approvers(self) -> frozenset[str]:
        """Object ids of people known to be able to approve: by PIM's settings, or because their own list held it."""
        return self.approvers | {person.id for person in self.policy.approvers or ()}

    @property
    def nobody_approves(self) -> bool:
        """Whether it is known that nobody can approve it."""
        return self.policy.nobody and not self.approvers

    def phase(self, now: datetime) -> Phase:
        """Where an approved role is now."""
        return self.holding.phase(self.request.start, now)

    @property
    def shortest_comment(self) -> int:
        """How many characters an approval takes: none where a comment is optional, more for the strongest role."""
        if self.request.key.kind is Kind.ENTRA and self.request.role.id.casefold() == GLOBAL_ADMINISTRATOR:
            return STRONGEST_COMMENT
        return 1 if self.comment_required else 0

    @property
    def comment_required(self) -> bool:
        """Whether an approver must write a comment to approve.

        It is optional only where PIM's settings are known not to demand one and the risk is below High.
        """
        return self.policy.comment_required is not False or self.risk.level.grave
