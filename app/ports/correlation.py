"""What everything that is done for one delivery, call or round has in common: a name in each of its log lines.

It follows the work into the tasks it starts, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("correlation", default="")


def correlation() -> str:
    """The name of what is being done; empty outside of everything."""
    return _current.get()


@contextmanager
def correlated(name: str) -> Iterator[None]:
    """What is done in here, and the tasks begun in here, go by this name."""
    before = _current.set(name)
    try:
        yield
    finally:
        _current.reset(before)
