"""Ports of an export: what the store adds to the rows, and the way of a file to one person. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from app.domain.request import RequestKey
from app.ports.book import Query


class Ledger(Protocol):
    """What only an export asks of memory."""

    async def count(self, query: Query) -> int:
        """How many requests were made in the time of the query, whatever else it asks; for a progress bar."""

    async def answers(self, keys: Sequence[RequestKey]) -> Mapping[RequestKey, str]:
        """What Microsoft called its answer to the decision that counted; missing where none was sent from here."""

    async def exported(self, who: str, facts: Mapping[str, str], now: datetime) -> None:
        """Write into the audit trail what is about to leave; `who`: an object id, or `os:` and an operator's name."""


class Files(Protocol):
    """Files for one person. Raises Unavailable or SlackFailed."""

    async def deliver(self, user: str, name: str, content: bytes, words: str) -> None:
        """Into the direct conversation with a Slack user, with these words (mrkdwn, ours alone) beside it."""
