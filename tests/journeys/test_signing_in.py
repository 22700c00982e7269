"""Sign-in gone wrong, on purpose or by outage: nothing is linked, nothing is decided, and people hear what to do."""

from __future__ import annotations

import httpx
import pytest
from journeys.driver import APPROVE, Json, Sandbox

INVITATION = "Sign in to Microsoft first"
AGAIN = "Type /pim sign-in in Slack to start again"


def linked(sandbox: Sandbox, user: str) -> bool:
    return "Signed in to Microsoft as" in sandbox.command(user, "").words


@pytest.fixture
def stranger(shared: Sandbox) -> str:
    """Rita, who is not signed in."""
    shared.command("rita", "sign-out")
    return "rita"


def start_address(sandbox: Sandbox, user: str) -> str:
    return str(sandbox.command(user, "sign-in").buttons["pim_sign_in_page"]["url"])


def test_a_forwarded_link_links_nobody_and_both_are_warned(shared: Sandbox, stranger: str) -> None:
    before = {user: len(shared.directs(user)) for user in (stranger, "olga")}
    walked = shared.sign_in(stranger, slack="olga")
    assert (walked["ok"], walked["outcome"], last(walked)["status"]) == (False, "failed", 400)
    for user, count in before.items():
        shared.until(
            lambda user=user, count=count: any("Nothing was linked" in m.words for m in shared.directs(user)[count:]),
            f"a warning to {user}",  # messages about earlier requests may arrive in between
        )
    assert not linked(shared, stranger)


def test_another_persons_microsoft_account_cannot_be_taken(shared: Sandbox, stranger: str) -> None:
    walked = shared.sign_in(stranger, microsoft="ben")
    assert (walked["ok"], walked["outcome"]) == (False, "failed")
    assert not linked(shared, stranger)
    assert linked(shared, "ben")


def test_an_address_works_once(shared: Sandbox, stranger: str) -> None:
    address = start_address(shared, stranger)
    with httpx.Client(trust_env=False) as browser:
        assert [browser.get(address).status_code for _ in range(2)] == [200, 200]  # previews use up nothing
        assert browser.post(address).status_code == 303
        again = browser.post(address)
    assert (again.status_code, AGAIN in again.text) == (400, True)


def test_an_address_of_our_own_making_is_refused(shared: Sandbox) -> None:
    made_up = f"{shared.settings['bot_url']}/sign-in/start/{'x' * 32}"
    answer = httpx.post(made_up, trust_env=False)
    assert (answer.status_code, AGAIN in answer.text) == (400, True)


def test_each_person_is_given_an_address_of_their_own(shared: Sandbox) -> None:
    addresses = {start_address(shared, user) for user in ("rita", "rob", "olga", "rita")}
    assert len(addresses) == 4


@pytest.mark.parametrize(
    "service, path, fault",
    [
        ("login", "/token$", {"status": 503}),
        ("login", "/token$", {"status": 400, "body": {"error": "invalid_grant", "error_description": "AADSTS54005"}}),
        ("login", "/token$", {"status": 200, "body": "<html>Sorry</html>"}),
        ("login", "/token$", {"do": "drop_before"}),
        ("slack", "openid.connect.token", {"status": 500}),
        ("slack", "openid.connect.token", {"status": 200, "body": {"ok": False, "error": "invalid_code"}}),
    ],
)
def test_an_outage_in_the_middle_links_nobody(
    shared: Sandbox, stranger: str, service: str, path: str, fault: Json
) -> None:
    shared.fault(service, path, **{"do": "answer", **fault})
    walked = shared.sign_in(stranger)
    shared.mend()
    assert (walked["ok"], walked["outcome"]) == (False, "failed")
    assert 400 <= last(walked)["status"] <= 503
    assert not linked(shared, stranger)
    shared.signed_in(stranger)


def test_a_session_that_microsoft_ended_asks_to_sign_in_again(shared: Sandbox) -> None:
    request, card = shared.waiting()
    form = shared.form("ann", card)
    shared.fault("graph", request, method="GET", status=401, body={"error": {"code": "InvalidAuthenticationToken"}})
    shared.submit("ann", form, "Go ahead")
    assert "Your Microsoft session is over" in shared.outcome("ann")
    assert "pim_sign_in_page" in (shared.modal("ann") or form).buttons
    shared.mend()
    assert shared.request(request)["status"] == "PendingApproval"
    shared.signed_in("ann")
    assert "You approved" in shared.approve("ann", shared.posted(request))


def test_signing_in_again_while_signed_in_changes_nothing_for_the_worse(shared: Sandbox) -> None:
    shared.signed_in("ann", "ann")
    assert "You approved" in shared.approve("ann", shared.posted(shared.ask()))


def test_who_signs_out_is_told_and_so_is_whoever_has_their_account_next(own: Sandbox) -> None:
    own.signed_in("rita")
    own.command("rita", "sign-out")
    own.until(lambda: any("you signed out" in m.words for m in own.directs("rita")), "a receipt for Rita's sign-out")
    assert own.sign_in("olga", microsoft="rita")["ok"]
    own.until(lambda: any("another Slack account" in m.words for m in own.directs("rita")), "a warning to Rita")


def test_who_signs_out_with_an_open_form_decides_nothing(shared: Sandbox) -> None:
    request, card = shared.waiting()
    form = shared.form("ben", card)
    shared.command("ben", "sign-out")
    shared.submit("ben", form, "Go ahead")
    assert INVITATION in shared.outcome("ben")
    assert shared.sent(request) == []
    shared.signed_in("ben")
    assert shared.posted(request).buttons[APPROVE]


def last(walked: Json) -> Json:
    page: Json = walked["pages"][-1]
    return page
