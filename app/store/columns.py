"""Column types that mean the same on both databases. They convert values and never judge them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, Dialect, Float, Text
from sqlalchemy.types import TypeDecorator

# PostgreSQL refuses NUL and lone surrogates, SQLite refuses the latter: one odd character must not stop a poll.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class PlainText(TypeDecorator[str]):
    """Text; the few characters a database cannot hold become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Make it storable."""
        return None if value is None else storable(value)


def storable(value: str) -> str:
    """The text as both databases can hold it, and plain: drivers treat enum members in their own ways."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware UTC goes in, aware UTC comes out. SQLite keeps no time zone, so it is taken off and put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: nobody knows which moment it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must be aware UTC")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Always aware UTC, whatever the session's time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Seconds(TypeDecorator[timedelta]):
    """A length of time, kept as seconds."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> float | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Seconds."""
        return None if value is None else value.total_seconds()

    def process_result_value(self, value: float | None, dialect: Dialect) -> timedelta | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """And back."""
        return None if value is None else timedelta(seconds=value)
