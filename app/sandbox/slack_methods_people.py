"""Web API methods about who is who: `auth.test`, `bots.info` and the `users` family. They read only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox.slack_calls import SPECIAL, TIER_2, TIER_3, TIER_4, Call, Method, SlackError, page_of

if TYPE_CHECKING:
    from app.sandbox.people import Person
    from app.sandbox.slack_records import Json
    from app.sandbox.slack_state import Workspace

DOMAIN = "contoso"
BOT_NAME = "PIM Approvals"


def _auth_test(call: Call) -> Json:
    settings = call.workspace.settings
    return {
        "ok": True,
        "url": f"https://{DOMAIN}.slack.com/",
        "team": "Contoso",
        "user": "pim",
        "team_id": settings.team,
        "user_id": settings.bot_user,
        "bot_id": settings.bot_id,
        "is_enterprise_install": False,
    }


def _bots_info(call: Call) -> Json:
    settings = call.workspace.settings
    if call.text("bot") not in {"", settings.bot_id}:
        raise SlackError("bot_not_found")
    bot = {"id": settings.bot_id, "deleted": False, "name": BOT_NAME, "app_id": settings.app_id}
    return {"ok": True, "bot": bot | {"user_id": settings.bot_user, "updated": 0, "icons": {}}}


def _users_info(call: Call) -> Json:
    return {"ok": True, "user": _user(call.workspace, call.text("user"))}


def _users_by_email(call: Call) -> Json:
    wanted = call.text("email").lower()
    for slack, person in call.workspace.members.items():
        if (person.mail or "").lower() == wanted and slack not in call.workspace.deleted:
            return {"ok": True, "user": _user(call.workspace, slack)}
    raise SlackError("users_not_found")


def _users_list(call: Call) -> Json:
    everybody = [*call.workspace.members, call.workspace.settings.bot_user]
    page, after = page_of(call, everybody, 1000)
    members = [_user(call.workspace, slack) for slack in page]
    return {"ok": True, "members": members, "response_metadata": {"next_cursor": after}}


def _user(workspace: Workspace, slack: str) -> Json:
    if slack == workspace.settings.bot_user:
        return _bot_user(workspace)
    if slack not in workspace.members:
        raise SlackError("user_not_found")
    person = workspace.members[slack]
    user = _common(workspace, slack, person.id, person.name)
    user["deleted"] = slack in workspace.deleted
    user |= {"is_restricted": person.kind == "guest", "is_email_confirmed": bool(person.mail)}
    user["profile"] |= _names(person)
    return user


def _bot_user(workspace: Workspace) -> Json:
    user = _common(workspace, workspace.settings.bot_user, "pim", BOT_NAME)
    user["is_bot"] = True
    user["profile"] |= {"bot_id": workspace.settings.bot_id, "api_app_id": workspace.settings.app_id}
    return user


def _common(workspace: Workspace, slack: str, name: str, real_name: str) -> Json:
    flags = ("is_admin", "is_owner", "is_primary_owner", "is_restricted", "is_ultra_restricted")
    more = ("is_bot", "is_app_user", "is_stranger", "deleted")
    return {
        "id": slack,
        "team_id": workspace.settings.team,
        "name": name,
        "real_name": real_name,
        "tz": "Europe/Amsterdam",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "updated": 0,
        **dict.fromkeys(flags + more, False),
        "profile": {"real_name": real_name, "display_name": name, "team": workspace.settings.team},
    }


def _names(person: Person) -> Json:
    first, _, last = person.name.partition(" ")
    return {"first_name": first, "last_name": last} | ({"email": person.mail} if person.mail else {})


METHODS: dict[str, Method] = {
    "auth.test": Method(_auth_test, "", SPECIAL),
    "bots.info": Method(_bots_info, "bot team_id", TIER_3, "users:read"),
    "users.info": Method(_users_info, "user! include_locale:bool", TIER_4, "users:read"),
    "users.lookupByEmail": Method(_users_by_email, "email!", TIER_3, "users:read.email"),
    "users.list": Method(_users_list, "cursor limit:int include_locale:bool team_id", TIER_2, "users:read"),
}
