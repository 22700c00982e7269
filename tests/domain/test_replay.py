"""History judged anew: what moved, and by which rules."""

from __future__ import annotations

from build import EXCHANGE, REPORTS_READER, a_request, a_row
from hypothesis import given
from hypothesis import strategies as st

from app.domain.levels import Level
from app.domain.replay import Replayed, RuleCount, Tally
from app.domain.request import ActivationRequest, Ticket
from app.domain.risk import Risk, RiskPolicy, assess, judge

NO_TICKET = Ticket()
SILENT = RiskPolicy(weights={"ticket_missing": 0})
HEAVY = RiskPolicy(weights={"ticket_missing": 3, "justification": 3})


def replayed(request: ActivationRequest, then: RiskPolicy, now: RiskPolicy) -> Replayed:
    return Replayed(a_row(request, risk=assess(request, then)), judge(request, now))


def tally(*replays: Replayed) -> Tally:
    counted = Tally()
    for one in replays:
        counted.add(one)
    return counted


BARE = a_request(role=REPORTS_READER, ticket=NO_TICKET)
SLOPPY = a_request(role=REPORTS_READER, ticket=NO_TICKET, justification="need admin access")


def test_the_same_rules_change_nothing() -> None:
    one = replayed(BARE, RiskPolicy(), RiskPolicy())
    assert (one.changed, one.causes) == (False, frozenset())
    assert tally(one).moves == {}
    assert tally(one).rules()["ticket_missing"] == RuleCount(1, 1, 0, 0)


def test_a_rule_that_fires_anew_raises_and_one_that_is_gone_lowers() -> None:
    raised, lowered = replayed(BARE, SILENT, RiskPolicy()), replayed(BARE, RiskPolicy(), SILENT)
    assert (raised.move, raised.causes) == ((Level.LOW, Level.MEDIUM), {"ticket_missing"})
    assert (lowered.move, lowered.causes) == ((Level.MEDIUM, Level.LOW), {"ticket_missing"})
    found = tally(raised, raised, lowered)
    assert (found.requests, found.raised, found.lowered) == (3, 2, 1)
    assert found.moves == {(Level.LOW, Level.MEDIUM): 2, (Level.MEDIUM, Level.LOW): 1}
    assert found.rules() == {"role_ordinary": RuleCount(3, 3, 0, 0), "ticket_missing": RuleCount(1, 2, 2, 1)}


def test_other_weights_of_the_same_rules_may_all_be_the_cause() -> None:
    one = replayed(SLOPPY, RiskPolicy(), HEAVY)
    assert (one.move, one.causes) == (
        (Level.MEDIUM, Level.HIGH),
        {"role_ordinary", "ticket_missing", "justification"},
    )


def test_a_judgement_too_old_to_name_its_rules_blames_all_of_the_new_one() -> None:
    old = Replayed(a_row(BARE, risk=Risk(Level.LOW, ("ordinary",), 1)), judge(BARE))
    assert old.causes == {"role_ordinary", "ticket_missing"}
    assert tally(old).rules()["ticket_missing"] == RuleCount(0, 1, 1, 0)


def test_another_rule_with_the_same_level_is_no_change() -> None:
    one = replayed(SLOPPY, SILENT, RiskPolicy(weights={"justification": 0}))
    assert one.changed is False
    assert tally(one).rules()["justification"] == RuleCount(1, 0, 0, 0)


POLICIES = st.builds(
    RiskPolicy, weights=st.dictionaries(st.sampled_from(["ticket_missing", "justification"]), st.integers(0, 3))
)
REPLAYS = st.builds(
    replayed, st.sampled_from([BARE, SLOPPY, a_request(), a_request(role=EXCHANGE)]), POLICIES, POLICIES
)


@given(st.lists(REPLAYS, max_size=20))
def test_every_change_is_counted_once_and_has_a_cause(replays: list[Replayed]) -> None:
    found = tally(*replays)
    assert found.requests == len(replays)
    assert found.raised + found.lowered == sum(found.moves.values()) == sum(one.changed for one in replays)
    assert all(one.causes for one in replays if one.changed)
    counts = found.rules().values()
    assert found.raised <= sum(count.raised for count in counts)
    assert found.lowered <= sum(count.lowered for count in counts)
