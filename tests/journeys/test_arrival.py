"""A request reaches the people who can approve it: mentions, messages of their own, one nudge, and the alarm."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from journeys.driver import Json, Sandbox, Shown, running

KEY = "a key that only the on-call tool and the bot have"
SLACK = {"ann": "U0ANNALDER", "ben": "U0BENBROOK"}
POLICY = """
[arrival]
nudge_minutes = 0.05
[escalation]
url = "{url}"
secret_env = "PIM_ALARM_KEY"
after_minutes = 0.05
"""


@dataclass
class Tool:
    """An on-call tool on this machine: what it was told, with headers; it answers `statuses` first, then 202."""

    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def told(self, request: str) -> list[Json]:
        return [json.loads(body) for _, body in self.heard if request.encode() in body]


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    tool = Tool()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            length = int(self.headers["content-length"])
            tool.heard.append(({k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length)))
            self.send_response(tool.statuses.pop(0) if tool.statuses else 202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    tool.url = f"http://127.0.0.1:{server.server_address[1]}/alarm"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield tool
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def own(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    policy = tmp_path_factory.mktemp("policy") / "policy.toml"
    policy.write_text(POLICY.format(url=tool.url), encoding="utf-8")
    folder = tmp_path_factory.mktemp("own")
    with running(folder, policy_file=str(policy), alarm_key=KEY) as sandbox:
        sandbox.signed_in("ann", "ben")
        yield sandbox


def copies(sandbox: Sandbox, user: str, request: str) -> list[Shown]:
    """Somebody's own messages that show this request."""
    return [message for message in sandbox.directs(user) if message.kind == "pim_card" and request in message.words]


def mentioned(sandbox: Sandbox, card: Shown) -> set[str]:
    """Whom a message mentions as it stands now."""
    messages = [m for channel in sandbox.world()["channels"] for m in channel["messages"]]
    raw = next(m for m in messages if (m["channel"], m["ts"]) == (card.channel, card.id))
    return set(re.findall(r'"type": "user", "user_id": "(\w+)"', json.dumps(raw["blocks"])))


def test_a_new_card_mentions_the_known_approvers_and_an_edit_mentions_nobody(own: Sandbox) -> None:
    request = own.ask("rob", "Reports Reader")
    card = own.posted(request)
    assert mentioned(own, card) == set(SLACK.values())
    own.approve("ann", card)
    final = own.ended(request, "Approved")
    assert mentioned(own, final) == set()


def test_a_grave_request_is_a_message_to_each_approver_at_once_and_none_keeps_its_buttons(own: Sandbox) -> None:
    request = own.ask("rita", "Global Administrator")
    own.posted(request)
    mine = own.until(lambda: [m for m in copies(own, "ben", request) if m.decidable], "a message to Ben")[0]
    own.until(lambda: [m for m in copies(own, "ann", request) if m.decidable], "a message to Ann")
    assert "You can decide this." in mine.words
    assert "You approved" in own.approve("ben", mine, "Called her, it is right")
    own.ended(request, "Approved by Ben Brook")
    own.until(lambda: not any(m.decidable for u in SLACK for m in copies(own, u, request)), "no buttons anywhere")
    assert own.request(request)["reviewed_by"] == "ben"


def test_who_asks_is_not_called(own: Sandbox) -> None:
    request = own.ask("rita", "Exchange Administrator")
    own.until(lambda: copies(own, "ann", request), "a message to Ann")
    assert copies(own, "rita", request) == []


def test_an_unanswered_request_is_brought_up_once(own: Sandbox) -> None:
    request = own.ask("rob", "Guest Inviter")
    own.posted(request)
    own.until(lambda: len(copies(own, "ann", request)) == 1, "a nudge to Ann")
    assert "Nobody has answered this yet" in copies(own, "ann", request)[0].words
    own.approve("ann", copies(own, "ann", request)[0])
    own.ended(request, "Approved")
    assert len(copies(own, "ann", request)) == 1


def test_the_on_call_tool_is_told_once_signed_of_a_critical_request(own: Sandbox, tool: Tool) -> None:
    tool.statuses = [503]
    request = own.ask("rob", "Global Administrator")
    card = own.posted(request)
    own.until(lambda: len(tool.told(request)) == 2, "a second try of the alarm", 40)
    headers, body = next((h, b) for h, b in tool.heard if request.encode() in b)
    mac = hmac.new(KEY.encode(), f"{headers['x-pim-timestamp']}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-pim-signature"] == f"v1={mac}"
    facts = tool.told(request)[-1]
    assert (facts["level"], facts["role"], facts["requestor"]) == ("Critical", "Global Administrator", "Rob Reed")
    assert facts["card"].endswith(f"/archives/{card.channel}/p{card.id.replace('.', '')}")
    assert not {"justification", "ticket"} & facts.keys()


def test_the_alarms_key_is_nowhere(own: Sandbox) -> None:
    assert KEY not in own.log.read_text(encoding="utf-8")
