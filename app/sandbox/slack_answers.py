"""What Slack does with the bot's answer to an act: change the modal, show a reply, report trouble. It sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox.slack_limits import check_blocks
from app.sandbox.slack_methods_views import MODAL_STACK, view_problem
from app.sandbox.slack_records import View
from app.sandbox.slack_response import say
from app.sandbox.slack_state import SLACKBOT

if TYPE_CHECKING:
    from app.sandbox.people import Person
    from app.sandbox.slack_records import Ephemeral, Json, Message
    from app.sandbox.slack_state import Workspace

OK = 200
TROUBLE = "We had some trouble connecting. Try again?"


def after_click(
    workspace: Workspace, person: Person, place: Message | Ephemeral | View, status: int, body: object
) -> None:
    """A good answer to a press changes nothing; without one the person is told. Interactions are not retried."""
    if status == OK:
        return
    if isinstance(place, View) and place.content["type"] == "modal":
        place.trouble = TROUBLE
        workspace.touch()
        return
    slack = person.slack or ""
    channel = workspace.direct(slack).id if isinstance(place, View) else place.channel
    _complain(workspace, channel, slack, f"That did not work: the app did not answer ({_error(status, body)}).")


def after_submission(workspace: Workspace, view: View, sent_as: str, status: int, body: object) -> None:
    """Apply `response_action` to the modal; an empty answer closes it.

    `sent_as` is the hash of the view that was submitted. If the bot has rewritten the view by `views.update` since,
    that is newer than an `update` in its answer, whose processing merely ended later.
    """
    if view not in workspace.modals.get(view.user, []):
        return
    answer = body if isinstance(body, dict) else {}
    action = answer.get("response_action", "")
    is_sound = status == OK and (isinstance(body, dict) or body == "")
    if not is_sound or (answer and action not in _ACTIONS):
        view.trouble = TROUBLE
        workspace.touch()
    elif not answer:
        workspace.close_modal(view)
    elif action != "update" or view.hash == sent_as:
        _ACTIONS[action](workspace, view, answer)


def after_command(workspace: Workspace, channel: str, slack: str, status: int, body: object) -> None:
    """Show the reply in the answer, to the person alone unless it says in_channel; report an error as Slack does."""
    answer: Json = body if isinstance(body, dict) else {"text": str(body)}
    problem = check_blocks(answer.get("blocks") or [], "message")
    if status != OK or problem:
        error = "invalid_command_response" if problem else _error(status, body)
        _complain(workspace, channel, slack, f'/pim failed with the error "{error}"')
    elif answer.get("text") or answer.get("blocks"):
        say(workspace, channel, slack, answer)


def _show_errors(workspace: Workspace, view: View, answer: Json) -> None:
    errors = answer.get("errors")
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if isinstance(errors, dict) and errors and inputs.issuperset(errors):
        view.errors = {name: str(text) for name, text in errors.items()}
    else:
        view.trouble = TROUBLE
    workspace.touch()


def _update(workspace: Workspace, view: View, answer: Json) -> None:
    if _is_bad(workspace, view, answer):
        return
    workspace.rewrite(view, answer["view"])


def _push(workspace: Workspace, view: View, answer: Json) -> None:
    if _is_bad(workspace, view, answer) or len(workspace.modals[view.user]) >= MODAL_STACK:
        return
    workspace.push_modal(workspace.make_view(view.user, answer["view"], view))


def _clear(workspace: Workspace, view: View, _answer: Json) -> None:
    workspace.close_modal(view, everything=True)


def _is_bad(workspace: Workspace, view: View, answer: Json) -> bool:
    if view_problem(answer.get("view"), "modal") is None:
        return False
    view.trouble = TROUBLE
    workspace.touch()
    return True


def _complain(workspace: Workspace, channel: str, slack: str, text: str) -> None:
    workspace.whisper(channel, slack, text, [], author=SLACKBOT)


def _error(status: int, body: object) -> str:
    return str(body) if status == 0 else "dispatch_failed"


_ACTIONS = {"errors": _show_errors, "update": _update, "push": _push, "clear": _clear}
