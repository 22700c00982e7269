"""The watch over secrets: whichever test runs, one that shows up where none may be fails it. A pytest plugin.

Every made-up secret of the tests is known here: by the word "canary" in it, by its shape (Slack's tokens, JSON Web
Tokens, Entra's opaque codes and refresh tokens), or because `secret` was told. Watched are the log as production would
print it, standard output and error of the tests and of every process they start, what the bot answers to browsers, what
it says to Graph, ARM and Slack, and every row and file of its databases.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import subprocess
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from app.main.lines import FIELDS
from app.main.logs import NOISY, Redaction
from app.sandbox.people import Settings as World

MARK = "hot"  # on tests that handle secrets in the open, to show that they are taken out
OURS = ("app.", "handlers.", "blocks.")
BOTS = frozenset({"localhost", "pim.example", "pim.example.com"})  # hosts where a bot answers; the world has another
_SHAPES = (
    ("canary", re.compile(r"canary")),
    ("xox", re.compile(r"\bxox[a-z]-[\w-]{4,}")),
    ("xapp-", re.compile(r"\bxapp-[\w-]{4,}")),
    ("eyJ", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    ("1.A", re.compile(r"\b1\.A[\w-]{40,}")),
)
_SLACKS_OWN = _SHAPES[1][1]  # Slack's tokens are no secret to Slack
_DOUBLES = "aiohttp.access"  # the log of servers that the tests themselves run
_known: dict[str, str] = {}
_sightings: list[str] = []
_files: dict[Path, int] = {}
_lock = threading.Lock()


def secret(text: str, name: str = "a secret of the tests") -> str:
    """Watch for this text from now on; it comes back."""
    for part in (text, text.partition(":")[2].rstrip("=")):  # an entry of PIM_KEYS, and the key alone
        if len(part) >= 8:
            # As it is, as addresses and forms carry it, and as JSON does.
            written = (part, quote(part, safe=""), quote_plus(part), json.dumps(part)[1:-1])
            _known.update(dict.fromkeys(written, name))
    return text


def seen_in(text: str) -> list[str]:
    """What is secret in a text, named and cut short: a report must not be a leak of its own."""
    found = [f"{pattern[0]}… ({text[max(at.start() - 30, 0) : at.start() + 8]!r}…)" for pattern, at in _shaped(text)]
    return found + [f"{name} ({value[:4]}…)" for value, name in _known.items() if value in text]


def look(text: str | bytes, where: str) -> None:
    """Note what must not be there; the test that runs now fails."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    with _lock:
        _sightings.extend(f"{where}: {what}" for what in seen_in(text))


def watch_file(path: Path) -> None:
    """Look at whatever is written to this file while tests run, a log of a process for instance."""
    _files.setdefault(path, 0)


def look_into(database_url: str) -> None:
    """Look at everything in a database, as whoever steals it would."""
    if database_url.startswith("sqlite"):
        main = database_url.partition(":///")[2]
        for path in (Path(main), Path(f"{main}-wal")):
            if path.exists():
                look(path.read_bytes(), f"the file {path.name}")
        return
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        look_at_rows(connection)


def look_at_rows(connection: psycopg.Connection[Any]) -> list[str]:
    """The same for a PostgreSQL database that is connected already; the tables that hold any row come back.

    One question for all tables: this follows every test of the store.
    """
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    each = [
        sql.SQL("SELECT {}, t::text FROM {} AS t").format(sql.Literal(name), sql.Identifier(name)) for (name,) in names
    ]
    found: dict[str, list[str]] = {}
    for name, row in connection.execute(sql.SQL(" UNION ALL ").join(each)) if each else ():
        found.setdefault(name, []).append(row)
    for name, rows in found.items():
        look("\n".join(rows), f"the table {name}")
    return list(found)


def _shaped(text: str) -> Iterator[tuple[tuple[str, re.Pattern[str]], re.Match[str]]]:
    for shape in _SHAPES:
        beginning, pattern = shape
        at = pattern.search(text) if beginning in text else None  # most texts hold none, and a plain search is quick
        if at is not None:
            yield shape, at


for _value, _name in (
    (World().signing_secret, "the sandbox's signing secret"),
    (World().slack_client_secret, "the sandbox's Slack client secret"),
    (World().client_secret, "the sandbox's Microsoft client secret"),
):
    secret(_value, _name)


# --- the log ---


