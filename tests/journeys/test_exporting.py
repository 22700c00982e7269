"""`/pim history export`: the file is in the asker's direct messages, holds what they may see, and is nobody else's."""

from __future__ import annotations

import csv
import io

import httpx
from journeys.driver import Json, Sandbox


def files(sandbox: Sandbox, user: str) -> list[Json]:
    """What was brought into somebody's direct messages."""
    talks = [channel for channel in sandbox.world()["channels"] if channel["with"] == user]
    return [file for talk in talks for message in talk["messages"] for file in message.get("files", [])]


def test_history_comes_as_a_file_to_whoever_asked(shared: Sandbox) -> None:
    request = shared.ask("rita", "Reports Reader")
    shared.posted(request)
    answer = shared.command("ann", "history 7d export")
    assert answer.text.startswith("Your export (")
    file = files(shared, "ann")[-1]
    address = f"{shared.world_url}/page/download/{file['id']}"
    got = shared.http.get(address, params={"user": "ann"})
    rows = {row["request"]: row for row in csv.DictReader(io.StringIO(got.text, newline=""))}
    assert (rows[request]["desk"], rows[request]["verdict"]) == ("entra", "pending")
    assert shared.http.get(address, params={"user": "ben"}).status_code == httpx.codes.NOT_FOUND
