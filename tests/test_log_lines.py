"""Log lines: JSON for a collector, text on a terminal, one correlation from a delivery to Microsoft's answer."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from build import known_as
from graph.fake_microsoft import A_GUID, rig, token

from app.api.correlating import Correlating
from app.domain.errors import OutcomeUnknown
from app.domain.request import Verdict
from app.main.lines import line_format
from app.main.logs import MASK, Redaction
from app.ports import Vote, correlated, correlation

Lines = Callable[[], list[dict[str, Any]]]
TOKEN = "xoxb-1111-2222-canary"
STEP = "5f1f0f0e-8a0e-4f53-9c3f-6f1e1d0a7c11"
OURS = "0c5a7d3e-1111-4222-8333-444455556666"


@dataclass
class Output:
    """What a logger of ours, or of anybody else, writes; `logger` is what to log with."""

    terminal: bool = False
    stream: io.StringIO = field(default_factory=io.StringIO)
    logger: logging.Logger = field(default_factory=lambda: logging.Logger("somebody.elses"))  # noqa: LOG001 - a new one each time

    def __post_init__(self) -> None:
        handler = logging.StreamHandler(self.stream)
        handler.addFilter(Redaction(["configured-canary"]))
        handler.setFormatter(line_format(terminal=self.terminal))
        self.logger.addHandler(handler)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def line(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


@pytest.fixture
def output() -> Output:
    return Output()


# --- what a line is ---


def test_a_line_says_when_who_how_grave_and_what(output: Output) -> None:
    output.logger.warning("The %s desk cannot be read.", "entra")
    line = output.line()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "warning", "logger": "somebody.elses", "event": "The entra desk cannot be read."}


def test_only_fields_that_are_named_are_told(output: Output) -> None:
    output.logger.info("Answered.", extra={"request_id": "aa-11", "status": 204, "body": "anything"})
    line = output.line()
    assert (line["request_id"], line["status"], "body" in line) == ("aa-11", 204, False)


@pytest.mark.parametrize("words", ["a\nb", 'say "so"', "\x1b[2J", "\ud800", "\u202e", "back\\slash"])
def test_whatever_somebody_is_called_a_line_stays_one_line_of_json(output: Output, words: str) -> None:
    output.logger.info("The settings of %s could not be read.", words)
    assert output.line()["event"] == f"The settings of {words} could not be read."


@pytest.mark.parametrize("secret", [TOKEN, "configured-canary"])
def test_secrets_are_out_of_every_part_of_a_line(output: Output, secret: str) -> None:
    try:
        raise ValueError(secret)  # noqa: TRY301 - what is caught
    except ValueError:
        output.logger.exception("It failed: %s", secret, extra={"outcome": secret}, stack_info=True)
    line = output.line()
    assert secret not in output.stream.getvalue()
    assert (line["event"], line["outcome"]) == (f"It failed: {MASK}", MASK)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith(f"ValueError: {MASK}")


# --- a terminal ---


def test_on_a_terminal_it_is_text_with_the_same_words_and_no_others_line() -> None:
    output = Output(terminal=True)
    output.logger.warning("%s asks:\n2026-01-01 all is well \x1b[2J", TOKEN, extra={"request_id": "aa-11"})
    said = output.stream.getvalue()
    assert said.count("\n") == 1
    assert "\x1b[2J" not in said
    assert all(words in said for words in ("warning", MASK, "asks:", "aa-11", "somebody.elses"))


def test_on_a_terminal_a_traceback_stays_readable() -> None:
    output = Output(terminal=True)
    try:
        raise ValueError("no use")  # noqa: TRY301 - what is caught
    except ValueError:
        output.logger.exception("It failed.")
    assert "\n  | ValueError: no use\n" in output.stream.getvalue()


def test_on_a_terminal_a_traceback_forges_no_line_and_steers_nothing() -> None:
    output = Output(terminal=True)
    try:
        raise ValueError("no\n2026-01-01 all is well \x1b[2J\r\x9b2J\u2028")  # noqa: TRY301 - what is caught
    except ValueError:
        output.logger.exception("It failed.", extra={"request_id": "aa\n11"})
    first, *rest = output.stream.getvalue().rstrip("\n").split("\n")
    assert "aa\\n11" in first
    assert all(line.startswith("  | ") for line in rest)
    assert rest[-1] == "  | 2026-01-01 all is well \\x1b[2J\\r\\x9b2J\\u2028"


# --- one name for what belongs together ---


def test_a_line_outside_of_everything_has_no_name(output: Output) -> None:
    output.logger.info("Started.")
    assert "correlation" not in output.line()


async def test_what_goes_on_after_the_answer_keeps_the_name_of_its_delivery(output: Output) -> None:
    background: list[asyncio.Task[None]] = []

    async def later() -> None:
        output.logger.info("Sent.")

    async def door(_scope: object, _receive: object, _send: object) -> None:
        background.append(asyncio.create_task(later()))

    names = iter(["first", "second"])
    gate = Correlating(door, lambda: next(names))
    for _ in range(2):
        await gate({}, _never, _never)
    await asyncio.gather(*background)
    assert [line["correlation"] for line in output.lines()] == ["first", "second"]
    assert correlation() == ""


async def _never(*_: object) -> Any:  # noqa: ANN401 - an ASGI callable that is not called
    raise AssertionError


@pytest.fixture
def graph_log(output: Output) -> Iterator[Lines]:
    """What the gate to Microsoft writes."""
    gate = logging.getLogger("app.graph.client")
    gate.setLevel(logging.INFO)
    gate.addHandler(output.logger.handlers[0])
    yield output.lines
    gate.removeHandler(output.logger.handlers[0])
    gate.setLevel(logging.NOTSET)


async def decide(*answers: httpx.Response | httpx.HTTPError) -> None:
    with correlated("a-click"):
        request = known_as(A_GUID)
        await rig(*answers).desk.decide(request, Vote(STEP, Verdict.DENY, "no", OURS), token)


async def test_microsofts_name_for_its_answer_stands_beside_ours_and_the_deliverys(
    graph_log: Lines,
) -> None:
    await decide(httpx.Response(204, headers={"request-id": "aa-11"}))
    (line,) = graph_log()
    named = {name: line[name] for name in ("correlation", "client_request_id", "request_id", "status")}
    assert named == {"correlation": "a-click", "client_request_id": OURS, "request_id": "aa-11", "status": 204}


async def test_an_answer_that_was_lost_is_told_with_our_name_for_the_change(
    graph_log: Lines,
) -> None:
    with pytest.raises(OutcomeUnknown):
        await decide(httpx.ReadTimeout("canary"))
    (line,) = graph_log()
    assert (line["level"], line["client_request_id"], "request_id" in line) == ("warning", OURS, False)
