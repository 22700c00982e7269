"""A tap on the wire between the bot and Microsoft: passes calls on to the emulated world and keeps what is secret.

On command it answers by itself, in the worst way: with everything it was sent, secrets included.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx

SECRET_FIELDS = frozenset(
    {"access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "client_assertion"}
)
HOP = frozenset({"connection", "content-length", "host", "transfer-encoding", "content-encoding", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class Spoken:
    """One call as it was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    def everything(self) -> str:
        """All of it, as careless services quote it in their errors."""
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items()), self.body]
        return "\n".join(lines)


Answer = tuple[int, str, str]  # status, content type, body


@dataclass(slots=True)
class Tap:
    """`upstream`: the world's root, empty until it is known; `rude`: paths that are answered here, and how."""

    url: str = ""
    upstream: str = ""
    rude: list[tuple[re.Pattern[str], Callable[[Spoken], Answer]]] = field(default_factory=list)
    secrets: dict[str, set[str]] = field(default_factory=dict)
    rudely_answered: int = 0

    def answer(self, call: Spoken) -> Answer:
        """What the caller gets; whatever was secret in the call or the answer is kept."""
        self.note("bearer", call.headers.get("authorization", "").removeprefix("Bearer "))
        self._note_fields(dict(parse_qsl(call.body)))
        for pattern, how in self.rude:
            if pattern.search(f"{call.method} {call.path}"):
                self.rudely_answered += 1
                return how(call)
        return self._passed_on(call) if self.upstream else (503, "text/plain", "not yet")

    def note(self, kind: str, value: str) -> None:
        """Keep a secret."""
        if value:
            self.secrets.setdefault(kind, set()).add(value)

    def _note_fields(self, fields: dict[str, Any]) -> None:
        for name in SECRET_FIELDS & fields.keys():
            self.note(name, str(fields[name]))

    def _passed_on(self, call: Spoken) -> Answer:
        headers = {name: value for name, value in call.headers.items() if name not in HOP}
        address = self.upstream + call.path
        with httpx.Client(trust_env=False, timeout=30) as http:
            heard = http.request(call.method, address, content=call.body.encode(), headers=headers)
        kind = heard.headers.get("content-type", "")
        if "json" in kind and isinstance(heard.json(), dict):
            self._note_fields({name: value for name, value in heard.json().items() if name != "code"})
        return heard.status_code, kind, heard.text


def graph_echo(call: Spoken) -> Answer:
    """A 500 of a proxy before Graph that prints the call it could not pass on."""
    error = {"code": "generalException", "message": call.everything()}
    return 500, "application/json", json.dumps({"error": error})


def graph_refusal(call: Spoken) -> Answer:
    """A 403 whose message and inner error hold the token."""
    error = {"code": call.headers.get("authorization", ""), "message": call.everything()}
    return 403, "application/json", json.dumps({"error": error})


def login_refusal(call: Spoken) -> Answer:
    """The token endpoint's refusal, quoting the form it was sent."""
    text = f"AADSTS7000215: Invalid client secret provided: {call.everything()}"
    return (
        401,
        "application/json",
        json.dumps({"error": "invalid_client", "error_description": text, "error_codes": []}),
    )


def html_page(call: Spoken) -> Answer:
    """A page where JSON belongs, with everything in it."""
    return 200, "text/html", f"<html><pre>{call.everything()}</pre></html>"


@contextmanager
def tapped() -> Iterator[Tap]:
    """A tap on a port of its own."""
    tap = Tap()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(tap))
    tap.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(tap: Tap) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Spoken(self.command, self.path, headers, self.rfile.read(length).decode())
            status, kind, body = tap.answer(call)
            raw = body.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the names http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            del format, args  # nobody reads it

    return Handler
