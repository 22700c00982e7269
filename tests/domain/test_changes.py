"""What a poll means: several listings become one, and one listing is compared with what is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from build import a_request
from hypothesis import given
from hypothesis import strategies as st

from app.domain.changes import Known, Listing, compare, covering, seen_by, union
from app.domain.request import ActivationRequest, Kind

KIND = Kind.ENTRA
POOL = [a_request() for _ in range(6)]
IDS = [request.key.id for request in POOL]
CHANGED = {request.key.id: replace(request, justification="Another reason altogether") for request in POOL}
VIEWERS = ["ann", "ben", "cleo", "dora"]

REQUESTS = st.lists(st.sampled_from(POOL), unique=True)
BROKEN = st.lists(st.sampled_from([*IDS, ""]), unique=True)
LISTINGS = st.builds(
    lambda requests, broken, viewer, complete, full: seen_by(
        Listing(KIND, tuple(requests), complete=complete, full_page=full, broken=tuple(broken)), viewer
    ),
    REQUESTS,
    BROKEN,
    st.sampled_from(VIEWERS),
    st.booleans(),
    st.booleans(),
)
KNOWN = st.dictionaries(st.sampled_from(IDS), st.frozensets(st.sampled_from(VIEWERS)))


def known_of(memory: dict[str, frozenset[str]]) -> dict[str, Known]:
    digests = {request.key.id: request.digest for request in POOL}
    return {id_: Known(digests[id_], people) for id_, people in memory.items()}


def listing(*requests: ActivationRequest, **over: object) -> Listing:
    return replace(Listing(KIND, requests), **over)  # type: ignore[arg-type]


# --- comparing ---


def test_a_poll_tells_the_new_the_changed_and_the_vanished_apart() -> None:
    new, same, other, gone = POOL[:4]
    known = known_of({same.key.id: frozenset(), other.key.id: frozenset(), gone.key.id: frozenset()})
    changes = compare(known, listing(new, same, CHANGED[other.key.id]))
    assert changes.appeared == (new,)
    assert changes.changed == (CHANGED[other.key.id],)
    assert changes.vanished == (gone.key.id,)


@given(KNOWN, LISTINGS)
def test_an_incomplete_listing_never_lets_anything_vanish(memory: dict[str, frozenset[str]], seen: Listing) -> None:
    assert compare(known_of(memory), replace(seen, complete=False)).vanished == ()


@given(KNOWN, LISTINGS)
def test_a_row_that_cannot_be_read_never_vanishes(memory: dict[str, frozenset[str]], seen: Listing) -> None:
    assert not set(compare(known_of(memory), seen).vanished) & set(seen.broken)


@given(KNOWN, LISTINGS)
def test_a_row_without_a_name_lets_nothing_vanish(memory: dict[str, frozenset[str]], seen: Listing) -> None:
    assert compare(known_of(memory), replace(seen, broken=(*seen.broken, ""))).vanished == ()


@given(KNOWN, LISTINGS)
def test_every_request_is_in_one_place_and_nothing_is_lost(memory: dict[str, frozenset[str]], seen: Listing) -> None:
    changes = compare(known_of(memory), seen)
    appeared, changed = ({request.key.id for request in part} for part in (changes.appeared, changes.changed))
    listed = {request.key.id for request in seen.requests}
    assert appeared == listed - memory.keys()
    assert changed <= listed & memory.keys()
    assert set(changes.vanished) <= memory.keys() - listed
    if seen.complete and not seen.broken:
        assert set(changes.vanished) == memory.keys() - listed


@given(LISTINGS)
def test_what_was_remembered_does_not_change_again(seen: Listing) -> None:
    memory = {request.key.id: seen.approvers[request.key.id] for request in seen.requests}
    changes = compare(known_of(memory), seen)
    assert (changes.appeared, changes.changed, changes.vanished) == ((), (), ())


@pytest.mark.parametrize(
    "before, seen, changed",
    [((), ("ann",), True), (("ann",), ("ann", "ben"), True), (("ann", "ben"), ("ann",), False), (("ann",), (), False)],
)
def test_one_more_approver_is_a_change_and_one_less_is_none(
    before: tuple[str, ...],
    seen: tuple[str, ...],
    changed: bool,  # noqa: FBT001 - a table
) -> None:
    request = POOL[0]
    known = known_of({request.key.id: frozenset(before)})
    now = listing(request, approvers={request.key.id: frozenset(seen)})
    assert bool(compare(known, now).changed) is changed


def test_a_request_listed_twice_appears_once() -> None:
    assert compare({}, listing(POOL[0], POOL[0])).appeared == (POOL[0],)


# --- one queue out of many ---


def meaning(queue: Listing) -> object:
    requests = {request.key.id: request for request in queue.requests}
    return requests, queue.complete, queue.full_page, queue.broken, dict(queue.approvers)


@given(st.lists(LISTINGS, max_size=3), st.booleans())
def test_the_union_does_not_depend_on_the_order(parts: list[Listing], answered: bool) -> None:  # noqa: FBT001 - hypothesis
    queues = [union(KIND, order, all_answered=answered) for order in permutations(parts)]
    assert all(meaning(queue) == meaning(queues[0]) for queue in queues)


@given(st.lists(LISTINGS, max_size=4))
def test_the_union_holds_what_anybody_sees_and_who_sees_it(parts: list[Listing]) -> None:
    queue = union(KIND, parts, all_answered=True)
    listed = [request.key.id for request in queue.requests]
    assert sorted(listed) == sorted({request.key.id for part in parts for request in part.requests})
    for request in queue.requests:
        seers = [part.approvers[request.key.id] for part in parts if request in part.requests]
        assert queue.approvers[request.key.id] == frozenset().union(*seers)
    assert set(queue.broken) == {id_ for part in parts for id_ in part.broken}


@given(st.lists(LISTINGS, max_size=4), st.booleans())
def test_the_union_is_complete_only_if_every_part_is(parts: list[Listing], answered: bool) -> None:  # noqa: FBT001 - hypothesis
    queue = union(KIND, parts, all_answered=answered)
    assert queue.complete == (answered and bool(parts) and all(part.complete for part in parts))
    assert queue.full_page == any(part.full_page for part in parts)


@given(KNOWN, st.lists(LISTINGS, max_size=4))
def test_one_viewer_who_did_not_answer_saves_everything(
    memory: dict[str, frozenset[str]], parts: list[Listing]
) -> None:
    assert compare(known_of(memory), union(KIND, parts, all_answered=False)).vanished == ()


def test_that_nobody_looked_proves_nothing() -> None:
    known = known_of({IDS[0]: frozenset({"ann"})})
    assert compare(known, union(KIND, [], all_answered=True)).vanished == ()


def test_a_listing_is_marked_with_its_viewer_and_otherwise_unchanged() -> None:
    plain = listing(*POOL[:2], complete=False, full_page=True, broken=("x",))
    marked = seen_by(plain, "ann")
    assert marked.approvers == {id_: frozenset({"ann"}) for id_ in IDS[:2]}
    assert replace(marked, approvers={}) == plain


# --- a small set of viewers who see everything ---

SEEN = st.dictionaries(st.sampled_from(IDS), st.frozensets(st.sampled_from(VIEWERS)))


@given(SEEN, st.sets(st.sampled_from(VIEWERS)))
def test_a_covering_set_sees_all_that_the_viewers_can_see(seen: dict[str, frozenset[str]], viewers: set[str]) -> None:
    chosen = covering(seen, viewers)
    assert chosen <= viewers
    for people in seen.values():
        assert not people & viewers or people & chosen


@given(SEEN, st.sets(st.sampled_from(VIEWERS), min_size=1))
def test_a_covering_set_is_never_empty_nor_larger_than_needed_for_each(
    seen: dict[str, frozenset[str]], viewers: set[str]
) -> None:
    chosen = covering(seen, viewers)
    assert 1 <= len(chosen) <= max(1, len([people for people in seen.values() if people & viewers]))


@given(SEEN)
def test_a_covering_set_is_the_same_however_the_viewers_are_listed(seen: dict[str, frozenset[str]]) -> None:
    assert len({covering(seen, order) for order in permutations(VIEWERS)}) == 1


def test_one_who_sees_everything_is_enough() -> None:
    seen = {IDS[0]: frozenset({"ann", "ben"}), IDS[1]: frozenset({"ben", "cleo"}), IDS[2]: frozenset({"ben"})}
    assert covering(seen, VIEWERS) == {"ben"}


def test_with_nothing_known_one_viewer_looks_and_with_no_viewer_nobody_does() -> None:
    assert len(covering({}, VIEWERS)) == 1
    assert covering({IDS[0]: frozenset({"ann"})}, []) == frozenset()
