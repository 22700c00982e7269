"""What an examination of the bot's place in Slack finds: token, scopes, channels. It posts nothing."""

from __future__ import annotations

from typing import Any

from notifier.rig import Rig

from app.domain.findings import Finding, Grade
from app.notifier.examining import examine

SCOPES = ("chat:write", "groups:read")


async def examined(rig: Rig, *scopes: str) -> list[Finding]:
    return [found async for found in examine(rig.gateway, scopes or SCOPES, [rig.slack.settings.channel])]


def answer(rig: Rig, method: str, body: dict[str, Any], status: int = 200) -> None:
    rig.slack.disturb(method, times=None, status=status, body=body)


async def test_a_bot_that_has_its_place_is_told_so_line_by_line(rig: Rig) -> None:
    found = await examined(rig)
    assert [one.grade for one in found] == [Grade.OK, Grade.OK]
    assert "is private, ours alone" in found[1].words


async def test_a_token_that_slack_refuses_ends_the_examination(rig: Rig) -> None:
    answer(rig, "auth.test", {"ok": False, "error": "token_revoked"})
    (found,) = await examined(rig)
    assert (found.grade, "PIM_SLACK_BOT_TOKEN" in found.fix) == (Grade.WRONG, True)


async def test_an_outage_of_slack_is_no_wrong_token(rig: Rig) -> None:
    answer(rig, "auth.test", {}, status=503)
    (found,) = await examined(rig)
    assert (found.grade, found.fix) == (Grade.NOTE, "run this again")


async def test_each_missing_scope_is_a_line_with_a_way_to_mend_it(rig: Rig) -> None:
    missing = [found for found in await examined(rig, *SCOPES, "canvases:write", "bookmarks:read") if found.fix]
    assert [found.words for found in missing] == [
        "the scope bookmarks:read is missing",
        "the scope canvases:write is missing",
    ]
    assert all(found.grade is Grade.WRONG and "pim-approvals manifest" in found.fix for found in missing)


async def test_an_unfit_channel_is_wrong(rig: Rig) -> None:
    described = {"is_private": False, "is_member": True, "is_archived": False, "is_ext_shared": False}
    answer(rig, "conversations.info", {"ok": True, "channel": described})
    *_, found = await examined(rig)
    assert (found.grade, "is not private" in found.words) == (Grade.WRONG, True)


async def test_a_channel_that_cannot_be_looked_at_is_not_called_unfit(rig: Rig) -> None:
    answer(rig, "conversations.info", {}, status=503)
    *_, found = await examined(rig)
    assert (found.grade, "could not be looked at" in found.words) == (Grade.NOTE, True)
