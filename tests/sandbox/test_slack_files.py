"""Files of the emulated Slack: announced, uploaded once, shown once, fetched by members of the channel only."""

from __future__ import annotations

import pytest
from sandbox.slack_rig import ANN, BEN, Rig

from app.sandbox.slack_files import KEPT, LARGEST

CONTENT = b"a,b\r\n"


async def announced(rig: Rig) -> tuple[str, str]:
    """The path to upload to, and the file's id."""
    answer = await rig.call("files.getUploadURLExternal", filename="x.csv", length=len(CONTENT))
    assert answer["ok"], answer
    return answer["upload_url"].removeprefix(rig.world.settings.world_url), answer["file_id"]


async def test_a_file_is_uploaded_once_and_shown_once() -> None:
    rig = Rig()
    path, file = await announced(rig)
    shown = {"files": [{"id": file, "title": "T"}], "channel_id": rig.workspace.direct(ANN).id}
    assert await rig.error("files.completeUploadExternal", **shown) == "file_not_found"
    assert (await rig.http.post(path, content=CONTENT)).status_code == 200
    assert (await rig.http.post(path, content=CONTENT)).status_code == 404
    assert (await rig.call("files.completeUploadExternal", **shown, initial_comment="Here"))["ok"]
    assert await rig.error("files.completeUploadExternal", **shown) == "file_not_found"
    [message] = rig.workspace.direct(ANN).messages.values()
    assert message.summary()["files"] == [{"id": file, "name": "x.csv", "title": "T", "size": len(CONTENT)}]
    got = await rig.http.get(f"/page/download/{file}?user=ann")
    assert (got.content, got.headers["content-disposition"]) == (CONTENT, "attachment; filename*=UTF-8''x.csv")
    for stranger in ("ben", "nobody", ""):
        assert (await rig.http.get(f"/page/download/{file}?user={stranger}")).status_code == 404
    assert BEN not in rig.workspace.direct(ANN).members


async def test_another_length_than_announced_is_refused() -> None:
    rig = Rig()
    path, _ = await announced(rig)
    assert (await rig.http.post(path, content=CONTENT + b"x")).status_code == 400
    assert (await rig.http.post(path + "x", content=CONTENT)).status_code == 404


@pytest.mark.parametrize(
    "name, length, error",
    [
        ("", 5, "invalid_arguments"),
        ("x" * 256, 5, "invalid_arguments"),
        ("x.csv", 0, "invalid_arguments"),
        ("x.csv", LARGEST + 1, "file_upload_size_restricted"),
    ],
)
async def test_what_slack_refuses(name: str, length: int, error: str) -> None:
    assert await Rig().error("files.getUploadURLExternal", filename=name, length=length) == error


async def test_only_the_newest_are_kept() -> None:
    rig = Rig()
    _, first = await announced(rig)
    for _ in range(KEPT):
        await announced(rig)
    assert first not in rig.workspace.files.by_id
    assert len(rig.workspace.files.by_id) == KEPT
