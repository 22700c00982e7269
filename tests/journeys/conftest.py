"""Sandboxes for the journeys: one that all share, and fresh ones for modules that disturb theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from journeys.driver import Sandbox, running


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox as `make demo` starts it, with Ann and Ben signed in. Tests bring their own requests."""
    with running(tmp_path_factory.mktemp("shared")) as sandbox:
        sandbox.signed_in("ann", "ben")
        yield sandbox


@pytest.fixture(scope="module")
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox of the module's own, with the module's `SETTINGS`, and Ann and Ben signed in."""
    with running(tmp_path_factory.mktemp("own"), **getattr(request.module, "SETTINGS", {})) as sandbox:
        sandbox.signed_in("ann", "ben")
        yield sandbox


@pytest.fixture(autouse=True)
def _leave_no_fault(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test broke is whole again for the next one."""
    yield
    for name in ("shared", "own"):
        if name in request.fixturenames:
            request.getfixturevalue(name).mend()