class _Ear(logging.Handler):
    """Hears every record: our own words as they are, everybody else's as production would print them."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == _DOUBLES:
            return
        shown = copy.copy(record)
        Redaction(_known).filter(shown)
        fields = " ".join(str(getattr(shown, name, "")) for name in FIELDS)
        look(f"{shown.msg}\n{fields}\n{shown.exc_text or ''}\n{shown.stack_info or ''}", f"the log of {record.name}")
        if record.name.startswith(OURS) and not record.name.startswith("app.sandbox"):
            look(record.getMessage(), f"what {record.name} logs itself")


@contextmanager
def _listening() -> Iterator[None]:
    """As `app.main.logs` sets it up."""
    ear, root = _Ear(logging.DEBUG), logging.getLogger()
    before = {name: logging.getLogger(name).level for name in ("", "apscheduler", *NOISY)}
    for name in before:
        logging.getLogger(name).setLevel(logging.WARNING if name in NOISY else logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    root.addHandler(ear)
    yield
    root.removeHandler(ear)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


# --- HTTP, and processes ---


def _heard(request: httpx.Request, response: httpx.Response) -> None:
    path = request.url.path
    if request.url.host in BOTS:
        headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
        look(f"{headers}\n{_body(response)}", f"what the bot answers to {request.method} {path}")
    elif path == "/control/world":
        look(_body(response), "what people see in Slack")
    elif _is_resource(request):
        said = _SLACKS_OWN.sub("", _body(request)) if "/slack/" in path else _body(request)
        look(f"{request.url}\n{said}", f"what the bot says to {request.url.host}{path}")


def _is_resource(request: httpx.Request) -> bool:
    """Graph, ARM and Slack: sign-in services are told secrets by right."""
    url = request.url
    real = url.host.startswith(("graph.", "management.", "dod-graph.", "microsoftgraph."))
    emulated = url.path.startswith(("/graph/", "/arm/", "/slack/api/"))
    return (real or emulated) and "openid" not in url.path


def _body(message: httpx.Request | httpx.Response) -> str:
    try:
        return message.content.decode("utf-8", errors="replace")
    except (httpx.RequestNotRead, httpx.ResponseNotRead):
        return ""


def _sending(send: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    def heard(self: httpx.Client, request: httpx.Request, **options: object) -> httpx.Response:
        response = send(self, request, **options)
        _heard(request, response)
        return response

    return heard


def _sending_async(send: Callable[..., Any]) -> Callable[..., Any]:
    async def heard(self: httpx.AsyncClient, request: httpx.Request, **options: object) -> httpx.Response:
        response: httpx.Response = await send(self, request, **options)
        _heard(request, response)
        return response

    return heard


def _running(run: Callable[..., Any]) -> Callable[..., Any]:
    def heard(*arguments: object, **options: object) -> object:
        done = run(*arguments, **options)
        for stream in (done.stdout, done.stderr):
            look(stream or "", "what a process printed")
        return done

    return heard


def _invoking(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def heard(self: CliRunner, *arguments: object, **options: object) -> object:
        result = invoke(self, *arguments, **options)
        look(result.output, "what a command printed")
        return result

    return heard


# --- the plugin ---


def pytest_configure(config: pytest.Config) -> None:
    patches = pytest.MonkeyPatch()
    patches.setattr(httpx.Client, "send", _sending(httpx.Client.send))
    patches.setattr(httpx.AsyncClient, "send", _sending_async(httpx.AsyncClient.send))
    patches.setattr(subprocess, "run", _running(subprocess.run))
    patches.setattr(CliRunner, "invoke", _invoking(CliRunner.invoke))
    config.add_cleanup(patches.undo)
    listening = _listening()
    listening.__enter__()
    config.add_cleanup(lambda: listening.__exit__(None, None, None))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    del call
    report = yield
    found = [*_taken(), *_printed(report.sections)]
    if found and item.get_closest_marker(MARK) is None:
        report.outcome = "failed"
        report.longrepr = "\n".join(
            ("A secret was seen where none may be.", *dict.fromkeys(found), str(report.longrepr))
        )
    return report


def _taken() -> list[str]:
    """What was noted since the last time, log files included."""
    for path, offset in list(_files.items()):
        if path.exists():
            with path.open("rb") as file:
                file.seek(offset)
                new = file.read()
            look(new, f"the file {path.name}")
            _files[path] = offset + len(new)
    with _lock:
        found, _sightings[:] = list(_sightings), []
    return found


def _printed(sections: Iterable[tuple[str, str]]) -> list[str]:
    """Of what pytest captured: the streams. The log is heard where it is made."""
    return [f"{title}: {what}" for title, text in sections if "log" not in title for what in seen_in(text)]
