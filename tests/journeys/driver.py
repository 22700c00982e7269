"""Drives the sandbox from outside: real processes, its `/control`, and Slack as each person sees it.

It waits on conditions with a deadline, never for a fixed time, and knows the bot by HTTP and command line only.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from journeys.screens import APPROVE, DENY, OLDER, SIGN_IN, Json, Shown, shown
from security import canaries

__all__ = ["APPROVE", "DENY", "OLDER", "SIGN_IN", "Json", "Sandbox", "Shown", "running", "shown", "until"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0  # seconds any condition gets; busy machines are slow
SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_CLIENT_SECRET", "CLIENT_SECRET", "KEYS")
PAUSE = 0.1  # seconds between two looks
START_SECONDS = 60.0
LOG_LINES = 25
DESKS = ("entra", "azure", "group")  # the kinds of request that the bot watches
STOCK = 3  # requests that wait for the next tests; Slack takes one card a second

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = PATIENCE, what: str = "") -> T:
    """Ask again and again until the answer is true; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} seconds: {what or 'the condition'}")
        time.sleep(PAUSE)


def concurrently(*acts: Callable[[], T]) -> list[T]:
    """Do them all at the same time; their answers in order."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(lambda act: act(), acts))


@dataclass(slots=True)
class Sandbox:
    """One running sandbox: the emulated world, and the bot as its child."""

    world_url: str
    log: Path
    http: httpx.Client
    settings: Json = field(default_factory=dict)
    stock: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = self.get("settings")
        for name in SECRETS:
            canaries.secret(self.settings["env"].get(f"PIM_{name}", ""), f"the sandbox's {name}")
        for log in (self.log, self.log.with_name("sandbox.log")):
            canaries.watch_file(log)

    # --- the control calls ---

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON of many shapes
        return self._answer(self.http.get(f"{self.world_url}/control/{path}", params=dict(query)))

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON of many shapes
        return self._answer(self.http.post(f"{self.world_url}/control/{path}", json=body))

    def world(self) -> Json:
        found: Json = self.get("world")
        return found

    def fault(self, service: str, path: str, do: str = "answer", **more: object) -> None:
        """Disturb matching calls; without `times` until `mend`."""
        self.post("faults", [{"service": service, "path": path, "do": do, **more}])

    def mend(self) -> None:
        self.http.delete(f"{self.world_url}/control/faults").raise_for_status()

    def bot(self, do: str) -> None:
        self.post("bot", {"do": do})

    def calls(self, service: str, method: str, path: str, since: int = 0) -> list[Json]:
        """The world's log of calls whose path ends so."""
        lines = self.get("log", since=since)
        return [c for c in lines if (c["service"], c["method"]) == (service, method) and c["path"].endswith(path)]

    def sent(self, request: str) -> list[Json]:
        """Every decision on this request that reached Microsoft."""
        return [call for call in self.get("log") if call["method"] == "PATCH" and request in call["path"]]

    def look_for_secrets(self) -> None:
        """What people saw in Slack, and all that the bot said to Graph, ARM and Slack."""
        self.world()
        for call in self.get("log"):
            if call["service"] in ("graph", "arm", "slack") and "openid" not in call["path"]:
                canaries.look(json.dumps([call["query"], call["body"]]), f"what the bot says to {call['path']}")

    # --- the requestor's and the portal's side ---

    def ask(self, requestor: str = "rob", role: str = "Reports Reader", **more: object) -> str:
        """Somebody asks for a role; the request's id."""
        facts = {"kind": "entra", "duration": "PT1H", "justification": f"Quarterly report, asked at {time.time()}"}
        return str(self.post("requests", {**facts, "requestor": requestor, "role": role, **more})["id"])

    def waiting(self) -> tuple[str, Shown]:
        """A request of Rob's that waits already, and its card; the next ones are asked for early."""
        while len(self.stock) <= STOCK:
            self.stock.append(self.ask())
        request = self.stock.pop(0)
        return request, self.posted(request)

    def requests(self) -> list[Json]:
        """Microsoft's requests on the desks that the bot watches."""
        return [row for row in self.world()["requests"] if row["kind"] in DESKS]

    def request(self, request: str) -> Json:
        found: Json = next(row for row in self.world()["requests"] if row["id"] == request)
        return found

    def decide_in_portal(self, request: str, by: str, verdict: str, comment: str = "Seen in the portal") -> None:
        self.post(f"requests/{request}/decide", {"by": by, "verdict": verdict, "comment": comment})

    def withdraw(self, request: str) -> None:
        self.post(f"requests/{request}/cancel", {})

    # --- what is on people's screens ---

    def channel(self) -> list[Shown]:
        """The approvers channel."""
        return self._messages(lambda channel: channel["id"] == self.settings["channel"])

    def cards(self, request: str) -> list[Shown]:
        """Every message in the channel that shows this request."""
        return [message for message in self.channel() if message.kind == "pim_card" and request in message.words]

    def offers(self, card: Shown) -> bool:
        """Whether this very card still stands there with its buttons."""
        return any(message.id == card.id and message.decidable for message in self.channel())

    def directs(self, user: str) -> list[Shown]:
        """What the bot wrote to somebody alone."""
        return self._messages(lambda channel: channel["kind"] == "dm" and channel["with"] == user)

    def notices(self, user: str) -> list[Shown]:
        """What somebody was told once; what follows a request is left out."""
        return [message for message in self.directs(user) if message.kind == "pim_notice"]

    def whispers(self, user: str) -> list[Shown]:
        return [shown(note) for note in self.world()["ephemerals"] if note["user"] == user]

    def modal(self, user: str) -> Shown | None:
        """The modal on top of somebody's screen."""
        mine = [view for view in self.world()["modals"] if view["user"] == user]
        return shown(mine[-1]) if mine else None

    def _messages(self, wanted: Callable[[Json], bool]) -> list[Shown]:
        return [shown(m) for channel in self.world()["channels"] if wanted(channel) for m in channel["messages"]]

    # --- waiting ---

    def until(self, condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
        """As `until`, with the end of the bot's log beside the complaint."""
        try:
            return until(condition, seconds, what)
        except AssertionError as late:
            raise AssertionError(f"{late}\nThe end of the bot's log:\n{tail(self.log)}") from None

    def posted(self, request: str) -> Shown:
        """Its card, with buttons; seen twice, since Slack shows it a moment before the bot hears where it is."""

        def look() -> Shown | None:
            return only([card for card in self.cards(request) if card.decidable])

        self.until(look, f"a card for {request}")
        return self.until(look, f"the card for {request} to stay")

    def ended(self, request: str, word: str, seconds: float = PATIENCE) -> Shown:
        """Its card, without buttons, saying this."""

        def look() -> Shown | None:
            card = only(self.cards(request))
            return card if card and not card.decidable and word in card.words else None

        return self.until(look, f"a card of {request} without buttons that says {word!r}", seconds)

    def told(self, user: str, *words: str) -> Shown:
        """The first notice that says all this."""

        def look() -> Shown | None:
            return next((m for m in self.notices(user) if all(word in m.words for word in words)), None)

        return self.until(look, f"a direct message to {user} that says {words}")

    def whispered(self, user: str, act: Callable[[], object]) -> Shown:
        """Do it; the next whisper to this person."""
        seen = {note.id for note in self.whispers(user)}
        act()
        return self.until(
            lambda: next((note for note in self.whispers(user) if note.id not in seen), None), f"a whisper to {user}"
        )

    def ready(self) -> Json:
        found: Json = self.http.get(f"{self.settings['bot_url']}/readyz").json()
        return found

    def until_note(self, words: str) -> None:
        """Until /readyz says so."""
        self.until(lambda: words in " ".join(self.ready()["notes"]), f"a note in /readyz: {words}")

    def until_well(self) -> None:
        self.until(lambda: self.ready()["status"] == "ok", "/readyz without notes")

    # --- what people do in Slack ---

    def sign_in(self, user: str, **others: str) -> Json:
        """Walk the sign-in pages; `slack` and `microsoft` name who sits there instead."""
        found: Json = self.post("sign-in", {"user": user, **others})
        return found

    def signed_in(self, *users: str) -> None:
        for user in users:
            walked = self.sign_in(user)
            assert walked["ok"], f"{user} could not sign in: {walked}\n{tail(self.log)}"

    def command(self, user: str, text: str) -> Shown:
        """Type `/pim ...`; the answer, whichever way it comes."""
        return self.whispered(user, lambda: self.post("command", {"user": user, "text": text}))

    def press(self, user: str, message: Shown, action: str) -> Json:
        where = {"view_id": message.id} if not message.channel else {"channel": message.channel, "ts": message.id}
        answer: Json = self.post("click", {"user": user, "action_id": action, **where})
        assert answer["status"] == httpx.codes.OK, answer
        return answer

    def form(self, user: str, card: Shown, action: str = APPROVE) -> Shown:
        """Press a button of a card; the modal that opens. Told that the card is out of date, a person presses again."""
        before, refusals = self.modal(user), len(self._out_of_date(user))
        self.press(user, card, action)

        def look() -> Shown | None:
            nonlocal refusals
            if len(self._out_of_date(user)) > refusals:  # pressed before Slack had told the bot where its card is
                refusals += 1
                self.press(user, card, action)
            modal = self.modal(user)
            return modal if modal and modal.kind == "pim_decide" and modal != before else None

        return self.until(look, f"a form for {user}")

    def _out_of_date(self, user: str) -> list[Shown]:
        return [whisper for whisper in self.whispers(user) if "card is out of date" in whisper.words]

    def submit(self, user: str, form: Shown, words: str, block: str = "comment") -> Json:
        answer: Json = self.post("submit", {"user": user, "view_id": form.id, "values": {block: words}})
        return answer

    def outcome(self, user: str) -> str:
        """What the modal finally says."""

        def look() -> str:
            modal = self.modal(user)
            over = modal is not None and modal.kind == "pim_result" and "Sending to Microsoft" not in modal.words
            return modal.words if modal and over else ""

        return self.until(look, f"an outcome in the modal of {user}")

    def approve(self, user: str, card: Shown, words: str = "Checked, go ahead") -> str:
        """From the click to what the modal finally says."""
        self.submit(user, self.form(user, card), words)
        return self.outcome(user)

    def deny(self, user: str, card: Shown, reason: str) -> str:
        self.submit(user, self.form(user, card, DENY), reason, block="reason")
        return self.outcome(user)

    def _answer(self, response: httpx.Response) -> Any:  # noqa: ANN401 - JSON of many shapes
        assert response.is_success, f"{response.request.url} {response.status_code}: {response.text}"
        return response.json()


def only(items: list[T]) -> T | None:
    """The one item; None when there is none. Two are a mistake nobody should wait through."""
    assert len(items) <= 1, f"expected one, found {len(items)}: {items}"
    return items[0] if items else None


def tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else ["(no log)"]
    return "\n".join(lines[-LOG_LINES:])


# --- processes ---


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on right now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def environment(**settings: str) -> dict[str, str]:
    """Our own environment without any `PIM_*` of the caller, then these settings; quick rounds by default."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIM_") and name != "PORT"}
    quick = {"PIM_POLL_SECONDS": "1", "PIM_SETTLE_SECONDS": "2"}
    return own | quick | {f"PIM_{name.upper()}": value for name, value in settings.items()}


@contextmanager
def running(data: Path, **settings: str) -> Iterator[Sandbox]:
    """A sandbox of one's own, ended by its own process id; its log must hold no traceback."""
    port, bot_port = free_ports(2)
    ports = ["--port", str(port), "--bot-port", str(bot_port)]
    command = [sys.executable, "-m", "app", "sandbox", "--no-browser", *ports, "--data", str(data)]
    log = data / "bot.log"
    with (data / "sandbox.log").open("wb") as out, httpx.Client(trust_env=False, timeout=60) as http:
        child = subprocess.Popen(command, cwd=ROOT, env=environment(**settings), stdout=out, stderr=out)  # noqa: S603 - ours
        try:
            _await_start(child, f"http://localhost:{bot_port}/healthz", http, data / "sandbox.log")
            sandbox = Sandbox(f"http://127.0.0.1:{port}", log, http)
            yield sandbox
            sandbox.look_for_secrets()
        finally:
            _end(child)
    assert child.returncode == 0, tail(data / "sandbox.log")
    canaries.look_into(f"sqlite+aiosqlite:///{data / 'pim.db'}")
    assert "Traceback" not in log.read_text(encoding="utf-8"), tail(log)


def _await_start(child: subprocess.Popen[bytes], health: str, http: httpx.Client, log: Path) -> None:
    def started() -> bool:
        assert child.poll() is None, f"the sandbox ended at once:\n{tail(log)}"
        try:
            return http.get(health).is_success
        except httpx.TransportError:
            return False

    until(started, START_SECONDS, "the sandbox answers")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def pretty(value: object) -> str:
    """For messages of failed assertions."""
    return json.dumps(value, indent=1)[:4000]
