"""Reading what browsers post: capped while it streams, plain form encoding only. It keeps nothing."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from app.domain.errors import BotError

LARGEST = 64 * 1024  # bytes; Microsoft's code is a few kilobytes
MOST_FIELDS = 32
TYPE = "application/x-www-form-urlencoded"


class TooLarge(BotError):
    """The page sent more than this address takes."""


class NoForm(BotError):
    """The page sent something else than the form this address expects."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields, each given once; TooLarge without reading further, NoForm for anything that is no such form."""
    body = await _read(request)
    if body and request.headers.get("content-type", "").split(";")[0].strip().lower() != TYPE:
        raise NoForm
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise NoForm from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NoForm
    return fields


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:10]) > LARGEST:
        raise TooLarge
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise TooLarge
    return body
