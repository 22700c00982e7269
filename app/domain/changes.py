"""What a poll means: several viewers' listings become one, and that one is compared with what we know. Pure.

It never concludes that a request ended: absence from a complete listing only makes a request worth asking about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.domain.request import ActivationRequest, Kind

# filterByCurrentUser answers at most this many rows and cannot page: a full page may hide more.
FULL_PAGE = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """What one desk, or one viewer of it, says is pending.

    `complete` is False when rows may be missing; `broken` holds the ids of rows that could not be read;
    `approvers` maps a request id to the object ids of the people whose own listing held it.
    """

    kind: Kind
    requests: tuple[ActivationRequest, ...] = ()
    complete: bool = True
    full_page: bool = False
    broken: tuple[str, ...] = ()
    approvers: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What our memory holds of one open request, as far as comparing needs it.

    `doubted`: it was missed, or could not be checked; being listed again is news then.
    """

    digest: str
    approvers: frozenset[str] = frozenset()
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new, what reads differently now (or is seen by more approvers), and what is no longer listed."""

    appeared: tuple[ActivationRequest, ...] = ()
    changed: tuple[ActivationRequest, ...] = ()
    vanished: tuple[str, ...] = ()


def seen_by(listing: Listing, viewer: str) -> Listing:
    """The listing with every row marked as seen by this viewer's object id: who sees it may decide it."""
    marks = {request.key.id: frozenset({viewer}) for request in listing.requests}
    return Listing(listing.kind, listing.requests, listing.complete, listing.full_page, listing.broken, approvers=marks)


def union(kind: Kind, listings: Iterable[Listing], *, all_answered: bool) -> Listing:
    """One queue out of what each viewer sees; complete only if somebody looked, all answered and no page was full."""
    parts = list(listings)
    requests: dict[str, ActivationRequest] = {}
    approvers: dict[str, frozenset[str]] = {}
    for part in parts:
        for request in part.requests:
            requests.setdefault(request.key.id, request)
        for request_id, people in part.approvers.items():
            approvers[request_id] = approvers.get(request_id, frozenset()) | people
    return Listing(
        kind,
        tuple(requests.values()),
        complete=bool(parts) and all_answered and all(part.complete for part in parts),
        full_page=any(part.full_page for part in parts),
        broken=tuple(sorted({broken for part in parts for broken in part.broken})),
        approvers=approvers,
    )


def compare(known: Mapping[str, Known], listing: Listing) -> Changes:
    """What the listing says against what we know, both by request id. An incomplete listing lets nothing vanish."""
    listed = {request.key.id: request for request in listing.requests}
    present = listed.keys() | set(listing.broken)
    whole = listing.complete and "" not in listing.broken  # a row without a readable id might be any request
    return Changes(
        appeared=tuple(request for id_, request in listed.items() if id_ not in known),
        changed=tuple(
            request for id_, request in listed.items() if id_ in known and _differs(known[id_], request, listing)
        ),
        vanished=tuple(id_ for id_ in known if id_ not in present) if whole else (),
    )


def covering(seen: Mapping[str, frozenset[str]], viewers: Iterable[str]) -> frozenset[str]:
    """A small set of viewers who together see every request we know: one of them is polled often, the rest rarely.

    `seen` maps request ids to the object ids that see them. With nothing known, one viewer is enough to look again.
    """
    candidates = sorted(viewers)
    chosen: set[str] = set()
    open_ids = {id_ for id_, people in seen.items() if people & set(candidates)}
    while open_ids:
        best = max(candidates, key=lambda viewer: sum(viewer in seen[id_] for id_ in open_ids))
        chosen.add(best)
        open_ids = {id_ for id_ in open_ids if best not in seen[id_]}
    return frozenset(chosen or candidates[:1])


def _differs(known: Known, request: ActivationRequest, listing: Listing) -> bool:
    more_approvers = listing.approvers.get(request.key.id, frozenset()) - known.approvers
    return known.doubted or known.digest != request.digest or bool(more_approvers)
