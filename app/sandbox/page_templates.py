"""The page's templates, rendered with escaping on. Importing it reads nothing; it keeps no data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

FOLDER = Path(__file__).parent / "page"


def render(name: str, **values: Any) -> str:  # noqa: ANN401  (whatever the template shows)
    """The template as HTML, every value escaped."""
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(), undefined=StrictUndefined)
