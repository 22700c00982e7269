"""Microsoft throttles, breaks down, hangs or talks nonsense: the poll goes on, nothing is lost, nothing is removed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from journeys.driver import APPROVE, DENY, Json, Sandbox, Shown, concurrently
from journeys.scenes import Scene, Scenes

SETTINGS = {"settle_seconds": "1"}
LIST = "ScheduleRequests$"
BROKEN = "Entra role requests cannot be read"
RELEASED = "Nothing was changed"


def in_a_while(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.fixture(scope="module")
def known(own: Sandbox) -> Shown:
    """The card of a request that waits all along."""
    return own.posted(own.ask("rita"))


# --- the listing ---


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>We'll be back</html>"},
        {"do": "drop_before"},
        {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied", "message": "No"}}},
        {"status": 302, "headers": {"location": "https://evil.example/"}},
    ],
    ids=["down", "html", "cut off", "forbidden", "sent elsewhere"],
)
def test_a_broken_listing_removes_nothing_and_loses_nothing(own: Sandbox, known: Shown, fault: Json) -> None:
    own.fault("graph", LIST, **{"do": "answer", "method": "GET", **fault})
    own.until_note("Entra role requests")
    meanwhile = own.ask()
    assert own.offers(known)
    own.mend()
    own.posted(meanwhile)
    own.until_well()
    assert own.offers(known)


UNDER_WAY = timedelta(seconds=1)  # what was asked at the same moment as the call that was refused


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_throttling_is_obeyed_and_the_poll_goes_on_afterwards(own: Sandbox, form: str) -> None:
    wait = "3" if form == "seconds" else in_a_while(4)
    since = own.get("log")[-1]["n"]
    own.fault("graph", LIST, method="GET", status=429, headers={"Retry-After": wait}, times=1)
    own.until_note("asks us to wait")
    request = own.ask()
    own.posted(request)
    own.until_well()
    polls = own.calls("graph", "GET", "ScheduleRequests", since)
    refused = next(n for n, call in enumerate(polls) if call["status"] == 429)
    times = [datetime.fromisoformat(call["at"]) for call in polls[refused:]]
    later = [at - times[0] for at in times if at - times[0] > UNDER_WAY]
    assert later[0] >= timedelta(seconds=2.5)


def test_one_broken_row_among_good_ones_is_set_aside(own: Sandbox, known: Shown) -> None:
    rows = listing(own)
    broken = [{**row, "createdDateTime": "soon"} if row["id"] in known.words else row for row in rows]
    assert broken != rows
    fresh = {**rows[0], "id": str(uuid.uuid4())}
    own.fault("graph", LIST, method="GET", status=200, body={"value": [*broken, fresh]})
    own.posted(fresh["id"])
    assert own.offers(known)


def test_a_listing_that_forgets_a_live_request_does_not_end_it(own: Sandbox, known: Shown) -> None:
    rest = [row for row in listing(own) if row["id"] not in known.words]
    since = own.get("log")[-1]["n"]
    own.fault("graph", LIST, method="GET", status=200, body={"value": rest})
    forgotten = known.words.split("ID ")[-1]
    own.until(lambda: len(own.calls("graph", "GET", forgotten, since)) > 1, "two questions about that request alone")
    assert own.offers(known)


def test_a_next_page_elsewhere_is_not_followed_and_what_was_listed_before_it_counts(own: Sandbox, known: Shown) -> None:
    fresh = {**listing(own)[0], "id": str(uuid.uuid4())}
    page = {"value": [fresh], "@odata.nextLink": "https://evil.example/v1.0/roleManagement"}
    own.fault("graph", LIST, method="GET", status=200, body=page)
    own.posted(fresh["id"])
    assert own.offers(known)


def play_hanging(own: Sandbox) -> tuple[Sandbox, str, str]:
    """Ann decides while neither her decision nor the next poll is answered within anybody's patience."""
    request, card = own.waiting()
    form = own.form("ann", card)
    own.fault("graph", request, "slow", method="PATCH", seconds=11, times=1)
    own.fault("graph", LIST, "slow", method="GET", seconds=11, times=1)
    own.submit("ann", form, "Microsoft is slow today")
    return own, request, own.ask("rita")


SCENES: dict[str, Scene] = {"hanging": lambda stage: play_hanging(stage.sandbox("ann"))}


@pytest.fixture(scope="module")
def hanging(request: pytest.FixtureRequest, scenes: Scenes) -> Iterator[tuple[Sandbox, str, str]]:
    yield from scenes.watch(request.module, "hanging")


def test_a_decision_that_hangs_is_found_to_be_mine(hanging: tuple[Sandbox, str, str]) -> None:
    sandbox, request, _ = hanging
    sandbox.ended(request, "Approved by Ann Alder in Slack")
    assert [call["who"] for call in sandbox.sent(request)] == ["ann"]


