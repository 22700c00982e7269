"""The tree of failures: each says a sentence, and whether trying again makes sense."""

from __future__ import annotations

import pytest

from app.domain import errors
from app.domain.errors import BotError, ClaimsChallenge, GraphRefused, SignInRequired, Unavailable

CLASSES = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, BotError)]


def made(kind: type[BotError], message: str = "") -> BotError:
    return ClaimsChallenge(message, claims="{}") if kind is ClaimsChallenge else kind(message)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_failure_has_a_sentence_of_its_own_and_takes_another(kind: type[BotError]) -> None:
    assert str(made(kind)) == (kind.__doc__ or "").strip() != ""
    assert str(made(kind, "Something else.")) == "Something else."


@pytest.mark.parametrize("kind", CLASSES)
def test_only_an_outage_and_an_unreadable_answer_are_worth_trying_again(kind: type[BotError]) -> None:
    assert kind.retryable == (kind.__name__ in ("Unavailable", "ConsentMissing", "Malformed"))


@pytest.mark.parametrize("kind", CLASSES)
def test_the_tree_in_the_docstring_names_every_failure(kind: type[BotError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


def test_families_are_caught_together() -> None:
    assert issubclass(ClaimsChallenge, SignInRequired)
    assert issubclass(errors.AlreadyDecided, GraphRefused)
    assert issubclass(errors.RequestGone, GraphRefused)
    assert not issubclass(errors.OutcomeUnknown, Unavailable)
