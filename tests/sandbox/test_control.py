"""`/control` does what its contract says, in its own shapes, and refuses what it does not know with a sentence."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from sandbox.asking import ASK, AZURE, GROUP, KINDS, PROD, made, post
from sandbox.world_rig import Rig
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

Answering = Callable[[Request], Awaitable[Response]]


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_settings_give_the_bots_environment_and_ids(rig: Rig) -> None:
    settings = (await rig.http.get("/control/settings")).json()
    assert set(settings) == {
        "env", "bot_url", "team", "app_id", "channel", "tenant", "redirect_uris", "subscription", "groups",
    }  # fmt: skip
    assert settings["env"] == {"PIM_ENVIRONMENT": "sandbox"}
    assert "http://localhost:8766/sign-in/slack/callback" in settings["redirect_uris"]


async def test_world_has_the_cast_and_waiting_requests(rig: Rig) -> None:
    world = (await rig.http.get("/control/world")).json()
    assert set(world) == {"now", "people", "requests", "channels", "ephemerals", "modals", "homes"}
    people = {person["id"]: person for person in world["people"]}
    assert set(people) == {"ann", "ben", "rob", "rita", "adm-rob", "cleo", "olga", "gus"}
    assert (people["cleo"]["slack"], people["adm-rob"]["mail"]) == (None, None)
    asked = {(row["requestor"], row["role"], row["status"]) for row in world["requests"]}
    assert ("rob", "Global Administrator", "PendingApproval") in asked
    assert ("rita", "Exchange Administrator", "PendingApproval") in asked


async def test_new_request_has_the_contracts_shape(rig: Rig) -> None:
    request = await made(rig)
    identifier = request.pop("id")
    assert identifier in rig.world.requests
    assert request == {
        "kind": "entra",
        "status": "PendingApproval",
        "requestor": "rita",
        "role": "Global Reader",
        "scope": "/",
        "duration": "PT3H",
        "justification": "Quarterly audit",
        "ticket": {"number": "CHG-1", "system": "Jira"},
        "created": "2026-11-23T10:00:00.000Z",
        "expires": "2026-11-24T10:00:00.000Z",
        "reviewed_by": None,
        "verdict": None,
        "comment": None,
        "active": None,
    }


async def test_person_and_role_go_by_name_or_id(rig: Rig) -> None:
    request = await made(rig, requestor="Rob Reed (admin)", role="f2ef992c-3afb-46b9-b7cf-a126ee74c451")
    assert (request["requestor"], request["role"]) == ("adm-rob", "Global Reader")


async def test_age_makes_a_request_that_old(rig: Rig) -> None:
    assert (await made(rig, age="PT23H50M"))["expires"] == "2026-11-23T10:10:00.000Z"
    assert (await made(rig, age="P1D"))["status"] == "Failed"


async def test_start_lies_in_the_future(rig: Rig) -> None:
    request = await made(rig, start="2026-11-23T12:00:00Z")
    answer = await post(rig, f"/requests/{request['id']}/decide", {"by": "ann", "verdict": "approve"})
    assert (answer.json()["status"], answer.json()["active"]) == ("Granted", None)


async def test_portal_decision_makes_the_role_active(rig: Rig) -> None:
    request = await made(rig)
    body = {"by": "Ben Brook", "verdict": "approve", "comment": "Seen CHG-1"}
    answer = (await post(rig, f"/requests/{request['id']}/decide", body)).json()
    assert (answer["status"], answer["reviewed_by"], answer["verdict"]) == ("Provisioned", "ben", "approve")
    assert answer["active"] == {"start": "2026-11-23T10:00:00.000Z", "end": "2026-11-23T13:00:00.000Z"}


@pytest.mark.parametrize("body", [{"by": "olga", "verdict": "approve"}, {"by": "rita", "verdict": "deny"}])
async def test_portal_refuses_who_may_not_decide(rig: Rig, body: dict[str, str]) -> None:
    request = await made(rig)
    answer = await post(rig, f"/requests/{request['id']}/decide", body)
    assert answer.status_code == 400
    assert rig.world.requests[request["id"]].review is None


async def test_second_portal_decision_is_refused(rig: Rig) -> None:
    path = f"/requests/{(await made(rig))['id']}/decide"
    await post(rig, path, {"by": "ann", "verdict": "deny"})
    assert "already decided" in (await post(rig, path, {"by": "ben", "verdict": "approve"})).json()["error"]


async def test_withdrawing_cancels(rig: Rig) -> None:
    path = f"/requests/{(await made(rig))['id']}/cancel"
    assert (await post(rig, path)).json()["status"] == "Canceled"
    assert (await post(rig, path)).status_code == 400


@pytest.mark.parametrize(
    "path, body",
    [
        ("/requests", {**ASK, "colour": "blue"}),
        ("/requests", {**ASK, "kind": "azure"}),
        ("/requests", {**ASK, "action": "adminAssign"}),
        ("/requests", {**ASK, "stale": "yes"}),
        ("/requests", {**ASK, "created_by": "nobody"}),
        ("/requests", {**ASK, "approvers": ["nobody"]}),
        ("/requests", {**ASK, "approvers": [7]}),
        ("/requests", {**ASK, "approvers": "ann"}),
        ("/requests", {**ASK, "scope": "/administrativeUnits/"}),
        ("/requests", {**AZURE, "role": "Global Reader"}),
        ("/requests", {**AZURE, "scope": "Atlantis"}),
        ("/requests", {**AZURE, "scope": f"{PROD}/resourceGroups"}),
        ("/requests", {**GROUP, "role": "Owner"}),
        ("/requests", {**GROUP, "scope": "chess-club"}),
        ("/requests", {"kind": "group", "requestor": "rob", "role": "member"}),
        ("/requests", {**ASK, "kind": "planet"}),
        ("/requests", {**ASK, "requestor": "nobody"}),
        ("/requests", {**ASK, "role": "King"}),
        ("/requests", {**ASK, "duration": "2 hours"}),
        ("/requests", {**ASK, "duration": "PT0S"}),
        ("/requests", {**ASK, "age": "P999999D"}),
        ("/requests", {**ASK, "start": "2026-11-23T12:00:00"}),
        ("/requests", {**ASK, "scope": "/subscriptions/1"}),
        ("/requests", {**ASK, "ticket": {"id": "1"}}),
        ("/requests", {**ASK, "justification": 7}),
        ("/requests", {"kind": "entra", "requestor": "rob"}),
        ("/requests", ["rob"]),
        ("/click", {"user": "ann"}),
        ("/click", {"user": "ann", "action_id": "x", "colour": "blue"}),
        ("/submit", {"user": "ann", "view_id": "V1", "values": []}),
        ("/command", {"user": "nobody", "text": ""}),
        ("/command", {"user": "cleo", "text": ""}),
        ("/home", {"user": "ann", "home": True}),
        ("/sign-in", {"user": "nobody"}),
        ("/sign-in", {"user": "ann", "google": "ann"}),
        ("/bot", {"do": "dance"}),
        ("/reset", {"really": True}),
        ("/faults", {"service": "graph", "do": "slow"}),
        ("/faults", [{"service": "mail", "do": "slow"}]),
        ("/faults", [{"service": "graph", "do": "explode"}]),
        ("/faults", [{"service": "graph", "do": "answer"}]),
        ("/faults", [{"service": "graph", "do": "slow", "path": "("}]),
        ("/faults", [{"service": "graph", "do": "slow", "times": 0}]),
        ("/faults", [{"service": "graph", "do": "answer", "status": 200, "headers": {"a": 1}}]),
    ],
)
async def test_bad_input_is_one_sentence_and_changes_nothing(rig: Rig, path: str, body: object) -> None:
    before = dict(rig.world.requests)
    answer = await post(rig, path, body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.json()["error"].endswith(".")
    assert (rig.world.requests, rig.world.faults, rig.bot.told) == (before, [], [])


async def test_body_that_is_no_json_is_refused(rig: Rig) -> None:
    answer = await rig.http.post("/control/requests", content=b"{")
    assert (answer.status_code, answer.json()) == (400, {"error": "The body is not JSON."})


@pytest.mark.parametrize(
    "path", ["/world?x=1", "/log?until=3", "/log?since=x", "/token?user=ann", "/token?user=ann&resource=mail"]
)
async def test_odd_queries_are_refused(rig: Rig, path: str) -> None:
    assert (await rig.http.get(f"/control{path}")).status_code == 400


async def test_unknown_places_are_not_found(rig: Rig) -> None:
    assert (await rig.http.get("/control/weather")).json() == {"error": "There is no GET /control/weather here."}
    answer = await post(rig, "/requests/00000000-1111-4222-8333-444455556666/cancel")
    assert answer.status_code == 404


@pytest.mark.parametrize("resource", ["graph", "arm", "api"])
async def test_token_is_the_persons_own(rig: Rig, resource: str) -> None:
    answer = (await rig.http.get(f"/control/token?user=ann&resource={resource}")).json()
    claims = rig.world.key.read(answer["access_token"])
    assert claims["oid"] == rig.world.people["ann"].oid
    assert set(answer) == {"access_token", "expires_in", "scope"}
    assert [word.rsplit("/", 1)[1] for word in answer["scope"].split()] == claims["scp"].split()


async def test_app_token_is_for_the_application(rig: Rig) -> None:
    answer = (await rig.http.get("/control/token?user=app&resource=graph")).json()
    assert rig.world.key.read(answer["access_token"])["idtyp"] == "app"
    assert answer["scope"] == "https://graph.microsoft.com/.default"


async def test_faults_come_and_go(rig: Rig) -> None:
    fault = {
        "service": "graph",
        "method": "get",
        "path": "/me$",
        "do": "answer",
        "status": 418,
        "body": None,
        "times": 1,
    }
    await post(rig, "/faults", [fault, {"service": "graph", "do": "answer", "status": 503}])
    assert [(await rig.graph("/v1.0/me", "ann")).status_code for _ in range(2)] == [418, 503]
    await rig.http.delete("/control/faults")
    assert (await rig.graph("/v1.0/me", "ann")).status_code == 200


async def test_log_starts_after_the_given_number(rig: Rig) -> None:
    await rig.graph("/v1.0/me", "ann")
    await rig.graph("/v1.0/users/x")
    lines = (await rig.http.get("/control/log?since=1")).json()
    assert [(line["n"], line["path"], line["who"]) for line in lines] == [(2, "/v1.0/users/x", "app")]
    assert set(lines[0]) == {"n", "at", "service", "method", "path", "query", "who", "status", "body"}


@pytest.mark.parametrize("do, told", [("kill", "kill"), ("stop", "stop"), ("start", "start")])
async def test_bot_is_told(rig: Rig, do: str, told: str) -> None:
    assert (await post(rig, "/bot", {"do": do})).json() == {"pid": 4711}
    assert rig.bot.told == [told]


async def test_reset_makes_world_and_bot_anew(rig: Rig) -> None:
    old = await made(rig)
    await post(rig, "/faults", [{"service": "graph", "do": "answer", "status": 503}])
    assert (await post(rig, "/reset")).json() == {"pid": 4711}
    assert rig.bot.told == ["kill", "forget", "start"]
    assert (old["id"] in rig.world.requests, rig.world.faults) == (False, [])
    assert [len(rig.ids_of(kind)) for kind in KINDS] == [3, 2, 1]


class TinyBot:
    """Answers the slash command with a sign-in address and serves sign-in pages like the real bot's."""

    def __init__(self, rig: Rig) -> None:
        self.settings = rig.settings
        self.commands: list[str] = []
        self.cookies: list[str] = []
        self.callback: dict[str, str] = {}
        self.policy = ""
        self.outcome = "linked"
        pages: dict[str, Answering] = {
            "/slack/events": self.events,
            "/sign-in/once/{token}": self.start,
            "/sign-in/slack/callback": self.from_slack,
            "/sign-in/microsoft/callback": self.from_microsoft,
            "/sign-in/done": self.done,
        }
        self.app = Starlette(routes=[Route(path, page, methods=["GET", "POST"]) for path, page in pages.items()])
        rig.sites[rig.settings.bot_url] = self.app

    async def events(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        self.commands.append(form["text"][0])
        return JSONResponse({"text": f"<{self.settings.bot_url}/sign-in/once/tok-1?a=1&amp;b=2|Sign in>"})

    async def start(self, request: Request) -> Response:
        assert request.query_params["b"] == "2"
        if request.method == "GET":
            headers = {"content-security-policy": self.policy} if self.policy else {}
            return HTMLResponse('<main><form method="post"><button>Go</button></form></main>', headers=headers)
        query = httpx.QueryParams(
            client_id=self.settings.slack_client_id, redirect_uri=self.settings.redirect_uris["slack"],
            response_type="code", scope="openid profile", state="s", nonce="n",
        )  # fmt: skip
        answer = RedirectResponse(f"{self.settings.world_url}/slack/openid/connect/authorize?{query}", 303)
        answer.headers.append("set-cookie", "__Host-flow=f; Secure; HttpOnly; Path=/; SameSite=None")
        answer.headers.append("set-cookie", "lax=l; Path=/; SameSite=Lax")
        answer.headers.append("set-cookie", "bad=b; Path=/; SameSite=None")
        return answer

    async def from_slack(self, request: Request) -> Response:
        self.cookies.append(request.headers.get("cookie", ""))
        assert "code" in request.query_params
        query = httpx.QueryParams(
            client_id=self.settings.client_id, redirect_uri=self.settings.redirect_uris["microsoft"],
            response_type="code", scope="openid", state="s", nonce="n", response_mode="form_post",
            code_challenge="c" * 43, code_challenge_method="S256",
        )  # fmt: skip
        root = f"{self.settings.world_url}/login/{self.settings.tenant}"
        return RedirectResponse(f"{root}/oauth2/v2.0/authorize?{query}", 302)

    async def from_microsoft(self, request: Request) -> Response:
        self.cookies.append(request.headers.get("cookie", ""))
        self.callback = {name: str(value) for name, value in (await request.form()).items()}
        self.callback["origin"] = request.headers["origin"]
        return HTMLResponse(
            '<form method="post" action="/sign-in/done"><input type=hidden name=t value=1><button>Ok</button></form>'
        )

    async def done(self, request: Request) -> Response:
        self.cookies.append(request.headers.get("cookie", ""))
        return HTMLResponse(f'<main data-outcome="{self.outcome}"><p>Done</p></main>')


async def sign_in(rig: Rig, **body: str) -> dict[str, Any]:
    answer = await post(rig, "/sign-in", {"user": "ann", **body})
    assert answer.status_code == 200, answer.text
    walked: dict[str, Any] = answer.json()
    return walked


async def test_sign_in_walks_both_legs_to_the_end(rig: Rig) -> None:
    bot = TinyBot(rig)
    walked = await sign_in(rig)
    assert (walked["ok"], walked["outcome"], bot.commands) == (True, "linked", ["sign-in"])
    assert [page["status"] for page in walked["pages"]] == [200, 303, 200, 302, 302, 200, 200, 200, 200]
    issued = rig.world.login.codes[bot.callback["code"]]
    assert issued.grant.person == "ann"


async def test_cookies_follow_the_rules_of_browsers(rig: Rig) -> None:
    bot = TinyBot(rig)
    await sign_in(rig)
    assert bot.cookies == ["__Host-flow=f; lax=l", "__Host-flow=f", "__Host-flow=f; lax=l"]
    assert bot.callback["origin"] == rig.settings.world_url


async def test_another_person_may_finish_a_leg(rig: Rig) -> None:
    bot = TinyBot(rig)
    await sign_in(rig, slack="Ben Brook", microsoft="cleo")
    assert rig.world.login.codes[bot.callback["code"]].grant.person == "cleo"
    assert [code.user for code in rig.world.workspace.sign_ins.codes.values()] == ["U0BENBROOK"]


async def test_other_outcomes_are_no_success(rig: Rig) -> None:
    TinyBot(rig).outcome = "refused"
    walked = await sign_in(rig)
    assert (walked["ok"], walked["outcome"]) == (False, "refused")


async def test_form_action_policy_stops_the_walk_like_a_browser(rig: Rig) -> None:
    bot = TinyBot(rig)
    bot.policy = "default-src 'none'; form-action 'self'"
    walked = await sign_in(rig)
    assert (walked["ok"], len(walked["pages"])) == (False, 2)
    assert "form-action" in walked["outcome"]


async def test_form_action_policy_may_allow_the_way(rig: Rig) -> None:
    bot = TinyBot(rig)
    bot.policy = f"form-action 'self' {rig.settings.world_url} {rig.settings.bot_url}"
    assert (await sign_in(rig))["ok"]


async def test_person_without_slack_account_cannot_be_picked(rig: Rig) -> None:
    TinyBot(rig)
    walked = await sign_in(rig, slack="cleo")
    assert (walked["ok"], walked["pages"][-1]["status"]) == (False, 200)
    assert "picked" in walked["outcome"]


async def test_command_is_answered_as_the_bot_answered(rig: Rig) -> None:
    bot = TinyBot(rig)
    answer = (await post(rig, "/command", {"user": "olga", "text": "pending"})).json()
    assert set(answer) == {"status", "body", "ms"}
    assert (answer["status"], bot.commands) == (200, ["pending"])
    assert json.dumps(answer["body"]).count("/sign-in/once/")