def test_a_listing_that_hangs_is_asked_for_again(hanging: tuple[Sandbox, str, str]) -> None:
    sandbox, _, meanwhile = hanging
    sandbox.posted(meanwhile)
    sandbox.until_well()


def test_a_bot_that_starts_while_sign_in_is_down_sees_again_afterwards(own: Sandbox, known: Shown) -> None:
    own.bot("stop")
    own.fault("login", "/token$", status=503)
    own.bot("start")
    own.until_note(BROKEN)
    assert own.offers(known)
    own.mend()
    own.posted(own.ask())
    own.until_well()


# --- the decision ---


def test_a_decision_whose_answer_was_lost_is_found_to_be_mine(own: Sandbox) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    own.fault("graph", request, "drop_after", method="PATCH", times=1)
    own.submit("ann", form, "Lost on the way back")
    assert "You approved this request" in own.outcome("ann")
    own.ended(request, "Approved by Ann Alder in Slack")
    own.told("rob", "Approved by Ann Alder in Slack", "Lost on the way back")
    assert [call["who"] for call in own.sent(request)] == ["ann"]


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "drop_before"},
        {"status": 500},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 400, "body": {"error": {"code": "InvalidRequest", "message": "The policy changed"}}},
        {"status": 409, "body": {"error": {"code": "Conflict", "message": "Somebody was first"}}},
    ],
    ids=["cut off", "broken", "throttled", "refused", "a conflict nobody made"],
)
def test_a_decision_microsoft_did_not_take_gives_the_buttons_back(own: Sandbox, fault: Json) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    own.fault("graph", request, **{"do": "answer", "method": "PATCH", "times": 1, **fault})
    own.submit("ann", form, "Try it")
    assert RELEASED in own.outcome("ann")
    own.until(lambda: "You denied" in own.deny("ben", own.posted(request), "Then rather not"), "Ben's decision")
    assert [(call["who"], call["status"]) for call in own.sent(request)][1:] == [("ben", 204)]


def test_a_decision_refused_because_another_was_first_names_them(own: Sandbox) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    own.fault("graph", request, "slow", method="PATCH", seconds=1.5, times=1)
    concurrently(
        lambda: own.submit("ann", form, "Ann says so"),
        lambda: own.until(lambda: own.cards(request)[0].words.count("is deciding this right now"), "Ann's claim"),
    )
    own.decide_in_portal(request, "ben", "deny", "Ben was faster")
    assert "Ben Brook already denied this request" in own.outcome("ann")
    assert "Ben was faster" in own.ended(request, "Denied by Ben Brook in the portal").words
    assert [call["status"] for call in own.sent(request)] == [409]


def test_while_one_is_deciding_the_card_says_who_and_another_is_refused(own: Sandbox) -> None:
    request, card = own.waiting()
    form, other = own.form("ann", card), own.form("ben", card, DENY)
    own.fault("graph", request, "slow", method="PATCH", seconds=2, times=1)
    own.submit("ann", form, "Slowly")
    claimed = own.until(lambda: own.cards(request) and not own.cards(request)[0].decidable, "Ann's claim")
    assert claimed
    own.submit("ben", other, "No", block="reason")
    assert "Ann Alder is deciding this request right now" in own.outcome("ben")
    assert "You approved" in own.outcome("ann")
    assert [call["who"] for call in own.sent(request)] == ["ann"]


def test_a_read_that_fails_before_the_decision_sends_nothing(own: Sandbox) -> None:
    request, card = own.waiting()
    form = own.form("ann", card)
    own.fault("graph", f"Approvals/{request}", method="GET", status=500)
    own.submit("ann", form, "Try it")
    assert RELEASED in own.outcome("ann")
    assert own.sent(request) == []
    assert own.posted(request).buttons[APPROVE]


def listing(sandbox: Sandbox) -> list[Json]:
    """What Graph lists to an application right now."""
    token = sandbox.get("token", user="app", resource="graph")["access_token"]
    path = f"{sandbox.world_url}/graph/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
    query = {"$expand": "principal,roleDefinition"}
    rows: list[Json] = []
    while path:
        page = sandbox.http.get(path, params=query, headers={"Authorization": f"Bearer {token}"}).json()
        rows += page["value"]
        path, query = page.get("@odata.nextLink", ""), {}
    return [row for row in rows if row["status"].casefold() == "pendingapproval"]


def test_slow_replicas_never_flip_a_card_back(own: Sandbox) -> None:
    request, card = own.waiting()
    try:
        own.post("lag", {"seconds": 8})
        own.approve("ann", card)
        final = own.ended(request, "Approved by Ann Alder in Slack")
        since = own.get("log")[-1]["n"]
        listing = "roleAssignmentScheduleRequests"
        own.until(lambda: len(own.calls("graph", "GET", listing, since=since)) >= 3, "three polls of slow replicas")
        assert own.ended(request, "Approved by Ann Alder in Slack").id == final.id
        assert len(own.sent(request)) == 1
    finally:
        own.post("lag", {})
