"""Who may ask an upstream that does not answer: of the rounds one now and then, and always whoever is waited for."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.breaker import FAILURES, LONGEST_PAUSE, LOOK_LASTS, Breaker, in_a_round
from app.domain.errors import BotError, GraphRefused, Malformed, OutcomeUnknown, SlackFailed, Unavailable

SILENCE = (Unavailable(), Malformed(), OutcomeUnknown())
ANSWERS = (GraphRefused(status=403), SlackFailed(code="is_archived"), Unavailable(retry_after=3.0), None)
HOUR = 3600.0


@dataclass
class Upstream:
    """Counts its calls; `says` is what each of them ends with. The test holds the time and the dice."""

    says: BotError | None = None
    calls: int = 0
    now: float = 1000.0
    dice: float = 1.0
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker("Microsoft", lambda: self.now, lambda: self.dice)

    def ask(self, *, round_: bool = True) -> bool:
        """Whether the call got through."""
        before = self.calls
        with suppress(BotError), in_a_round() if round_ else nullcontext(), self.breaker.asking():
            self.calls += 1
            if self.says is not None:
                raise self.says.with_traceback(None)
        return self.calls > before


def shut(says: BotError | None = None) -> Upstream:
    """An upstream that the rounds have just given up."""
    upstream = Upstream(says or Unavailable())
    while upstream.ask():
        pass
    return upstream


@pytest.mark.parametrize("says", SILENCE)
def test_after_a_few_failures_in_a_row_the_rounds_stop_asking(says: BotError) -> None:
    assert shut(says).calls == FAILURES


@pytest.mark.parametrize("says", ANSWERS)
def test_any_answer_is_an_answer(says: BotError | None) -> None:
    upstream = Upstream(says)
    assert all(upstream.ask() for _ in range(50))


def test_an_answer_in_between_begins_the_count_anew() -> None:
    upstream = Upstream()
    for says in [*[Unavailable()] * (FAILURES - 1), None] * 5:
        upstream.says = says
        assert upstream.ask()


def test_whoever_is_waited_for_is_never_held_up_and_their_answer_counts() -> None:
    upstream = shut()
    assert upstream.ask(round_=False)
    upstream.says = None
    assert upstream.ask(round_=False)
    assert upstream.ask()


def test_failures_of_people_do_not_lengthen_the_pause() -> None:
    upstream = shut()
    for _ in range(100):
        upstream.ask(round_=False)
    upstream.now += 2.0
    assert upstream.ask()


def test_a_round_that_must_wait_is_told_how_long() -> None:
    upstream = shut()
    with in_a_round(), pytest.raises(Unavailable, match=r"asked again in 2 seconds\.$") as caught:
        upstream.breaker.check()
    assert caught.value.retry_after == pytest.approx(2.0)


def test_of_many_at_once_one_looks() -> None:
    upstream = shut()
    upstream.now += LONGEST_PAUSE
    with in_a_round(), upstream.breaker.asking():
        assert [upstream.ask() for _ in range(9)] == [False] * 9
    assert upstream.ask()


def test_a_clock_that_jumps_back_holds_nobody_up() -> None:
    upstream = shut()
    upstream.now -= HOUR
    assert upstream.ask()


def test_a_look_that_was_cut_off_says_nothing_and_lets_the_next_one_look() -> None:
    upstream = shut()
    upstream.now += LONGEST_PAUSE
    with suppress(asyncio.CancelledError), in_a_round(), upstream.breaker.asking():
        raise asyncio.CancelledError
    assert [upstream.ask(), upstream.ask()] == [True, False]


def test_a_look_that_never_ends_holds_nobody_up_for_ever() -> None:
    upstream = shut()
    upstream.now += LONGEST_PAUSE
    with in_a_round(), upstream.breaker.asking():
        upstream.now += LOOK_LASTS
        assert upstream.ask()


@settings(max_examples=30)
@given(st.floats(0.05, 1), st.floats(5, 60))
def test_a_long_outage_is_no_storm_and_is_over_soon_after_its_end(dice: float, every: float) -> None:
    upstream, end = Upstream(Unavailable(), dice=dice), 1000.0 + HOUR
    while upstream.now < end:
        for _ in range(4):
            upstream.ask()
        upstream.now += every
    assert upstream.calls <= FAILURES + HOUR / max(every, dice * LONGEST_PAUSE) + 10
    upstream.says, back = None, upstream.now
    while not upstream.ask():
        upstream.now += 0.5
    assert upstream.now - back <= LONGEST_PAUSE
    assert all(upstream.ask() for _ in range(12))


@given(st.lists(st.tuples(st.sampled_from([*SILENCE, *ANSWERS]), st.floats(0, 100), st.floats(0, 1), st.booleans())))
def test_whatever_happens_rounds_wait_at_most_half_a_minute(
    story: list[tuple[BotError | None, float, float, bool]],
) -> None:
    upstream = Upstream()
    for says, later, dice, round_ in story:
        upstream.says, upstream.dice = says, dice
        upstream.now += later
        assert upstream.ask(round_=round_) or round_
    upstream.now += LONGEST_PAUSE
    assert upstream.ask()
