"""The bearer token goes to Microsoft's origin and nowhere else, whatever an answer says."""

from __future__ import annotations

import httpx
import pytest
from graph.fake_microsoft import ROOT, TOKEN, FakeMicrosoft, Rig, a_row, ok, page, rig, token

from app.domain.errors import Malformed, Unavailable
from app.graph.client import Gate, PinnedTransport

PATH = "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests?$skiptoken=abc"
FOREIGN = (
    f"https://evil.example{PATH}",
    f"http://graph.microsoft.com{PATH}",
    f"HTTP://graph.microsoft.com:443{PATH}",
    f"https://graph.microsoft.com:8443{PATH}",
    f"https://graph.microsoft.com:80{PATH}",
    f"https://graph.microsoft.com:99999{PATH}",
    f"https://graph.microsoft.com:x{PATH}",
    f"https://graph.microsoft.com@evil.example{PATH}",
    f"https://graph.microsoft.com:443@evil.example{PATH}",
    f"https://graph.microsoft.com%2F@evil.example{PATH}",
    f"https://graph.microsoft.com\\@evil.example{PATH}",
    f"https://graph.microsoft.com%00.evil.example{PATH}",
    f"https://user@graph.microsoft.com{PATH}",
    f"https://user:secret@graph.microsoft.com{PATH}",
    f"https://@graph.microsoft.com.evil.example{PATH}",
    f"https://graph.microsoft.com.evil.example{PATH}",
    f"https://evilgraph.microsoft.com{PATH}",
    f"https://evil.example/graph.microsoft.com{PATH}",
    f"https://evil.example?{ROOT}{PATH}",
    f"https://evil.example#{ROOT}{PATH}",
    f"https://graph.microsoft.com.{PATH}",
    f"https://gr\N{CYRILLIC SMALL LETTER A}ph.microsoft.com{PATH}",
    f"https://xn--/{PATH}",
    f"https://[::1]{PATH}",
    f"https://[::1{PATH}",
    f"https://127.0.0.1{PATH}",
    f"https://2130706433{PATH}",
    f"//evil.example{PATH}",
    f"//graph.microsoft.com{PATH}",
    f"https:graph.microsoft.com{PATH}",
    f"https:/graph.microsoft.com{PATH}",
    f"https:///graph.microsoft.com{PATH}",
    f"\\\\evil.example{PATH}",
    f"ftp://graph.microsoft.com{PATH}",
    f"file://graph.microsoft.com{PATH}",
    "javascript:alert(1)",
    "data:application/json,{}",
    f"https://graph.microsoft.com\n.evil.example{PATH}",
    f"https://graph.microsoft.com\t{PATH}",
    f"https://graph.microsoft.com{PATH}\x00",
    f"https://graph.microsoft.com{PATH}\ud800",
    f"https://evil\ud800.example{PATH}",
    PATH,
    "?$skiptoken=abc",
    "",
    " ",
)
NO_LINKS = (f"{ROOT}/{'a' * 9_000}", 7, True, False, 0, [], {}, [f"{ROOT}{PATH}"], {"url": f"{ROOT}{PATH}"})


async def list_all(there: Rig) -> bool:
    """Whether the listing came out complete; its first page must be there either way."""
    listing = await there.desk.list_all(token)
    assert len(listing.requests) == 1
    return listing.complete


@pytest.mark.parametrize("link", [*FOREIGN, *NO_LINKS])
async def test_a_next_page_that_is_elsewhere_is_not_followed_and_leaves_the_listing_incomplete(link: object) -> None:
    there = rig(page(a_row(), following=link))
    assert not await list_all(there)
    assert len(there.microsoft.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        f"{ROOT}{PATH}",
        f"HTTPS://GRAPH.MICROSOFT.COM{PATH}",
        f"https://graph.microsoft.com:443{PATH}",
        f"{ROOT}/v1.0/users/@evil.example/..%2f?x=https://evil.example",
        f"{ROOT}//evil.example{PATH}",
    ],
)
async def test_a_next_page_at_home_is_followed_and_stays_at_home(link: str) -> None:
    there = rig(page(a_row(), following=link), page())
    assert await list_all(there)
    for call in there.microsoft.requests:
        assert (call.url.scheme, call.url.host, call.url.port) == ("https", "graph.microsoft.com", None)
        assert call.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("address", FOREIGN)
async def test_the_transport_itself_lets_nothing_out_to_another_origin(address: str) -> None:
    inner = FakeMicrosoft()
    async with httpx.AsyncClient(transport=PinnedTransport(ROOT, inner), trust_env=False) as client:
        with pytest.raises((Malformed, httpx.HTTPError, httpx.InvalidURL, ValueError)):
            await client.get(address, headers={"Authorization": f"Bearer {TOKEN}"})
    assert inner.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["https://evil.example/", "//evil.example/", f"http://graph.microsoft.com{PATH}"])
async def test_a_redirect_is_not_followed(status: int, location: str) -> None:
    away = httpx.Response(status, headers={"Location": location})
    there = rig(away, away, away)
    with pytest.raises(Unavailable):
        await there.gate.get("/v1.0/x", token)
    assert {call.url.host for call in there.microsoft.requests} == {"graph.microsoft.com"}


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:8765/control/token",
        "http://127.0.0.1:8765/graph/../control/token",
        "http://127.0.0.1:8765/graphite/v1.0/x",
        "http://127.0.0.1:8765/graph",
        "http://localhost:8765/graph/v1.0/x",
        "http://127.0.0.1/graph/v1.0/x",
        "https://127.0.0.1:8765/graph/v1.0/x",
    ],
)
async def test_a_root_with_a_path_is_pinned_with_its_path(link: str) -> None:
    inner = FakeMicrosoft(page(following=link))
    gate = Gate("http://127.0.0.1:8765/graph", Rig(inner).clock, transport=inner)
    with pytest.raises(Malformed):
        async for _page in gate.pages("/v1.0/x", token, {}):
            pass
    assert inner.lines == ["GET /graph/v1.0/x"]


async def test_the_token_is_in_no_address() -> None:
    there = rig(ok({}))
    await there.gate.get("/v1.0/x", token, {"$filter": "a b"})
    assert TOKEN not in str(there.microsoft.requests[0].url)
