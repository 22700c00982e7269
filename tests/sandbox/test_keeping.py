"""The world kept between runs: what was there is there again, what was wrong is said in a sentence."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox.slack_rig import ANN, DESK, home, modal, section
from sandbox.world_rig import one_key

from app.sandbox import server
from app.sandbox.keeping import Keeper, WorldUnreadable, keep_saving, load, save
from app.sandbox.login_scopes import Scopes, resources
from app.sandbox.login_tokens import Grant, Issued, Session, SigningKey
from app.sandbox.people import Settings
from app.sandbox.world import World


def lived_in() -> World:
    """A world in which a bit of everything happened."""
    world = World(key=one_key())
    workspace, (first, second, *_) = world.workspace, world.requests
    world.decide(first, "ann", "approve", "Fine")
    world.end(first, "deactivate")
    world.cancel(second)
    card = workspace.post(workspace.channels[DESK], "card", [section("words")], metadata={"event_type": "pim_card"})
    workspace.post(workspace.channels[DESK], "reply", [], user=ANN, thread_ts=card.ts)
    workspace.whisper(DESK, ANN, "only Ann", [])
    workspace.direct(ANN)
    workspace.publish(ANN, home(section("hello")))
    workspace.mark_read(ANN, workspace.channels[DESK])
    graph = resources(world.settings)["graph"]
    scopes = Scopes(graph, graph.delegated, frozenset({"openid"}), "User.Read")
    grant = Grant("ann", scopes, "", "", None, "", "", world.now(), acrs=("c1",))
    world.login.refresh["r1"] = Issued(grant, world.now())
    world.login.sessions["s1"] = Session("ann", world.now())
    return world


def test_everything_that_lasts_is_there_again(tmp_path: Path) -> None:
    world, again = lived_in(), World(key=one_key())
    save(world, tmp_path / "world.json")
    assert load(again, tmp_path / "world.json")
    assert again.requests == world.requests
    assert again.approvals == world.approvals
    assert again.workspace.snapshot() == world.workspace.snapshot()
    assert again.workspace.channels == world.workspace.channels
    assert again.workspace.read == world.workspace.read
    assert (again.login.refresh, again.login.sessions) == (world.login.refresh, world.login.sessions)


def test_tokens_of_the_last_run_are_still_good(tmp_path: Path) -> None:
    world, again = lived_in(), World(key=SigningKey.make())
    save(world, tmp_path / "world.json")
    token = world.key.sign({"sub": "ann"})
    load(again, tmp_path / "world.json")
    assert again.key.read(token) == {"sub": "ann"}


def test_nothing_kept_leaves_the_fresh_world(tmp_path: Path) -> None:
    world = World(key=one_key())
    before = dict(world.requests)
    assert not load(world, tmp_path / "world.json")
    assert world.requests == before


@pytest.mark.parametrize("text", ["", "[1", "[]", "{}", '{"version": 99}'])
def test_a_file_that_makes_no_sense_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WorldUnreadable, match=r"cannot be read .* to begin anew"):
        load(World(key=one_key()), path)


def test_half_a_world_changes_nothing(tmp_path: Path) -> None:
    path, world = tmp_path / "world.json", World(key=one_key())
    save(lived_in(), path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**kept, "sessions": {"s": {}}}), encoding="utf-8")
    before = dict(world.requests)
    with pytest.raises(WorldUnreadable):
        load(world, path)
    assert world.requests == before


def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    save(lived_in(), tmp_path / "world.json")
    assert (tmp_path / "world.json").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["world.json"]


def test_a_disk_that_refuses_is_said_once_and_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    place = tmp_path / "there"
    keeper = Keeper(lived_in(), place / "world.json", said.append)
    keeper.save()
    keeper.save()
    [words] = said
    assert "lives on" in words
    place.mkdir()
    keeper.save()
    assert (place / "world.json").exists()
    (place / "world.json").unlink()
    place.rmdir()
    keeper.save()
    assert len(said) == 2


async def test_the_saver_outlives_a_disk_that_refuses(tmp_path: Path) -> None:
    told = asyncio.Event()
    keeper = Keeper(lived_in(), tmp_path / "nowhere" / "world.json", lambda _words: told.set())
    saving = asyncio.create_task(keep_saving(keeper))
    await told.wait()
    await asyncio.sleep(0)
    assert not saving.done()
    saving.cancel()
    with suppress(asyncio.CancelledError):
        await saving


def test_a_new_folder_for_the_world_is_its_owners_alone(tmp_path: Path) -> None:
    with server._directory(tmp_path / "world") as made:  # noqa: SLF001 - `run` needs ports and a bot
        assert made.stat().st_mode & 0o077 == 0


def test_open_modals_are_gone_as_in_a_closed_window(tmp_path: Path) -> None:
    world = lived_in()
    world.workspace.open_modal(world.workspace.make_view(ANN, modal(section("?"))))
    save(world, tmp_path / "world.json")
    again = World(replace(Settings(), port=9), key=one_key())
    load(again, tmp_path / "world.json")
    assert again.workspace.open_views() == []
