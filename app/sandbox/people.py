"""The cast of the emulated world and its fixed settings: who exists, under which ids and secrets."""

from __future__ import annotations

from dataclasses import dataclass

DOMAIN = "contoso.example"
TEAM = "T0SANDBOX1"
TENANT = "5a0d1b0c-7e1f-4c3a-9b52-6f0c8a1e7d10"
APPROVER_GROUP = "c2f1a7d4-3b68-4e0e-8f7a-1d5b9e60a4c3"
SUBSCRIPTION = "0f0e0d0c-1111-4222-8333-944455566677"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an Entra account, and with a Slack account unless `slack` is None."""

    id: str
    name: str
    role: str
    slack: str | None
    oid: str
    upn: str
    mail: str | None
    kind: str = "member"


@dataclass(frozen=True, slots=True)
class Group:
    """An Entra group: its id, its name, the short ids of its members, and whether it may hold directory roles."""

    id: str
    name: str
    members: tuple[str, ...]
    is_role_assignable: bool = True


PIM_GROUPS = (
    Group("9e2f0c11-6a3b-4f0d-a1b2-c3d4e5f60703", "prod-db-admins", ()),
    Group("4d7a9b20-58c1-4e6f-b3d2-0a1f2e3c4d5e", "breakglass-operators", (), is_role_assignable=False),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the world and the bot listen, and the names and secrets both sides agree on.

    With an `app_token` the app uses Socket Mode: Slack delivers through websockets and posts nothing.
    """

    port: int = 8765
    bot_port: int = 8766
    team: str = TEAM
    app_id: str = "A0SANDBOX1"
    bot_user: str = "U0PIMBOT01"
    bot_id: str = "B0PIMBOT01"
    channel: str = "C0APPROVE1"
    general_channel: str = "C0GENERAL1"
    bot_token: str = "xoxb-sandbox-1111111111-2222222222-pimapprovals"
    signing_secret: str = "4c1e9a7d2b6f80359d1c7e4a86b20f5d"
    app_token: str = ""
    slack_client_id: str = "1234567890.9876543210"
    slack_client_secret: str = "sandbox-slack-client-secret"
    tenant: str = TENANT
    client_id: str = "0b6c1c5e-4f3d-4d7b-a1c9-2e8f70d3b911"
    client_secret: str = "sandbox~microsoft~client~secret"
    api_audience: str = "0b6c1c5e-4f3d-4d7b-a1c9-2e8f70d3b911"
    subscription: str = SUBSCRIPTION
    groups: tuple[Group, ...] = PIM_GROUPS

    @property
    def world_url(self) -> str:
        """Root of the emulated world, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bot_url(self) -> str:
        """Root of the bot as browsers and Slack reach it: another site than the world's, as in life."""
        return f"http://localhost:{self.bot_port}"

    @property
    def redirect_uris(self) -> dict[str, str]:
        """The one registered redirect URI of each identity provider."""
        return {
            "slack": f"{self.bot_url}/sign-in/slack/callback",
            "microsoft": f"{self.bot_url}/sign-in/microsoft/callback",
        }


def _person(short: str, name: str, role: str, slack: str | None, oid: str) -> Person:
    address = f"{short}@{DOMAIN}"
    return Person(short, name, role, slack, oid, address, address)


CAST: dict[str, Person] = {
    person.id: person
    for person in (
        _person("ann", "Ann Alder", "approver", "U0ANNALDER", "a1111111-0a0a-4a0a-8a0a-000000000a01"),
        _person("ben", "Ben Brook", "approver", "U0BENBROOK", "b2222222-0b0b-4b0b-8b0b-000000000b02"),
        _person("rob", "Rob Reed", "requestor", "U0ROBREED1", "c3333333-0c0c-4c0c-8c0c-000000000c03"),
        _person("rita", "Rita Rowe", "requestor", "U0RITAROWE", "d4444444-0d0d-4d0d-8d0d-000000000d04"),
        Person(
            "adm-rob",
            "Rob Reed (admin)",
            "admin account",
            None,
            "e5555555-0e0e-4e0e-8e0e-000000000e05",
            f"adm-rob@{DOMAIN}",
            None,
        ),
        _person("cleo", "Cleo Clay", "approver", None, "f6666666-0f0f-4f0f-8f0f-000000000f06"),
        _person("olga", "Olga Oake", "outsider", "U0OLGAOAKE", "17777777-1a1a-4a1a-8a1a-000000001a07"),
        Person(
            "gus",
            "Gus Grove",
            "guest",
            "U0GUSGROVE",
            "28888888-2b2b-4b2b-8b2b-000000002b08",
            f"gus_partner.example#EXT#@{DOMAIN}",
            "gus@partner.example",
            "guest",
        ),
    )
}

APPROVERS = ("ann", "ben", "cleo")
AUDITORS = ("cleo",)  # the app role PIM.Audit of the bot's own API
IN_APPROVALS = ("ann", "ben")
MANAGERS = {"ann": "cleo", "ben": "cleo", "rob": "ann", "rita": "ben", "olga": "ann"}
GROUPS = (Group(APPROVER_GROUP, "pim-approvers", APPROVERS),)
