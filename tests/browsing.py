"""Chromium for the tests: where it is, how it starts, and what to do when there is none."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

MISSING = "Chromium is not installed; on Debian: apt-get install chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch_options() -> dict[str, Any]:
    """What `chromium.launch` wants. Without Chromium the test is skipped; where CI is set it fails instead."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    return {"executable_path": path, "args": list(FLAGS)}
