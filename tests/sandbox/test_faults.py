"""Faults disturb exactly the calls they name, as often as they say, and the log tells what reached the services."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any, TypedDict, Unpack

import httpx
import pytest
import uvicorn
from sandbox.world_rig import APPROVALS, ROLE_REQUESTS, Rig

from app.sandbox.activations import Request
from app.sandbox.faults import ConnectionDropped, Deed, Fault


class More(TypedDict, total=False):
    """What else a fault may say."""

    method: str
    status: int
    headers: dict[str, str]
    body: object
    seconds: float
    times: int


@pytest.fixture
def rig() -> Rig:
    return Rig()


def order(rig: Rig, do: Deed, path: str = "", service: str = "graph", **more: Unpack[More]) -> None:
    rig.world.faults.append(Fault(service, re.compile(path), do, **more))


async def test_answer_stands_in_for_the_service(rig: Rig) -> None:
    order(rig, "answer", "/me$", status=429, headers={"Retry-After": "7"}, body={"error": {"code": "TooMany"}})
    answer = await rig.graph("/v1.0/me", "ann")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"error": {"code": "TooMany"}}


async def test_text_answer_keeps_its_content_type(rig: Rig) -> None:
    order(rig, "answer", status=200, headers={"Content-Type": "text/html"}, body="<h1>Sorry</h1>")
    answer = await rig.graph("/v1.0/me", "ann")
    assert (answer.text, answer.headers["content-type"]) == ("<h1>Sorry</h1>", "text/html")


async def test_fault_is_used_up(rig: Rig) -> None:
    order(rig, "answer", status=503, times=2)
    statuses = [(await rig.graph("/v1.0/me", "ann")).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_fault_without_times_stays(rig: Rig) -> None:
    order(rig, "answer", status=503)
    assert {(await rig.graph("/v1.0/me", "ann")).status_code for _ in range(4)} == {503}


async def test_oldest_fault_comes_first(rig: Rig) -> None:
    order(rig, "answer", status=500, times=1)
    order(rig, "answer", status=502, times=1)
    assert [(await rig.graph("/v1.0/me", "ann")).status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    "more", [{"service": "login"}, {"method": "PATCH"}, {"path": "/users"}, {"path": "^/me"}], ids=str
)
async def test_other_calls_are_left_alone(rig: Rig, more: dict[str, Any]) -> None:
    order(rig, "answer", status=500, **more)
    assert (await rig.graph("/v1.0/me", "ann")).status_code == 200


async def test_slack_faults_see_the_method_name(rig: Rig) -> None:
    order(rig, "answer", "^/auth.test$", service="slack", status=500)
    assert (await rig.http.post("/slack/api/auth.test")).status_code == 500
    assert (await rig.http.post("/slack/api/users.info")).status_code == 200


async def patch(rig: Rig, request: Request) -> None:
    with pytest.raises(ConnectionDropped):
        await rig.decide(request, "ann")


async def test_connection_dropped_before_leaves_the_world_untouched(rig: Rig) -> None:
    request = rig.ask()
    order(rig, "drop_before", "/steps/", method="PATCH", times=1)
    await patch(rig, request)
    assert rig.world.requests[request.id].review is None
    assert rig.world.log[-1].status is None


async def test_connection_dropped_after_has_changed_the_world(rig: Rig) -> None:
    request = rig.ask()
    order(rig, "drop_after", "/steps/", method="PATCH", times=1)
    await patch(rig, request)
    assert rig.world.requests[request.id].review
    assert rig.world.log[-1].status == 204


async def test_slow_waits_and_then_serves(rig: Rig) -> None:
    order(rig, "slow", seconds=3.5)
    assert (await rig.graph("/v1.0/me", "ann")).status_code == 200
    assert rig.slept == [3.5]


async def test_log_tells_who_called_what(rig: Rig) -> None:
    request = rig.ask()
    await rig.graph(ROLE_REQUESTS, params={"$top": "5"})
    await rig.decide(request, "ann", why="fine")
    first, second = rig.world.log
    assert (first.n, first.who, first.path, first.query) == (1, "app", ROLE_REQUESTS, {"$top": "5"})
    assert (second.method, second.who, second.status) == ("PATCH", "ann", 204)
    assert second.path == f"{APPROVALS}/{request.id}/steps/{request.step_id}"
    assert second.body == {"reviewResult": "Approve", "justification": "fine"}


async def test_unauthorised_call_is_nobodys(rig: Rig) -> None:
    await rig.raw("/v1.0/me", "rubbish")
    assert (rig.world.log[-1].who, rig.world.log[-1].status) == (None, 401)


async def test_slack_calls_are_the_bots(rig: Rig) -> None:
    headers = {"authorization": f"Bearer {rig.settings.bot_token}"}
    await rig.http.post("/slack/api/auth.test", headers=headers)
    call = rig.world.log[-1]
    assert (call.service, call.path, call.who) == ("slack", "/auth.test", "bot")


async def test_control_and_page_are_not_logged(rig: Rig) -> None:
    await rig.http.get("/control/world")
    assert rig.world.log == []


async def test_log_keeps_the_newest(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sandbox.world.LOG_KEPT", 8)
    for _ in range(12):
        await rig.graph("/v1.0/me", "ann")
    assert [call.n for call in rig.world.log][-1] == 12
    assert len(rig.world.log) <= 8


@pytest.fixture
async def served(rig: Rig) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(rig.app, lifespan="off", log_level="critical", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.mark.parametrize("do", ["drop_before", "drop_after"])
async def test_real_connection_is_cut_without_an_answer(rig: Rig, served: str, do: Deed) -> None:
    request = rig.ask()
    order(rig, do, times=1)
    headers = {"authorization": f"Bearer {rig.user_token('ann')}"}
    url = f"{served}/graph{APPROVALS}/{request.id}/steps/{request.step_id}"
    body = {"reviewResult": "Approve", "justification": "ok"}
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.patch(url, json=body, headers=headers)
        assert (await client.get(f"{served}/graph/v1.0/me", headers=headers)).status_code == 200
    assert bool(rig.world.requests[request.id].review) is (do == "drop_after")
