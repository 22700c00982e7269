"""What an exception of the driver means: an outage that passes, or a mistake of ours. It catches nothing for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Unavailable

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

GONE = "The database cannot be used right now. Please try again in a minute."
STOPPING = "The bot is stopping. Nothing was changed; please try again in a minute."
_SQLITE_ERROR = 1  # SQLite's code for "your SQL is wrong": our mistake, not an outage
_SQLITE_RUINED = (11, 26)  # the file is damaged, or no database at all


@contextmanager
def told_plainly() -> Iterator[None]:
    """Let an outage leave as Unavailable, and everything else unchanged."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        told = plain(error)
        if told is error:
            raise
        raise told from error


def plain(error: Exception) -> Exception:
    """Unavailable when this means that the database is gone, busy, full or read-only; else the error itself."""
    if isinstance(error, exc.TimeoutError):
        return _unavailable(error)
    if not isinstance(error, exc.DBAPIError):
        return error
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code == _SQLITE_ERROR:
        return error
    broken = isinstance(error, (exc.OperationalError, exc.InterfaceError, exc.InternalError))
    gone = broken or error.connection_invalidated or code in _SQLITE_RUINED
    return _unavailable(error) if gone else error


def _unavailable(error: Exception) -> Unavailable:
    unavailable = Unavailable(GONE)
    unavailable.__cause__ = error
    return unavailable
