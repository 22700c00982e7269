"""Raw requests at the Slack door of the running bot: what Slack did not sign just now has no effect at all."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

import httpx
import pytest
from journeys.driver import APPROVE, Json, Sandbox, Shown, tail

LARGEST = 256 * 1024


def headers(secret: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """As Slack signs: HMAC-SHA256 over version, time and raw body."""
    stamp = str(int(time.time() if at is None else at))
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    form = "application/x-www-form-urlencoded"
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}", "Content-Type": form}


def click(sandbox: Sandbox, card: Shown, **other: object) -> bytes:
    """The payload of Ann's press on Approve, as Slack sends it."""
    settings = sandbox.settings
    ann = next(person for person in sandbox.world()["people"] if person["id"] == "ann")
    payload = {
        "type": "block_actions",
        "api_app_id": settings["app_id"],
        "team": {"id": settings["team"]},
        "user": {"id": ann["slack"], "team_id": settings["team"]},
        "container": {"type": "message", "message_ts": card.id, "channel_id": card.channel},
        "channel": {"id": card.channel},
        "actions": [{**card.buttons[APPROVE], "block_id": "pim_decide:1", "action_ts": f"{time.time():.6f}"}],
        "trigger_id": f"{time.time()}.1",
        "response_url": f"{sandbox.world_url}/slack/response/unknown",
    }
    return urlencode({"payload": json.dumps({**payload, **other})}).encode()


@pytest.fixture(scope="module")
def card(shared: Sandbox) -> Shown:
    return shared.posted(shared.ask())


@pytest.fixture
def door(shared: Sandbox) -> Callable[[bytes, Json], httpx.Response]:
    def post(body: bytes, fields: Json) -> httpx.Response:
        url = f"{shared.settings['bot_url']}/slack/events"
        return httpx.post(url, content=body, headers=fields, trust_env=False)

    return post


@pytest.fixture
def secret(shared: Sandbox) -> str:
    return str(shared.settings["env"]["PIM_SLACK_SIGNING_SECRET"])


Door = Callable[[bytes, Json], httpx.Response]


def opened_forms(sandbox: Sandbox) -> list[Json]:
    return sandbox.calls("slack", "POST", "/views.open")


def without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


FORGED: dict[str, Callable[[str, bytes], tuple[bytes, dict[str, str]]]] = {
    "unsigned": lambda s, b: (b, without(headers(s, b), "X-Slack-Signature", "X-Slack-Request-Timestamp")),
    "no time": lambda s, b: (b, without(headers(s, b), "X-Slack-Request-Timestamp")),
    "another secret": lambda _, b: (b, headers("0" * 32, b)),
    "stale": lambda s, b: (b, headers(s, b, time.time() - 301)),
    "from the future": lambda s, b: (b, headers(s, b, time.time() + 303)),
    "tampered": lambda s, b: (b.replace(b"U0ANNALDER", b"U0BENBROOK"), headers(s, b)),
    "one byte more": lambda s, b: (b + b"&", headers(s, b)),
    "another version": lambda s, b: (b, {**headers(s, b), "X-Slack-Signature": "v1=" + "0" * 64}),
    "smuggled ssl_check": lambda s, b: (b"ssl_check=1&" + b, headers(s, b)),
}


@pytest.mark.parametrize("how", FORGED)
def test_what_slack_did_not_sign_is_refused(shared: Sandbox, card: Shown, door: Door, secret: str, how: str) -> None:
    before = len(opened_forms(shared))
    answer = door(*FORGED[how](secret, click(shared, card)))
    assert (answer.status_code, answer.text) == (401, "Not signed by Slack.")
    assert answer.headers["x-slack-no-retry"] == "1"
    assert forms_after_a_genuine_click(shared, card) == before + 1


def test_what_is_too_large_is_not_read(shared: Sandbox, door: Door, secret: str) -> None:
    body = b"payload=" + quote("x" * LARGEST).encode()
    assert door(body, headers(secret, body)).status_code == 413
    assert shared.ready()["status"] == "ok"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_posts_are_answered(shared: Sandbox, method: str) -> None:
    answer = httpx.request(method, f"{shared.settings['bot_url']}/slack/events", trust_env=False)
    assert answer.status_code == 405


def test_the_same_click_delivered_again_opens_one_form(shared: Sandbox, card: Shown, door: Door, secret: str) -> None:
    before = len(opened_forms(shared))
    body = click(shared, card)
    answers = [door(body, headers(secret, body)) for _ in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "")] * 3
    assert forms_after_a_genuine_click(shared, card) == before + 2


@pytest.mark.parametrize(
    "other, status",
    [
        ({"api_app_id": "A0SOMEBODY"}, 403),
        ({"team": {"id": "T0ELSEWHERE"}}, 403),
        ({"user": {"id": "U0ANNALDER", "team_id": "T0ELSEWHERE"}}, 200),
    ],
    ids=["another app", "another workspace", "a person of another workspace"],
)
def test_a_signed_click_of_elsewhere_is_ignored(
    shared: Sandbox, card: Shown, door: Door, secret: str, other: Json, status: int
) -> None:
    before = len(opened_forms(shared))
    body = click(shared, card, **other)
    assert door(body, headers(secret, body)).status_code == status
    assert forms_after_a_genuine_click(shared, card) == before + 1


@pytest.mark.parametrize("change", [{"value": "guessed"}, {"action_id": "pim_grant_everything"}])
def test_a_button_we_did_not_draw_opens_nothing(
    shared: Sandbox, card: Shown, door: Door, secret: str, change: Json
) -> None:
    before = len(opened_forms(shared))
    action = {**card.buttons[APPROVE], "block_id": "pim_decide:1", "action_ts": f"{time.time():.6f}", **change}
    body = click(shared, card, actions=[action])
    assert door(body, headers(secret, body)).status_code == 200
    assert forms_after_a_genuine_click(shared, card) == before + 1


def forms_after_a_genuine_click(sandbox: Sandbox, card: Shown) -> int:
    """Ann presses the real button; whatever came before it was handled by then."""
    sandbox.form("ann", card)
    return len(opened_forms(sandbox))


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload={", b"payload=[]", b"payload=null", b"\xff\xfe=\x00", b"{}"]
)
def test_signed_nonsense_is_answered_and_harms_nothing(shared: Sandbox, door: Door, secret: str, body: bytes) -> None:
    assert door(body, headers(secret, body)).status_code < 500
    assert shared.ready()["status"] == "ok"


def test_nothing_of_a_refused_body_is_logged(shared: Sandbox, door: Door) -> None:
    door(b"payload=very-private-words", {"X-Slack-Signature": "v0=1"})
    assert "very-private-words" not in shared.log.read_text(encoding="utf-8"), tail(shared.log)
