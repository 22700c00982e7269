"""Each end of the audit trail is told once; a channel that takes nothing is asked again, and the log has it anyway."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from app.anchoring import Anchoring
from app.domain.anchors import Anchor
from app.domain.errors import BotError, SlackFailed, Unavailable

FIRST, SECOND = Anchor(1, "a" * 64), Anchor(2, "b" * 64)


@dataclass
class Channel:
    """Keeps what it was sent. A `failure` is raised instead."""

    failure: BotError | None = None
    posted: list[Anchor] = field(default_factory=list)

    async def post(self, anchor: Anchor) -> None:
        if self.failure is not None:
            raise self.failure
        self.posted.append(anchor)


@dataclass
class Trail:
    """Ends where the test says."""

    end: Anchor = FIRST

    async def head(self) -> Anchor:
        return self.end


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]


@pytest.fixture(autouse=True)
def _listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_each_end_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    trail, channel = Trail(), Channel()
    anchoring = Anchoring(head=trail.head, post=channel.post)
    for trail.end in (FIRST, FIRST, SECOND):
        await anchoring.tick()
    assert logged(caplog) == [str(FIRST), str(SECOND)]
    assert channel.posted == [FIRST, SECOND]


async def test_without_a_channel_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    await Anchoring(head=Trail().head).tick()
    assert logged(caplog) == [str(FIRST)]


async def test_an_empty_trail_has_no_end_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    channel = Channel()
    await Anchoring(head=Trail(Anchor()).head, post=channel.post).tick()
    assert (logged(caplog), channel.posted) == ([], [])


@pytest.mark.parametrize("failure", [Unavailable("Slack cannot be reached."), SlackFailed("Slack refused.", code="x")])
async def test_what_slack_did_not_take_comes_with_the_next_round(
    failure: BotError, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Channel(failure)
    anchoring = Anchoring(head=Trail().head, post=channel.post)
    await anchoring.tick()
    assert (logged(caplog), channel.posted) == ([str(FIRST)], [])
    channel.failure = None
    await anchoring.tick()
    assert (logged(caplog), channel.posted) == ([str(FIRST)], [FIRST])
