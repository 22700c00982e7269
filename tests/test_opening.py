"""What settings and the policy file say reaches the rooms that must obey it. Nothing is called."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.identity.clouds import CLOUDS
from app.identity.keyring import Keyring
from app.main.rooms import MicrosoftSide, open_memory, open_microsoft
from app.notifier.gateway import Identity
from app.settings import Settings
from blocks.links import Portal

ME = Identity("T0ACME0001", "U0PIM00001", "B0PIM00001", "A0PIM00001", "https://acme.slack.example/")
GUID = "7f1c9e52-0d0b-4c55-9a53-6e3a4c1b2d00"
KEYS = "k1:" + "A" * 43


async def opened(tmp_path: Path, stack: AsyncExitStack, cloud: str = "global", policy: str = "") -> MicrosoftSide:
    (tmp_path / "policy.toml").write_text(policy, encoding="utf-8")
    settings = Settings(
        _env_file=None,
        slack_bot_token="xoxb-x",
        slack_signing_secret="x",
        slack_client_id="123.456",
        slack_client_secret="x",
        approvers_channel="C0123456789",
        tenant_id=GUID,
        client_id=GUID,
        client_secret="x",
        public_url="https://pim.example.com",
        keys=KEYS,
        cloud=cloud,
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'pim.db'}",
        policy_file=tmp_path / "policy.toml",
    )
    keyring = Keyring.parse(KEYS)
    memory = await open_memory(settings, keyring, stack)
    return await open_microsoft(settings, keyring, memory, ME, stack)


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_every_way_to_the_portal_leads_to_the_portal_of_the_chosen_cloud(tmp_path: Path, cloud: str) -> None:
    async with AsyncExitStack() as stack:
        assert (await opened(tmp_path, stack, cloud)).portal == Portal(CLOUDS[cloud].portal)


@pytest.mark.parametrize("said, demanded", [("", False), ("[sign_in]\nrequire_auth_time = true", True)])
async def test_the_policy_file_demands_the_time_of_a_sign_in(tmp_path: Path, said: str, *, demanded: bool) -> None:
    async with AsyncExitStack() as stack:
        side = await opened(tmp_path, stack, policy=said)
        assert side.sign_in.microsoft.require_auth_time is demanded
