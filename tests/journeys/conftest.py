"""Sandboxes for the journeys: one that all share, fresh ones for modules that disturb theirs, and scenes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journeys.driver import Sandbox, running
from journeys.scenes import Scenes, Stage


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox as `make demo` starts it, with Ann and Ben signed in. Tests bring their own requests."""
    with running(tmp_path_factory.mktemp("shared")) as sandbox:
        sandbox.signed_in("ann", "ben")
        yield sandbox


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of the module's own, with its `SETTINGS`; signed in are its `SIGNED_IN`, else Ann and Ben."""
    with running(tmp_path_factory.mktemp("own"), **getattr(request.module, "SETTINGS", {})) as sandbox:
        sandbox.signed_in(*getattr(request.module, "SIGNED_IN", ("ann", "ben")))
        yield sandbox


@pytest.fixture(scope="session")
def scenes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """The scenes of all modules that will be looked at, begun when the first one is asked for."""
    modules = {item.module.__name__: getattr(item.module, "SCENES", {}) for item in request.session.items}

    def new_database() -> str:
        return str(server.url(server.create()))

    if any("postgresql" in name for found in modules.values() for name in found):
        server = request.getfixturevalue("postgres_server")
    scenes = Scenes(lambda: Stage(tmp_path_factory.mktemp("scene"), new_database))
    for name, found in modules.items():
        scenes.begin(name, found)
    yield scenes
    scenes.close()


@pytest.fixture(autouse=True)
def _leave_no_fault(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test broke is whole again for the next one."""
    yield
    for name in ("shared", "own"):
        if name in request.fixturenames:
            request.getfixturevalue(name).mend()
