"""Web API methods of the `views` family: open, push, update, publish. They never call the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox.slack_calls import TIER_4, Call, Method, SlackError
from app.sandbox.slack_limits import check_view, is_view_too_large

if TYPE_CHECKING:
    from app.sandbox.people import Settings
    from app.sandbox.slack_records import Json, Trigger, View

MODAL_STACK = 3


def view_wire(view: View, settings: Settings) -> Json:
    """A view as Slack sends it: what the app gave, completed with ids, hash and state."""
    given: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "title": None,
        "submit": None,
    }
    given |= {"close": None, "clear_on_close": False, "notify_on_close": False}
    return (
        given
        | view.content
        | {
            "id": view.id,
            "team_id": settings.team,
            "app_id": settings.app_id,
            "app_installed_team_id": settings.team,
            "bot_id": settings.bot_id,
            "hash": view.hash,
            "root_view_id": view.root_id,
            "previous_view_id": view.previous_id,
            "state": {"values": view.values},
        }
    )


def view_problem(view: object, *allowed: str) -> SlackError | None:
    """Why Slack would not show this view, if it would not."""
    if is_view_too_large(view):
        return SlackError("view_too_large")
    problems = check_view(view, *allowed)
    if problems:
        return SlackError("invalid_arguments", response_metadata={"messages": problems})
    return None


def _open(call: Call) -> Json:
    content = _sound_view(call, "modal")
    trigger = _spend(call)
    view = call.workspace.make_view(trigger.user, content)
    call.workspace.open_modal(view)
    return _answer(call, view)


def _push(call: Call) -> Json:
    content = _sound_view(call, "modal")
    trigger = _spend(call)
    stack = call.workspace.modals.get(trigger.user, [])
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= MODAL_STACK:
        raise SlackError("push_limit_reached")
    view = call.workspace.make_view(trigger.user, content, stack[-1])
    call.workspace.push_modal(view)
    return _answer(call, view)


def _update(call: Call) -> Json:
    view = _shown(call)
    content = _sound_view(call, "modal", "home", but=view.id)
    _check_hash(call, view)
    if view.content["type"] != content["type"]:
        raise SlackError("invalid_arguments")
    call.workspace.rewrite(view, content)
    return _answer(call, view)


def _publish(call: Call) -> Json:
    content = _sound_view(call, "home")
    user = call.text("user_id")
    if user not in call.workspace.members or user in call.workspace.deleted:
        raise SlackError("user_not_found")
    if user in call.workspace.homes:
        _check_hash(call, call.workspace.homes[user])
    return _answer(call, call.workspace.publish(user, content))


def _answer(call: Call, view: View) -> Json:
    return {"ok": True, "view": view_wire(view, call.workspace.settings)}


def _sound_view(call: Call, *allowed: str, but: str = "") -> Json:
    view: Json = call.args["view"]
    problem = view_problem(view, *allowed)
    if problem:
        raise problem
    named = view.get("external_id")
    if named and any(v.content.get("external_id") == named and v.id != but for v in call.workspace.views()):
        raise SlackError("duplicate_external_id")
    return view


def _spend(call: Call) -> Trigger:
    trigger = call.workspace.spend_trigger(call.text("trigger_id"))
    if isinstance(trigger, str):
        raise SlackError(trigger)
    return trigger


def _shown(call: Call) -> View:
    known, named = call.text("view_id"), call.text("external_id")
    if not known and not named:
        problem = "[ERROR] either view_id or external_id is needed"
        raise SlackError("invalid_arguments", response_metadata={"messages": [problem]})
    for view in call.workspace.views():
        if view.id == known or (named and view.content.get("external_id") == named):
            return view
    raise SlackError("not_found")


def _check_hash(call: Call, view: View) -> None:
    if call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")


METHODS: dict[str, Method] = {
    "views.open": Method(_open, "trigger_id! view!:json", TIER_4),
    "views.push": Method(_push, "trigger_id! view!:json", TIER_4),
    "views.update": Method(_update, "view_id external_id view!:json hash", TIER_4),
    "views.publish": Method(_publish, "user_id! view!:json hash", TIER_4),
}
