"""Calls of the bot's own HTTP API, with tokens that the emulated Entra made."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import httpx
from journeys.driver import Json, Sandbox

PREFIX = "/api/security/pim"


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that acts for one person of the cast."""

    sandbox: Sandbox
    user: str
    resource: str = "api"

    def token(self) -> str:
        return str(self.sandbox.get("token", user=self.user, resource=self.resource)["access_token"])

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Headers are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.sandbox.settings['bot_url']}{PREFIX}/{path}"
        bearer = {"Authorization": f"Bearer {self.token()}"}
        return self.sandbox.http.request(method, url, json=body, headers=bearer | named)

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON of many shapes
        answer = self.call("GET", path)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def item(self, request: str) -> Json:
        """The request, as soon as it is there for this caller."""

        def look() -> Json | None:
            answer = self.call("GET", f"requests/{request}")
            return answer.json() if answer.is_success else None

        return self.sandbox.until(look, f"{request} for {self.user}")

    def approve(self, request: str, comment: str = "Checked", **headers: str) -> httpx.Response:
        return self.call("POST", f"approvals/{request}/approve", {"comment": comment}, **headers)

    def deny(self, request: str, reason: str, **headers: str) -> httpx.Response:
        return self.call("POST", f"approvals/{request}/deny", {"reason": reason}, **headers)


@dataclass(slots=True)
class Shell:
    """Runs the few things that the lines of a page do: set a variable, also from a call, and call with curl."""

    sandbox: Sandbox
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> httpx.Response | None:
        """One line; the answer, if it was a call."""
        found = re.fullmatch(r"(\w+)=(?:\$\((curl .*) \| (python3 .*)\)|(\S+))", line)
        if found is None:
            return self._curl(line)
        name, call, program, value = found.groups()
        if call is not None:
            _, option, code = shlex.split(program)
            done = subprocess.run(  # noqa: S603 - a line of our own page
                [sys.executable, option, code], input=self._curl(call).text, capture_output=True, text=True, check=True
            )
            value = done.stdout.strip()
        self.variables[name] = self._here(value)
        return None

    def _curl(self, line: str) -> httpx.Response:
        program, *words = [self._filled(word) for word in shlex.split(line)]
        assert program == "curl", line
        method, headers, data, urls = "GET", {}, None, []
        while words:
            word = words.pop(0)
            if word == "-X":
                method = words.pop(0)
            elif word == "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            elif word == "-d":
                data = words.pop(0)
            elif word != "-s":
                urls.append(self._here(word))
        (url,) = urls
        return self.sandbox.http.request(method, url, content=data, headers=headers)

    def _filled(self, word: str) -> str:
        return re.sub(r"\$(\w+)", lambda name: self.variables[name[1]], word)

    def _here(self, text: str) -> str:
        """The page speaks of the ports of `make demo`."""
        world = text.replace("http://127.0.0.1:8765", self.sandbox.world_url)
        return world.replace("http://localhost:8766", self.sandbox.settings["bot_url"])


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
