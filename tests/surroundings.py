"""The surroundings of a command: sound settings, and nothing else of the machine that the tests run on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GUID = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"
SOUND = {
    "SLACK_BOT_TOKEN": "xoxb-canary",
    "SLACK_SIGNING_SECRET": "canary",
    "SLACK_CLIENT_ID": "123.456",
    "SLACK_CLIENT_SECRET": "canary",
    "APPROVERS_CHANNEL": "C0123456789",
    "TENANT_ID": GUID,
    "CLIENT_ID": GUID,
    "CLIENT_SECRET": "canary",
    "PUBLIC_URL": "https://pim.example.com",
    "KEYS": "k1:" + "A" * 43,
}


def surround(monkeypatch: pytest.MonkeyPatch, folder: Path, **values: str) -> None:
    """Work in `folder` with sound settings; `values` are more of them, or others."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("PIM_") or name == "PORT"]:
        monkeypatch.delenv(name)
    for name, value in {**SOUND, **values}.items():
        monkeypatch.setenv(f"PIM_{name}", value)
