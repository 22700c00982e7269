"""How commands print: names of people made harmless for a terminal, moments in UTC, plain tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from blocks.text import inert

NAME_LIMIT, WIDTH = 60, 160  # characters


def shown(text: str, limit: int = NAME_LIMIT) -> str:
    """Text from people or Microsoft, on one line: escape sequences and hidden characters become visible."""
    return inert(text, limit)


def moment(at: datetime) -> str:
    """`2026-11-23 09:30 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns below their titles, after an empty line; nothing at all without rows. Cells are text, never markup."""
    drawn = Table(box=None, pad_edge=False)
    for title in titles:
        drawn.add_column(title, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    if drawn.row_count:
        Console(highlight=False, width=WIDTH).print("", drawn, sep="\n")
