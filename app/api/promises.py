"""What the OpenAPI page promises beside the shapes: every status an address may answer with, as problem details."""

from __future__ import annotations

from typing import Any

from app.api.problems import CODES, MEDIA_TYPE
from app.api.shapes import ProblemShape

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed since the ETag that was sent"}}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses, each with the codes that come with it."""
    return {status: _answer(status) for status in statuses}


def _answer(status: int) -> dict[str, Any]:
    codes = [code for code, (number, _) in CODES.items() if number == status]
    schema = ProblemShape.model_json_schema()
    return {"description": f"Problem: {', '.join(codes)}", "content": {MEDIA_TYPE: {"schema": schema}}}
